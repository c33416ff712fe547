"""PickMyTrade's alert: the side in `data`, switches as words, zeros for what is not used."""

from decimal import Decimal
from typing import Annotated, Any

from fillpath.alerts.body import Message, invalid
from fillpath.alerts.canonical import CanonicalAlert, Moment, Number, Quantity, Secret, Symbol, Text
from fillpath.alerts.dialects import shapes
from fillpath.alerts.dialects.dialect import Dialect
from fillpath.alerts.dialects.prices import beside
from fillpath.alerts.dialects.reading import Fields, Flag, canonical, missing, position_of, read, words

_DATA = {each: each for each in ("buy", "sell", "close")}
_TYPES = {
    "mkt": "market", "market": "market", "lmt": "limit", "limit": "limit", "stp": "stop", "stop": "stop", "stpmkt": "stop",
}  # fmt: skip
_NAMES = {
    "action": "data",
    "timestamp": "date",
    "secret": "token",
    "type": "order_type",
    "limit_price": "price",
    "stop_price": "price",
    "take_profit": "tp",
    "stop_loss": "sl",
    "market_position_size": "quantity",
}
_TRAIL = "trailing stops that follow an entry are not supported; write 0"
_DOLLARS = "an amount of money is not supported; write 0, and the price itself in {}, or a percentage in {}"
_REFUSED = {
    "multiple_accounts": "the webhook's routes say which accounts trade, with their multipliers; remove it",
    "risk_percentage": "the size is a number of contracts; write 0, and quantity",
    "dollar_tp": _DOLLARS.format("tp", "percentage_tp"),
    "dollar_sl": _DOLLARS.format("sl", "percentage_sl"),
    "update_tp": "exits in place are not moved; write false",
    "update_sl": "exits in place are not moved; write false",
    **dict.fromkeys(("trail", "trail_stop", "trail_trigger", "trail_freq"), _TRAIL),
}


class _Alert(Fields):
    """What PickMyTrade documents of an alert, for Tradovate and for Rithmic."""

    symbol: Symbol
    date: Moment | None = None
    data: Annotated[str, words(_DATA)]
    quantity: Quantity | None = None
    price: Number | None = None
    tp: Quantity | None = None
    percentage_tp: Quantity | None = None
    sl: Quantity | None = None
    percentage_sl: Quantity | None = None
    order_type: Annotated[str, words(_TYPES)] = "market"
    token: Secret | None = None
    duplicate_position_allow: Flag | None = None
    reverse_order_close: Flag | None = None
    platform: Text | None = None
    connection_name: Text | None = None
    account_id: Text | None = None
    strategy_name: Text | None = None


def _parse(message: Message) -> CanonicalAlert:
    alert = read(_Alert, message.fields, _REFUSED)
    wish = {"action": "close"} if alert.data == "close" else _trade(alert) | _kind(alert)
    return canonical(
        _NAMES,
        **wish,
        symbol=alert.symbol,
        timestamp=alert.date,
        secret=alert.token,
        strategy=alert.strategy_name,
        price=alert.price,
    )


def _trade(alert: _Alert) -> dict[str, Any]:
    if not alert.quantity:
        missing("quantity", 'the size is part of the message here: "quantity": "1", or "{{strategy.order.contracts}}"')
    found: dict[str, Any] = {"action": alert.data, "quantity": alert.quantity, **_exits(alert)}
    if alert.reverse_order_close is False:
        return found | {"quantity_is": "contracts"}
    if alert.reverse_order_close and alert.duplicate_position_allow is False:
        return found | {"market_position": position_of(alert.data), "market_position_size": alert.quantity}
    if alert.duplicate_position_allow is False:
        missing("reverse_order_close", "with duplicate_position_allow false it must say whether a new signal closes what is held")
    return found | ({"quantity_is": "new_size"} if alert.reverse_order_close else {})


def _kind(alert: _Alert) -> dict[str, Any]:
    if alert.order_type == "market":
        return {}
    if not alert.price:
        missing("price", f"an order_type of {alert.order_type} needs it")
    return {"type": alert.order_type, f"{alert.order_type}_price": alert.price}


def _exits(alert: _Alert) -> dict[str, Any]:
    long = alert.data == "buy"
    levels = {
        "take_profit": _level(alert, "tp", alert.tp, alert.percentage_tp, above=long),
        "stop_loss": _level(alert, "sl", alert.sl, alert.percentage_sl, above=not long),
    }
    return {name: level for name, level in levels.items() if level is not None}


def _level(alert: _Alert, name: str, price: Decimal | None, percent: Decimal | None, *, above: bool) -> Decimal | None:
    if price and percent:
        raise invalid(name, f"stands beside percentage_{name}; write one of them, and 0 for the other")
    if not percent:
        return price or None
    if not alert.price or alert.price <= 0:
        raise invalid(f"percentage_{name}", 'is a share of a price that is not in the message; add "price": "{{close}}"')
    return beside(alert.symbol, alert.price, percent, percent=True, above=above)


DIALECT = Dialect(
    "pickmytrade",
    shapes.is_pickmytrade,
    _parse,
    secret_field="token",  # noqa: S106 - the name of a field
    time_field="date",
)
