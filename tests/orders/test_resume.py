"""A run is cut off, put off or overtaken; the next one goes on from what stands in the table."""

from datetime import timedelta
from decimal import Decimal

import pytest

from fillpath.errors import StorageUnavailable
from fillpath.orders.execute import execute
from fillpath.orders.model import Leg, LegStatus, Operation, Order, OrderState
from tests.orders.faults import Fuse, fused
from tests.orders.floor import LANE, Fakes, fakes, signal
from tests.orders.venue import DEDUPLICATES, FORGETFUL, limited, refused


def halt(on: Fakes) -> None:
    on.controls.halt("environment", on.clock.now(), "somebody pulled the cord")


def main_leg(on: Fakes, order: Order) -> Leg:
    leg = on.get(order).leg("main")
    assert leg is not None
    return leg


def working_market_order(on: Fakes, filled: int = 0, quantity: int = 2) -> Order:
    on.desk.fill = lambda leg: Decimal(filled)
    order = signal(on, Operation.ENTER_LONG, quantity)
    on.run()
    on.desk.fill = lambda leg: leg.quantity
    return order


@pytest.mark.parametrize("call", ["desk.positions", "checks.check", "controls.halted"])
@pytest.mark.parametrize("capabilities", [DEDUPLICATES, FORGETFUL], ids=["deduplicates", "forgetful"])
def test_who_finds_the_owner_queued_executes_it(call: str, capabilities: object) -> None:
    on = fakes(capabilities)  # type: ignore[arg-type]  # parametrize knows no types
    order = signal(on, Operation.ENTER_LONG)
    on.run_and_die(call, after=False)
    assert on.lane().owner == order.order_id
    on.run()
    assert on.get(order).state is OrderState.FILLED
    assert len(on.desk.orders) == 1


def test_while_a_run_is_alive_a_second_wake_up_leaves_it_alone() -> None:
    on = fakes()
    order = signal(on, Operation.ENTER_LONG)
    on.run_and_die("desk.submit", after=False)
    on.clock.set(order.received_at + timedelta(seconds=20))
    assert on.run() is None
    assert on.get(order).state is OrderState.SUBMITTING
    assert on.desk.orders == []


@pytest.mark.parametrize("after", [False, True], ids=["before it was taken", "after it was taken"])
def test_a_send_that_was_cut_off_is_repeated_under_its_id_where_the_venue_deduplicates(after: bool) -> None:
    on = fakes()
    order = signal(on, Operation.ENTER_LONG)
    on.run_and_die("desk.submit", after=after)

    assert on.run() is None

    assert on.get(order).state is OrderState.FILLED
    assert len(on.desk.orders) == 1
    assert set(on.desk.sent) == {f"{order.order_id}-main"}
    assert main_leg(on, order).attempts == 2


@pytest.mark.parametrize("after", [False, True], ids=["before it was taken", "after it was taken"])
def test_a_send_that_was_cut_off_is_left_to_verification_where_the_venue_does_not_deduplicate(after: bool) -> None:
    on = fakes(FORGETFUL)
    order = signal(on, Operation.ENTER_LONG)
    on.run_and_die("desk.submit", after=after)

    assert on.run() is None

    assert on.get(order).state is OrderState.SUBMITTING
    assert len(on.desk.sent) == after
    assert on.verify(order) is None
    assert on.state(order) == ((OrderState.FILLED, None) if after else (OrderState.REJECTED, "not_placed"))


def test_a_send_is_not_repeated_once_the_venue_may_have_forgotten_its_id() -> None:
    on = fakes()
    order = signal(on, Operation.ENTER_LONG, deadline=None)
    on.run_and_die("desk.submit", after=True)
    on.clock.sleep(86_400)
    on.run()
    assert len(on.desk.sent) == 1
    assert on.get(order).state is OrderState.SUBMITTING


def test_a_send_is_not_repeated_after_the_deadline() -> None:
    on = fakes()
    order = signal(on, Operation.ENTER_LONG)
    on.run_and_die("desk.submit", after=False)
    on.clock.sleep(60)
    on.run()
    assert on.desk.sent == []
    assert on.get(order).state is OrderState.SUBMITTING


def test_a_halt_after_acceptance_stops_what_is_not_sent_yet() -> None:
    on = fakes()
    order = signal(on, Operation.ENTER_LONG)
    on.run_and_die("checks.check", after=True)
    halt(on)
    on.run()
    assert on.state(order) == (OrderState.REJECTED, "halted")
    assert on.desk.sent == []


