"""Execute: a lane is woken, and its waiting orders act one after another.

A wake-up says only which lane. What is to be done stands in the table: the owner of the lane if it has one, else the waiting
orders, lowest id first. Every function here can be cut off anywhere; the next wake-up finds in the table how far it got.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from fillpath.errors import BrokerError, Conflict
from fillpath.orders.act import (
    COME_BACK_S,
    ComeBack,
    GoOn,
    Step,
    act,
    decide,
    is_overdue,
    send,
)
from fillpath.orders.floor import Floor, account_of, wake
from fillpath.orders.legs import SEE_CANCELLED_S, cancel, look, may_send_again
from fillpath.orders.model import Lane, Listing, Order, OrderState
from fillpath.orders.opening import awaits_the_open
from fillpath.orders.plan import Nothing
from fillpath.orders.ports.order_store import LaneView
from fillpath.orders.sizing import has_nothing_to_protect, may_reduce

RUN_S = 25
_START_NEXT_S = 15
_TAKE_OVER_S = 10


def execute(lane: Lane, floor: Floor, finish_by: datetime) -> ComeBack | None:
    """Let the lane's orders act, as long as the host has time (`finish_by`). None: the wake-up is used up."""
    started = False
    while True:
        view = floor.orders.lane(lane)
        step = _resume(view, floor, finish_by) if view.owner else _start(view, floor, finish_by, started)
        if not isinstance(step, GoOn):
            return step
        started = True


def _start(view: LaneView, floor: Floor, finish_by: datetime, started: bool) -> Step:
    order = _pick(view, floor)
    if order is None:
        return None
    if started and floor.clock.now() > finish_by - timedelta(seconds=_START_NEXT_S):
        wake(order, f"{order.lane}#{view.fence}", floor)
        return None
    return _take(view, order, floor, finish_by, lambda taken, until: act(taken, view, floor, until))


def _take(view: LaneView, order: Order, floor: Floor, finish_by: datetime, then: Callable[[Order, datetime], Step]) -> Step:
    until = min(floor.clock.now() + timedelta(seconds=RUN_S), finish_by)
    try:
        taken = floor.orders.take(view, order, until)
    except Conflict:
        return ComeBack(1.0)
    return then(taken, until)


def _pick(view: LaneView, floor: Floor) -> Order | None:
    """The first waiting order that can act now; a reduction behind an unknown order waits while nothing is left to reduce.

    What made way for an order waits until that one has acted: placed again before, it would only have to make way again.
    """
    for waiting in view.waiting:
        order = floor.orders.get(waiting.order_id)
        if order.listing is not Listing.WAITING:
            continue  # it ended between the two reads
        if _gives_way(order, view, floor) or awaits_the_open(order, floor):
            continue
        held_up = view.unknown and may_reduce(order) and not is_overdue(order, floor)
        if not held_up or _can_reduce(order, view, floor):
            return order
    return None


def _gives_way(order: Order, view: LaneView, floor: Floor) -> bool:
    if view.unknown or order.made_way_for not in {waiting.order_id for waiting in view.waiting} - {order.order_id}:
        return False
    return not is_overdue(floor.orders.get(order.made_way_for or ""), floor)


def _can_reduce(order: Order, view: LaneView, floor: Floor) -> bool:
    if has_nothing_to_protect(order, floor):
        return True
    try:
        positions = floor.desk.positions(account_of(order), order.root)
        return not isinstance(decide(order, positions, view, floor), Nothing)
    except BrokerError:
        return False


def _resume(view: LaneView, floor: Floor, finish_by: datetime) -> Step:
    """Go on where the owner's run was cut off, or see whether an accepted market order can give up the lane."""
    order = floor.orders.get(view.owner or "")
    if order.state in {OrderState.WORKING, OrderState.PARTIALLY_FILLED}:
        return _watch_owner(order, view, floor)
    if view.run_until and floor.clock.now() <= view.run_until:
        return None  # its run is alive and will wake the lane; if it was cut off, its own wake-up returns
    match order.state:
        case OrderState.CLOSING | OrderState.OPENING:
            floor.reversals.start(order.order_id)
            return None
        case OrderState.QUEUED:
            return _take(view, order, floor, finish_by, lambda taken, until: act(taken, view, floor, until))
        case OrderState.SUBMITTING:
            return _resume_submit(order, view, floor, finish_by)
    return ComeBack(1.0)  # the lane was released between the two reads


def _watch_owner(order: Order, view: LaneView, floor: Floor) -> Step:
    """Look for the owner's fill every 2 s; after 10 s it makes way for those who wait, or is left to verification."""
    leg = order.live_leg
    if leg is None:
        return None
    overdue = leg.submitted_at is not None and floor.clock.now() >= leg.submitted_at + timedelta(seconds=_TAKE_OVER_S)
    try:
        order = look(order, leg.leg, floor)
        if not order.state.ended and overdue and view.waiting:
            order = cancel(order, leg.leg, SEE_CANCELLED_S, floor, "not_filled")
    except BrokerError:
        return ComeBack(COME_BACK_S)
    if order.state.ended:
        return GoOn()
    return None if overdue and not view.waiting else ComeBack(COME_BACK_S)


def _resume_submit(order: Order, view: LaneView, floor: Floor, finish_by: datetime) -> Step:
    """A send that was cut off: the same id again where the venue deduplicates, else verification finds out."""
    leg = order.live_leg
    if leg is None or leg.submit_by is None or floor.clock.now() <= leg.submit_by:
        return None
    if is_overdue(order, floor) or not may_send_again(order, leg, floor):
        return None
    return _take(view, order, floor, finish_by, lambda taken, until: send(taken, leg, until, floor))
