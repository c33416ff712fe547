"""Brackets in trouble: halts, cancels and doubt, a position that changes by hand, a venue that lets nobody in."""

from dataclasses import replace

import pytest

from fillpath.accounts.capabilities import Capabilities
from fillpath.errors import NeedsReauth
from fillpath.orders.model import Operation, Order, OrderState, OrderType
from tests.orders.brackets import BOTH, at_limit, at_work, entered, fill_exits, live
from tests.orders.floor import Fakes, at_rest, bracket, fakes, signal
from tests.orders.venue import FORGETFUL, lost_reply, never_arrived

# --- halts, cancels, doubt ------------------------------------------------------------------------------------------------------


def test_a_halt_leaves_exits_at_work_and_lets_them_be_placed_again() -> None:
    on = fakes()
    entry = entered(on)
    on.controls.halt("environment", on.clock.now(), "")
    on.sweep()
    assert on.exits(entry).state is OrderState.WORKING
    signal(on, Operation.EXIT_LONG, 1)
    on.settle(2)
    assert (on.held(), at_work(on)) == (1, 1)


@pytest.mark.parametrize("words", [None, "cancelled", "user_cancelled"])
def test_a_cancel_is_final_for_exits_whatever_the_venue_calls_it(words: str | None) -> None:
    on = fakes()
    entry = entered(on)
    on.desk.before_cancel = lambda leg: _reason(on, entry, words)
    signal(on, Operation.CANCEL, None)
    on.settle(2)
    assert on.state(on.exits(entry)) == (OrderState.CANCELLED, "cancelled")
    assert (on.held(), at_work(on)) == (2, 0)


def _reason(on: Fakes, entry: Order, words: str | None) -> None:
    exits = on.desk.exits(f"{entry.order_id}-main")
    on.desk._put(exits, replace(exits.view, reason=words))


def test_exits_that_the_venue_cancels_in_our_own_words_are_placed_again_nevertheless() -> None:
    on = fakes()
    entry = entered(on)
    _reason(on, entry, "cancelled")
    on.desk.end(on.desk.exits(f"{entry.order_id}-main"))
    on.settle(2)
    assert (on.exits(entry).state, at_work(on)) == (OrderState.WORKING, 2)


def test_a_cancel_takes_an_entry_at_rest_and_its_exits_for_good() -> None:
    on = fakes()
    entry = at_limit(on)
    on.desk.fill_now(f"{entry.order_id}-main", 1)
    cancel = signal(on, Operation.CANCEL, None)
    on.run()
    assert on.state(cancel) == (OrderState.CANCELLED, "cancelled")
    assert on.state(entry) == on.state(on.exits(entry)) == (OrderState.CANCELLED, "cancelled")
    on.settle(2)
    assert on.desk.working() == []


@BOTH
def test_a_close_after_a_bracket_of_unknown_outcome_takes_its_exits_too(venue: Capabilities) -> None:
    on = fakes(venue)
    on.desk.answers_to("main", lost_reply)
    entry = bracket(on)
    on.run()
    assert on.get(entry).state is OrderState.UNKNOWN
    signal(on, Operation.CLOSE, None)
    on.run()
    assert on.held() == 0
    assert on.desk.working() == []
    on.settle(2)
    assert on.get(entry).state is OrderState.FILLED
    assert on.state(on.exits(entry)) == (OrderState.CANCELLED, "position_closed")


def test_exits_with_nothing_to_exit_do_not_wait_behind_an_unknown_order() -> None:
    on = fakes(replace(FORGETFUL, quarantine_s=None))
    entry = at_limit(on)
    on.controls.halt("environment", on.clock.now(), "")
    on.sweep()
    on.controls.resume("environment")
    on.desk.answers_to("main", never_arrived)
    unknown = signal(on, Operation.ENTER_LONG)
    on.run()
    on.settle(2)
    assert on.get(unknown).state is OrderState.UNKNOWN
    assert on.state(on.exits(entry)) == (OrderState.CANCELLED, "entry_not_filled")


def test_exits_placed_for_less_because_of_a_doubt_grow_again_when_it_is_gone() -> None:
    on = fakes(FORGETFUL)
    entry = entered(on)
    on.desk.answers_to("main", never_arrived)
    lost = signal(on, Operation.EXIT_LONG, 1)
    on.run()
    on.run()
    assert (on.get(lost).state, at_work(on)) == (OrderState.UNKNOWN, 1)
    on.settle(4)
    assert on.state(lost) == (OrderState.REJECTED, "not_placed")
    assert (on.held(), at_work(on), live(on, entry)) == (2, 2, ("protect-2", 2))


