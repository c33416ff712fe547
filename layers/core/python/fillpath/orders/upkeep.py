"""Upkeep: resting exits kept in step with what they exit, which may have changed without them, by hand at the broker.

In: an order that reduces, which its broker has just shown at work. Out: the order; ended if there is nothing left that it could
exit (it would open a position), on its way to be placed again if it would exit more, or less, than it should.
"""

from datetime import timedelta

from fillpath.orders.floor import Floor, account_of, change
from fillpath.orders.legs import SEE_CANCELLED_S, cancel, look_up
from fillpath.orders.model import Leg, Order, OrderState
from fillpath.orders.opening import awaits_the_open, takes_nothing_now
from fillpath.orders.ports.order_store import LaneView
from fillpath.orders.sizing import exitable, filled_at_most, look_beside, may_take, spoken_for, to_protect
from fillpath.orders.transitions import ENTRY_NOT_FILLED, HALF_LOST, OUR_CANCELS, POSITION_CLOSED, ended, making_way

_SETTLED = timedelta(seconds=60)
"""How long a broker's list of positions may lag behind its fills."""
_VENUE_ACTS = timedelta(seconds=10)
"""How long a venue may take to end one half of a pair, or make it smaller, after the other one has filled or ended."""
_PROVEN = timedelta(minutes=10)
"""A pair that was at work for so long may be placed again however often one half is lost."""


def keep_in_step(order: Order, floor: Floor) -> Order:
    """Look whether resting exits still fit the position, which is read after they were seen at work. Raises BrokerError.

    The exits of a bracket go with their position everywhere, and are placed again for what there is to protect; so are others
    where the venue knows no reduce-only orders. A pair that has lost one half is made whole again.
    """
    leg = order.live_leg
    entry = floor.orders.get(order.parent_id) if order.parent_id else None
    if leg is None or (entry is not None and not entry.state.ended):
        return order
    if leg.reason in OUR_CANCELS:
        return cancel(order, leg.leg, SEE_CANCELLED_S, floor)  # it was asked for, and has not been seen yet
    if entry is not None and not filled_at_most(entry):
        return _end_unopened(order, leg, floor)
    if entry is None and leg.halved_at is None and floor.desk.capabilities(account_of(order)).reduce_only:
        return order
    return _fit(order, leg, floor) if _is_settled(leg, entry, floor) else order


def _end_unopened(order: Order, leg: Leg, floor: Floor) -> Order:
    """Exits of an entry that ended without a fill can be at work no more: some venues stop showing them."""
    order = cancel(order, leg.leg, SEE_CANCELLED_S, floor, ENTRY_NOT_FILLED)
    if order.state.ended or look_up(order, leg, floor) is not None:
        return order
    return change(order, lambda o: ended(o, OrderState.CANCELLED, floor.clock.now(), ENTRY_NOT_FILLED), floor)


def _make_whole(order: Order, leg: Leg, floor: Floor) -> Order:
    """A pair of which one half has ended by itself is placed again; where that one ends so at once as well, a person is told."""
    halved_at = leg.halved_at
    if halved_at is None or floor.clock.now() <= halved_at + _VENUE_ACTS:
        return order
    tried = any(event.reason == HALF_LOST for event in order.events)
    if tried and halved_at - (leg.submitted_at or halved_at) < _PROVEN:
        floor.telemetry.count("ProtectionLost", order)
        return order
    return _place_again(order, leg, floor)


def _place_again(order: Order, leg: Leg, floor: Floor) -> Order:
    order = change(order, lambda o: making_way(o, o.order_id), floor)
    return cancel(order, leg.leg, SEE_CANCELLED_S, floor)


def _is_busy(order: Order, view: LaneView, floor: Floor) -> bool:
    """Whether something acts in the lane, or is in doubt there: it changes the sizes yet. What waits for the open does not."""
    if view.owner or view.unknown:
        return True
    waiting = (floor.orders.get(each.order_id) for each in view.waiting if each.order_id != order.order_id)
    return any(not awaits_the_open(each, floor) for each in waiting)


def _is_settled(leg: Leg, entry: Order | None, floor: Floor) -> bool:
    """Whether positions can be relied upon. That more is at work than is left to exit needs none, where nothing is left."""
    oversized = leg.open_quantity is not None and leg.open_quantity > leg.remaining
    since = [(leg.filled_at, _VENUE_ACTS if oversized else _SETTLED)]
    if not oversized or leg.remaining:
        since += [(leg.submitted_at, _SETTLED), (entry.filled_at if entry else None, _SETTLED)]
    return all(floor.clock.now() > at + lag for at, lag in since if at is not None)


def _are_settled_beside(order: Order, view: LaneView, floor: Floor) -> bool:
    """Whether the positions show by now what the entries of other exits in the lane have filled."""
    exits = (floor.orders.get(each.order_id) for each in view.working if each.reduces and each.order_id != order.order_id)
    entries = [floor.orders.get(each.parent_id) for each in exits if each.parent_id]
    return all(entry.filled_at is None or floor.clock.now() > entry.filled_at + _SETTLED for entry in entries)


def _fit(order: Order, leg: Leg, floor: Floor) -> Order:
    view = floor.orders.lane(order.lane)
    look_beside(order, view, floor)
    held = tuple(p for p in floor.desk.positions(account_of(order), order.root) if p.contract == leg.contract)
    if not any(leg.side.sign * position.quantity < 0 for position in held):
        return cancel(order, leg.leg, SEE_CANCELLED_S, floor, POSITION_CLOSED)
    view = floor.orders.lane(order.lane)
    if _is_busy(order, view, floor):
        return order
    taken = spoken_for(order, view, floor)
    if leg.open_quantity is not None and leg.open_quantity > exitable(leg, held, taken):
        return _place_again(order, leg, floor)  # it would cross zero
    if takes_nothing_now(order, leg, floor) or not _are_settled_beside(order, view, floor):
        return order
    outgrown = leg.filled_quantity and leg.open_quantity is not None and leg.open_quantity > leg.remaining
    if outgrown or to_protect(order, leg, held, taken, floor) != may_take(order, leg, floor):
        return _place_again(order, leg, floor)
    return _make_whole(order, leg, floor)
