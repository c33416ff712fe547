"""Orders that wait at the broker for their price: they leave the lane free, make way for others, and protect again afterwards."""

from datetime import timedelta
from decimal import Decimal

import pytest

from fillpath.ids import new_id
from fillpath.orders.model import LegStatus, Operation, Order, OrderState, OrderType
from tests.orders.floor import Fakes, at_rest, fakes, signal, to_target
from tests.orders.venue import FORGETFUL, filled_at_once, limited, never_arrived, placed, refused, then


def stop(on: Fakes, quantity: int = 2, operation: Operation = Operation.EXIT_LONG) -> Order:
    return at_rest(on, operation, quantity, type=OrderType.STOP)


def legs(on: Fakes, order: Order) -> list[tuple[str, LegStatus, int]]:
    return [(leg.leg, leg.status, int(leg.quantity)) for leg in on.get(order).legs]


def protection(on: Fakes) -> Decimal:
    """What works at the venue for exits of a long position."""
    return sum((order.leg.quantity for order in on.desk.working() if order.leg.side == "sell"), Decimal(0))


def test_a_resting_order_frees_the_lane() -> None:
    on = fakes()
    resting = at_rest(on, Operation.ENTER_LONG)
    market = signal(on, Operation.ENTER_LONG)
    on.run()
    assert on.get(resting).state is OrderState.WORKING
    assert on.get(market).state is OrderState.FILLED
    assert [working.order_id for working in on.lane().working] == [resting.order_id]


def test_a_resting_entry_that_fills_at_once_ends_at_once() -> None:
    on = fakes()
    on.desk.answers_to("main", filled_at_once)
    order = signal(on, Operation.ENTER_LONG, type=OrderType.LIMIT, limit_price=Decimal(110))
    on.run()
    assert on.get(order).state is OrderState.FILLED
    assert on.lane().working == ()


def test_quantities_are_computed_from_the_filled_position_not_from_what_rests() -> None:
    on = fakes()
    at_rest(on, Operation.ENTER_LONG, 5)
    on.hold(1)
    target = to_target(on, 3, 1)
    on.run()
    assert on.get(target).legs[0].quantity == 2


def test_an_entry_cancels_resting_entries_against_it_and_no_others() -> None:
    on = fakes()
    against, along = at_rest(on, Operation.ENTER_SHORT, price=110), at_rest(on, Operation.ENTER_LONG)
    entry = signal(on, Operation.ENTER_LONG)
    on.run()
    assert on.state(against) == (OrderState.CANCELLED, "superseded")
    assert on.get(along).state is OrderState.WORKING
    assert on.get(entry).state is OrderState.FILLED


def test_an_entry_leaves_protection_where_it_is() -> None:
    on = fakes()
    on.hold(2)
    protecting = stop(on)
    signal(on, Operation.ENTER_LONG)
    on.run()
    assert on.get(protecting).state is OrderState.WORKING
    assert on.held() == 3


def test_a_partial_exit_suspends_protection_and_places_it_again_for_what_is_held() -> None:
    on = fakes()
    on.hold(2)
    protecting = stop(on)
    signal(on, Operation.EXIT_LONG, 1)
    on.settle(2)
    assert on.held() == 1
    assert legs(on, protecting) == [("main", LegStatus.CANCELLED, 2), ("protect-1", LegStatus.WORKING, 1)]
    assert on.get(protecting).state is OrderState.WORKING


def test_protection_is_numbered_as_often_as_it_is_placed_again() -> None:
    on = fakes()
    on.hold(3)
    protecting = stop(on, 3)
    for _ in range(2):
        signal(on, Operation.EXIT_LONG, 1)
        on.settle(2)
    assert [leg.leg for leg in on.get(protecting).legs] == ["main", "protect-1", "protect-2"]
    assert protection(on) == on.held() == 1


def test_a_close_clears_the_lane_and_leaves_nothing_to_open_a_position() -> None:
    on = fakes(FORGETFUL)
    on.hold(2)
    protecting, resting = stop(on), at_rest(on, Operation.ENTER_LONG)
    signal(on, Operation.CLOSE)
    on.settle(2)
    assert on.held() == 0
    assert on.desk.working() == []
    assert on.state(protecting) == (OrderState.CANCELLED, "position_closed")
    assert on.state(resting) == (OrderState.CANCELLED, "superseded")


def test_a_close_while_flat_still_cancels_what_rests() -> None:
    on = fakes()
    resting = at_rest(on, Operation.ENTER_LONG)
    close = signal(on, Operation.CLOSE)
    on.run()
    assert on.state(close) == (OrderState.SKIPPED, "flat")
    assert on.get(resting).state is OrderState.CANCELLED


