"""Planted bugs: mistakes that such systems are known for. The checker must catch each of them, or it is too weak."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from fillpath.accounts.ports.controls import Halt
from fillpath.errors import Conflict
from fillpath.orders import act, execute, floor, legs, reverse, sizing, sweep, transitions, working
from fillpath.orders.floor import Change, Floor
from fillpath.orders.messages import Step
from fillpath.orders.model import Leg, Listing, Order, OrderState
from fillpath.orders.outcomes import Accepted, LegView, Outcome, Position, Unknown
from fillpath.orders.ports.desk import AccountRef
from fillpath.orders.ports.order_store import LaneView
from tests.fakes.alert_store import FakeAlertStore
from tests.fakes.order_store import FakeOrderStore
from tests.fakes.tables import FakeGuard, FakeLane
from tests.simulation import ports
from tests.simulation.cloud import Cloud
from tests.simulation.exit_bugs import EXIT_BUGS
from tests.simulation.host import AWS
from tests.simulation.planting import Bug, Soil

# --- storage --------------------------------------------------------------------------------------------------------------------


def _no_replay_guard(soil: Soil) -> None:
    accept = FakeAlertStore.accept

    def unguarded(self: FakeAlertStore, guard: str, *rest: Any) -> None:
        accept(self, f"{guard} {len(self.tables.guards)}", *rest)

    soil.put(FakeAlertStore, "accept", unguarded)


def _guard_apart(soil: Soil) -> None:
    """The guard in a write of its own, before the orders: a crash between the two loses the alert."""

    def accept(self: ports.Alerts, guard: str, orders: Any, entry: Any, kept: Any) -> None:
        inner = self._alerts
        ids = tuple(order.order_id for order in orders)
        self._host.call(
            "alerts.guard", AWS, lambda: _claim(inner, guard, FakeGuard(entry.alert_id, ids, entry.received_at + kept))
        )
        self._host.call("alerts.accept", AWS, self._store.accept, f"{guard} kept", orders, entry, kept)

    soil.put(ports.Alerts, "accept", accept)


def _claim(alerts: FakeAlertStore, guard: str, content: FakeGuard) -> None:
    alerts.tables.guards.setdefault(guard, content)


def _unconditional_write(soil: Soil) -> None:
    def put(self: FakeOrderStore, old: Order, new: Order, update: dict[str, object]) -> Order:
        stored = new.model_copy(update={**update, "version": self.tables.orders[old.order_id].version + 1})
        self.tables.put_order(stored)
        return stored

    soil.put(FakeOrderStore, "_put", put)


def _no_fence(soil: Soil) -> None:
    """Whoever wants the lane gets it, and late writers still get through."""
    take, lane = FakeOrderStore.take, FakeOrderStore.lane

    def seize(self: FakeOrderStore, view: LaneView, order: Order, until: datetime) -> Order:
        found = self.tables.lane(view.lane)
        return take(self, replace(view, fence=found.fence, owner=found.owner), order, until)

    soil.put(FakeOrderStore, "lane", lambda self, name: replace(lane(self, name), owner=None))
    soil.put(FakeOrderStore, "take", seize)
    soil.put(FakeLane, "belongs_to", lambda _self, _order: True)


# --- sending --------------------------------------------------------------------------------------------------------------------


def _blind_resend(soil: Soil) -> None:
    submit = ports.Desk.submit

    def again(self: ports.Desk, account: AccountRef, leg: Leg) -> Outcome:
        outcome = submit(self, account, leg)
        return submit(self, account, leg) if isinstance(outcome, Unknown) else outcome

    soil.put(ports.Desk, "submit", again)


def _resend_anywhere(soil: Soil) -> None:
    soil.replace(legs.may_send_again, lambda *_: True)


def _refused_resend_ends(soil: Soil) -> None:
    def refused(order: Order, leg: Leg, reason: str, on: Floor) -> Order:
        return floor.change(order, lambda o: transitions.refused(o, leg.leg, on.clock.now(), reason), on)

    soil.replace(legs._not_again, refused)


def _no_verification(soil: Soil) -> None:
    soil.put(ports.Checks, "check", lambda *_: None)


def _send_before_write(soil: Soil) -> None:
    submit = legs.submit

    def early(order: Order, leg: Leg, until: datetime, on: Floor, held: Decimal | None = None) -> object:
        prepared = transitions.preparing(order, leg, on.clock.now(), held)
        sent = prepared.leg(leg.leg)
        outcome = on.desk.submit(floor.account_of(order), sent or leg)
        return submit(order, leg, until, replace(on, desk=_Answered(on.desk, outcome)), held)

    soil.replace(submit, early)


class _Answered:
    """A desk whose next submit has its answer already."""

    def __init__(self, desk: Any, outcome: Outcome) -> None:
        self._desk = desk
        self._outcome = outcome

    def __getattr__(self, name: str) -> Any:
        return getattr(self._desk, name)

    def submit(self, account: AccountRef, leg: Leg) -> Outcome:
        return self._outcome


def _halt_read_too_early(soil: Soil) -> None:
    submit = legs.submit

    def careless(order: Order, leg: Leg, until: datetime, on: Floor, held: Decimal | None = None) -> object:
        return submit(order, leg, until, replace(on, controls=_NeverHalted()), held)

    soil.replace(submit, careless)


class _NeverHalted:
    def halted(self, user_id: str, account_id: str) -> Halt | None:
        return None

    def halt(self, scope: str, at: datetime, reason: str) -> None:
        raise NotImplementedError

    def resume(self, scope: str) -> None:
        raise NotImplementedError


def _no_deadline(soil: Soil) -> None:
    soil.replace(act.is_overdue, lambda *_: False)


def _answer_not_recorded(soil: Soil) -> None:
    """An accepted order whose fill was not seen at once is taken for rejected."""

    def answered(order: Order, name: str, outcome: Outcome, at: datetime) -> Order:
        if isinstance(outcome, Accepted) and not outcome.view.filled_quantity and not order.resting:
            return transitions.refused(order, name, at, "not_filled")
        return original(order, name, outcome, at)

    original = transitions.answered
    soil.replace(original, answered)


# --- the lane -------------------------------------------------------------------------------------------------------------------


def _early_release(soil: Soil) -> None:
    """A market order gives up its lane once it is accepted."""
    followed = transitions._followed

    def released(order: Order, leg: Leg, at: datetime, *, wanted: bool) -> Order:
        order = followed(order, leg, at, wanted=wanted)
        return order.model_copy(update={"owns_lane": False}) if order.state is OrderState.WORKING else order

    soil.replace(followed, released)


def _release_before_record(soil: Soil) -> None:
    """The lane is given up in a write of its own, before what was found out is written."""
    change = floor.change

    def apart(order: Order, how: Change, on: Floor) -> Order:
        new = how(order)
        if order.owns_lane and not new.owns_lane and new.state.ended:
            order = change(order, lambda o: o.model_copy(update={"owns_lane": False, "listing": Listing.NONE}), on)
        return change(order, how, on)

    soil.replace(change, apart)


def _stale_position(soil: Soil) -> None:
    """Positions are remembered for ten seconds: quantities are computed from before the lane was owned."""
    positions = ports.Desk.positions

    def remembered(self: ports.Desk, account: AccountRef, root: str) -> tuple[Position, ...]:
        seen: dict[tuple[AccountRef, str], tuple[float, tuple[Position, ...]]] = vars(self._venue).setdefault("seen", {})
        at, found = seen.get((account, root), (-60.0, ()))
        if self._host.true_now - at > 10:
            at, found = self._host.true_now, positions(self, account, root)
            seen[account, root] = at, found
        return found

    soil.put(ports.Desk, "positions", remembered)


def _newest_first(soil: Soil) -> None:
    pick = execute._pick
    soil.replace(pick, lambda view, on: pick(replace(view, waiting=view.waiting[::-1]), on))


def _older_entries_act(soil: Soil) -> None:
    soil.replace(floor._mark, lambda *_: None)


def _lost_wake_up(soil: Soil) -> None:
    """Only the message itself: no stream, no sweeper behind it."""
    soil.put(Cloud, "_stream", lambda *_: None)
    soil.put(sweep, "wake", lambda *_: None)


def _no_wake_after_release(soil: Soil) -> None:
    soil.put(Cloud, "_stream", lambda *_: None)
    soil.put(floor, "wake", lambda *_: None)


# --- doubt ----------------------------------------------------------------------------------------------------------------------


def _no_quarantine(soil: Soil) -> None:
    soil.replace(legs._absence_counts, lambda _order, leg, at, _on: leg.submit_by is not None and at > leg.submit_by)


def _no_proof(soil: Soil) -> None:
    def counts(order: Order, leg: Leg, at: datetime, on: Floor) -> bool:
        known = on.desk.capabilities(floor.account_of(order))
        return known.quarantine_s is None or original(order, leg, at, on)

    original = legs._absence_counts
    soil.replace(original, counts)


def _doubt_not_counted(soil: Soil) -> None:
    soil.replace(sizing.spoken_for, lambda *_: {})


def _time_out_is_rejection(soil: Soil) -> None:
    soil.replace(transitions.doubtful, transitions.refused)


# --- fills, protection, halts ---------------------------------------------------------------------------------------------------


def _fills_added(soil: Soil) -> None:
    merged = transitions._merged

    def added(leg: Leg, view: LegView, at: datetime) -> Leg:
        return merged(leg, view, at).model_copy(update={"filled_quantity": leg.filled_quantity + view.filled_quantity})

    soil.replace(merged, added)


def _protection_dropped(soil: Soil) -> None:
    def dropped(order: Order, at: datetime, reason: str, message: str) -> Order:
        return transitions.ended(order, OrderState.CANCELLED, at, "superseded", message)

    soil.replace(transitions._made_way, dropped)


def _resting_not_cleared(soil: Soil) -> None:
    soil.replace(working.in_the_way, lambda *_: ())
    soil.replace(working.clear, lambda *_: True)


def _resting_entry_ignores_halt(soil: Soil) -> None:
    soil.replace(act._recheck_halt, lambda order, *_: order)
    table: Any = sweep._CARE
    for state in (OrderState.WORKING, OrderState.PARTIALLY_FILLED):
        soil.set_item(table, state, _only_looked_at)


def _only_looked_at(order: Order, on: Floor) -> None:
    if not order.resting:
        sweep._working(order, on)
    elif leg := order.live_leg:
        legs.resolve(order, leg.leg, on)


# --- reversals ------------------------------------------------------------------------------------------------------------------


def _no_poll(soil: Soil) -> None:
    """The open follows the close at once, whether or not it is filled."""

    def opened(order: Order, on: Floor, finish_by: datetime) -> object:
        order, _ = reverse._submit_once(order, transitions.OPEN, on, finish_by)
        return reverse._next(order, "end")

    steps: Any = reverse._STEPS
    soil.set_item(steps, Step.POLL_FILL, lambda order, on, _: reverse._closed(order, on))
    soil.set_item(steps, Step.OPEN, opened)


def _abort_without_cancel(soil: Soil) -> None:
    """The abort reads what is held and goes, while the close still works."""

    def left(order: Order, on: Floor, _finish_by: datetime) -> object:
        held = sum((p.quantity for p in on.desk.positions(floor.account_of(order), order.root)), Decimal(0))
        floor.change(order, lambda o: transitions.stopped(o, on.clock.now(), "step_failed", held), on)
        return reverse._next(order, "end")

    steps: Any = reverse._STEPS
    soil.set_item(steps, Step.ABORT, left)


def _nobody_aborts(soil: Soil) -> None:
    """Where the execution has ended and its order has not, nobody looks."""
    table: Any = sweep._CARE
    for state in (OrderState.CLOSING, OrderState.OPENING):
        soil.set_item(table, state, lambda *_: None)


def _twice(soil: Soil) -> None:
    """Whoever resumes a send that was cut off takes the leg without asking who else did."""

    def grabbed(order: Order, seen: Leg, at: datetime, held: Decimal | None) -> Order:
        if order.state.ended:
            raise Conflict("it has ended")
        return transitions.preparing(order, order.leg(seen.leg) or seen, at, held)

    soil.replace(legs._prepared, grabbed)
    soil.replace(legs.may_send_again, lambda *_: True)


BUGS = (
    Bug("replay_guard", "the replay guard is dropped", _no_replay_guard),
    Bug("guard_apart", "guard and orders are two writes", _guard_apart),
    Bug("unconditional_write", "orders are written without a condition", _unconditional_write),
    Bug("fence", "the fence is ignored", _no_fence),
    Bug("blind_resend", "a send is repeated on a time-out", _blind_resend),
    Bug("resend_anywhere", "a send is repeated at a venue that does not deduplicate", _resend_anywhere),
    Bug("refused_resend", "a refused repetition ends the order", _refused_resend_ends),
    Bug("verification", "verification is not asked for before the send", _no_verification),
    Bug("send_before_write", "SUBMITTING is written after the send", _send_before_write),
    Bug("halt_read", "the halt flag is not read after SUBMITTING", _halt_read_too_early),
    Bug("deadline", "deadlines are ignored", _no_deadline),
    Bug("answer_lost", "an accepted order without a fill counts as refused", _answer_not_recorded),
    Bug("early_release", "a market order gives up its lane when accepted", _early_release),
    Bug("release_first", "the lane is given up before the end is recorded", _release_before_record),
    Bug("stale_position", "quantities are computed before the lane is owned", _stale_position),
    Bug("newest_first", "the newest waiting order acts first", _newest_first),
    Bug("superseded", "an entry older than an executed exit still acts", _older_entries_act),
    Bug("lost_wake_up", "neither stream nor sweeper stand behind the message", _lost_wake_up),
    Bug("no_release_wake", "nobody wakes the lane after a release", _no_wake_after_release),
    Bug("quarantine", "the venue's quarantine is ignored", _no_quarantine),
    Bug("no_proof", "absence counts where the venue proves nothing", _no_proof),
    Bug("doubt", "reductions do not count what is in doubt", _doubt_not_counted),
    Bug("time_out", "a time-out counts as a rejection", _time_out_is_rejection),
    Bug("fills_added", "fills are added instead of merged", _fills_added),
    Bug("protection", "protection is not placed again", _protection_dropped),
    Bug("not_cleared", "resting orders are not cancelled first", _resting_not_cleared),
    Bug("resting_halt", "a resting entry outlives a halt", _resting_entry_ignores_halt),
    Bug("no_poll", "the reversal opens without polling its close", _no_poll),
    Bug("abort_no_cancel", "the abort leaves the close working", _abort_without_cancel),
    Bug("nobody_aborts", "nobody aborts a reversal whose execution has ended", _nobody_aborts),
    Bug("leg_grabbed", "two runs prepare the same leg", _twice),
    *EXIT_BUGS,
)
