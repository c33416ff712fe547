"""Changing a working order: its quantity (the whole, filled part included), its limit, its stop. Out: the turn, or a refusal.

Of a pair, the limit is changed of the one and the stop of the other, the quantity of both; the exits of an entry follow its size.
"""

from dataclasses import replace
from decimal import Decimal

from fillpath.orders.model import OrderType
from fillpath.orders.outcomes import Rejected
from fillpath_brokers.exchange import links, margin, matching
from fillpath_brokers.exchange.checks import bad_price, bad_quantity
from fillpath_brokers.exchange.orders import ZERO, ExchangeOrder
from fillpath_brokers.exchange.path import Market
from fillpath_brokers.exchange.touch import instrument_behind
from fillpath_brokers.exchange.turn import Turn
from fillpath_brokers.facade import Change
from fillpath_brokers.reasons import NOT_WORKING

_HAS_LIMIT = {OrderType.LIMIT, OrderType.STOP_LIMIT}
_HAS_STOP = {OrderType.STOP, OrderType.STOP_LIMIT}


def changed(turn: Turn, order_id: str, change: Change, market: Market) -> Turn | Rejected:
    """The turn with the order changed, and what the present price makes of it."""
    order = turn.working(order_id)
    if order is None:
        return Rejected(NOT_WORKING, f"order {order_id} does not work any more")
    refused = _bad_size(turn, order, change.quantity, market) or _bad_prices(turn, order, change)
    if refused:
        return refused
    if change.quantity is not None:
        turn = _resized(turn, order, change.quantity)
    for name, kinds in (("limit_price", _HAS_LIMIT), ("stop_price", _HAS_STOP)):
        if (price := getattr(change, name)) is not None:
            target = _having(turn, order_id, kinds)
            turn = turn.having(turn.book, replace(target, **{name: price})) if target else turn
    for each in (order.other, order_id):
        turn = matching.look_again(turn, each, market) if each else turn
    return turn


def _bad_size(turn: Turn, order: ExchangeOrder, quantity: Decimal | None, market: Market) -> Rejected | None:
    if quantity is None:
        return None
    if order.parent and order.withheld:
        return Rejected("unsupported", "exits are as large as what their entry fills")
    filled = order.filled_quantity + _other_filled(turn, order)
    if quantity <= filled:
        return Rejected("invalid_quantity", f"Invalid quantity {quantity}: {filled} of it has been filled")
    wrong = bad_quantity(instrument_behind(order.contract), order.contract, quantity)
    return wrong or margin.short_of_margin(turn.book, replace(order, quantity=quantity - filled), market.price)


def _bad_prices(turn: Turn, order: ExchangeOrder, change: Change) -> Rejected | None:
    instrument = instrument_behind(order.contract)
    for label, price, kinds in (("limit price", change.limit_price, _HAS_LIMIT), ("stop price", change.stop_price, _HAS_STOP)):
        if price is None:
            continue
        target = _having(turn, order.order_id, kinds)
        if target is None or (kinds is _HAS_STOP and target.triggered):
            return Rejected("unsupported", f"the order has no {label} that could be changed")
        if wrong := bad_price(instrument, order.contract, label, price):
            return wrong
    return None


def _having(turn: Turn, order_id: str, kinds: set[OrderType]) -> ExchangeOrder | None:
    order = turn.working(order_id)
    if order is None or order.type in kinds:
        return order
    other = turn.working(order.other)
    return other if other and other.type in kinds else None


def _resized(turn: Turn, order: ExchangeOrder, quantity: Decimal) -> Turn:
    grows = quantity - order.quantity - _other_filled(turn, order)
    turn = turn.having(turn.book, replace(order, quantity=order.quantity + grows))
    if other := turn.working(order.other):
        turn = turn.having(turn.book, replace(other, quantity=other.quantity + grows))
    for each in links.exits_of(turn, order):
        turn = turn.having(turn.book, replace(each, quantity=each.quantity + grows, withheld=each.withheld + grows))
    return turn


def _other_filled(turn: Turn, order: ExchangeOrder) -> Decimal:
    other = turn.working(order.other)
    return other.filled_quantity if other else ZERO
