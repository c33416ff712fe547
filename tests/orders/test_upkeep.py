"""Resting exits that are no longer what was sent: too large, of one half only, or changed at the broker by hand."""

from decimal import Decimal
from typing import Any

import pytest

from fillpath.orders.model import LegStatus, Operation, Order, OrderState, OrderType, Side
from tests.fakes.desk import VenueOrder
from tests.orders.brackets import at_limit, entered
from tests.orders.floor import Fakes, at_rest, fakes, signal
from tests.orders.venue import DEDUPLICATES, FORGETFUL, lost_reply

BOTH = pytest.mark.parametrize("venue", [DEDUPLICATES, FORGETFUL], ids=["reduce-only", "no reduce-only"])


def exits_of(on: Fakes, entry: Order) -> VenueOrder:
    return on.desk.exits(f"{entry.order_id}-main")


def at_work(on: Fakes) -> list[tuple[OrderType, int]]:
    return [(order.leg.type, int(order.leg.quantity - order.view.filled_quantity)) for order in on.desk.working()]


# --- more filled than was ordered here ------------------------------------------------------------------------------------------


def test_an_order_that_a_person_enlarged_at_the_broker_ends_with_what_it_filled() -> None:
    on = fakes()
    entry = at_rest(on, Operation.ENTER_LONG, 2)
    on.desk.shows(on.desk.orders[0], status=LegStatus.FILLED, filled_quantity=Decimal(3), average_price=Decimal(90))
    on.hold(3)
    assert on.sweep() == 0
    assert on.state(entry) == (OrderState.FILLED, "overfilled")
    assert on.get(entry).filled_quantity == 3
    assert on.counted("Overfilled") == 1
    close = signal(on, Operation.CLOSE, None)
    on.settle(2)
    assert (on.get(close).state, on.held()) == (OrderState.FILLED, 0)
    assert on.counted("Overfilled") == 1


def test_a_pair_of_which_both_filled_ends_and_tells_it() -> None:
    on = fakes(FORGETFUL)
    entry = entered(on)
    on.desk.shows(exits_of(on, entry), status=LegStatus.FILLED, filled_quantity=Decimal(4), average_price=Decimal(110))
    on.hold(-2)
    assert on.sweep() == 0
    assert on.state(on.exits(entry)) == (OrderState.FILLED, "overfilled")
    assert on.counted("Overfilled") == 1
    close = signal(on, Operation.CLOSE, None)
    on.settle(2)
    assert (on.get(close).state, on.held()) == (OrderState.FILLED, 0)


def test_more_filled_under_no_number_of_ours_is_not_taken_for_the_order() -> None:
    on = fakes()
    on.desk.answers_to("main", lost_reply)
    entry = signal(on, Operation.ENTER_LONG, 2)
    on.run()
    on.desk.shows(on.desk.orders[0], filled_quantity=Decimal(3))
    on.sweep()
    assert on.get(entry).state is OrderState.UNKNOWN
    assert on.get(entry).filled_quantity == 0


# --- more at work than there is to exit -----------------------------------------------------------------------------------------


def half_taken(on: Fakes) -> Order:
    """The target took one of two, and the stop still stands for both."""
    entry = entered(on)
    on.sweep(120)
    on.desk.execute(exits_of(on, entry), Decimal(1))
    on.desk.shows(exits_of(on, entry), open_quantity=Decimal(2))
    return entry


@BOTH
def test_a_stop_that_stayed_whole_is_placed_again_for_the_rest(venue: Any) -> None:
    on = fakes(venue)
    entry = half_taken(on)
    on.sweep(0)
    assert on.exits(entry).state is OrderState.PARTIALLY_FILLED
    on.sweep(11)
    assert on.state(on.exits(entry)) == (OrderState.QUEUED, "resized")
    on.run()
    assert on.state(on.exits(entry)) == (OrderState.WORKING, None)
    assert at_work(on) == [(OrderType.OCO, 1)]


def test_a_venue_that_makes_it_smaller_by_itself_has_time_to_do_so() -> None:
    on = fakes()
    entry = half_taken(on)
    on.sweep(0)
    on.desk.shows(exits_of(on, entry), open_quantity=Decimal(1))
    on.settle(3)
    assert on.exits(entry).state is OrderState.PARTIALLY_FILLED
    assert len(on.exits(entry).legs) == 1


