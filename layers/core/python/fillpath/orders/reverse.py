"""Reverse: close what is held, see the close filled, and only then open the other side.

Five steps, called one by one by the orchestration, each of which reads how far the order got and can be run twice. Whatever
goes wrong ends in `abort`, which cancels what works, reads what is held and tells it. What protected the position waits in the
lane and is placed again as soon as the order has ended.
"""

from datetime import datetime, timedelta
from decimal import Decimal

from fillpath.errors import BrokerUnavailable
from fillpath.orders.act import decide, entry_blocked, is_overdue, overdue
from fillpath.orders.floor import Floor, account_of, change, wake
from fillpath.orders.legs import await_fill, cancel, may_send_again, resolve, submit, watch
from fillpath.orders.messages import Step, StepResult
from fillpath.orders.model import Leg, LegStatus, Order, OrderState, Side, new_leg
from fillpath.orders.outcomes import Position
from fillpath.orders.plan import Nothing, Plan, Refusal, Reversal, Trade
from fillpath.orders.sizing import free, net, spoken_for
from fillpath.orders.transitions import CLOSE, OPEN, ended, is_close, moved, stopped
from fillpath.orders.working import clear, with_exits_found

FILL_BUDGET_S = 5.0
_POLL_EVERY_S = 0.5
_SEE_CANCELLED_S = 10.0
_WAIT_S = 1


def reverse(step: Step, order_id: str, floor: Floor, finish_by: datetime) -> StepResult:
    """Run one step of the order's reversal and say which comes next."""
    order = floor.orders.get(order_id)
    if order.state.ended or order.state is OrderState.UNKNOWN or not order.owns_lane:
        return _next(order, "end")
    return _STEPS[step](order, floor, finish_by)


def _next(order: Order, step: str, wait_s: float = 0) -> StepResult:
    return StepResult(order_id=order.order_id, next=step, wait_s=max(1, round(wait_s)) if wait_s else 0)


# --- prepare --------------------------------------------------------------------------------------------------------------------


def _prepare(order: Order, floor: Floor, _finish_by: datetime) -> StepResult:
    """Would the open be accepted? If not, nothing is cancelled or closed. Then clear the lane and record what is to be closed."""
    if order.legs:
        return _next(order, Step.OPEN if order.state is OrderState.OPENING else Step.CLOSE)
    positions = floor.desk.positions(account_of(order), order.root)
    view = with_exits_found(floor.orders.lane(order.lane), floor)
    decision = decide(order, positions, view, floor)
    if (end := _not_now(order, decision, positions, floor)) is not None:
        return _end(order, end, floor)
    if not clear(order, view.working, floor):
        return _abort_next(order, "cancel_unconfirmed", floor)
    positions = floor.desk.positions(account_of(order), order.root)
    decision = decide(order, positions, view, floor)
    if (end := _moot(decision)) is not None:
        return _end(order, end, floor)
    taken = spoken_for(order, view, floor)
    order = change(order, lambda o: _with_legs(o, decision, positions, taken, floor.clock.now()), floor)
    return _next(order, Step.OPEN if order.state is OrderState.OPENING else Step.CLOSE)


def _not_now(order: Order, decision: Plan, positions: tuple[Position, ...], floor: Floor) -> tuple[OrderState, str, str] | None:
    if is_overdue(order, floor):
        return overdue(order, behind_unknown=False)
    if (moot := _moot(decision)) is not None:
        return moot
    opening = _opening(order, decision)
    if opening is None:
        return None
    if blocked := entry_blocked(order, False, floor):
        return blocked
    refusal = floor.desk.precheck(account_of(order), opening, net(positions) if isinstance(decision, Reversal) else Decimal(0))
    return (OrderState.REJECTED, refusal.reason, refusal.text) if refusal else None


