"""3Commas' signal bot: the strategy form, whose `strategy_info` tells the position, and the custom one (enter_long ...)."""

from decimal import Decimal
from typing import Annotated, Any

from fillpath.alerts.body import Message, invalid
from fillpath.alerts.canonical import CanonicalAlert, Moment, Number, Position, Quantity, Secret, Symbol, Text
from fillpath.alerts.dialects import shapes
from fillpath.alerts.dialects.dialect import Dialect
from fillpath.alerts.dialects.reading import Fields, canonical, is_off, missing, read, words

_ACTIONS = {each: each for each in ("buy", "sell", "enter_long", "exit_long", "enter_short", "exit_short")}
_ENTRIES = {"enter_long": "buy", "enter_short": "sell"}
_EXITS = {"exit_long": ("sell", "close_long"), "exit_short": ("buy", "close_short")}
_NAMES = {
    "symbol": "tv_instrument",
    "quantity": "order.amount",
    "market_position": "strategy_info.market_position",
    "market_position_size": "strategy_info.market_position_size",
    "prev_market_position": "strategy_info.prev_market_position",
    "prev_market_position_size": "strategy_info.prev_market_position_size",
}
_SHORTEST_LAG_S = 30
_REFUSED = {
    "pair": "the symbol stands in tv_instrument; remove it",
    "leverage": "leverage is set at the venue; remove it",
    "dca": "averaging orders are not supported; send each order as an alert of its own",
}


class _StrategyInfo(Fields):
    market_position: Position
    market_position_size: Quantity
    prev_market_position: Position
    prev_market_position_size: Quantity


_CURRENCY_REMEDY = "sizes are numbers of contracts, shares or coins: send currency_type base"


class _Order(Fields):
    amount: Quantity
    currency_type: Annotated[
        str,
        words(
            {"base": "base", "position_percent": "position_percent"},
            dict.fromkeys(("quote", "margin_percent"), _CURRENCY_REMEDY),
        ),
    ] = "base"
    order_type: Annotated[str, words({"market": "market", "limit": "limit"})] = "market"
    price: Number | None = None


class _Signal(Fields):
    """What 3Commas documents of a signal bot's messages."""

    secret: Secret | None = None
    max_lag: Quantity | None = None
    timestamp: Moment | None = None
    trigger_price: Number | None = None
    tv_exchange: Text | None = None
    tv_instrument: Symbol
    action: Annotated[str, words(_ACTIONS)]
    bot_uuid: Text | None = None
    strategy_info: _StrategyInfo | None = None
    order: _Order | None = None
    stop_loss: Any = None
    take_profit: Any = None


def _parse(message: Message) -> CanonicalAlert:
    signal = read(_Signal, message.fields, _REFUSED)
    if signal.max_lag is not None and signal.max_lag < _SHORTEST_LAG_S:
        raise invalid("max_lag", "the webhook's own limits say how old an alert may be; remove it, and set --entry-staleness")
    for field in ("stop_loss", "take_profit"):
        if _enabled(getattr(signal, field)):
            raise invalid(field, "exits by percentage are not supported; remove it, and send the exits as alerts of their own")
    return canonical(
        _NAMES,
        **(_strategy(signal) if signal.action in {"buy", "sell"} else _custom(signal)),
        **_kind(signal.order),
        symbol=signal.tv_instrument,
        timestamp=signal.timestamp,
        secret=signal.secret,
        exchange=signal.tv_exchange,
        strategy=signal.bot_uuid,
        price=signal.trigger_price,
    )


def _enabled(exit_given: object) -> bool:
    return not is_off(exit_given.get("enabled", True) if isinstance(exit_given, dict) and exit_given else exit_given)


def _strategy(signal: _Signal) -> dict[str, Any]:
    if signal.strategy_info is None:
        missing("strategy_info", f"{signal.action} does not say whether it opens or closes without the positions it holds")
    if signal.order is not None and signal.order.currency_type != "base":
        raise invalid("order.currency_type", _CURRENCY_REMEDY)
    return {
        "action": signal.action,
        "quantity": signal.order.amount if signal.order else None,
        **signal.strategy_info.model_dump(),
    }


def _custom(signal: _Signal) -> dict[str, Any]:
    if signal.strategy_info is not None:
        raise invalid("strategy_info", f"does not go with {signal.action}; send buy or sell, or remove it")
    if signal.action in _ENTRIES:
        return {"action": _ENTRIES[signal.action], "quantity": _amount(signal)}
    side, close = _EXITS[signal.action]
    if signal.order is None or signal.order.currency_type == "position_percent":
        return {"action": _whole(signal, close)}
    return {"action": side, "order_type": "exit", "quantity": signal.order.amount}


def _amount(signal: _Signal) -> Decimal:
    if signal.order is None:
        missing("order", 'the size is part of the message here: "order": {"amount": "1", "currency_type": "base"}')
    if signal.order.currency_type != "base":
        raise invalid("order.currency_type", _CURRENCY_REMEDY)
    return signal.order.amount


def _whole(signal: _Signal, close: str) -> str:
    if signal.order is not None and signal.order.amount != 100:
        raise invalid(
            "order.amount", f"a part of a position is a number here; send currency_type base, or 100 percent for {close}"
        )
    return close


def _kind(order: _Order | None) -> dict[str, Any]:
    if order is None or order.order_type == "market":
        return {}
    if order.price is None:
        missing("order.price", "a limit order needs it")
    return {"type": "limit", "limit_price": order.price}


DIALECT = Dialect("threecommas", shapes.is_threecommas, _parse)
