"""The open: protection that its venue does not take while the market is closed waits in its lane, and holds nothing up there."""

from datetime import timedelta

from fillpath.errors import BrokerError
from fillpath.orders.floor import Floor, account_of
from fillpath.orders.model import Leg, Order
from fillpath.orders.sizing import placed_before
from fillpath.orders.transitions import MARKET_CLOSED

_ASK_AGAIN_S, _ASK_AGAIN_AT_LAST_S, _MOST_DOUBLINGS = 25.0, 300.0, 10
"""Between two tries at a venue that says its market is closed, at first and at last."""


def awaits_the_open(order: Order, floor: Floor) -> bool:
    """Whether protection waits for its market, and there is still something for it to protect."""
    leg = placed_before(order)
    if leg is None or not (_was_refused_just_now(order, leg, floor) or takes_nothing_now(order, leg, floor)):
        return False
    try:
        held = floor.desk.positions(account_of(order), order.root)
    except BrokerError:
        return True
    return any(p.contract == leg.contract and leg.side.sign * p.quantity < 0 for p in held)


def takes_nothing_now(order: Order, leg: Leg, floor: Floor) -> bool:
    """Whether the venue may refuse all orders of the contract because its market is closed, as far as its hours are known."""
    try:
        refuses = floor.desk.capabilities(account_of(order)).refuses_when_closed
        return refuses and floor.desk.closed(account_of(order), leg.contract) is not None
    except BrokerError:
        return False


def _was_refused_just_now(order: Order, leg: Leg, floor: Floor) -> bool:
    again = timedelta(seconds=min(_ASK_AGAIN_S * 2.0 ** min(leg.attempts, _MOST_DOUBLINGS), _ASK_AGAIN_AT_LAST_S))
    return order.reason == MARKET_CLOSED and floor.clock.now() < order.events[-1].at + again
