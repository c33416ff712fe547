"""Brackets and what else acts in their lane: exits make way, come back for what is held, and never open a position."""

from decimal import Decimal

import pytest

from fillpath.accounts.capabilities import Capabilities
from fillpath.ids import new_id
from fillpath.orders.legs import look
from fillpath.orders.model import Operation, Order, OrderState, OrderType
from tests.orders.brackets import BOTH, at_limit, at_work, entered, fill_exits, live
from tests.orders.floor import Fakes, at_rest, bracket, fakes, reversing, signal, to_target
from tests.orders.venue import FORGETFUL, placed, then

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
