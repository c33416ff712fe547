"""How a message is known by its keys: cheap, and without the models of any dialect."""

from fillpath.alerts.body import Message

_TRADERSPOST = {
    "ticker", "sentiment", "signalPrice", "orderType", "limitPrice", "stopPrice", "takeProfit", "stopLoss", "quantityType",
    "trailAmount", "trailPercent", "timeInForce", "cancelAfter", "extendedHours", "extras", "time",
}  # fmt: skip
_PICKMYTRADE = {
    "data",
    "multiple_accounts",
    "duplicate_position_allow",
    "reverse_order_close",
    "risk_percentage",
    "percentage_tp",
}
_THREECOMMAS = {"strategy_info", "bot_uuid", "tv_instrument", "tv_exchange"}
_OPENALGO = {"apikey", "position_size", "pricetype"}
_CROSSTRADE = {"command", "kill_switch"}
_PAIRS_IBKR = {"mar_pos", "mar_pos_size", "pre_mar_pos", "pre_mar_pos_size", "order_contracts"}
_FOREIGN = {
    "signalToken", "api_secret", "auth_token", "isBuy", "isSell", "isClose", "direction", "market",
}  # fmt: skip
_LUNE = ("longentry", "shortentry", "longexit", "shortexit", "partialexit", "addtoposition")
_CANONICAL_ONLY = {"market_position", "prev_market_position", "limit_price", "stop_price", "order_type", "time_in_force"}


def is_crosstrade(message: Message) -> bool:
    """Text, or the same fields as JSON."""
    return message.form == "text" or not _CROSSTRADE.isdisjoint(message.fields)


def is_threecommas(message: Message) -> bool:
    """What only a 3Commas signal bot asks for."""
    return not _THREECOMMAS.isdisjoint(message.fields)


def is_pickmytrade(message: Message) -> bool:
    """The side in `data`, or switches that only PickMyTrade has."""
    return not _PICKMYTRADE.isdisjoint(message.fields)


def is_openalgo(message: Message) -> bool:
    """Its key, its price type or a signed position."""
    return not _OPENALGO.isdisjoint(message.fields)


def is_pairs_ibkr(message: Message) -> bool:
    """Its abbreviations of TradingView's placeholders."""
    return not _PAIRS_IBKR.isdisjoint(message.fields)


def is_foreign(message: Message) -> bool:
    """A product that is known only to be refused by its name; a bar without an action is one of them."""
    keys, action = message.fields.keys(), message.fields.get("action")
    if isinstance(action, str) and action.strip().lower().endswith(_LUNE):
        return True
    return not _FOREIGN.isdisjoint(keys) or (keys >= {"open", "close"} and "action" not in keys)


def is_traderspost(message: Message) -> bool:
    """A ticker, or other words in TradersPost's spelling; `symbol` is nobody's word there."""
    keys = message.fields.keys()
    return "symbol" not in keys and not _TRADERSPOST.isdisjoint(keys) and _CANONICAL_ONLY.isdisjoint(keys)
