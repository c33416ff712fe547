"""Brackets and what else acts in their lane: exits make way, come back for what is held, and never open a position."""

from dataclasses import replace
from decimal import Decimal

import pytest

from fillpath.accounts.capabilities import Capabilities
from fillpath.errors import NeedsReauth
from fillpath.ids import new_id
from fillpath.orders.legs import look
from fillpath.orders.model import Operation, Order, OrderState, OrderType
from tests.orders.floor import Fakes, at_rest, bracket, fakes, reversing, signal, to_target
from tests.orders.venue import DEDUPLICATES, FORGETFUL, lost_reply, never_arrived, placed, then

BOTH = pytest.mark.parametrize("venue", [DEDUPLICATES, FORGETFUL], ids=["reduce-only", "no reduce-only"])


def entered(on: Fakes, quantity: int = 2, operation: Operation = Operation.ENTER_LONG) -> Order:
    order = bracket(on, operation, quantity)
    on.run()
    assert on.get(order).state is OrderState.FILLED
    return order


def at_limit(on: Fakes, quantity: int = 2, operation: Operation = Operation.ENTER_LONG, price: int = 95) -> Order:
    order = bracket(on, operation, quantity, type=OrderType.LIMIT, limit_price=Decimal(price))
    on.run()
    assert on.get(order).state is OrderState.WORKING
    return order


def at_work(on: Fakes) -> int:
    """How much exits a position at the venue."""
    exits = [o for o in on.desk.working() if o.entry is not None or o.leg.reduce_only or o.leg.leg.startswith("protect")]
    return int(sum(on.desk.to_exit(o) - o.view.filled_quantity for o in exits))


def fill_exits(on: Fakes, entry: Order, quantity: int) -> None:
    on.desk.execute(on.desk.exits(f"{entry.order_id}-main"), Decimal(quantity))


def live(on: Fakes, entry: Order) -> tuple[str, int]:
    leg = on.exits(entry).live_leg
    assert leg is not None
    return leg.leg, int(leg.quantity)


# --- orders that reduce ---------------------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("close", [Operation.CLOSE, Operation.CLOSE_LONG])
def test_a_close_clears_the_exits_first_and_leaves_none(venue: Capabilities, close: Operation) -> None:
    on = fakes(venue)
    entry = entered(on)
    on.desk.answers_to("main", then(lambda: _nothing_works(on), placed))
    signal(on, close, None)
    on.settle(2)
    assert on.held() == 0
    assert on.state(on.exits(entry)) == (OrderState.CANCELLED, "position_closed")
    assert on.desk.working() == []


def _nothing_works(on: Fakes) -> None:
    assert on.desk.working() == [], "the close was sent while the exits were at work"


@BOTH
def test_a_partial_exit_leaves_exits_for_the_rest(venue: Capabilities) -> None:
    on = fakes(venue)
    entry = entered(on)
    signal(on, Operation.EXIT_LONG, 1)
    on.settle(2)
    assert (on.held(), at_work(on), live(on, entry)) == (1, 1, ("protect-1", 1))


@BOTH
def test_a_target_nearer_to_zero_leaves_exits_for_the_rest(venue: Capabilities) -> None:
    on = fakes(venue)
    entry = entered(on, 3)
    to_target(on, 1, 3)
    on.settle(2)
    assert (on.held(), at_work(on), live(on, entry)) == (1, 1, ("protect-1", 1))


@BOTH
def test_a_reversal_clears_the_exits_and_its_own_protect_what_it_opens(venue: Capabilities) -> None:
    on = fakes(venue)
    before = entered(on)
    after = bracket(on, Operation.ENTER_SHORT, 1)
    on.run()
    assert on.reverse(after) == ["prepare", "close", "poll_fill", "open"]
    on.settle(2)
    assert on.held() == -1
    assert on.state(on.exits(before)) == (OrderState.CANCELLED, "position_closed")
    assert on.exits(after).state is OrderState.WORKING
    assert at_work(on) == 1


def test_a_reversal_that_stops_half_way_has_the_exits_placed_again() -> None:
    on = fakes()
    entry = entered(on)
    on.desk.fill = lambda leg: Decimal(1) if leg.leg == "close" else leg.quantity
    order = bracket(on, Operation.ENTER_SHORT, 1)
    on.run()
    on.reverse(order)
    on.settle(2)
    assert on.get(order).state is OrderState.ABORTED
    assert (on.held(), at_work(on), live(on, entry)) == (1, 1, ("protect-1", 1))


