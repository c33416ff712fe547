"""Each minute everything that is not ended is looked at, so that nothing depends on a message that was lost."""

from decimal import Decimal

import pytest

from fillpath.errors import NotFound
from fillpath.orders.messages import Step
from fillpath.orders.model import Lane, Operation, OrderState, OrderType
from fillpath.orders.sweep import sweep
from tests.orders.floor import ACCOUNT, LANE, at_rest, fakes, signal
from tests.orders.venue import FORGETFUL, PROVES_NOTHING, lost_reply, never_arrived


def test_a_lane_with_waiting_orders_is_woken_each_minute_once() -> None:
    on = fakes()
    signal(on, Operation.ENTER_LONG)
    signal(on, Operation.ENTER_LONG)
    sweep(on.floor)
    sweep(on.floor)
    assert [(message.lane, message.wake_id) for message in on.lanes.messages] == [(LANE, f"{LANE}#20260302T1430")]
    on.sweep(after_s=50)
    assert [message.wake_id for message in on.lanes.messages][1:] == []
    on.sweep(after_s=10)
    assert on.lanes.messages[-1].wake_id == f"{LANE}#20260302T1431"


def test_each_lane_is_woken() -> None:
    on = fakes()
    signal(on, Operation.ENTER_LONG)
    signal(on, Operation.ENTER_LONG, root="NQ", contract="NQZ6")
    sweep(on.floor)
    assert {message.lane for message in on.lanes.messages} == {LANE, Lane(ACCOUNT, "NQ")}


@pytest.mark.parametrize(("operation", "seconds"), [(Operation.ENTER_LONG, 61), (Operation.CLOSE, 301)])
def test_a_waiting_order_expires_at_its_deadline(operation: Operation, seconds: int) -> None:
    on = fakes()
    order = signal(on, operation)
    on.sweep(after_s=seconds - 2)
    assert on.get(order).state is OrderState.QUEUED
    on.sweep(after_s=2)
    assert on.state(order) == (OrderState.EXPIRED, "deadline")
    assert on.lane().waiting == ()


def test_an_order_behind_an_owner_that_never_ends_expires_too() -> None:
    on = fakes(PROVES_NOTHING)
    owner = signal(on, Operation.ENTER_LONG)
    on.run_and_die("desk.submit", after=False)
    waiting = signal(on, Operation.ENTER_LONG)
    on.sweep(after_s=20)
    assert on.get(owner).state is OrderState.UNKNOWN
    on.sweep(after_s=60)
    assert on.get(waiting).state is OrderState.EXPIRED


def test_an_owner_whose_run_was_cut_off_before_the_send_is_woken() -> None:
    on = fakes()
    order = signal(on, Operation.ENTER_LONG)
    on.run_and_die("desk.positions", after=False)
    on.sweep(after_s=0)
    assert [message.lane for message in on.lanes.messages] == [LANE]
    on.run()
    assert on.get(order).state is OrderState.FILLED


@pytest.mark.parametrize("after", [False, True], ids=["never arrived", "arrived"])
def test_a_send_that_nobody_answered_for_is_resolved(after: bool) -> None:
    on = fakes(FORGETFUL)
    order = signal(on, Operation.ENTER_LONG)
    on.run_and_die("desk.submit", after=after)
    on.sweep(after_s=30)
    assert on.state(order) == ((OrderState.FILLED, None) if after else (OrderState.REJECTED, "not_placed"))
    assert on.lane().owner is None


@pytest.mark.parametrize(
    ("answer", "ends"),
    [(lost_reply, (OrderState.FILLED, None)), (never_arrived, (OrderState.REJECTED, "not_placed"))],
    ids=["lost reply", "never arrived"],
)
def test_an_unknown_order_is_resolved_and_wakes_its_lane(answer, ends) -> None:  # type: ignore[no-untyped-def]  # parametrized
    on = fakes(FORGETFUL)
    on.desk.answers_to("main", answer)
    order = signal(on, Operation.ENTER_LONG)
    on.run()
    on.sweep()
    assert on.state(order) == ends
    assert on.lane().unknown == ()
    assert on.lanes.messages[-1].wake_id == f"{order.order_id}#resolved"


