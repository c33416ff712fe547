"""The rules by which orders act on their lane: whose turn it is, what holds one back, and what becomes of it then."""

from datetime import timedelta
from decimal import Decimal

import pytest

from fillpath.accounts.model import Gate
from fillpath.orders.model import Operation, OrderState
from tests.orders.floor import ACCOUNT, LANE, Fakes, fakes, signal, to_target
from tests.orders.venue import FORGETFUL, lost_reply, never_arrived, placed, refused, then

SCOPES = ["environment", "user:U1", f"account:{ACCOUNT}"]


def halt(on: Fakes, scope: str = "environment") -> None:
    on.controls.halt(scope, on.clock.now(), "somebody pulled the cord")


def test_waiting_orders_act_lowest_id_first() -> None:
    on = fakes()
    first, second, third = (signal(on, Operation.ENTER_LONG) for _ in range(3))
    assert on.run() is None
    assert [order.leg.client_order_id[:26] for order in on.desk.orders] == [first.order_id, second.order_id, third.order_id]


def test_a_release_wakes_the_lane_under_its_fence() -> None:
    on = fakes()
    signal(on, Operation.ENTER_LONG)
    on.run()
    assert [message.wake_id for message in on.lanes.messages] == [f"{LANE}#1"]


def test_the_next_order_is_left_to_the_next_run_when_less_than_15_s_are_left() -> None:
    on = fakes()
    on.desk.answers_to("main", then(lambda: on.clock.sleep(11), placed))
    first, second = signal(on, Operation.ENTER_LONG), signal(on, Operation.ENTER_LONG)

    assert on.run() is None

    assert on.get(first).state is OrderState.FILLED
    assert on.get(second).state is OrderState.QUEUED
    assert on.lanes.messages
    on.run()
    assert on.get(second).state is OrderState.FILLED


def test_two_lanes_do_not_wait_for_each_other() -> None:
    on = fakes()
    stuck = signal(on, Operation.ENTER_LONG)
    on.desk.fill = lambda leg: Decimal(0)
    on.run()
    on.desk.fill = lambda leg: leg.quantity
    other = signal(on, Operation.ENTER_LONG, root="NQ", contract="NQZ6")

    on.run(other.lane)

    assert on.get(stuck).state is OrderState.WORKING
    assert on.get(other).state is OrderState.FILLED


def test_an_order_past_its_deadline_expires_unsent() -> None:
    on = fakes()
    entry, close = signal(on, Operation.ENTER_LONG), signal(on, Operation.CLOSE)
    on.clock.sleep(61)
    on.run()
    assert on.state(entry) == (OrderState.EXPIRED, "deadline")
    assert on.state(close) == (OrderState.SKIPPED, "flat")
    assert on.desk.sent == []


def test_an_entry_that_is_older_than_a_carried_out_exit_is_superseded() -> None:
    on = fakes()
    on.hold(1)
    close = signal(on, Operation.CLOSE)
    on.run()
    late = signal(on, Operation.ENTER_LONG, alert_time=close.alert_time - timedelta(seconds=5))
    on.run()
    assert on.state(late) == (OrderState.SKIPPED, "superseded")
    assert on.held() == 0


@pytest.mark.parametrize(
    ("operation", "webhook", "seconds"),
    [
        pytest.param(Operation.ENTER_LONG, "W1", 1, id="a newer entry"),
        pytest.param(Operation.ENTER_LONG, "W1", 0, id="an entry of the same second"),
        pytest.param(Operation.ENTER_LONG, "W2", -5, id="an entry of another webhook"),
    ],
)
def test_an_entry_is_not_superseded_otherwise(operation: Operation, webhook: str, seconds: int) -> None:
    on = fakes()
    on.hold(1)
    close = signal(on, Operation.CLOSE)
    on.run()
    entry = signal(on, operation, alert_time=close.alert_time + timedelta(seconds=seconds), webhook_id=webhook)
    on.run()
    assert on.get(entry).state is OrderState.FILLED


def test_an_old_exit_is_never_superseded() -> None:
    on = fakes()
    on.hold(2)
    first = signal(on, Operation.EXIT_LONG, 1)
    on.run()
    late = signal(on, Operation.EXIT_LONG, 1, alert_time=first.alert_time - timedelta(seconds=5))
    on.run()
    assert on.get(late).state is OrderState.FILLED
    assert on.held() == 0


def test_a_target_that_is_older_than_a_carried_out_target_is_superseded() -> None:
    on = fakes()
    newer = to_target(on, 2, 0)
    on.run()
    older = to_target(on, 0, 1, alert_time=newer.alert_time - timedelta(seconds=5))
    on.run()
    assert on.state(older) == (OrderState.SKIPPED, "superseded")
    assert on.held() == 2