def test_an_open_at_rest_that_is_cancelled_after_others_acted_tells_what_is_held_then() -> None:
    on = fakes()
    order = reversing(on, 1, type=OrderType.LIMIT, limit_price=Decimal(110))
    on.reverse(order)
    signal(on, Operation.ENTER_SHORT)
    on.run()
    signal(on, Operation.CANCEL, None)
    on.run()
    assert on.get(order).state is OrderState.ABORTED
    assert on.get(order).held == on.held() == -1


def test_an_open_whose_exits_have_filled_tells_what_is_held_then() -> None:
    on = fakes()
    on.desk.keeps_exits = True
    on.desk.fill = lambda leg: Decimal(1) if leg.leg == "open" else leg.quantity
    more = {"take_profit": Decimal(90), "stop_loss": Decimal(110), "protection_id": new_id(on.clock.now())}
    order = reversing(on, 1, quantity=2, **more)
    on.reverse(order)
    on.desk.execute(on.desk.exits(f"{order.order_id}-open"), Decimal(1))
    signal(on, Operation.ENTER_SHORT)
    on.clock.sleep(10)
    on.run()
    assert on.get(order).state is OrderState.ABORTED
    assert on.get(order).held == 0


def test_the_open_of_a_reversal_that_fills_in_part_is_protected_for_that_part() -> None:
    on = fakes()
    on.desk.fill = lambda leg: Decimal(1) if leg.leg == "open" else leg.quantity
    order = reversing(on, take_profit=Decimal(90), stop_loss=Decimal(110), protection_id=new_id(on.clock.now()), quantity=2)
    on.reverse(order)
    signal(on, Operation.ENTER_SHORT, None)
    for _ in range(8):
        on.run()
        on.clock.sleep(2)
    on.settle(2)
    assert on.get(order).state is OrderState.ABORTED
    assert on.held() == -1
    assert at_work(on) == 1


def test_exits_that_fill_while_a_close_clears_them_leave_it_nothing_to_do() -> None:
    on = fakes(FORGETFUL)
    entry = entered(on)
    on.desk.before_cancel = lambda leg: fill_exits(on, entry, 2)
    close = signal(on, Operation.CLOSE, None)
    on.settle(2)
    assert on.held() == 0
    assert on.exits(entry).state is OrderState.FILLED
    assert on.state(close) == (OrderState.SKIPPED, "flat")


def test_exits_that_fill_in_part_while_a_partial_exit_clears_them_come_back_for_the_rest() -> None:
    on = fakes(FORGETFUL)
    entry = entered(on, 3)
    on.desk.before_cancel = lambda leg: fill_exits(on, entry, 1) if leg.leg == "exits" else None
    signal(on, Operation.EXIT_LONG, 1)
    on.settle(2)
    assert (on.held(), at_work(on)) == (1, 1)


def test_an_exit_waits_until_it_sees_the_exits_gone() -> None:
    on = fakes(FORGETFUL)
    entry = entered(on)
    on.desk.hears_cancels = False
    close = signal(on, Operation.CLOSE, None)
    on.run()
    assert on.state(close) == (OrderState.QUEUED, "waiting_for_cancel")
    assert on.held() == 2
    on.desk.hears_cancels = True
    on.settle(3)
    assert on.held() == 0
    assert on.exits(entry).state.ended
    assert on.desk.working() == []


# --- entries that rest ----------------------------------------------------------------------------------------------------------


@BOTH
def test_a_close_takes_an_entry_at_rest_with_its_exits(venue: Capabilities) -> None:
    on = fakes(venue)
    entry = at_limit(on)
    on.desk.fill_now(f"{entry.order_id}-main", 1)
    signal(on, Operation.CLOSE, None)
    on.settle(2)
    assert on.state(entry) == (OrderState.CANCELLED, "superseded")
    assert (on.held(), at_work(on), on.exits(entry).state) == (0, 0, OrderState.CANCELLED)
    assert on.desk.working() == []


@BOTH
def test_a_partial_exit_leaves_an_entry_alone_that_has_not_filled(venue: Capabilities) -> None:
    on = fakes(venue)
    on.hold(2)
    entry = at_limit(on)
    signal(on, Operation.EXIT_LONG, 1)
    on.settle(2)
    assert on.held() == 1
    assert on.get(entry).state is OrderState.WORKING
    assert on.exits(entry).state is OrderState.WORKING
    assert len(on.exits(entry).legs) == 1