def test_protection_that_filled_in_part_comes_back_only_for_the_rest() -> None:
    on = fakes()
    on.hold(3)
    protecting = stop(on, 3)
    on.desk.fill_now(f"{protecting.order_id}-main", 1)
    signal(on, Operation.EXIT_LONG, 1)
    on.settle(2)
    assert on.held() == 1
    assert protection(on) == 1


def test_a_fill_that_overtakes_the_cancel_leaves_no_more_to_exit() -> None:
    on = fakes(FORGETFUL)
    on.hold(2)
    protecting = stop(on)
    on.desk.before_cancel = lambda leg: on.desk.fill_now(leg.client_order_id)
    close = signal(on, Operation.CLOSE)
    on.run()
    assert on.held() == 0
    assert on.get(protecting).state is OrderState.FILLED
    assert on.state(close) == (OrderState.SKIPPED, "flat")


def test_an_exit_waits_until_it_sees_the_way_free() -> None:
    on = fakes(FORGETFUL)
    on.hold(2)
    stop(on)
    on.desk.hears_cancels = False
    close = signal(on, Operation.CLOSE)
    assert on.run() is not None
    assert on.state(close) == (OrderState.QUEUED, "waiting_for_cancel")
    assert on.held() == 2
    on.desk.hears_cancels = True
    on.settle(2)
    assert on.held() == 0
    assert on.desk.working() == []


def test_protection_comes_back_when_the_order_it_made_way_for_is_refused() -> None:
    on = fakes()
    on.hold(2)
    protecting = stop(on)
    on.desk.answers_to("main", refused("invalid_price"))
    signal(on, Operation.EXIT_LONG, 1)
    on.settle(2)
    assert on.held() == protection(on) == 2
    assert on.get(protecting).state is OrderState.WORKING


def test_protection_is_not_forgotten_while_the_broker_does_not_answer() -> None:
    on = fakes()
    on.hold(2)
    stop(on)
    on.desk.answers_to("main", then(lambda: setattr(on.desk, "down", True), refused("invalid_price")))
    signal(on, Operation.EXIT_LONG, 1)
    on.run()
    on.sweep()
    on.desk.down = False
    on.settle(3)
    assert protection(on) == on.held()


def test_protection_that_is_rate_limited_comes_back_for_what_it_was() -> None:
    on = fakes(FORGETFUL)
    on.hold(3)
    protecting = stop(on, 3)
    on.desk.fill_now(f"{protecting.order_id}-main", 1)
    on.desk.answers_to("protect-1", limited(5))
    signal(on, Operation.EXIT_LONG, 1)
    on.settle(3)
    assert on.held() == 1
    assert protection(on) == 1


def test_protection_that_is_refused_raises_an_alarm() -> None:
    on = fakes()
    on.hold(2)
    protecting = stop(on)
    on.desk.answers_to("protect-1", refused("invalid_price"))
    signal(on, Operation.EXIT_LONG, 1)
    on.settle(2)
    assert on.state(protecting) == (OrderState.REJECTED, "invalid_price")
    assert on.counted("ProtectionLost") == 1


def test_a_rate_limited_close_does_not_meet_the_protection_it_had_suspended() -> None:
    on = fakes(FORGETFUL)
    on.hold(2)
    stop(on)
    on.desk.answers_to("main", limited(5))
    close = signal(on, Operation.CLOSE)
    for _ in range(4):
        on.run()
        on.clock.sleep(5)
    assert on.get(close).state is OrderState.FILLED
    assert on.held() == 0
    assert on.desk.working() == []


@pytest.mark.parametrize("blocked", ["halt", "unknown"])
def test_a_target_that_is_refused_takes_no_protection_away(blocked: str) -> None:
    on = fakes()
    on.hold(2)
    protecting, resting = stop(on), at_rest(on, Operation.ENTER_LONG)
    target = to_target(on, 5, 2)
    if blocked == "halt":
        on.controls.halt("environment", on.clock.now(), "")
    else:
        _leave_unknown(on, target)
    on.run()
    assert on.get(target).state is OrderState.REJECTED
    assert on.get(resting).state is OrderState.WORKING
    assert legs(on, protecting) == [("main", LegStatus.WORKING, 2)]


def _leave_unknown(on: Fakes, before: Order) -> None:
    unknown = signal(on, Operation.ENTER_LONG, order_id=new_id(before.received_at - timedelta(seconds=1)), deadline=None)
    on.desk.answers_to("main", never_arrived)
    assert unknown.order_id < before.order_id


