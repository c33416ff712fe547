"""One order acts on the lane it owns: from what is held to one leg, a reversal, or the reason for doing nothing."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from fillpath.errors import BrokerUnavailable, NeedsReauth, NotSent
from fillpath.orders.floor import Floor, account_of, change
from fillpath.orders.legs import SEE_CANCELLED_S, await_fill, cancel, count_silence, submit
from fillpath.orders.model import Leg, LegStatus, Operation, Order, OrderState, OrderType, Side, new_leg
from fillpath.orders.outcomes import Position
from fillpath.orders.plan import Nothing, Plan, Refusal, Reversal, Trade, plan
from fillpath.orders.ports.order_store import LaneView, Working
from fillpath.orders.sizing import (
    free,
    has_nothing_to_protect,
    look_beside,
    may_reduce,
    net,
    placed_before,
    reducible,
    spoken_for,
    to_protect,
)
from fillpath.orders.transitions import (
    ENTRY_NOT_FILLED,
    MAIN,
    MARKET_CLOSED,
    PAIR_REFUSED,
    POSITION_CLOSED,
    PROTECT,
    ended,
    moved,
    put_back,
)
from fillpath.orders.working import cancel_for_good, clear, entry_cleared, in_the_way, is_clear, with_exits_found

COME_BACK_S = 2.0
LONGEST_WAIT_S = 30.0
"""A wake-up that is hidden holds up its lane: whatever waits longer, also for a person to sign in, is looked at so often."""
_SHORT = 6
"""Characters by which people know an order: the last ones."""
_CLOSES = {Operation.CLOSE, Operation.CLOSE_LONG, Operation.CLOSE_SHORT}


@dataclass(frozen=True, slots=True)
class ComeBack:
    """The wake-up is to return after so many seconds; nothing is lost in between."""

    delay_s: float


@dataclass(frozen=True, slots=True)
class GoOn:
    """The lane may hold more to do."""


Step = ComeBack | GoOn | None
_End = tuple[OrderState, str, str]


def act(order: Order, view: LaneView, floor: Floor, until: datetime) -> Step:
    """Carry out an order that has just taken its lane; `view` is the lane as it was taken."""
    if end := _too_late(order, view, floor) or _blocked_at_once(order, view, floor):
        return _end(order, end, floor)
    try:
        if order.operation is Operation.CANCEL:
            return _cancel(order, with_exits_found(view, floor), floor)
        return _act_on_position(order, view, floor, until)
    except NotSent as exc:
        count_silence(order, exc.delay_s, floor)
        return _later(order, "broker_unavailable", max(COME_BACK_S, min(exc.delay_s, LONGEST_WAIT_S)), floor, str(exc))
    except BrokerUnavailable as exc:
        return _later(order, "broker_unavailable", COME_BACK_S, floor, str(exc))
    except NeedsReauth as exc:
        return _not_let_in(order, str(exc), floor)


def send(order: Order, leg: Leg, until: datetime, floor: Floor, held: Decimal | None = None) -> Step:
    """Submit a leg of an order that owns its lane and see it through as far as the run can."""
    order, delay = submit(order, leg, until, floor, held)
    if delay is not None:
        return ComeBack(min(delay, LONGEST_WAIT_S))
    order = _recheck_halt(order, leg.leg, floor) if order.resting else await_fill(order, leg.leg, floor)
    return ComeBack(COME_BACK_S) if order.owns_lane else GoOn()


def is_overdue(order: Order, floor: Floor) -> bool:
    """Whether the order's deadline has passed."""
    return order.deadline is not None and floor.clock.now() > order.deadline


def overdue(order: Order, behind_unknown: bool) -> _End:
    """How an order ends whose deadline passed before it was sent."""
    if behind_unknown:
        return OrderState.EXPIRED, "unknown_ahead", "an earlier order of this lane is still unresolved"
    seconds = (order.deadline - order.received_at).total_seconds() if order.deadline else 0
    return OrderState.EXPIRED, "deadline", f"not sent within {seconds:.0f} s of its receipt"


def entry_blocked(order: Order, behind_unknown: bool, floor: Floor) -> _End | None:
    """Why an entry may not act now, if it may not."""
    if behind_unknown:
        return OrderState.REJECTED, "unknown_ahead", "the outcome of an earlier order of this lane is not known yet"
    if halt := floor.controls.halted(order.user_id, order.account_id):
        return OrderState.REJECTED, "halted", f"trading is halted for {halt.scope}: {halt.reason}"
    return None


def _at_the_front(order: Order, floor: Floor) -> Order:
    """An entry by a continuous symbol trades the venue's front month, where the account wants that; read once per order."""
    if not order.at_front or order.legs or not floor.desk.capabilities(account_of(order)).front_month:
        return order
    front = floor.desk.front_month(account_of(order), order.root)
    return change(order, lambda o: o.model_copy(update={"contract": front, "at_front": False}), floor)


