"""Finding an order again whose answer was lost: TradeStation keeps none of our ids, so what was sent is compared with its list.

In: the leg, how its contract is called there, and the orders that were read. Out: the order that is the leg's; of a bracket its
entry, of an exit pair both orders. Everything must be equal: symbol, side, quantity, type, the prices that the type has, and the
time of opening. Of several that are, nobody can tell which it is.
"""

from collections.abc import Sequence

from fillpath.errors import BrokerUnavailable
from fillpath.orders.model import Leg, OrderType
from fillpath_brokers.documents import moment_or_none, readable
from fillpath_brokers.pairs import exits_wanted
from fillpath_brokers.tradestation.wire import (
    Document,
    limit_price_of,
    ordered_of,
    related,
    side_of,
    stop_price_of,
    symbol_of,
    trail_of,
    type_of,
)
from fillpath_brokers.window import Window

_SIBLINGS = ("OSP", "BRK", "OCO")
_LINKS = ("OSO", *_SIBLINGS)
_WITH_LIMIT = {OrderType.LIMIT, OrderType.STOP_LIMIT}
_WITH_STOP = {OrderType.STOP, OrderType.STOP_LIMIT}


def orders_of(leg: Leg, symbol: str, orders: Sequence[Document], window: Window) -> tuple[Document, ...]:
    """The leg's order (of a pair both); none: there is no such order. BrokerUnavailable if it cannot be told."""
    with readable("TradeStation's orders"):
        plain = [order for order in orders if len(order.get("Legs") or ()) == 1]
        opened = [order for order in plain if window.holds(moment_or_none(order.get("OpenedDateTime")))]
        if leg.type is OrderType.OCO:
            return _pair_of(leg, symbol, opened)
        same = [order for order in opened if _is_same(leg, symbol, order)]
        found = [order for order in same if not related(order, *(_SIBLINGS if exits_wanted(leg) else _LINKS))]
        with_exits = [order for order in found if related(order, "OSO")]
        return tuple(_only(with_exits or found, leg))


def _pair_of(leg: Leg, symbol: str, orders: Sequence[Document]) -> tuple[Document, ...]:
    """Both halves; one of them only where the other was never taken. Exits of a bracket belong to their entry."""
    own = [order for order in orders if not related(order, "OSP")]
    halves = []
    for type_, name in ((OrderType.LIMIT, "limit_price"), (OrderType.STOP, "stop_price")):
        prices = {"limit_price": None, "stop_price": None, name: getattr(leg, name)}
        half = leg.model_copy(update={"type": type_, **prices})
        halves += _only([order for order in own if _is_same(half, symbol, order)], leg)
    return tuple(halves)


def _only(found: list[Document], leg: Leg) -> list[Document]:
    if len(found) > 1:
        ids = ", ".join(sorted(str(order["OrderID"]) for order in found))
        raise BrokerUnavailable(f"cannot tell which order is {leg.client_order_id}: {ids} all look like it")
    return found


def _is_same(leg: Leg, symbol: str, order: Document) -> bool:
    return _quantity_fits(leg, order) and _terms_of(order, leg.type) == (
        symbol,
        leg.side,
        leg.type,
        leg.limit_price if leg.type in _WITH_LIMIT else None,
        leg.stop_price if leg.type in _WITH_STOP else None,
        (leg.trail_amount, leg.trail_percent),
    )


def _terms_of(order: Document, type_: OrderType) -> tuple[object, ...]:
    return (
        symbol_of(order),
        side_of(order),
        type_of(order),
        limit_price_of(order) if type_ in _WITH_LIMIT else None,
        stop_price_of(order) if type_ in _WITH_STOP else None,
        trail_of(order),
    )


def _quantity_fits(leg: Leg, order: Document) -> bool:
    """What has filled of one half of a pair may have been taken off the other by now."""
    ordered = ordered_of(order)
    return ordered <= leg.quantity if related(order, "BRK", "OCO") else ordered == leg.quantity
