"""OpenAlgo's orders: `position_size`, signed, is the position that is wanted; without it an order of its own."""

from typing import Annotated, Any

from fillpath.alerts.body import Message, invalid
from fillpath.alerts.canonical import CanonicalAlert, Number, Quantity, Secret, Symbol, Text
from fillpath.alerts.dialects import shapes
from fillpath.alerts.dialects.dialect import Dialect
from fillpath.alerts.dialects.reading import Fields, canonical, missing, position_of, read, words

_ACTIONS = {"buy": "buy", "sell": "sell"}
_TYPES = {"market": "market", "limit": "limit", "sl": "stop_limit", "sl-m": "stop"}
_NAMES = {
    "secret": "apikey",
    "type": "pricetype",
    "limit_price": "price",
    "stop_price": "trigger_price",
    "market_position_size": "position_size",
}
_REFUSED = {
    "disclosed_quantity": "orders are shown to the market in full; write 0",
    "splitsize": "orders are not split; remove it",
}


class _Order(Fields):
    """What OpenAlgo documents of an order, of a smart order, and of a strategy's webhook."""

    apikey: Secret | None = None
    strategy: Text | None = None
    symbol: Symbol
    action: Annotated[str, words(_ACTIONS)]
    exchange: Text | None = None
    pricetype: Annotated[str, words(_TYPES)] = "market"
    product: Text | None = None
    quantity: Quantity | None = None
    position_size: Number | None = None
    price: Quantity | None = None
    trigger_price: Quantity | None = None


def _parse(message: Message) -> CanonicalAlert:
    order = read(_Order, message.fields, _REFUSED)
    return canonical(
        _NAMES,
        **_wish(order),
        **_prices(order),
        action=order.action,
        quantity=order.quantity,
        symbol=order.symbol,
        secret=order.apikey,
        strategy=order.strategy,
        exchange=order.exchange,
        type=order.pricetype,
    )


def _wish(order: _Order) -> dict[str, Any]:
    size = order.position_size
    if size is None:
        if not order.quantity:
            missing("position_size", 'add "{{strategy.position_size}}", the position that is wanted; or quantity, above 0')
        return {"quantity_is": "contracts"}
    if size == 0:
        return {"market_position": "flat"}
    return {"market_position": position_of("buy" if size > 0 else "sell"), "market_position_size": abs(size)}


def _prices(order: _Order) -> dict[str, Any]:
    given = {"limit_price": order.price, "stop_price": order.trigger_price}
    wanted = {"market": (), "limit": ("limit_price",), "stop": ("stop_price",), "stop_limit": ("limit_price", "stop_price")}
    for name, price in given.items():
        if price and name not in wanted[order.pricetype] and order.pricetype != "market":
            raise invalid(_NAMES[name], "does not go with this pricetype; write 0")
    return {name: price for name, price in given.items() if price and name in wanted[order.pricetype]}


DIALECT = Dialect("openalgo", shapes.is_openalgo, _parse, secret_field="apikey", timed=False)  # noqa: S106 - the name of a field
