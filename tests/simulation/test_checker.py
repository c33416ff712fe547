"""The checker itself: a clean history passes, and each rule fires on a history that somebody spoilt by hand."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from fillpath.orders.model import Lane, Leg, LegStatus, Listing, Operation, Order, OrderState, OrderType, Side
from tests.simulation import checker, exit_rules
from tests.simulation.checker import judge
from tests.simulation.evidence import Evidence
from tests.simulation.history import Asked, Fill, HaltSpan, History, Owner, Pick, Reply, Send, VenueOrder, Write
from tests.simulation.scenario import VENUES
from tests.simulation.violation import Rule
from tests.simulation.virtual import instant

FIRST, SECOND = "01KJQF9FVZXMF94KFNYQ8WG7TA", "01KJQF9FVZXMF94KFNYQ8WG7TB"
LANE = Lane("A1", "ES")
ONE = Decimal(1)


def leg(order_id: str = FIRST, name: str = "main", **changes: object) -> Leg:
    usual = {"contract": "ESH6", "side": Side.BUY, "quantity": ONE, "attempts": 1}
    return Leg(leg=name, client_order_id=f"{order_id}-{name}", **(usual | changes))


def order(order_id: str = FIRST, **changes: object) -> Order:
    usual = {
        "alert_id": order_id,
        "user_id": "U1",
        "account_id": "A1",
        "venue": "simulated",
        "webhook_id": "W1",
        "symbol": "ESH6",
        "root": "ES",
        "contract": "ESH6",
        "action": "buy",
        "operation": Operation.ENTER_LONG,
        "quantity": ONE,
        "alert_time": instant(1),
        "received_at": instant(1),
        "deadline": instant(61),
    }
    return Order(order_id=order_id, **(usual | changes))


def filled(order_id: str = FIRST, **changes: object) -> Order:
    done = leg(order_id, status=LegStatus.FILLED, filled_quantity=ONE, average_price=Decimal(100))
    return order(order_id, state=OrderState.FILLED, filled_quantity=ONE, legs=(done,), **changes)


def at_venue(number: int, sent: Leg, at: float, before: int = 0) -> VenueOrder:
    fill = Fill(at, sent.quantity, Decimal(before))
    return VenueOrder(number, "A1", sent, "ES", at, LegStatus.FILLED, at, None, Decimal(100), [fill])


def clean() -> History:
    """One alert to buy one contract, executed as it should be."""
    history = History(VENUES["proves absence"], {})
    submitting = order(state=OrderState.SUBMITTING, owns_lane=True, legs=(leg(status=LegStatus.SUBMITTING),))
    history.writes = [
        Write(1.0, order(listing=Listing.WAITING)),
        Write(1.1, order(owns_lane=True)),
        Write(1.2, submitting),
        Write(1.5, filled()),
    ]
    history.owners = {LANE: [Owner(1.1, FIRST), Owner(1.5, None)]}
    history.picks = [Pick(1.1, FIRST, (), ())]
    history.checks = [Asked(1.15, FIRST, "main", 1)]
    history.sends = [Send(1.3, FIRST, LANE, leg())]
    history.placed = [at_venue(1, leg(), 1.4)]
    history.replies = [Reply(1.05, "alert", "accepted", (FIRST,))]
    history.held = {("A1", "ESH6"): ONE}
    history.ended_at = 700.0
    return history


def an_accepted_order_is_missing(history: History) -> None:
    history.replies.append(Reply(2, "alert", "accepted", (SECOND,)))


def a_post_fails_without_a_fault(history: History) -> None:
    history.replies.append(Reply(2, "alert", "failed", (), 1.9))


def a_filled_order_counts_as_rejected(history: History) -> None:
    history.writes[-1] = Write(1.5, order(state=OrderState.REJECTED, legs=(leg(status=LegStatus.REJECTED),)))


def the_venue_has_it_twice(history: History) -> None:
    history.placed.append(at_venue(2, leg(), 1.45, before=1))


def an_alert_became_two_orders(history: History) -> None:
    history.writes.append(Write(2, order(SECOND, state=OrderState.SKIPPED)))


def a_lane_is_never_released(history: History) -> None:
    history.owners[LANE].pop()


def an_order_waits_at_a_free_lane(history: History) -> None:
    history.writes.append(Write(200, order(SECOND, listing=Listing.WAITING, alert_time=instant(200))))
    history.writes.append(Write(260, order(SECOND, state=OrderState.EXPIRED, alert_time=instant(200))))


def more_is_held_than_recorded(history: History) -> None:
    history.held["A1", "ESH6"] = Decimal(2)


def a_reduction_opens(history: History) -> None:
    history.placed[0].leg = leg(reduce_only=True)


def a_reversal_opens_first(history: History) -> None:
    legs = (leg(SECOND, "close", side=Side.SELL), leg(SECOND, "open", side=Side.SELL))
    history.writes.append(Write(2, order(SECOND, state=OrderState.OPENING, legs=legs)))
    history.sends.append(Send(3, SECOND, LANE, legs[1]))


def an_abort_tells_nonsense(history: History) -> None:
    history.writes.append(Write(30, order(SECOND, state=OrderState.ABORTED, held=Decimal(3), alert_time=instant(30))))


def protection_goes_and_does_not_return(history: History) -> None:
    stop = {"operation": Operation.EXIT_LONG, "type": OrderType.STOP, "reduces": True, "alert_time": instant(30)}
    resting = leg(SECOND, side=Side.SELL, reduce_only=True, type=OrderType.STOP, status=LegStatus.WORKING)
    history.writes.append(Write(30, order(SECOND, state=OrderState.WORKING, legs=(resting,), **stop)))
    gone = resting.model_copy(update={"status": LegStatus.CANCELLED})
    history.writes.append(Write(40, order(SECOND, state=OrderState.CANCELLED, legs=(gone,), **stop)))


def with_exits(history: History) -> None:
    """The order is a bracket: its exits rest at the venue, and SECOND keeps them."""
    entry = leg(take_profit=Decimal(105), stop_loss=Decimal(95), exits_ref="V2", status=LegStatus.FILLED, filled_quantity=ONE)
    history.writes[-1] = Write(1.5, order(state=OrderState.FILLED, legs=(entry,), protection_id=SECOND))
    history.placed[0].leg = entry
    placed = leg(FIRST, "exits", side=Side.SELL, reduce_only=True, type=OrderType.OCO)
    placed = placed.model_copy(update={"client_order_id": f"{FIRST}-main/exits"})
    history.placed.append(VenueOrder(2, "A1", placed, "ES", 1.4, entry=1))
    kept = leg(SECOND, "exits", side=Side.SELL, reduce_only=True, type=OrderType.OCO, status=LegStatus.WORKING)
    history.writes.append(Write(1.45, exits(kept)))


def exits(*legs: Leg, **changes: object) -> Order:
    usual = {"operation": Operation.EXIT_LONG, "type": OrderType.OCO, "reduces": True, "parent_id": FIRST, "deadline": None}
    return order(SECOND, **(usual | {"state": OrderState.WORKING, "legs": legs} | changes))


def placed_again(history: History, quantity: int) -> None:
    """The venue cancelled the exits, and they were placed once more for so much."""
    with_exits(history)
    history.placed[1].status, history.placed[1].ended_at = LegStatus.CANCELLED, 20.0
    again = leg(SECOND, "protect-1", side=Side.SELL, quantity=Decimal(quantity), reduce_only=True, type=OrderType.OCO)
    history.placed.append(VenueOrder(3, "A1", again, "ES", 21.0))
    gone = leg(SECOND, "exits", side=Side.SELL, reduce_only=True, status=LegStatus.CANCELLED)
    history.writes.append(Write(22, exits(gone, again.model_copy(update={"status": LegStatus.WORKING}))))


def exits_are_placed_again_for_too_much(history: History) -> None:
    placed_again(history, 2)


def exits_are_left_for_less_than_is_held(history: History) -> None:
    with_exits(history)
    history.placed[1].status, history.placed[1].ended_at = LegStatus.CANCELLED, 20.0


def exits_are_left_though_nothing_is_held(history: History) -> None:
    with_exits(history)
    history.held.clear()


def both_exits_are_left(history: History) -> None:
    placed_again(history, 1)
    history.placed[1].ended_at = None


def a_stop_is_left_that_would_open(history: History) -> None:
    history.capabilities = VENUES["proves absence, no reduce-only"]
    stop = leg(SECOND, side=Side.BUY, reduce_only=True, type=OrderType.STOP)
    history.placed.append(VenueOrder(2, "A1", stop, "ES", 5.0))


def a_pair_is_left_with_one_half(history: History) -> None:
    pair = leg(SECOND, side=Side.SELL, reduce_only=True, type=OrderType.OCO)
    history.placed.append(VenueOrder(2, "A1", pair, "ES", 5.0, halved_at=history.ended_at - 400))


def two_orders_work_at_once(history: History) -> None:
    history.placed[0].ended_at = 9.0
    history.placed.append(at_venue(2, leg(SECOND), 5.0, before=1))
    history.placed[1].ended_at = 6.0


def the_lane_belongs_to_another(history: History) -> None:
    history.owners[LANE][0] = Owner(1.1, SECOND)


def an_earlier_order_is_passed_over(history: History) -> None:
    history.writes.insert(0, Write(0.5, order(SECOND, listing=Listing.WAITING, alert_time=instant(0.5))))
    history.picks[0] = Pick(1.1, FIRST, (SECOND,), ())


def an_old_entry_follows_a_newer_exit(history: History) -> None:
    newer = {"operation": Operation.CLOSE, "reduces": True, "alert_time": instant(1) + timedelta(seconds=5)}
    history.writes[:0] = [Write(0.5, order(SECOND, **newer)), Write(0.9, filled(SECOND, **newer))]


def nobody_was_asked_to_check(history: History) -> None:
    history.checks.clear()


def it_was_sent_before_it_was_written(history: History) -> None:
    history.writes[2] = replace_at(history.writes[2], 1.35)


def it_was_sent_again_too_late(history: History) -> None:
    history.capabilities = VENUES["deduplicates for two minutes"]
    history.sends.append(Send(200, FIRST, LANE, leg()))


def an_entry_is_sent_under_a_halt(history: History) -> None:
    history.halts.append(HaltSpan("account:A1", 0.5))


def it_was_sent_after_its_deadline(history: History) -> None:
    history.sends[0] = history.sends[0]._replace(at=120.0)


def the_code_broke(history: History) -> None:
    history.errors.append("execute: KeyError()")


def replace_at(write: Write, at: float) -> Write:
    return write._replace(at=at)


Spoil = Callable[[History], None]
CASES: list[tuple[Rule, Spoil]] = [
    (checker._accepted_orders_are_there, an_accepted_order_is_missing),
    (checker._posts_fail_for_a_reason, a_post_fails_without_a_fault),
    (checker._venue_orders_are_recorded, a_filled_order_counts_as_rejected),
    (checker._nothing_is_doubled, the_venue_has_it_twice),
    (checker._one_order_per_alert_and_route, an_alert_became_two_orders),
    (checker._nothing_is_stuck, a_lane_is_never_released),
    (checker._nothing_waits_for_nothing, an_order_waits_at_a_free_lane),
    (checker._positions_are_right, more_is_held_than_recorded),
    (checker._reductions_only_reduce, a_reduction_opens),
    (checker._opens_follow_filled_closes, a_reversal_opens_first),
    (checker._aborts_tell_what_is_held, an_abort_tells_nonsense),
    (checker._protection_survives, protection_goes_and_does_not_return),
    (exit_rules.exits_are_no_larger_than_what_their_entry_filled, exits_are_placed_again_for_too_much),
    (exit_rules.what_a_bracket_holds_is_protected, exits_are_left_for_less_than_is_held),
    (exit_rules.what_a_bracket_holds_is_protected, exits_are_left_though_nothing_is_held),
    (exit_rules.what_a_bracket_holds_is_protected, both_exits_are_left),
    (exit_rules.no_pair_is_left_with_one_half, a_pair_is_left_with_one_half),
    (exit_rules.nothing_rests_that_would_open, a_stop_is_left_that_would_open),
    (checker._one_acts_at_a_time, two_orders_work_at_once),
    (checker._senders_own_their_lane, the_lane_belongs_to_another),
    (checker._turns_are_kept, an_earlier_order_is_passed_over),
    (checker._older_entries_give_way, an_old_entry_follows_a_newer_exit),
    (checker._sends_leave_evidence_first, nobody_was_asked_to_check),
    (checker._sends_leave_evidence_first, it_was_sent_before_it_was_written),
    (checker._resends_are_deduplicated, it_was_sent_again_too_late),
    (checker._halts_hold, an_entry_is_sent_under_a_halt),
    (checker._deadlines_hold, it_was_sent_after_its_deadline),
    (checker._code_does_not_break, the_code_broke),
]


def test_a_clean_history_passes() -> None:
    assert judge(clean()) == ()


@pytest.mark.parametrize(("rule", "spoil"), CASES, ids=[spoil.__name__ for _, spoil in CASES])
def test_a_rule_fires_when(rule: Rule, spoil: Spoil) -> None:
    history = clean()
    spoil(history)
    assert list(rule(Evidence(history)))


def test_a_bracket_with_its_exits_passes() -> None:
    history = clean()
    with_exits(history)
    assert judge(history) == ()


def test_a_bracket_whose_exits_were_placed_again_passes() -> None:
    history = clean()
    placed_again(history, 1)
    assert [violation for violation in judge(history) if violation.kind == "protection"] == []


def test_every_rule_is_tried() -> None:
    assert {rule for rule, _ in CASES} == set(checker.RULES)


def test_an_order_may_wait_while_something_went_wrong_shortly_before() -> None:
    history = clean()
    an_order_waits_at_a_free_lane(history)
    history.faults = [190.0]
    assert judge(history) == ()


def test_an_unknown_order_may_stay_where_the_venue_proves_nothing() -> None:
    history = clean()
    doubt = order(SECOND, state=OrderState.UNKNOWN, alert_time=instant(5), legs=(leg(SECOND, status=LegStatus.UNKNOWN),))
    history.writes.append(Write(5, doubt))
    assert [violation.kind for violation in judge(history)] == ["stuck"]
    history.capabilities = replace(history.capabilities, quarantine_s=None)
    assert judge(history) == ()
