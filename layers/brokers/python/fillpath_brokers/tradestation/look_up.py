"""Finding an order again whose answer was lost: TradeStation keeps none of our ids, so what was sent is compared with its list.

In: the leg, how its contract is called there, and the orders that were read. Out: the order that is the leg's; of a bracket its
entry, of an exit pair both orders. Everything must be equal: symbol, side, quantity, type, the prices that the type has, and the
time of opening. Of several that are, nobody can tell which it is; nor of one that does not tell all of that.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from fillpath.errors import BrokerUnavailable
from fillpath.orders.model import Leg, OrderType
from fillpath_brokers.documents import moment_or_none, readable
from fillpath_brokers.pairs import exits_wanted, pair_quantity_fits
from fillpath_brokers.tradestation.wire import (
    Document,
    exits_of,
    filled_of,
    limit_price_of,
    ordered_of,
    own_view,
    related,
    side_of,
    stop_price_of,
    symbol_of,
    trail_of,
    type_of,
)
from fillpath_brokers.window import Window, quantity_fits

_SIBLINGS = ("OSP", "BRK", "OCO")
_LINKS = ("OSO", *_SIBLINGS)
_WITH_LIMIT = {OrderType.LIMIT, OrderType.STOP_LIMIT}
_WITH_STOP = {OrderType.STOP, OrderType.STOP_LIMIT}


def orders_of(leg: Leg, symbol: str, orders: Sequence[Document], window: Window) -> tuple[Document, ...]:
    """The leg's order (of a pair both); none: there is no such order. BrokerUnavailable if it cannot be told."""
    with readable("TradeStation's orders"):
        near = [order for order in orders if window.may_hold(_opened(order) or window.opens) and _may_be_of(symbol, order)]
        inside = [order for order in near if window.holds(_opened(order) or window.opens)]
        found = _among(leg, symbol, inside)
        if not found and not window.certain and _among(leg, symbol, near):
            raise BrokerUnavailable(f"TradeStation does not tell its time, so one opened at another may be {leg.client_order_id}")
        return found


def may_be_exits_of(leg: Leg, symbol: str, orders: Sequence[Document], window: Window) -> list[Document]:
    """Orders at work that may be exits of this bracket, by what was sent with it and when, whatever they are linked with."""
    with readable("TradeStation's orders"):
        working = [order for order in orders if not own_view(order).status.ended and symbol_of(order) == symbol]
        near = [order for order in working if window.may_hold(_opened(order) or window.opens)]
        return [order for order in near if any(_has_terms_of(exit_, symbol, order) for exit_ in exits_of(leg))]


def _among(leg: Leg, symbol: str, orders: Sequence[Document]) -> tuple[Document, ...]:
    if leg.type is OrderType.OCO:
        return _pair_of(leg, symbol, orders)
    same = [order for order in orders if _is_same(leg, symbol, order)]
    found = [order for order in same if not related(order, *(_SIBLINGS if exits_wanted(leg) else _LINKS))]
    with_exits = [order for order in found if related(order, "OSO")]
    return tuple(_only(with_exits or found, leg))


def _pair_of(leg: Leg, symbol: str, orders: Sequence[Document]) -> tuple[Document, ...]:
    """Both halves; one of them only where the other was never taken. Exits of a bracket belong to their entry."""
    own = {str(order["OrderID"]): order for order in orders if not related(order, "OSP")}
    halves = []
    for type_, name in ((OrderType.LIMIT, "limit_price"), (OrderType.STOP, "stop_price")):
        prices = {"limit_price": None, "stop_price": None, name: getattr(leg, name)}
        half = leg.model_copy(update={"type": type_, **prices})
        same = [order for order in own.values() if _has_terms_of(half, symbol, order)]
        halves += _only([order for order in same if _pair_fits(leg, order, own)], leg)
    return tuple(halves)


def _pair_fits(leg: Leg, half: Document, own: Mapping[str, Document]) -> bool:
    """By the sizes of both halves, as far as they are shown."""
    both = [half, *(own[each] for each in related(half, "BRK", "OCO") if each in own)]
    return pair_quantity_fits(leg, [ordered_of(each) for each in both], [filled_of(each) for each in both])


def _only(found: list[Document], leg: Leg) -> list[Document]:
    if len(found) > 1:
        ids = ", ".join(sorted(str(order["OrderID"]) for order in found))
        raise BrokerUnavailable(f"cannot tell which order is {leg.client_order_id}: {ids} all look like it")
    return found


def _is_same(leg: Leg, symbol: str, order: Document) -> bool:
    return quantity_fits(leg, ordered_of(order)) and _has_terms_of(leg, symbol, order)


def _has_terms_of(leg: Leg, symbol: str, order: Document) -> bool:
    return _terms_of(order, leg.type) == (
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


def _may_be_of(symbol: str, order: Document) -> bool:
    """Whether it may be ours by its symbol; then it has to tell what it is: what is left out is no evidence of another order."""
    legs = order.get("Legs") or ()
    if len(legs) > 1 or (legs and legs[0].get("Symbol") and symbol_of(order) != symbol):
        return False
    if not legs or not all(_told(order)):
        raise BrokerUnavailable(f"TradeStation shows an order that cannot be compared: {order.get('OrderID')}")
    return True


def _told(order: Document) -> Iterator[bool]:
    leg, type_ = order["Legs"][0], type_of(order) if order.get("OrderType") else None
    yield bool(order.get("OrderID") and order.get("OrderType") and leg.get("Symbol") and order.get("OpenedDateTime"))
    yield str(leg.get("BuyOrSell")).lower().startswith(("buy", "sell"))
    yield leg.get("QuantityOrdered") is not None
    yield type_ not in _WITH_LIMIT or limit_price_of(order) is not None
    yield type_ not in _WITH_STOP or stop_price_of(order) is not None


def _opened(order: Document) -> datetime | None:
    return moment_or_none(order.get("OpenedDateTime"))
