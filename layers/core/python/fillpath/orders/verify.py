"""Verify: one submit attempt is checked until its fill is known, or a person is told that it is not."""

from fillpath.orders.floor import Floor, change
from fillpath.orders.legs import resolve
from fillpath.orders.messages import CheckRequest
from fillpath.orders.model import Leg, LegStatus, Order
from fillpath.orders.ports.verification_queue import Check

CHECK_EVERY_S = 30
COUNTED_CHECKS = 3


def verify(request: CheckRequest, floor: Floor) -> float | None:
    """Check the leg once. Seconds until the next check, or None: the message is used up.

    A leg that was never prepared ends the message silently: the run that resumes it sends a new one. A leg whose submit is still
    in progress is not counted. Resting orders are left to the sweeper.
    """
    order = floor.orders.get(request.order_id)
    leg = order.leg(request.leg)
    if leg is None or leg.status is LegStatus.QUEUED or leg.status.ended or request.attempt < leg.attempts:
        return None
    if leg.status is LegStatus.SUBMITTING and leg.submit_by and floor.clock.now() <= leg.submit_by:
        return CHECK_EVERY_S
    order = resolve(order, leg.leg, floor)
    return _after_check(order, request, floor)


def _after_check(order: Order, request: CheckRequest, floor: Floor) -> float | None:
    leg = order.leg(request.leg)
    if leg is None or leg.status.ended or leg.status is LegStatus.QUEUED or (leg.resting and not leg.status.in_doubt):
        return None
    order = change(order, lambda o: _counted(o, leg), floor)
    counted = order.leg(leg.leg)
    if counted is None or counted.checks < COUNTED_CHECKS:
        return CHECK_EVERY_S
    reason = f"{counted.status} after {counted.checks} checks"
    floor.checks.give_up(Check(request.order_id, request.leg, request.fence, request.attempt), reason)
    floor.telemetry.count("VerificationGivenUp", order)
    return None


def _counted(order: Order, seen: Leg) -> Order:
    now = order.leg(seen.leg)
    return order.with_leg(now.model_copy(update={"checks": seen.checks + 1})) if now and not now.status.ended else order