@BOTH
def test_a_partial_exit_takes_the_rest_of_an_entry_that_has_filled_in_part(venue: Capabilities) -> None:
    on = fakes(venue)
    entry = at_limit(on, 3)
    on.desk.fill_now(f"{entry.order_id}-main", 2)
    signal(on, Operation.EXIT_LONG, 1)
    on.settle(2)
    assert on.state(entry) == (OrderState.CANCELLED, "superseded")
    assert (on.held(), at_work(on)) == (1, 1)


def test_an_entry_that_fills_while_a_partial_exit_is_on_its_way_makes_it_come_back() -> None:
    on = fakes(FORGETFUL)
    on.hold(1)
    entry = at_limit(on, 1)
    stop = at_rest(on, Operation.EXIT_LONG, 1, type=OrderType.STOP)
    on.desk.before_cancel = lambda leg: _once(on, entry) if leg.client_order_id.startswith(stop.order_id) else None
    signal(on, Operation.EXIT_LONG, None)
    on.settle(3)
    assert on.held() == 0
    assert on.desk.working() == []


def _once(on: Fakes, entry: Order) -> None:
    on.desk.before_cancel = lambda leg: None
    on.desk.fill_now(f"{entry.order_id}-main", 1)


def test_an_entry_against_one_at_rest_takes_it_with_its_exits() -> None:
    on = fakes()
    against = at_limit(on, 2, Operation.ENTER_SHORT, 105)
    signal(on, Operation.ENTER_LONG)
    on.settle(2)
    assert on.state(against) == (OrderState.CANCELLED, "superseded")
    assert on.state(on.exits(against)) == (OrderState.CANCELLED, "entry_not_filled")
    assert on.held() == 1


def test_exits_of_an_entry_at_rest_take_nothing_from_what_is_held() -> None:
    on = fakes(FORGETFUL)
    on.hold(3)
    at_limit(on)
    stop = at_rest(on, Operation.EXIT_LONG, 3, type=OrderType.STOP)
    assert on.get(stop).legs[0].quantity == 3


def test_what_an_entry_has_filled_unseen_is_left_to_its_exits() -> None:
    on = fakes(FORGETFUL)
    on.hold(3)
    entry = at_limit(on)
    on.desk.fill_now(f"{entry.order_id}-main", 2)
    stop = at_rest(on, Operation.EXIT_LONG, 5, type=OrderType.STOP)
    assert on.get(stop).legs[0].quantity == 3
    for order in on.desk.working():
        on.desk.execute(order, Decimal(5))
    assert on.held() == 0


# --- several brackets -----------------------------------------------------------------------------------------------------------


@BOTH
def test_two_brackets_in_a_lane_each_have_their_exits_and_one_close_ends_both(venue: Capabilities) -> None:
    on = fakes(venue)
    first, second = entered(on, 1), entered(on, 2)
    assert (on.held(), at_work(on)) == (3, 3)
    signal(on, Operation.CLOSE, None)
    on.settle(3)
    assert (on.held(), at_work(on)) == (0, 0)
    assert on.exits(first).state is on.exits(second).state is OrderState.CANCELLED


@BOTH
def test_the_exits_of_two_brackets_come_back_for_no_more_than_is_held(venue: Capabilities) -> None:
    on = fakes(venue)
    entered(on, 1)
    entered(on, 1)
    signal(on, Operation.EXIT_LONG, 1)
    on.settle(3)
    assert (on.held(), at_work(on)) == (1, 1)


@BOTH
def test_exits_leave_the_other_brackets_alone_when_they_fill(venue: Capabilities) -> None:
    on = fakes(venue)
    first, second = entered(on, 1), entered(on, 2)
    fill_exits(on, first, 1)
    on.settle(3)
    assert on.exits(first).state is OrderState.FILLED
    assert (on.held(), at_work(on), live(on, second)) == (2, 2, ("exits", 2))


@BOTH
def test_exits_that_filled_unseen_cost_another_bracket_nothing(venue: Capabilities) -> None:
    on = fakes(venue)
    first, second = entered(on, 1), entered(on, 3)
    on.clock.sleep(90)
    fill_exits(on, second, 3)
    on.settle(3)
    assert on.exits(second).state is OrderState.FILLED
    assert (on.held(), at_work(on), live(on, first)) == (1, 1, ("exits", 1))


def test_exits_placed_again_count_what_others_filled_unseen() -> None:
    on = fakes()
    first, second = entered(on, 1), entered(on, 3)
    on.desk.end(on.desk.exits(f"{first.order_id}-main"))
    fill_exits(on, second, 3)
    look(on.exits(first), "exits", on.floor)
    on.run()
    assert (on.exits(first).state, live(on, first), at_work(on)) == (OrderState.WORKING, ("protect-1", 1), 1)


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