def test_a_halt_between_the_decision_and_the_send_stops_the_send() -> None:
    on = fakes()
    order = signal(on, Operation.ENTER_LONG)
    on.run_and_die("orders.save", after=True)
    assert on.get(order).state is OrderState.SUBMITTING
    halt(on)
    on.run()
    on.settle(3)
    assert on.get(order).state is OrderState.REJECTED
    assert on.desk.orders == []


def test_a_halt_does_not_declare_unsent_what_the_venue_may_have() -> None:
    on = fakes()
    order = signal(on, Operation.ENTER_LONG)
    on.run_and_die("desk.submit", after=True)
    assert on.held() == 1
    halt(on)

    on.run()
    on.settle(3)

    assert on.get(order).state is OrderState.FILLED
    assert on.get(order).filled_quantity == 1


def test_a_rate_limit_on_the_repeated_send_does_not_declare_unsent_what_the_venue_may_have() -> None:
    on = fakes()
    on.hold(2)
    order = signal(on, Operation.CLOSE)
    on.run_and_die("desk.submit", after=True)
    assert on.held() == 0
    on.desk.answers_to("main", limited(5))

    on.run()
    on.settle(3)

    assert on.get(order).state is OrderState.FILLED
    assert on.get(order).filled_quantity == 2


def test_a_refusal_of_the_repeated_send_does_not_declare_unsent_what_the_venue_may_have() -> None:
    on = fakes()
    order = signal(on, Operation.ENTER_LONG)
    on.run_and_die("desk.submit", after=True)
    on.desk.answers_to("main", refused("market_closed"))

    on.run()
    on.settle(3)

    assert on.get(order).state is OrderState.FILLED


def test_running_out_of_time_on_the_repeated_send_does_not_declare_unsent_what_the_venue_may_have() -> None:
    on = fakes()
    on.hold(2)
    order = signal(on, Operation.CLOSE)
    on.run_and_die("desk.submit", after=True)

    execute(LANE, on.floor, on.clock.now() + timedelta(seconds=5))
    on.settle(3)

    assert on.get(order).state is OrderState.FILLED
    assert on.get(order).filled_quantity == 2


def test_nothing_is_sent_without_time_for_the_brokers_answer() -> None:
    on = fakes()
    order = signal(on, Operation.ENTER_LONG)
    assert execute(LANE, on.floor, on.clock.now() + timedelta(seconds=9)) is not None
    assert on.state(order) == (OrderState.QUEUED, "out_of_time")
    assert on.desk.sent == []
    assert on.lane().owner is None


def test_an_order_that_ran_out_of_time_is_sent_by_the_next_run() -> None:
    on = fakes()
    order = signal(on, Operation.ENTER_LONG)
    execute(LANE, on.floor, on.clock.now() + timedelta(seconds=9))
    on.run()
    assert on.get(order).state is OrderState.FILLED


def test_a_rate_limited_order_frees_the_lane_and_keeps_its_place() -> None:
    on = fakes()
    on.desk.answers_to("main", limited(5))
    first, second = signal(on, Operation.ENTER_LONG), signal(on, Operation.ENTER_LONG)
    step = on.run()

    assert step is not None
    assert step.delay_s == 5
    assert on.state(first) == (OrderState.QUEUED, "rate_limited")
    assert on.lane().owner is None
    assert [waiting.order_id for waiting in on.lane().waiting] == [first.order_id, second.order_id]


def test_a_rate_limited_order_is_sent_when_its_delay_is_over() -> None:
    on = fakes()
    on.desk.answers_to("main", limited(5), limited(5))
    first, second = signal(on, Operation.ENTER_LONG), signal(on, Operation.ENTER_LONG)
    for _ in range(3):
        on.run()
        on.clock.sleep(5)
    assert on.get(first).state is on.get(second).state is OrderState.FILLED
    assert [order.leg.client_order_id for order in on.desk.orders] == [f"{first.order_id}-main", f"{second.order_id}-main"]


def test_a_rate_limited_exit_takes_its_quantity_from_what_is_held_when_it_is_sent() -> None:
    on = fakes(FORGETFUL)
    on.hold(3)
    on.desk.answers_to("main", limited(5))
    order = signal(on, Operation.CLOSE)
    on.run()
    on.hold(1)
    on.clock.sleep(5)
    on.run()
    assert on.get(order).state is OrderState.FILLED
    assert on.held() == 0


