"""The history checker: judges what the venue and the tables saw. It knows the invariants, and none of the code under test."""

from collections import Counter, defaultdict
from decimal import Decimal
from itertools import combinations, pairwise

from fillpath.orders.model import LegStatus, Listing, Operation, Order, OrderState, OrderType
from tests.simulation import exit_rules
from tests.simulation.evidence import Evidence
from tests.simulation.history import Fill, History, Send, VenueOrder
from tests.simulation.violation import Judgement, Rule, Violation
from tests.simulation.virtual import seconds_of

_NO_LIMIT = float("inf")
_DEADLINE_SLACK_S = 30.0
_SEEN_WITHIN_S = 15.0
_RECOVERS_IN_S = 145.0  # two minutes of the sweeper: by a skewed clock two sweeps fall into one and wake only once
_ACTS_WITHIN_S = 10.0
_LATE_EFFECTS_S = 12.0
_LIVE = {LegStatus.WORKING, LegStatus.PARTIALLY_FILLED}


def judge(history: History) -> tuple[Violation, ...]:
    """Everything that is wrong with a history."""
    evidence = Evidence(history)
    return tuple(violation for rule in RULES for violation in rule(evidence))


# --- invariant 1: exactly one order per alert and route, none lost, none doubled, none stuck ------------------------------------


def _accepted_orders_are_there(e: Evidence) -> Judgement:
    for reply in e.history.replies:
        if reply.code == "accepted" and any(order_id not in e.final for order_id in reply.order_ids):
            yield Violation("lost", f"alert {reply.alert_key} was accepted and is not in the table")


def _posts_fail_for_a_reason(e: Evidence) -> Judgement:
    """A request that met no fault is not answered with 5xx, whatever earlier ones met: a resend succeeds."""
    for reply in e.history.replies:
        met = any(reply.since - _LATE_EFFECTS_S <= fault <= reply.at for fault in e.history.faults)
        if reply.code == "failed" and not met:
            yield Violation("lost", f"alert {reply.alert_key} was answered with 5xx at {reply.at:.1f} for no reason")


def _venue_orders_are_recorded(e: Evidence) -> Judgement:
    for placed in e.history.placed:
        leg = e.leg_of(placed)
        if leg is None:
            yield Violation("lost", f"{placed.name} is at the venue and in no record")
            continue
        if placed.ended_at is None and leg.status not in {*_LIVE, LegStatus.UNKNOWN}:
            yield Violation("lost", f"{placed.name} works at the venue, its record says {leg.status}")
        if placed.filled > leg.filled_quantity and len(e.placed[leg.client_order_id]) == 1:
            yield Violation("lost", f"{placed.name} filled {placed.filled}, its record says {leg.filled_quantity}")


def _nothing_is_doubled(e: Evidence) -> Judgement:
    for client_order_id, orders in e.placed.items():
        if len(orders) > 1:
            yield Violation("doubled", f"{len(orders)} orders at the venue under {client_order_id}")
    for order_id, orders in e.of_order.items():
        acting = [order for order in orders if not order.leg.leg.startswith("close")]
        wanted = max((order.leg.quantity for order in acting), default=Decimal(0))
        filled = sum((order.filled for order in acting), Decimal(0))
        if filled > wanted:
            yield Violation("doubled", f"order {order_id} filled {filled} of {wanted}")
        for one, other in combinations(acting, 2):
            if _overlap(one, other):
                yield Violation("doubled", f"{one.name} and {other.name} of one order worked at the same time")


def _one_order_per_alert_and_route(e: Evidence) -> Judgement:
    routes = Counter((o.webhook_id, o.alert_time, o.account_id) for o in e.final.values() if o.webhook_id and not o.parent_id)
    for (webhook_id, alert_time, account_id), count in routes.items():
        if count > 1:
            yield Violation("doubled", f"{count} orders of the alert of {alert_time} at {webhook_id} for {account_id}")