def test_an_entry_older_than_an_executed_exit_is_superseded_and_its_exits_are_not() -> None:
    on = fakes()
    entry = entered(on)
    late = bracket(on, quantity=1, order_id="01KZZZZZZZZZZZZZZZZZZZZZZZ")
    signal(on, Operation.EXIT_LONG, 1)
    on.settle(2)
    assert on.state(late) == (OrderState.SKIPPED, "superseded")
    assert late.protection_id not in on.tables.orders
    assert (on.held(), at_work(on), on.exits(entry).state) == (1, 1, OrderState.WORKING)


# --- a position that changes at the broker by hand ------------------------------------------------------------------------------


@BOTH
def test_exits_go_when_their_position_is_closed_by_hand(venue: Capabilities) -> None:
    on = fakes(venue)
    entry = entered(on)
    on.hold(0)
    on.settle(3)
    assert on.state(on.exits(entry)) == (OrderState.CANCELLED, "position_closed")
    assert on.desk.working() == []


def test_a_stop_goes_with_its_position_where_it_would_open_another() -> None:
    on = fakes(FORGETFUL)
    on.hold(2)
    stop = at_rest(on, Operation.EXIT_LONG, 2, type=OrderType.STOP)
    on.hold(-1)
    on.settle(3)
    assert on.state(stop) == (OrderState.CANCELLED, "position_closed")
    assert on.desk.working() == []


def test_a_stop_that_only_reduces_stays_where_it_is() -> None:
    on = fakes()
    on.hold(2)
    stop = at_rest(on, Operation.EXIT_LONG, 2, type=OrderType.STOP)
    on.hold(0)
    on.settle(3)
    assert on.get(stop).state is OrderState.WORKING


def test_a_position_that_is_not_shown_yet_costs_no_exits() -> None:
    on = fakes(FORGETFUL)
    entry = entered(on)
    on.hold(0)
    on.sweep(after_s=30)
    on.hold(2)
    on.settle(3)
    assert (on.exits(entry).state, live(on, entry), at_work(on)) == (OrderState.WORKING, ("exits", 2), 2)


def test_exits_that_fill_while_the_position_is_read_end_filled() -> None:
    on = fakes(FORGETFUL)
    entry = entered(on)
    on.clock.sleep(90)
    on.desk.before_positions = lambda: fill_exits(on, entry, 2)
    on.sweep()
    assert on.exits(entry).state is OrderState.FILLED
    assert on.held() == 0


@BOTH
def test_exits_shrink_with_a_position_that_is_closed_by_hand_in_part(venue: Capabilities) -> None:
    on = fakes(venue)
    entry = entered(on)
    on.hold(1)
    on.settle(4)
    assert (at_work(on), live(on, entry)) == (1, ("protect-1", 1))
    assert "resized" in [event.reason for event in on.exits(entry).events]


def test_exits_of_an_entry_at_rest_stay_while_nothing_is_held() -> None:
    on = fakes(FORGETFUL)
    entry = at_limit(on)
    on.settle(4)
    assert on.exits(entry).state is OrderState.WORKING
    on.desk.fill_now(f"{entry.order_id}-main", 2)
    on.settle(3)
    assert (on.get(entry).state, on.exits(entry).state, at_work(on)) == (OrderState.FILLED, OrderState.WORKING, 2)


# --- a venue that lets nobody in ------------------------------------------------------------------------------------------------


def test_an_entry_ends_and_an_exit_waits_while_the_venue_lets_nobody_in() -> None:
    on = fakes()
    entered(on)
    on.desk.before_positions = _locked
    entry, close = signal(on, Operation.ENTER_LONG), signal(on, Operation.CLOSE, None)
    on.run()
    assert on.state(entry) == (OrderState.REJECTED, "needs_reauth")
    assert on.state(close) == (OrderState.QUEUED, "needs_reauth")
    on.desk.before_positions = lambda: None
    on.settle(2)
    assert on.get(close).state is OrderState.FILLED
    assert on.held() == 0


def _locked() -> None:
    raise NeedsReauth("sign in again")