@BOTH
def test_exits_that_stayed_whole_over_a_half_filled_entry_are_placed_again(venue: Any) -> None:
    on = fakes(venue)
    on.desk.keeps_exits = True
    on.desk.fill = lambda leg: Decimal(1)
    entry = signal(
        on, Operation.ENTER_LONG, 2, take_profit=Decimal(110), stop_loss=Decimal(90), protection_id="01HZZZZZZZZZZZZZZZZZZZZZZZ"
    )
    on.run()
    on.desk.end(on.desk.orders[0])
    on.desk.shows(exits_of(on, entry), open_quantity=Decimal(2))
    on.settle(4)
    assert (on.get(entry).state, on.held()) == (OrderState.CANCELLED, 1)
    assert at_work(on) == [(OrderType.OCO, 1)]
    assert on.exits(entry).state is OrderState.WORKING


def test_the_other_half_of_a_pair_that_has_filled_is_cancelled() -> None:
    on = fakes(FORGETFUL)
    entry = entered(on)
    on.sweep(120)
    on.desk.execute(exits_of(on, entry), Decimal(2))
    on.desk.shows(exits_of(on, entry), status=LegStatus.PARTIALLY_FILLED, open_quantity=Decimal(2))
    on.sweep(0)
    on.sweep(11)
    assert on.desk.working() == []
    assert on.exits(entry).state.ended
    assert on.exits(entry).filled_quantity == 2


def test_a_resting_exit_is_cut_to_what_is_held_where_it_could_cross_zero() -> None:
    on = fakes(FORGETFUL)
    on.hold(3)
    stop = at_rest(on, Operation.EXIT_LONG, 3, type=OrderType.STOP, limit_price=None)
    on.hold(1)  # by hand, at the broker
    on.settle(3)
    assert at_work(on) == [(OrderType.STOP, 1)]
    assert on.get(stop).state is OrderState.WORKING


def test_what_a_person_enlarged_to_what_is_held_is_left_alone() -> None:
    on = fakes(FORGETFUL)
    entry = entered(on)
    on.hold(3)
    on.desk.shows(exits_of(on, entry), open_quantity=Decimal(3))
    on.settle(4)
    assert on.exits(entry).state is OrderState.WORKING
    assert len(on.exits(entry).legs) == 1


def test_an_exit_of_one_contract_is_cut_to_what_is_held_of_that_one() -> None:
    on = fakes(FORGETFUL)
    on.hold(2)
    at_rest(on, Operation.EXIT_LONG, 2, type=OrderType.STOP, limit_price=None)
    on.hold(1)
    on.hold(5, "ESH7")
    on.settle(3)
    assert at_work(on) == [(OrderType.STOP, 1)]


# --- one half only --------------------------------------------------------------------------------------------------------------


def halved(on: Fakes, entry: Order) -> None:
    """One of the two exits is gone without a fill, whichever pair is at work now."""
    pair = on.desk.working()[-1]
    assert pair.leg.type is OrderType.OCO
    on.desk.shows(pair, halved=True)
    on.sweep()


@BOTH
def test_a_pair_that_lost_one_half_is_made_whole_again(venue: Any) -> None:
    on = fakes(venue)
    entry = entered(on)
    halved(on, entry)
    assert on.exits(entry).state is OrderState.WORKING
    on.sweep(11)
    assert on.state(on.exits(entry)) == (OrderState.QUEUED, "half_lost")
    on.run()
    assert at_work(on) == [(OrderType.OCO, 2)]
    assert on.counted("ProtectionLost") == 0


def test_a_half_that_is_only_on_its_way_out_is_left_alone() -> None:
    on = fakes()
    entry = entered(on)
    halved(on, entry)
    on.desk.execute(exits_of(on, entry), Decimal(2))
    on.desk.shows(exits_of(on, entry), halved=False)
    on.settle(2)
    assert on.state(on.exits(entry)) == (OrderState.FILLED, None)
    assert len(on.exits(entry).legs) == 1


def test_a_pair_that_loses_one_half_again_is_told_and_left_at_work() -> None:
    on = fakes()
    entry = entered(on)
    for _ in range(2):
        halved(on, entry)
        on.sweep(11)
        on.run()
    sent = len(on.desk.sent)
    on.settle(3)
    assert len(on.desk.sent) == sent
    assert at_work(on) == [(OrderType.OCO, 2)]
    assert on.counted("ProtectionLost") >= 3