def test_a_refused_exit_supersedes_nothing() -> None:
    on = fakes()
    on.hold(1)
    on.desk.answers_to("main", refused("market_closed"))
    close = signal(on, Operation.CLOSE)
    on.run()
    entry = signal(on, Operation.ENTER_LONG, alert_time=close.alert_time - timedelta(seconds=5))
    on.run()
    assert on.get(entry).state is OrderState.FILLED


@pytest.mark.parametrize("scope", SCOPES)
def test_a_halt_blocks_entries_of_its_scope_and_lets_reductions_pass(scope: str) -> None:
    on = fakes()
    on.hold(2)
    halt(on, scope)
    entry, target = signal(on, Operation.ENTER_LONG), to_target(on, 5, 2)
    partial, close = signal(on, Operation.EXIT_LONG, 1), signal(on, Operation.CLOSE)
    on.run()
    assert on.state(entry) == on.state(target) == (OrderState.REJECTED, "halted")
    assert on.get(partial).state is on.get(close).state is OrderState.FILLED
    assert on.held() == 0


def test_a_halt_of_another_account_blocks_nothing() -> None:
    on = fakes()
    halt(on, "account:A2")
    entry = signal(on, Operation.ENTER_LONG)
    on.run()
    assert on.get(entry).state is OrderState.FILLED


def test_a_halted_reversal_closes_nothing() -> None:
    on = fakes()
    on.hold(2)
    halt(on)
    entry = signal(on, Operation.ENTER_SHORT)
    on.run()
    assert on.state(entry) == (OrderState.REJECTED, "halted")
    assert on.held() == 2


@pytest.mark.parametrize("operation", [Operation.ENTER_LONG, Operation.ENTER_SHORT])
def test_an_entry_behind_an_unknown_order_is_rejected(operation: Operation) -> None:
    on = fakes()
    on.desk.answers_to("main", never_arrived)
    unknown, entry = signal(on, Operation.ENTER_LONG), signal(on, operation)
    on.run()
    assert on.get(unknown).state is OrderState.UNKNOWN
    assert on.state(entry) == (OrderState.REJECTED, "unknown_ahead")


def test_a_reduction_behind_an_unknown_one_takes_only_what_is_surely_left() -> None:
    on = fakes(FORGETFUL)
    on.hold(3)
    on.desk.answers_to("main", never_arrived)
    unknown, close = signal(on, Operation.EXIT_LONG, 2), signal(on, Operation.CLOSE)
    on.run()
    assert on.get(close).state is OrderState.FILLED
    assert on.held() == 2
    on.desk.place(ACCOUNT, on.get(unknown).legs[0])
    assert on.held() == 0


def test_a_reduction_with_nothing_surely_left_waits_for_the_resolution() -> None:
    on = fakes(FORGETFUL)
    on.hold(2)
    on.desk.answers_to("main", never_arrived)
    unknown, close = signal(on, Operation.CLOSE), signal(on, Operation.CLOSE)
    on.run()
    assert on.get(close).state is OrderState.QUEUED

    on.settle(3)

    assert on.state(unknown) == (OrderState.REJECTED, "not_placed")
    assert on.get(close).state is OrderState.FILLED
    assert on.held() == 0


def test_a_reduction_that_waits_in_vain_expires_with_an_alarm() -> None:
    on = fakes(FORGETFUL)
    on.hold(1)
    on.desk.answers_to("main", never_arrived)
    signal(on, Operation.CLOSE)
    close = signal(on, Operation.CLOSE)
    on.run()
    on.desk.down = True
    on.clock.sleep(300)
    on.sweep()
    assert on.state(close) == (OrderState.EXPIRED, "unknown_ahead")
    assert on.counted("UnknownAheadExpired") == 1


def test_an_order_that_can_act_passes_a_reduction_that_must_wait() -> None:
    on = fakes(FORGETFUL)
    on.hold(2)
    on.desk.answers_to("main", never_arrived)
    signal(on, Operation.CLOSE)
    close, entry = signal(on, Operation.CLOSE), signal(on, Operation.ENTER_LONG)
    on.run()
    assert on.get(close).state is OrderState.QUEUED
    assert on.state(entry) == (OrderState.REJECTED, "unknown_ahead")