def _nothing_is_stuck(e: Evidence) -> Judgement:
    for order in e.final.values():
        if reason := _stuck(e, order):
            yield Violation("stuck", f"order {order.order_id} ({order.operation}) {order.state}: {reason}")
    for lane, owners in e.history.owners.items():
        if owners[-1].order_id is not None:
            yield Violation("stuck", f"lane {lane} still belongs to {owners[-1].order_id}")


def _stuck(e: Evidence, order: Order) -> str | None:
    if order.state.ended:
        return None
    if order.state is OrderState.UNKNOWN:
        return _unresolved(e, order)
    if order.state in {OrderState.WORKING, OrderState.PARTIALLY_FILLED}:
        live = order.live_leg
        works = live is not None and any(placed.ended_at is None for placed in e.placed[live.client_order_id])
        return None if works and order.resting else "nothing of it works at the venue any more" if not works else "a market order"
    return None if e.is_blocked_for_good(order) else "no end state"


def _unresolved(e: Evidence, order: Order) -> str | None:
    if e.history.capabilities.quarantine_s is not None:
        return "the venue proves absence, so this could have been resolved"
    shown = [leg.leg for leg in order.legs if leg.status.in_doubt and e.placed[leg.client_order_id]]
    return f"the venue shows {', '.join(shown)}" if shown else None


def _nothing_waits_for_nothing(e: Evidence) -> Judgement:
    """Where a lane is free and nothing has gone wrong for a while, what waits in it acts within seconds."""
    for order_id, states in e.states.items():
        for (since, order), (until, _) in pairwise([*states, (e.history.ended_at, states[-1][1])]):
            if order.listing is not Listing.WAITING or order.deadline is None:
                continue
            for start, end in e.idle(order, since, until, _RECOVERS_IN_S):
                if end - start > _ACTS_WITHIN_S:
                    yield Violation("idle", f"order {order_id} waited {end - start:.0f} s at a free lane from {start:.1f} on")


# --- invariants 1 and 4: positions ----------------------------------------------------------------------------------------------


def _positions_are_right(e: Evidence) -> Judgement:
    expected = defaultdict(Decimal, e.history.started_with)
    for each in e.history.by_hand:
        expected[each.holding] += each.quantity
    for order in e.final.values():
        for leg in order.legs:
            expected[order.account_id, leg.contract] += leg.side.sign * leg.filled_quantity
    for key in expected.keys() | e.history.held.keys():
        held = e.history.held.get(key, Decimal(0))
        if held != expected[key]:
            yield Violation("wrong_position", f"{key} holds {held} at the venue, the records make it {expected[key]}")


def _reductions_only_reduce(e: Evidence) -> Judgement:
    for placed in e.history.placed:
        reduces = e.is_reduction(placed)
        for fill in placed.fills:
            if reduces and not _toward_zero(placed, fill) and not e.changed_by_hand(placed, fill):
                text = f"{placed.name} reduces, and filled {fill.quantity} {placed.leg.side} at {fill.before}"
                yield Violation("reduction", text)
            if not reduces and fill.before * placed.leg.side.sign < 0:
                yield Violation("crossing", f"{placed.name} is an entry, and filled {placed.leg.side} at {fill.before}")


def _toward_zero(placed: VenueOrder, fill: Fill) -> bool:
    return fill.before * placed.leg.side.sign < 0 and fill.quantity <= abs(fill.before)


# --- invariant 5: reversals -----------------------------------------------------------------------------------------------------


def _opens_follow_filled_closes(e: Evidence) -> Judgement:
    for send in e.history.sends:
        if send.leg.leg != "open":
            continue
        order = e.final[send.order_id]
        for leg in order.legs:
            if leg.leg.startswith("close") and not _filled_by(e.placed[leg.client_order_id], send.at):
                yield Violation("reversal", f"order {send.order_id} opened before its {leg.leg} was filled")


def _filled_by(orders: list[VenueOrder], at: float) -> bool:
    return any(sum(fill.quantity for fill in order.fills if fill.at <= at) >= order.leg.quantity for order in orders)