def test_a_pair_that_was_long_at_work_is_made_whole_however_often() -> None:
    on = fakes()
    entry = entered(on)
    for _ in range(3):
        on.sweep(1000)
        halved(on, entry)
        on.sweep(11)
        on.run()
    assert on.exits(entry).state is OrderState.WORKING
    assert len(on.exits(entry).legs) == 4
    assert on.counted("ProtectionLost") == 0


def test_an_exit_that_is_being_cancelled_for_another_order_is_not_taken_for_a_lost_half() -> None:
    on = fakes()
    entry = entered(on)
    halved(on, entry)
    close = signal(on, Operation.CLOSE, None)
    on.settle(3)
    assert (on.get(close).state, on.held()) == (OrderState.FILLED, 0)
    assert on.exits(entry).state.ended
    assert on.desk.working() == []


def test_the_sides_of_what_is_placed_again_are_those_of_the_exits() -> None:
    on = fakes()
    entry = entered(on)
    halved(on, entry)
    on.sweep(11)
    on.run()
    leg = on.exits(entry).live_leg
    assert leg is not None
    assert (leg.side, leg.limit_price, leg.stop_price, leg.halved_at) == (Side.SELL, 110, 90, None)


def test_one_half_at_work_still_goes_with_its_position() -> None:
    on = fakes(FORGETFUL)
    entry = entered(on)
    for _ in range(2):
        halved(on, entry)
        on.sweep(70)
        on.run()
    on.hold(0)  # closed by hand
    on.settle(4)
    assert on.desk.working() == []
    assert on.state(on.exits(entry)) == (OrderState.CANCELLED, "position_closed")


def test_a_half_that_was_lost_long_ago_waits_until_the_position_shows() -> None:
    on = fakes()
    entry = at_limit(on)
    on.desk.shows(on.desk.orders[1], halved=True)
    on.settle(2)
    on.desk.fill_now(f"{entry.order_id}-main")
    on.hold(0)  # the list of positions lags behind
    on.sweep(5)
    assert on.exits(entry).state is OrderState.WORKING
    on.hold(2)
    on.settle(4)
    assert at_work(on) == [(OrderType.OCO, 2)]
    assert on.exits(entry).state is OrderState.WORKING


def test_the_half_that_should_have_gone_goes_though_more_is_held() -> None:
    on = fakes(FORGETFUL)
    entry = entered(on)
    on.hold(5)
    on.sweep(120)
    on.desk.execute(exits_of(on, entry), Decimal(2))
    on.desk.shows(exits_of(on, entry), status=LegStatus.PARTIALLY_FILLED, open_quantity=Decimal(2))
    on.settle(4)
    assert on.desk.working() == []
    assert on.exits(entry).state.ended


def test_a_pair_that_is_being_cancelled_for_good_does_not_come_back_whole() -> None:
    on = fakes()
    entry = entered(on)
    on.desk.hears_cancels = False
    signal(on, Operation.CANCEL, None)
    on.run()
    on.desk.shows(exits_of(on, entry), halved=True)
    on.settle(3)
    on.desk.hears_cancels = True
    on.settle(3)
    assert on.state(on.exits(entry)) == (OrderState.CANCELLED, "cancelled")
    assert on.desk.working() == []


def test_a_cancellation_that_nobody_heard_is_asked_for_again_whatever_the_size() -> None:
    on = fakes()
    entry = entered(on)
    on.desk.hears_cancels = False
    order = signal(on, Operation.CANCEL, None)
    on.settle(7)
    assert on.get(order).state is OrderState.EXPIRED
    on.hold(1)  # by hand
    on.desk.hears_cancels = True
    on.settle(3)
    assert on.state(on.exits(entry)) == (OrderState.CANCELLED, "cancelled")
    assert on.desk.working() == []


def test_what_another_bracket_has_just_bought_is_waited_for() -> None:
    on = fakes(FORGETFUL)
    on.hold(2)
    stop = at_rest(on, Operation.EXIT_LONG, 2, type=OrderType.STOP, limit_price=None)
    on.sweep(120)
    other = entered(on, 1)
    on.hold(2)  # the list of positions lags behind
    on.sweep(5)
    on.hold(3)
    on.settle(4)
    assert sorted(at_work(on)) == [(OrderType.OCO, 1), (OrderType.STOP, 2)]
    assert on.get(stop).state is on.exits(other).state is OrderState.WORKING
    assert len(on.get(stop).legs) == 1