def test_what_cannot_be_resolved_is_shown_by_its_age() -> None:
    on = fakes(PROVES_NOTHING)
    on.desk.answers_to("main", never_arrived)
    order = signal(on, Operation.ENTER_LONG)
    on.run()
    on.sweep(after_s=3600)
    assert on.get(order).state is OrderState.UNKNOWN
    name, age = on.telemetry.figures[-1]
    assert name == "OldestUnknownSeconds"
    assert age == pytest.approx(3600, abs=5)


def test_a_resting_order_that_filled_is_recorded() -> None:
    on = fakes()
    order = at_rest(on, Operation.ENTER_LONG, 2)
    on.desk.fill_now(f"{order.order_id}-main", 1)
    on.sweep()
    assert on.get(order).state is OrderState.PARTIALLY_FILLED
    on.desk.fill_now(f"{order.order_id}-main")
    on.sweep()
    assert on.get(order).state is OrderState.FILLED
    assert on.lane().working == ()


def test_a_halt_cancels_resting_entries_again_and_again_until_they_are_gone() -> None:
    on = fakes()
    order = at_rest(on, Operation.ENTER_LONG)
    on.controls.halt(f"account:{ACCOUNT}", on.clock.now(), "")
    on.desk.hears_cancels = False
    on.sweep()
    assert on.get(order).state is OrderState.WORKING
    on.desk.hears_cancels = True
    on.sweep()
    assert on.get(order).state is OrderState.CANCELLED
    assert on.desk.working() == []


def test_a_market_order_that_nobody_fills_is_cancelled_at_its_deadline() -> None:
    on = fakes()
    on.desk.fill = lambda leg: Decimal(0)
    order = signal(on, Operation.ENTER_LONG)
    on.run()
    on.sweep(after_s=61)
    assert on.get(order).state is OrderState.CANCELLED
    assert on.lane().owner is None


def test_a_reversal_that_was_never_started_is_started() -> None:
    on = fakes()
    on.hold(1)
    order = signal(on, Operation.ENTER_SHORT)
    on.run_and_die("reversals.start", after=False)
    on.sweep(after_s=0)
    assert list(on.reversals.executions) == [order.order_id]
    on.reverse(order)
    assert on.get(order).state is OrderState.FILLED


def test_a_running_reversal_is_left_alone() -> None:
    on = fakes()
    on.hold(1)
    order = signal(on, Operation.ENTER_SHORT)
    on.run()
    before = on.get(order)
    on.sweep()
    assert on.get(order) == before


@pytest.mark.parametrize("reached", [[], [Step.PREPARE], [Step.PREPARE, Step.CLOSE, Step.POLL_FILL]])
def test_a_reversal_whose_execution_ended_is_aborted_here(reached: list[Step]) -> None:
    on = fakes()
    on.hold(2)
    order = signal(on, Operation.ENTER_SHORT)
    on.run()
    for step in reached:
        on.step(order, step)
    on.reversals.end(order.order_id)
    on.sweep()
    assert on.get(order).state is OrderState.ABORTED
    assert on.get(order).held == on.held()
    assert on.lane().owner is None


def test_one_order_that_fails_does_not_keep_the_others_from_their_turn() -> None:
    on = fakes()
    first, second = at_rest(on, Operation.ENTER_LONG), at_rest(on, Operation.ENTER_LONG)
    on.desk.fill_now(f"{second.order_id}-main")
    del on.tables.orders[first.order_id]
    assert on.sweep() == 1
    assert on.counted("SweepErrors") == 1
    assert on.get(second).state is OrderState.FILLED
    with pytest.raises(NotFound):
        on.get(first)


def test_a_broker_that_does_not_answer_fails_no_sweep() -> None:
    on = fakes()
    order = at_rest(on, Operation.ENTER_LONG, type=OrderType.STOP)
    on.desk.down = True
    assert on.sweep() == 0
    assert on.get(order).state is OrderState.WORKING


def test_a_sweep_over_nothing_reports_that_nothing_is_unknown() -> None:
    on = fakes()
    assert sweep(on.floor) == 0
    assert on.telemetry.figures == [("OldestUnknownSeconds", 0.0)]
    assert on.lanes.messages == []