def _aborts_tell_what_is_held(e: Evidence) -> Judgement:
    for order in e.final.values():
        if order.state is OrderState.ABORTED:
            at = e.ended_at(order.order_id) or 0.0
            possible = e.held_between(order.account_id, order.root, at - _SEEN_WITHIN_S, at)
            if order.held is not None and order.held not in possible:
                yield Violation(
                    "reversal", f"order {order.order_id} was aborted with {order.held} held, it was {sorted(possible)}"
                )


def _protection_survives(e: Evidence) -> Judgement:
    """What protected a position may end by its own fill, by the venue, by a signal, or because nothing is left to protect."""
    for order in e.final.values():
        first = e.first[order.order_id]
        if not (first.reduces and order.resting and order.legs) or order.state is not OrderState.CANCELLED:
            continue
        if order.legs[-1].reason == "nothing_to_reduce":
            continue  # the venue's own verdict
        leg = order.legs[-1]
        at = e.ended_at(order.order_id) or 0.0
        if e.was_asked_to_cancel(order, at) or (order.parent_id and e.to_exit(order, at) <= 0):
            continue
        held = e.held_between(order.account_id, leg.contract, at - _SEEN_WITHIN_S, at)
        others = e.resting_reductions(order, at)
        if all(quantity * leg.side.sign < 0 for quantity in held) and not others:
            text = f"order {order.order_id} ({order.reason}) protects {sorted(held)} no more"
            yield Violation("protection", text)


# --- invariant 6: one at a time, in turn ----------------------------------------------------------------------------------------


def _one_acts_at_a_time(e: Evidence) -> Judgement:
    acting = [order for order in e.history.placed if order.leg.type is OrderType.MARKET]
    for one, other in combinations(acting, 2):
        apart = e.order_id(one) == e.order_id(other) or (one.account_id, one.root) != (other.account_id, other.root)
        if apart or not _overlap(one, other):
            continue
        first, second = sorted((one, other), key=lambda order: order.placed_at)
        sent = _sent(e, second)
        if not e.was_unknown(first.order_id, sent) and not e.was_unknown(second.order_id, first.placed_at):
            yield Violation("overlap", f"{second.name} acted while {first.name} was working")


def _overlap(one: VenueOrder, other: VenueOrder) -> bool:
    ends = (order.ended_at if order.ended_at is not None else _NO_LIMIT for order in (one, other))
    return max(one.placed_at, other.placed_at) < min(ends)


def _sent(e: Evidence, placed: VenueOrder) -> float:
    times = [s.at for s in e.history.sends if s.leg.client_order_id == placed.leg.client_order_id and s.at <= placed.placed_at]
    return max(times, default=placed.placed_at)


def _senders_own_their_lane(e: Evidence) -> Judgement:
    for send in e.history.sends:
        owner = e.owner_at(send.lane, send.at)
        if owner != send.order_id:
            yield Violation("overlap", f"order {send.order_id} sent {send.leg.leg} while the lane belonged to {owner}")


def _turns_are_kept(e: Evidence) -> Judgement:
    for pick in e.history.picks:
        for passed_over in pick.passed_over:
            other = e.order_at(passed_over, pick.at)
            if other is None or other.listing is not Listing.WAITING:
                continue
            may_reduce = other.reduces or other.includes_close or other.operation is Operation.TARGET
            if not (pick.unknown and may_reduce) and not _gives_way(e, other, pick.at):
                yield Violation("turn", f"order {pick.order_id} was picked before {passed_over}")


def _gives_way(e: Evidence, other: Order, at: float) -> bool:
    """What made way for an order is placed again only once that one has acted."""
    first = e.order_at(other.made_way_for, at) if other.made_way_for else None
    return first is not None and (first.listing is Listing.WAITING or first.owns_lane)