def _moot(decision: Plan) -> tuple[OrderState, str, str] | None:
    match decision:
        case Nothing(reason):
            return OrderState.SKIPPED, reason, ""
        case Refusal(reason):
            return OrderState.REJECTED, reason, ""
    return None


def _opening(order: Order, decision: Plan) -> Leg | None:
    match decision:
        case Reversal(side, quantity) | Trade(side, quantity, reduces=False):
            return new_leg(order, OPEN, order.contract, side, quantity, reduce_only=False)
    return None


def _with_legs(order: Order, decision: Plan, positions: tuple[Position, ...], taken: dict[str, Decimal], at: datetime) -> Order:
    """The recorded legs: one close per held contract (none if the position has gone meanwhile), and what opens."""
    held = net(positions)
    order = order.model_copy(update={"position_before": held, "held": None})
    if not isinstance(decision, Trade) or decision.reduces:
        closable = [(position, free(position, taken)) for position in positions if free(position, taken)]
        if isinstance(decision, Trade) and decision.quantity < sum(quantity for _, quantity in closable):
            position, quantity = max(closable, key=lambda each: -decision.side.sign * each[0].quantity)
            closable = [(position, min(quantity, decision.quantity))]
        for number, (position, quantity) in enumerate(closable, start=1):
            order = order.with_leg(_closing(order, number, position, quantity))
    opening = _opening(order, decision)
    if opening is not None:
        order = order.with_leg(opening)
    return order if any(is_close(leg.leg) for leg in order.legs) else moved(order, OrderState.OPENING, at)


def _closing(order: Order, number: int, position: Position, quantity: Decimal) -> Leg:
    name = CLOSE if number == 1 else f"{CLOSE}-{number}"
    return new_leg(order, name, position.contract, Side.of(-position.quantity), quantity, reduce_only=True, at_market=True)


# --- close and poll -------------------------------------------------------------------------------------------------------------


def _close(order: Order, floor: Floor, finish_by: datetime) -> StepResult:
    for name in [leg.leg for leg in order.legs if is_close(leg.leg)]:
        if _status(order, name) is LegStatus.QUEUED and is_overdue(order, floor):
            return _abort_next(order, "deadline", floor)
        order, delay = _submit_once(order, name, floor, finish_by)
        if order.state is OrderState.UNKNOWN or order.state.ended:
            return _next(order, "end")
        if delay is not None:
            return _next(order, "wait", delay)
        if _status(order, name) is LegStatus.REJECTED:
            return _next(order, Step.ABORT)
    return _next(order, Step.POLL_FILL)


def _submit_once(order: Order, name: str, floor: Floor, finish_by: datetime) -> tuple[Order, float | None]:
    """Send the leg unless that was done before; a send that was cut off is looked up, and repeated only where that is safe."""
    leg = order.leg(name)
    if leg is None or leg.status not in {LegStatus.QUEUED, LegStatus.SUBMITTING}:
        return order, None
    if leg.status is LegStatus.SUBMITTING:
        if leg.submit_by and floor.clock.now() <= leg.submit_by:
            return order, _WAIT_S
        if is_overdue(order, floor) or not may_send_again(order, leg, floor):
            order = resolve(order, name, floor)
            return order, None
    order, delay = submit(order, leg, finish_by, floor)
    return order, delay if delay is None else max(delay, _WAIT_S)


def _poll_fill(order: Order, floor: Floor, _finish_by: datetime) -> StepResult:
    give_up = floor.clock.now() + timedelta(seconds=FILL_BUDGET_S)
    for name in [leg.leg for leg in order.legs if is_close(leg.leg)]:
        left = max(0.0, (give_up - floor.clock.now()).total_seconds())
        order = watch(order, name, left, _POLL_EVERY_S, floor, lambda leg: leg.status.ended)
        if order.state.ended or order.state is OrderState.UNKNOWN:
            return _next(order, "end")
        if _status(order, name) is not LegStatus.FILLED:
            return _abort_next(order, "close_not_filled", floor)
    return _closed(order, floor)