def test_a_market_order_keeps_the_lane_until_it_ends() -> None:
    on = fakes()
    working_market_order(on)
    waiting = signal(on, Operation.ENTER_LONG)
    step = on.run()
    assert step is not None
    assert step.delay_s == 2
    assert on.get(waiting).state is OrderState.QUEUED


def test_a_wake_up_that_finds_the_owner_filled_records_it_and_goes_on() -> None:
    on = fakes()
    owner = working_market_order(on)
    waiting = signal(on, Operation.ENTER_LONG)
    on.desk.fill_now(f"{owner.order_id}-main")
    assert on.run() is None
    assert on.get(owner).state is on.get(waiting).state is OrderState.FILLED


def test_a_market_order_is_taken_over_ten_seconds_after_it_was_accepted() -> None:
    on = fakes()
    owner = working_market_order(on, filled=1)
    submitted = main_leg(on, owner).submitted_at
    waiting = signal(on, Operation.ENTER_LONG)
    assert submitted is not None

    on.clock.set(submitted + timedelta(seconds=9))
    on.run()
    assert on.get(owner).state is OrderState.PARTIALLY_FILLED
    on.clock.set(submitted + timedelta(seconds=10))
    on.run()

    assert on.get(owner).state is OrderState.CANCELLED
    assert on.get(owner).filled_quantity == 1
    assert on.get(waiting).state is OrderState.FILLED


def test_a_market_order_that_will_not_be_cancelled_is_not_taken_over() -> None:
    on = fakes()
    on.desk.hears_cancels = False
    owner = working_market_order(on)
    waiting = signal(on, Operation.ENTER_LONG)
    on.clock.sleep(20)
    assert on.run() is not None
    assert on.get(owner).state is OrderState.WORKING
    assert on.get(waiting).state is OrderState.QUEUED


def test_a_fill_that_overtakes_the_take_over_counts() -> None:
    on = fakes()
    owner = working_market_order(on)
    on.desk.before_cancel = lambda leg: on.desk.fill_now(leg.client_order_id)
    waiting = signal(on, Operation.ENTER_LONG)
    on.clock.sleep(20)
    on.run()
    assert on.get(owner).state is on.get(waiting).state is OrderState.FILLED
    assert on.held() == 3


def test_an_order_cancelled_at_its_take_over_says_why() -> None:
    on = fakes()
    owner = working_market_order(on)
    signal(on, Operation.ENTER_LONG)
    on.clock.sleep(20)
    on.run()
    assert on.get(owner).reason


def test_a_send_in_doubt_is_never_taken_over() -> None:
    on = fakes(FORGETFUL)
    owner = signal(on, Operation.ENTER_LONG)
    on.run_and_die("desk.submit", after=True)
    waiting = signal(on, Operation.ENTER_LONG)
    on.clock.sleep(20)
    on.run()
    assert main_leg(on, owner).status is LegStatus.SUBMITTING
    assert on.get(waiting).state is OrderState.QUEUED


def test_a_reversal_is_never_taken_over_and_started_once() -> None:
    on = fakes()
    on.hold(1)
    owner = signal(on, Operation.ENTER_SHORT)
    on.run_and_die("reversals.start", after=False)
    waiting = signal(on, Operation.ENTER_LONG)
    on.run()
    on.run()
    assert on.get(owner).state is OrderState.CLOSING
    assert list(on.reversals.executions) == [owner.order_id]
    assert on.get(waiting).state is OrderState.QUEUED


def test_a_wake_up_that_cannot_be_sent_does_not_fail_the_order() -> None:
    on = fakes()
    order = signal(on, Operation.ENTER_LONG)
    execute(LANE, fused(on.floor, Fuse(only="lanes.wake", error=True)), on.clock.now() + timedelta(seconds=25))
    assert on.get(order).state is OrderState.FILLED


def test_a_stale_run_writes_nothing_after_the_lane_was_taken_again() -> None:
    on = fakes()
    order = signal(on, Operation.ENTER_LONG)
    with pytest.raises(StorageUnavailable):
        execute(LANE, fused(on.floor, Fuse(only="checks.check", error=True)), on.clock.now() + timedelta(seconds=25))
    stale = on.get(order)
    on.clock.sleep(30)
    on.run()
    assert on.get(order).fence > stale.fence
    assert on.get(order).state is OrderState.FILLED