def test_a_target_that_reduces_is_not_skipped_over_an_unknown_reduction() -> None:
    on = fakes(FORGETFUL)
    on.hold(5)
    on.desk.answers_to("main", never_arrived)
    signal(on, Operation.CLOSE)
    target = to_target(on, 3)
    on.run()
    assert on.get(target).state is OrderState.QUEUED


def test_a_close_of_a_reversal_in_doubt_is_not_sold_again() -> None:
    on = fakes(FORGETFUL)
    on.hold(2)
    on.desk.answers_to("close", never_arrived)
    reversal = signal(on, Operation.ENTER_SHORT)
    on.run()
    on.reverse(reversal)
    assert on.get(reversal).state is OrderState.UNKNOWN
    signal(on, Operation.CLOSE)
    on.run()

    late = on.get(reversal).leg("close")
    assert late is not None
    on.desk.place(ACCOUNT, late)

    assert on.held() == 0


def test_a_close_of_two_contracts_leaves_out_what_may_be_leaving() -> None:
    on = fakes(FORGETFUL)
    on.hold(2)
    on.hold(1, "ESU6")
    on.desk.answers_to("main", never_arrived)
    unknown, close = signal(on, Operation.EXIT_LONG, 2), signal(on, Operation.CLOSE)
    on.run()
    if on.get(close).state is OrderState.CLOSING:
        on.reverse(close)

    on.desk.place(ACCOUNT, on.get(unknown).legs[0])

    assert all(quantity >= 0 for quantity in on.desk.held.values())


def test_a_lost_reply_is_found_and_the_lane_goes_on() -> None:
    on = fakes(FORGETFUL)
    on.desk.answers_to("main", lost_reply)
    unknown, close = signal(on, Operation.ENTER_LONG), signal(on, Operation.CLOSE)
    on.run()
    on.settle(3)
    assert on.get(unknown).state is on.get(close).state is OrderState.FILLED
    assert on.held() == 0


def test_a_broker_that_does_not_answer_holds_the_order_back_but_not_up() -> None:
    on = fakes()
    entry = signal(on, Operation.ENTER_LONG)
    on.desk.down = True
    step = on.run()
    assert step is not None
    assert on.state(entry) == (OrderState.QUEUED, "broker_unavailable")
    on.desk.down = False
    on.clock.sleep(step.delay_s)
    on.run()
    assert on.get(entry).state is OrderState.FILLED


def test_a_rejection_carries_the_brokers_words() -> None:
    on = fakes()
    on.desk.answers_to("main", refused("insufficient_margin"))
    entry = signal(on, Operation.ENTER_LONG)
    on.run()
    assert on.state(entry) == (OrderState.REJECTED, "insufficient_margin")
    assert on.get(entry).message == "the venue says insufficient_margin"


def test_a_gate_that_rejects_says_what_is_wrong() -> None:
    on = fakes()
    entry = to_target(on, 2, 1, gate=Gate.REJECT)
    on.run()
    assert on.state(entry) == (OrderState.REJECTED, "position_mismatch")


@pytest.mark.parametrize("operation", [Operation.CLOSE, Operation.EXIT_LONG, Operation.CLOSE_LONG])
def test_an_exit_trades_the_contract_that_is_held(operation: Operation) -> None:
    on = fakes()
    on.hold(1, "ESU6")
    signal(on, operation)
    on.run()
    assert [order.leg.contract for order in on.desk.orders] == ["ESU6"]
    assert on.held() == 0


@pytest.mark.parametrize("quantity", [None, 3], ids=["without a quantity", "of all"])
def test_an_exit_of_everything_takes_every_held_contract(quantity: int | None) -> None:
    on = fakes()
    on.hold(2)
    on.hold(1, "ESU6")
    order = signal(on, Operation.EXIT_LONG, quantity)
    on.run()
    if on.get(order).state is OrderState.CLOSING:
        on.reverse(order)
    assert on.get(order).state is OrderState.FILLED
    assert on.held() == 0


def test_a_flat_target_takes_every_held_contract() -> None:
    on = fakes()
    on.hold(2)
    on.hold(1, "ESU6")
    order = to_target(on, 0, 3)
    on.run()
    if on.get(order).state is OrderState.CLOSING:
        on.reverse(order)
    assert on.get(order).state is OrderState.FILLED
    assert on.held() == 0


def test_an_exit_never_adds_to_a_contract_held_the_other_way() -> None:
    on = fakes(FORGETFUL)
    on.hold(2, "ESH7")
    on.hold(-3, "ESU6")
    on.hold(2, "ESZ6")
    signal(on, Operation.EXIT_LONG, 1)
    on.run()
    assert on.desk.held[ACCOUNT, "ESU6"] == -3
