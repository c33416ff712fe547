"""The floor that the use cases of the order path stand on: their ports in one value, and the one way to change an order."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from fillpath.accounts.ports.controls import Controls
from fillpath.clock import Clock
from fillpath.errors import Conflict, StorageUnavailable
from fillpath.orders.model import Listing, Operation, Order, OrderState
from fillpath.orders.ports.desk import AccountRef, Desk
from fillpath.orders.ports.lane_queue import LaneQueue
from fillpath.orders.ports.order_store import OrderStore
from fillpath.orders.ports.reversal_runner import ReversalRunner
from fillpath.orders.ports.telemetry import Telemetry
from fillpath.orders.ports.verification_queue import Check, VerificationQueue
from fillpath.orders.protection import exits_are_named, protection_of
from fillpath.orders.transitions import EXITS, has_late_fill, is_protection

_log = logging.getLogger(__name__)
_TRIES = 8

Change = Callable[[Order], Order]


@dataclass(frozen=True, slots=True)
class Floor:
    """Every port of the order path."""

    orders: OrderStore
    lanes: LaneQueue
    checks: VerificationQueue
    reversals: ReversalRunner
    controls: Controls
    desk: Desk
    telemetry: Telemetry
    clock: Clock


def account_of(order: Order) -> AccountRef:
    """The order's account at its venue."""
    return AccountRef(order.account_id, order.venue)


def change(order: Order, how: Change, floor: Floor) -> Order:
    """Write `how(order)`; if something newer is there, apply it to that. Conflict if another run took the order meanwhile.

    `how` must be safe to apply to a newer record. What follows from the step (waking the lane, figures, alarms) happens here, so
    that no caller can forget it.
    """
    fence = order.fence
    for _ in range(_TRIES):
        new = how(order)
        if new is order or new == order:
            return order
        _keep_exits(order, new, floor)
        try:
            stored = floor.orders.save(order, new, reduced_at=_mark(order, new))
        except Conflict:
            order = floor.orders.get(order.order_id)
            if order.fence != fence:
                raise Conflict(f"order {order.order_id} belongs to run {order.fence}, not {fence}") from None
            continue
        _follow_up(order, stored, floor)
        return stored
    raise Conflict(f"order {order.order_id} was overtaken {_TRIES} times")


def _keep_exits(old: Order, new: Order, floor: Floor) -> None:
    """Before the record names the exits of a bracket, the order that watches them is there: a crash in between loses neither."""
    if exits_are_named(old) or not exits_are_named(new):
        return
    protection = protection_of(new, floor.clock.now())
    if protection is not None:
        floor.orders.add(protection)


def _mark(old: Order, new: Order) -> datetime | None:
    """When a reduction or target was carried out: whatever its webhook wanted before that comes too late."""
    carried_out = new.state not in {OrderState.REJECTED, OrderState.EXPIRED, OrderState.QUEUED}
    decisive = not new.resting and (new.reduces or new.operation is Operation.TARGET)
    return new.alert_time if old.owns_lane and not new.owns_lane and carried_out and decisive else None


def _follow_up(old: Order, new: Order, floor: Floor) -> None:
    late = has_late_fill(new) and new.filled_quantity != old.filled_quantity
    if old.owns_lane and not new.owns_lane:
        wake(new, f"{new.lane}#{new.fence}", floor)
    elif old.listing is Listing.UNKNOWN and new.listing is not Listing.UNKNOWN:
        wake(new, f"{new.order_id}#resolved", floor)
    elif late:
        wake(new, f"{new.order_id}#late#{new.version}", floor)
    elif old.listing is Listing.WORKING and new.listing is Listing.WAITING:
        wake(new, f"{new.order_id}#again#{new.version}", floor)
    if new.state.ended and not old.state.ended:
        _look_at_exits(new, floor)
    _report(old, new, late, floor)


def _look_at_exits(entry: Order, floor: Floor) -> None:
    """An entry that ended short of its size may have taken its exits with it: the order that watches them is checked soon."""
    named = next((leg for leg in entry.legs if leg.exits_ref), None)
    if named is None or entry.protection_id is None or named.remaining <= 0:
        return
    try:
        floor.checks.check(Check(entry.protection_id, EXITS, entry.fence, 1))
    except StorageUnavailable:
        _log.warning("the exits of %s were not looked at; the sweeper will", entry.order_id)


def wake(order: Order, wake_id: str, floor: Floor) -> None:
    """Wake the order's lane; where the queue does not answer, the table's stream and the sweeper do it."""
    try:
        floor.lanes.wake(order.lane, wake_id)
    except StorageUnavailable:
        _log.warning("lane %s was not woken; the stream or the sweeper will", order.lane)


def _report(old: Order, new: Order, late: bool, floor: Floor) -> None:
    if new.events != old.events:
        _tell(new)
    if late:
        floor.telemetry.count("LateFill", new)
    if any(leg.overfilled and leg.filled_quantity != _filled(old, leg.leg) for leg in new.legs):
        floor.telemetry.count("Overfilled", new)
    if new.state.ended and not old.state.ended and _leaves_unprotected(new):
        floor.telemetry.count("ProtectionLost", new)
    if new.state is OrderState.ABORTED and old.state is not OrderState.ABORTED:
        floor.telemetry.count("ReversalAborted", new)
    if new.submitted_at and not old.submitted_at:
        floor.telemetry.measure("alert_to_submit_ms", _ms(new.received_at, new.submitted_at))
    if new.state is OrderState.FILLED and old.state is not OrderState.FILLED and not new.resting:
        floor.telemetry.measure("alert_to_fill_ms", _ms(new.received_at, floor.clock.now()))


def _filled(order: Order, name: str) -> Decimal:
    leg = order.leg(name)
    return leg.filled_quantity if leg else Decimal(0)


def _leaves_unprotected(order: Order) -> bool:
    """Whether protection was not taken (again), or an entry was filled whose exits the broker did not name."""
    if order.state in {OrderState.REJECTED, OrderState.EXPIRED}:
        return order.parent_id is not None or any(is_protection(leg.leg) for leg in order.legs)
    brackets = [leg for leg in order.legs if leg.take_profit is not None or leg.stop_loss is not None]
    return any(leg.filled_quantity and not leg.exits_ref for leg in brackets)


def _tell(order: Order) -> None:
    """One line for a step that is in the table now, under the order's id."""
    step = order.events[-1]
    what = {"account_id": order.account_id, "contract": order.contract, "filled_quantity": str(order.filled_quantity)}
    extra = {"correlation_id": order.order_id, "reason": step.reason, **what}
    _log.info("order %s: %s -> %s", order.order_id, step.from_state, step.to_state, extra=extra)


def _ms(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds() * 1000
