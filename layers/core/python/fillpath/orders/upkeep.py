"""Upkeep: resting exits kept in step with what they exit, which may have changed without them, by hand at the broker.

In: an order that reduces, which its broker has just shown at work. Out: the order; ended if there is nothing left that it could
exit (it would open a position), on its way to be placed again if it would exit more, or less, than it should.
"""

from datetime import timedelta

from fillpath.orders.floor import Floor, account_of, change
from fillpath.orders.legs import SEE_CANCELLED_S, cancel, look_up
from fillpath.orders.model import Leg, Order, OrderState
from fillpath.orders.sizing import look_beside, may_take, spoken_for, to_protect
from fillpath.orders.transitions import ENTRY_NOT_FILLED, POSITION_CLOSED, ended, making_way

_SETTLED = timedelta(seconds=60)
"""How long a broker's list of positions may lag behind its fills."""


def keep_in_step(order: Order, floor: Floor) -> Order:
    """Look whether resting exits still fit the position, which is read after they were seen at work. Raises BrokerError.

    The exits of a bracket go with their position everywhere, and are placed again for what there is to protect; others end with
    it where the venue knows no reduce-only orders.
    """
    leg = order.live_leg
    entry = floor.orders.get(order.parent_id) if order.parent_id else None
    if leg is None or (entry is not None and not entry.state.ended):
        return order
    if entry is not None and not entry.filled_quantity:
        return _end_unopened(order, leg, floor)
    if entry is None and floor.desk.capabilities(account_of(order)).reduce_only:
        return order
    return _fit(order, leg, floor) if _is_settled(leg, entry, floor) else order


def _end_unopened(order: Order, leg: Leg, floor: Floor) -> Order:
    """Exits of an entry that ended without a fill can be at work no more: some venues stop showing them."""
    order = cancel(order, leg.leg, SEE_CANCELLED_S, floor, ENTRY_NOT_FILLED)
    if order.state.ended or look_up(order, leg, floor) is not None:
        return order
    return change(order, lambda o: ended(o, OrderState.CANCELLED, floor.clock.now(), ENTRY_NOT_FILLED), floor)


def _is_settled(leg: Leg, entry: Order | None, floor: Floor) -> bool:
    since = [leg.submitted_at, leg.filled_at, entry.filled_at if entry else None]
    return all(floor.clock.now() > at + _SETTLED for at in since if at is not None)


def _fit(order: Order, leg: Leg, floor: Floor) -> Order:
    view = floor.orders.lane(order.lane)
    look_beside(order, view, floor)
    positions = floor.desk.positions(account_of(order), order.root)
    if not any(p.contract == leg.contract and leg.side.sign * p.quantity < 0 for p in positions):
        return cancel(order, leg.leg, SEE_CANCELLED_S, floor, POSITION_CLOSED)
    view = floor.orders.lane(order.lane)
    if order.parent_id is None or view.owner or view.waiting or view.unknown:
        return order  # what acts in the lane, or is in doubt there, changes the sizes yet
    due = to_protect(order, leg, positions, spoken_for(order, view, floor), floor)
    if due == may_take(order, leg, floor):
        return order
    order = change(order, lambda o: making_way(o, o.order_id), floor)
    return cancel(order, leg.leg, SEE_CANCELLED_S, floor)