def test_a_resting_entry_accepted_while_a_halt_was_set_cancels_itself() -> None:
    on = fakes()
    on.desk.answers_to("main", then(lambda: on.controls.halt("environment", on.clock.now(), ""), placed))
    order = signal(on, Operation.ENTER_LONG, type=OrderType.LIMIT, limit_price=Decimal(90))
    on.run()
    assert on.get(order).state is OrderState.CANCELLED
    assert on.desk.working() == []


def test_a_cancel_for_a_halt_says_so() -> None:
    on = fakes()
    order = at_rest(on, Operation.ENTER_LONG)
    on.controls.halt("environment", on.clock.now(), "")
    on.sweep()
    assert on.state(order) == (OrderState.CANCELLED, "halted")


def test_a_resting_exit_stays_through_a_halt() -> None:
    on = fakes()
    on.hold(2)
    protecting = stop(on)
    on.controls.halt("environment", on.clock.now(), "")
    on.sweep()
    assert on.get(protecting).state is OrderState.WORKING


def test_resting_exits_never_add_up_to_more_than_is_held_where_the_venue_knows_no_reduce_only() -> None:
    on = fakes(FORGETFUL)
    on.hold(3)
    stop(on, 2)
    taking = at_rest(on, Operation.EXIT_LONG, 2, price=110)
    assert on.get(taking).legs[0].quantity == 1
    late = signal(on, Operation.EXIT_LONG, 1, type=OrderType.LIMIT, limit_price=Decimal(120))
    on.run()
    assert on.state(late) == (OrderState.SKIPPED, "spoken_for")
    for order in on.desk.working():
        on.desk.fill_now(order.leg.client_order_id)
    assert on.held() == 0


def test_an_entry_that_turns_out_to_reduce_suspends_protection_as_an_exit_does() -> None:
    on = fakes(FORGETFUL)
    on.hold(2)
    protecting = stop(on)
    signal(on, Operation.ENTER_SHORT, 1, includes_close=True)
    on.settle(2)
    assert on.held() == protection(on) == 1
    assert legs(on, protecting) == [("main", LegStatus.CANCELLED, 2), ("protect-1", LegStatus.WORKING, 1)]


def test_an_entry_that_comes_to_rest_as_a_reduction_leaves_protection_its_share() -> None:
    on = fakes(FORGETFUL)
    on.hold(3)
    stop(on, 2)
    netted = at_rest(on, Operation.ENTER_SHORT, 3, price=110, includes_close=True)
    assert on.get(netted).legs[0].quantity == 1
    for order in on.desk.working():
        on.desk.fill_now(order.leg.client_order_id)
    assert on.held() == 0


def test_resting_exits_may_overlap_where_the_venue_knows_reduce_only() -> None:
    on = fakes()
    on.hold(1)
    stop(on, 1)
    taking = at_rest(on, Operation.EXIT_LONG, 1, price=110)
    for order in on.desk.working():
        on.desk.fill_now(order.leg.client_order_id)
    assert on.held() == 0
    assert on.get(taking).state is OrderState.WORKING


def test_a_cancel_by_hand_long_after_an_order_made_way_in_vain_is_final() -> None:
    on = fakes()
    on.hold(2)
    protecting = stop(on)
    on.desk.hears_cancels = False
    reversal = signal(on, Operation.ENTER_SHORT)
    on.run()
    on.reverse(reversal)
    assert on.get(reversal).state is OrderState.ABORTED
    on.desk.hears_cancels = True
    on.sweep(after_s=3600)

    on.desk.cancel(None, protecting.legs[0])  # type: ignore[arg-type]  # the fake venue asks for no account
    on.settle(2)

    assert on.get(protecting).state is OrderState.CANCELLED


def test_protection_is_not_placed_again_before_the_exit_that_it_made_way_for_has_acted() -> None:
    on = fakes()
    on.hold(3)
    protective = stop(on, 3)
    on.desk.answers_to("main", limited(0.5), limited(0.5), limited(0.5))
    exited = signal(on, Operation.EXIT_LONG, 1)
    for _ in range(8):
        on.run()
        on.clock.sleep(1)
    assert on.state(exited)[0] is OrderState.FILLED
    assert legs(on, protective) == [("main", LegStatus.CANCELLED, 3), ("protect-1", LegStatus.WORKING, 2)]


def test_protection_is_placed_again_where_the_order_that_it_made_way_for_never_acts() -> None:
    on = fakes()
    on.hold(3)
    protective = stop(on, 3)
    on.desk.answers_to("main", *[limited(5)] * 100)
    exited = signal(on, Operation.EXIT_LONG, 1)
    for _ in range(70):
        on.run()
        on.clock.sleep(5)
    on.settle()
    assert on.get(exited).state is OrderState.EXPIRED
    assert on.get(protective).state is OrderState.WORKING
    assert protection(on) == 3