def _too_late(order: Order, view: LaneView, floor: Floor) -> _End | None:
    if is_overdue(order, floor):
        return overdue(order, bool(view.unknown))
    decided = view.reduced_at.get(order.webhook_id or "")
    if (not order.reduces or order.operation is Operation.TARGET) and decided and order.alert_time < decided:
        return OrderState.SKIPPED, "superseded", "a newer exit or target of this webhook has been carried out"
    return None


def _blocked_at_once(order: Order, view: LaneView, floor: Floor) -> _End | None:
    """What may turn out to reduce is judged once the position is known."""
    if order.reduces or may_reduce(order):
        return None
    return entry_blocked(order, bool(view.unknown), floor)


def _cancel(order: Order, view: LaneView, floor: Floor) -> Step:
    waiting = tuple(each.order_id for each in view.waiting if placed_before(floor.orders.get(each.order_id)))
    resting = (*(each.order_id for each in view.working), *waiting)
    if not cancel_for_good(resting, floor):
        return _until_cancelled(order, view.working, floor)
    count = len(resting)
    if not count:
        return _end(order, (OrderState.SKIPPED, "nothing_to_cancel", ""), floor)
    return _end(order, (OrderState.CANCELLED, "cancelled", f"{count} resting orders of {order.root} were cancelled"), floor)


def _act_on_position(order: Order, view: LaneView, floor: Floor, until: datetime) -> Step:
    if not entry_cleared(order, order, floor):
        return _until_cancelled(order, view.working, floor)
    positions, view = _read(order, view, floor)
    decision = decide(order, positions, view, floor)
    if text := _closed(order, decision, positions, floor):
        return _end(order, (OrderState.REJECTED, MARKET_CLOSED, text), floor)
    obstacles = in_the_way(order, view.working, decision)
    if obstacles and not isinstance(decision, Refusal | Reversal):
        if isinstance(decision, Trade) and not decision.reduces and (end := entry_blocked(order, bool(view.unknown), floor)):
            return _end(order, end, floor)
        if not clear(order, obstacles, floor):
            return _until_cancelled(order, obstacles, floor)
        positions, since = _read(order, view, floor)
        if since is not view or not is_clear(order, obstacles, floor):
            return _until_cancelled(order, obstacles, floor)
        decision = decide(order, positions, view, floor)
    return _carry_out(order, decision, positions, view, floor, until)


def _closed(order: Order, decision: Plan, positions: tuple[Position, ...], floor: Floor) -> str | None:
    """Why an order at the market could not be sent now: what protects the position would be cancelled for nothing."""
    if order.resting or not isinstance(decision, Trade | Reversal):
        return None
    reduces = isinstance(decision, Trade) and decision.reduces
    contract = max(positions, key=lambda p: abs(p.quantity)).contract if reduces else order.contract
    return floor.desk.closed(account_of(order), contract)


def _read(order: Order, view: LaneView, floor: Floor) -> tuple[tuple[Position, ...], LaneView]:
    """What is held, and the lane with every bracket whose fill may be part of that."""
    look_beside(order, view, floor)
    positions = floor.desk.positions(account_of(order), order.root)
    return positions, with_exits_found(view, floor)


def decide(order: Order, positions: tuple[Position, ...], view: LaneView, floor: Floor) -> Plan:
    """What the order means for these positions, less what is in doubt on the lane. Raises BrokerError."""
    taken = spoken_for(order, view, floor)
    leg = placed_before(order)
    if leg is not None:
        quantity = to_protect(order, leg, positions, taken, floor)
        return Trade(leg.side, quantity, reduces=True) if quantity else Nothing(_why_over(order, floor))
    doubt = sum((abs(p.quantity) - free(p, taken) for p in positions), Decimal(0))
    return plan(order, net(positions), doubt)


def _how_over(order: Order) -> OrderState:
    """How an order ends that has nothing (more) to do: what its last leg filled was all."""
    leg = order.live_leg
    if leg is None:
        return OrderState.SKIPPED
    return OrderState.FILLED if leg.status is LegStatus.FILLED else OrderState.CANCELLED


def _why_over(order: Order, floor: Floor) -> str:
    return ENTRY_NOT_FILLED if has_nothing_to_protect(order, floor) and not order.filled_quantity else POSITION_CLOSED


def _carry_out(
    order: Order, decision: Plan, positions: tuple[Position, ...], view: LaneView, floor: Floor, until: datetime
) -> Step:
    match decision:
        case Nothing(reason) if view.unknown and may_reduce(order) and not has_nothing_to_protect(order, floor):
            return _later(order, "unknown_ahead", None, floor)
        case Nothing(reason):
            return _end(order, (_how_over(order), reason, ""), floor)
        case Refusal(reason):
            return _end(order, (OrderState.REJECTED, reason, "the account does not hold what the strategy believes"), floor)
        case Trade(reduces=True):
            return _reduce(order, decision, positions, view, floor, until)
    if end := entry_blocked(order, bool(view.unknown), floor):
        return _end(order, end, floor)
    order = _at_the_front(order, floor)
    if isinstance(decision, Reversal):
        if _in_one_order(order, positions, floor):
            return _flip(order, decision, positions, view, floor, until)
        return _hand_over(order, positions, floor)
    leg = new_leg(order, next_leg_name(order), order.contract, decision.side, decision.quantity, reduce_only=False)
    return send(order, leg, until, floor, net(positions))