def _closed(order: Order, floor: Floor) -> StepResult:
    if order.leg(OPEN) is None:
        change(order, lambda o: ended(o, OrderState.FILLED, floor.clock.now()), floor)
        return _next(order, "end")
    order = change(order, lambda o: _now_opening(o, floor.clock.now()), floor)
    return _next(order, Step.OPEN)


def _now_opening(order: Order, at: datetime) -> Order:
    return moved(order, OrderState.OPENING, at) if order.state is OrderState.CLOSING else order


def _status(order: Order, name: str) -> LegStatus | None:
    leg = order.leg(name)
    return leg.status if leg else None


# --- open -----------------------------------------------------------------------------------------------------------------------


def _open(order: Order, floor: Floor, finish_by: datetime) -> StepResult:
    """Send the open, only over closes that are known to be filled; a halt or a passed deadline leaves the close as it is."""
    if any(leg.status is not LegStatus.FILLED for leg in order.legs if is_close(leg.leg)):
        return _abort_next(order, "close_not_filled", floor)
    leg = order.leg(OPEN)
    if leg is not None and leg.status is LegStatus.QUEUED and is_overdue(order, floor):
        return _abort_next(order, "deadline", floor)
    order, delay = _submit_once(order, OPEN, floor, finish_by)
    if delay is not None and not order.state.ended:
        return _next(order, "wait", delay)
    if _status(order, OPEN) is LegStatus.REJECTED and not order.state.ended:
        return _next(order, Step.ABORT)
    order = order if order.resting else await_fill(order, OPEN, floor)
    if order.owns_lane:
        wake(order, f"{order.lane}#{order.fence}#open", floor)
    return _next(order, "end")


# --- abort ----------------------------------------------------------------------------------------------------------------------


def _abort(order: Order, floor: Floor, _finish_by: datetime) -> StepResult:
    """Cancel what works, see it cancelled, read what is held, tell it. Raises BrokerUnavailable where that cannot be seen yet."""
    for name in [leg.leg for leg in order.legs]:
        order = _see_ended(order, name, floor)
        if order.state.ended or order.state is OrderState.UNKNOWN:
            return _next(order, "end")
    held = net(floor.desk.positions(account_of(order), order.root))
    reason = order.reason or "step_failed"
    change(order, lambda o: stopped(o, floor.clock.now(), reason, held), floor)
    return _next(order, "end")


def _see_ended(order: Order, name: str, floor: Floor) -> Order:
    leg = order.leg(name)
    while leg and leg.status is LegStatus.SUBMITTING and leg.submit_by and floor.clock.now() <= leg.submit_by:
        floor.clock.sleep(_POLL_EVERY_S)
        order = floor.orders.get(order.order_id)
        leg = order.leg(name)
    if leg and leg.status is LegStatus.SUBMITTING:
        order = resolve(order, name, floor)
    order = cancel(order, name, _SEE_CANCELLED_S, floor) if not order.state.ended else order
    status = _status(order, name)
    if status and not status.ended and status is not LegStatus.QUEUED and order.state is not OrderState.UNKNOWN:
        raise BrokerUnavailable(f"leg {name} of {order.order_id} was not seen ended")
    return order


def _abort_next(order: Order, reason: str, floor: Floor) -> StepResult:
    order = change(order, lambda o: moved(o, o.state, floor.clock.now(), reason), floor)
    return _next(order, Step.ABORT)


def _end(order: Order, end: tuple[OrderState, str, str], floor: Floor) -> StepResult:
    state, reason, text = end
    order = change(order, lambda o: ended(o, state, floor.clock.now(), reason, text or None), floor)
    return _next(order, "end")


_STEPS = {Step.PREPARE: _prepare, Step.CLOSE: _close, Step.POLL_FILL: _poll_fill, Step.OPEN: _open, Step.ABORT: _abort}
