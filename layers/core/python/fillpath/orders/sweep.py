"""Sweep: once a minute everything that is not ended is looked at, so that nothing depends on a message that was lost."""

import logging
from collections.abc import Callable
from datetime import timedelta

from fillpath.errors import NeedsReauth
from fillpath.orders.act import is_overdue, overdue
from fillpath.orders.execute import RUN_S
from fillpath.orders.floor import Floor, change, wake
from fillpath.orders.legs import SEE_CANCELLED_S, cancel, look, resolve
from fillpath.orders.messages import Step
from fillpath.orders.model import LegStatus, Listing, Order, OrderState
from fillpath.orders.ports.reversal_runner import ExecutionStatus
from fillpath.orders.reverse import reverse
from fillpath.orders.transitions import ended
from fillpath.orders.upkeep import keep_in_step

_log = logging.getLogger(__name__)
_ABORT_BUDGET_S = 30
_CANCELLATION_COMES_S = 300


def sweep(floor: Floor) -> int:
    """Look at every open order once; returns how many looks failed. One order's trouble never keeps the others from theirs."""
    failures, oldest_unknown, waiting = 0, 0.0, {}
    now = floor.clock.now()
    for order in floor.orders.open_orders():
        if order.listing is Listing.WAITING:
            waiting[order.lane] = order
        if order.state is OrderState.UNKNOWN:
            oldest_unknown = max(oldest_unknown, (now - order.received_at).total_seconds())
        failures += not _look_after(order, floor)
    for order in waiting.values():
        wake(order, f"{order.lane}#{now:%Y%m%dT%H%M}", floor)
    floor.telemetry.measure("OldestUnknownSeconds", oldest_unknown)
    return failures


def _look_after(listed: Order, floor: Floor) -> bool:
    try:
        order = floor.orders.get(listed.order_id)
        care = _CARE.get(order.state, _release)
        care(order, floor)
    except NeedsReauth as exc:  # an alarm of its own tells it, once per account
        _log.warning("order %s cannot be looked at: %s", listed.order_id, exc)
    except Exception:  # noqa: BLE001  whatever is wrong with one order, the others are looked after
        _log.exception("order %s could not be looked after; the next sweep tries again", listed.order_id)
        floor.telemetry.count("SweepErrors", listed)
        return False
    return True


def _queued(order: Order, floor: Floor) -> None:
    """A waiting order that is overdue expires; an owner whose run was cut off is woken."""
    if order.listing is Listing.WAITING and not order.owns_lane and is_overdue(order, floor):
        view = floor.orders.lane(order.lane)
        state, reason, text = overdue(order, bool(view.unknown))
        order = change(order, lambda o: ended(o, state, floor.clock.now(), reason, text) if not o.owns_lane else o, floor)
        if reason == "unknown_ahead" and order.state is OrderState.EXPIRED:
            floor.telemetry.count("UnknownAheadExpired", order)
    elif order.owns_lane:
        wake(order, f"{order.lane}#{order.fence}#{floor.clock.now():%Y%m%dT%H%M}", floor)


def _release(order: Order, floor: Floor) -> None:
    """An order that has ended holds nothing up."""
    change(order, lambda o: o.model_copy(update={"listing": Listing.NONE, "owns_lane": False}), floor)


def _in_doubt(order: Order, floor: Floor) -> None:
    for leg in order.legs:
        if leg.status.in_doubt and leg.submit_by and floor.clock.now() > leg.submit_by + timedelta(seconds=RUN_S):
            order = resolve(order, leg.leg, floor)
        elif leg.status in {LegStatus.WORKING, LegStatus.PARTIALLY_FILLED}:
            order = _see_working(order, leg.leg, floor)


def _see_working(order: Order, name: str, floor: Floor) -> Order:
    """A close of a reversal in doubt that turned out to work: nobody else watches it."""
    order = resolve(order, name, floor)
    return cancel(order, name, SEE_CANCELLED_S, floor) if not order.state.ended and is_overdue(order, floor) else order


def _working(order: Order, floor: Floor) -> None:
    """Look at what rests or fills; cancel a resting entry under a halt, and a market order that nobody fills."""
    leg = order.live_leg
    if leg is None:
        return
    order = resolve(order, leg.leg, floor)
    if order.state not in {OrderState.WORKING, OrderState.PARTIALLY_FILLED}:
        return
    if order.reduces and order.resting:
        order = keep_in_step(order, floor)
    halted = not order.reduces and order.resting and floor.controls.halted(order.user_id, order.account_id)
    if halted or (not order.resting and is_overdue(order, floor)):
        cancel(order, leg.leg, SEE_CANCELLED_S, floor, "halted" if halted else "not_filled")
    elif order.suspended_by and not order.state.ended and _long_over(order.suspended_by, floor):
        order = look(order, leg.leg, floor)
        change(order, lambda o: o if o.state.ended else o.model_copy(update={"suspended_by": None}), floor)


def _long_over(order_id: str, floor: Floor) -> bool:
    """Whether the order that another made way for ended so long ago that the cancellation it asked for comes no more."""
    other = floor.orders.get(order_id)
    return other.state.ended and floor.clock.now() > other.events[-1].at + timedelta(seconds=_CANCELLATION_COMES_S)


def _reversing(order: Order, floor: Floor) -> None:
    """Where the execution has ended and the order has not, the abort is run here; one that was never started is started."""
    status = floor.reversals.status(order.order_id)
    if status is ExecutionStatus.NONE and not is_overdue(order, floor):
        floor.reversals.start(order.order_id)
    elif status is not ExecutionStatus.RUNNING:
        reverse(Step.ABORT, order.order_id, floor, floor.clock.now() + timedelta(seconds=_ABORT_BUDGET_S))


_CARE: dict[OrderState, Callable[[Order, Floor], None]] = {
    OrderState.QUEUED: _queued,
    OrderState.SUBMITTING: _in_doubt,
    OrderState.UNKNOWN: _in_doubt,
    OrderState.WORKING: _working,
    OrderState.PARTIALLY_FILLED: _working,
    OrderState.CLOSING: _reversing,
    OrderState.OPENING: _reversing,
}