def _older_entries_give_way(e: Evidence) -> Judgement:
    """An entry that arrives after a newer exit of its webhook was carried out is not what the strategy wants any more."""
    picked: dict[str, float] = {}
    for pick in e.history.picks:
        order = e.first[pick.order_id]
        newer = e.carried_out_before(order, pick.at) if order.webhook_id and not order.reduces else None
        if newer:
            picked[pick.order_id] = pick.at
    for send in e.history.sends:
        again = send.leg.leg.startswith("protect")  # what came to rest before that exit protects
        if send.order_id in picked and send.at >= picked[send.order_id] and not again:
            yield Violation("turn", f"order {send.order_id} was sent after a newer exit of its webhook")


# --- invariant 3: evidence before a send, and resends ---------------------------------------------------------------------------


def _sends_leave_evidence_first(e: Evidence) -> Judgement:
    """A check is asked for and the attempt is written before it leaves: whoever comes after a crash finds both."""
    checks = {(asked.order_id, asked.leg, asked.attempt): asked.at for asked in reversed(e.history.checks)}
    for send in e.history.sends:
        name = f"{send.leg.client_order_id} attempt {send.leg.attempts}"
        written = e.written_at(send)
        if checks.get((send.order_id, send.leg.leg, send.leg.attempts), _NO_LIMIT) > send.at:
            yield Violation("evidence", f"{name} was sent, and nobody was asked to check it")
        if written is None or written > send.at:
            yield Violation("evidence", f"{name} was sent before it was written")


def _resends_are_deduplicated(e: Evidence) -> Judgement:
    window = e.history.capabilities.deduplicates_s
    first: dict[str, Send] = {}
    answered = {order.leg.client_order_id for order in e.history.placed}
    for send in e.history.sends:
        before = first.setdefault(send.leg.client_order_id, send)
        if before is not send and send.leg.client_order_id in answered and send.at - before.at >= window and window:
            yield Violation("resend", f"{send.leg.client_order_id} was sent again {send.at - before.at:.0f} s later")


# --- invariant 10 and deadlines -------------------------------------------------------------------------------------------------


def _halts_hold(e: Evidence) -> Judgement:
    for send in e.history.sends:
        order = e.first.get(send.order_id)
        written = e.written_at(send)
        if order is None or written is None or send.leg.reduce_only or order.reduces:
            continue
        for span in e.halts_over(order):
            if span.since < written and (span.until is None or span.until > send.at):
                yield Violation("halt", f"order {send.order_id} sent {send.leg.leg} {send.at - span.since:.1f} s after a halt")
    for placed in e.history.placed:
        order = e.final.get(e.order_id(placed))
        if order and placed.ended_at is None and not e.is_reduction(placed) and any(s.until is None for s in e.halts_over(order)):
            yield Violation("halt", f"entry {placed.name} still rests under a halt")


def _deadlines_hold(e: Evidence) -> Judgement:
    for send in e.history.sends:
        order = e.first.get(send.order_id)
        if order is None or order.deadline is None or send.leg.leg.startswith("protect"):
            continue
        late = send.at - seconds_of(order.deadline)
        if late > _DEADLINE_SLACK_S:
            yield Violation("deadline", f"order {send.order_id} was sent {late:.0f} s after its deadline")


def _code_does_not_break(e: Evidence) -> Judgement:
    for error in e.history.errors:
        yield Violation("error", error)


RULES: tuple[Rule, ...] = (
    _accepted_orders_are_there,
    _posts_fail_for_a_reason,
    _venue_orders_are_recorded,
    _nothing_is_doubled,
    _one_order_per_alert_and_route,
    _nothing_is_stuck,
    _nothing_waits_for_nothing,
    _positions_are_right,
    _reductions_only_reduce,
    _opens_follow_filled_closes,
    _aborts_tell_what_is_held,
    _protection_survives,
    exit_rules.exits_are_no_larger_than_what_their_entry_filled,
    exit_rules.what_a_bracket_holds_is_protected,
    exit_rules.no_pair_is_left_with_one_half,
    exit_rules.nothing_rests_that_would_open,
    _one_acts_at_a_time,
    _senders_own_their_lane,
    _turns_are_kept,
    _older_entries_give_way,
    _sends_leave_evidence_first,
    _resends_are_deduplicated,
    _halts_hold,
    _deadlines_hold,
    _code_does_not_break,
)