def _in_one_order(order: Order, positions: tuple[Position, ...], floor: Floor) -> bool:
    """Whether the reversal may go through zero with one order: chosen and possible, of one contract, and no bracket."""
    if not order.one_order_flip or order.bracket or order.resting:
        return False
    same = {position.contract for position in positions} == {order.contract}
    return same and floor.desk.capabilities(account_of(order)).single_order_flip


def _flip(
    order: Order, decision: Reversal, positions: tuple[Position, ...], view: LaneView, floor: Floor, until: datetime
) -> Step:
    """One order through zero, in a lane that is cleared first as for any reversal."""
    if not clear(order, view.working, floor):
        return _until_cancelled(order, view.working, floor)
    now = floor.desk.positions(account_of(order), order.root)
    held = net(now)
    if held != net(positions) or not _in_one_order(order, now, floor):
        return _later(order, "position_moved", COME_BACK_S, floor)
    leg = new_leg(order, next_leg_name(order), order.contract, decision.side, abs(held) + decision.quantity, reduce_only=False)
    return send(order, leg, until, floor, held)


def _reduce(order: Order, trade: Trade, positions: tuple[Position, ...], view: LaneView, floor: Floor, until: datetime) -> Step:
    """A reduction trades the contract that is held; a close of several contracts runs like a reversal that opens nothing."""
    everything = order.operation in _CLOSES or (trade.quantity == abs(net(positions)) and not order.resting)
    if len(positions) > 1 and everything and not order.legs:
        return _hand_over(order, positions, floor)
    taken = spoken_for(order, view, floor)
    ours = [p for p in reducible(order, positions) if Side.of(-p.quantity) is trade.side]
    largest = max(ours, key=lambda p: free(p, taken))
    quantity = min(trade.quantity, free(largest, taken))
    leg = new_leg(order, next_leg_name(order), largest.contract, trade.side, quantity, reduce_only=True)
    return send(order, _as_the_venue_can(leg, order, floor), until, floor, net(positions))


def _as_the_venue_can(leg: Leg, order: Order, floor: Floor) -> Leg:
    """Where the venue has no pair of exits for what is held, or has just refused one, the stop alone protects."""
    pairs = floor.desk.capabilities(account_of(order)).oco and order.reason != PAIR_REFUSED
    if leg.type is not OrderType.OCO or pairs:
        return leg
    return leg.model_copy(update={"type": OrderType.STOP, "limit_price": None})


def next_leg_name(order: Order) -> str:
    """`main`; for a protective order that is placed again `protect-1`, `protect-2`, ...; an unsent leg keeps its name."""
    leg = order.live_leg
    if leg is None:
        return MAIN
    return leg.leg if leg.status is LegStatus.QUEUED else f"{PROTECT}-{len(order.legs)}"


def _hand_over(order: Order, positions: tuple[Position, ...], floor: Floor) -> Step:
    """The reversal's own execution goes on; the order keeps the lane until it ends."""
    held = net(positions)
    order = change(order, lambda o: _closing(o, held, floor.clock.now()), floor)
    floor.reversals.start(order.order_id)
    return None


def _closing(order: Order, held: Decimal, at: datetime) -> Order:
    return moved(order, OrderState.CLOSING, at).model_copy(update={"auto_exit": True, "position_before": held})


def _recheck_halt(order: Order, name: str, floor: Floor) -> Order:
    """A resting entry that was accepted while a halt was being set cancels itself."""
    if order.reduces or order.state.ended or not floor.controls.halted(order.user_id, order.account_id):
        return order
    return cancel(order, name, SEE_CANCELLED_S, floor, "halted")


def _end(order: Order, end: _End, floor: Floor) -> Step:
    state, reason, text = end
    order = change(order, lambda o: ended(o, state, floor.clock.now(), reason, text or None), floor)
    if reason == "unknown_ahead" and state is OrderState.EXPIRED:
        floor.telemetry.count("UnknownAheadExpired", order)
    return GoOn()


def _not_let_in(order: Order, text: str, floor: Floor) -> Step:
    """What may reduce waits for a person to sign in, as long as its deadline lets it."""
    if may_reduce(order):
        return _later(order, "needs_reauth", LONGEST_WAIT_S, floor, text)
    return _end(order, (OrderState.REJECTED, "needs_reauth", text), floor)


def _until_cancelled(order: Order, resting: tuple[Working, ...], floor: Floor) -> Step:
    names = ", ".join(each.order_id[-_SHORT:] for each in resting if each.order_id != order.order_id)
    return _later(order, "waiting_for_cancel", COME_BACK_S, floor, f"waits until the broker shows {names} cancelled")


def _later(order: Order, reason: str, delay_s: float | None, floor: Floor, text: str | None = None) -> Step:
    change(order, lambda o: put_back(o, floor.clock.now(), reason, text), floor)
    return None if delay_s is None else ComeBack(delay_s)
