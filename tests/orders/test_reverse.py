"""A reversal closes, sees the fill, and only then opens; whatever goes wrong, it tells what is held and protects it."""

from decimal import Decimal
from typing import Any

import pytest

from fillpath.errors import BrokerUnavailable
from fillpath.orders.messages import Step
from fillpath.orders.model import LegStatus, Operation, Order, OrderState, OrderType
from fillpath.orders.outcomes import Rejected
from tests.orders.floor import Fakes, at_rest, fakes, reversing, signal, to_target
from tests.orders.venue import (
    DEDUPLICATES,
    FORGETFUL,
    Answer,
    placed,
    refused,
    then,
)

ALL_STEPS = ["prepare", "close", "poll_fill", "open"]
STOP: dict[str, Any] = {"type": OrderType.STOP}


def statuses(on: Fakes, order: Order) -> list[tuple[str, LegStatus]]:
    return [(leg.leg, leg.status) for leg in on.get(order).legs]


def halting(on: Fakes) -> Answer:
    return then(lambda: on.controls.halt("environment", on.clock.now(), ""), placed)


def test_a_reversal_keeps_the_lane_until_it_ends() -> None:
    on = fakes()
    order = reversing(on)
    waiting = signal(on, Operation.CLOSE)
    for step in (Step.PREPARE, Step.CLOSE, Step.POLL_FILL):
        on.step(order, step)
        assert on.lane().owner == order.order_id
    on.step(order, Step.OPEN)
    assert on.lane().owner is None
    on.run()
    assert on.get(waiting).state is OrderState.FILLED
    assert on.held() == 0


@pytest.mark.parametrize("twice", [Step.PREPARE, Step.CLOSE, Step.POLL_FILL, Step.OPEN])
@pytest.mark.parametrize("capabilities", [DEDUPLICATES, FORGETFUL], ids=["deduplicates", "forgetful"])
def test_each_step_can_be_run_twice_without_a_second_order(twice: Step, capabilities: object) -> None:
    on = fakes(capabilities)  # type: ignore[arg-type]  # parametrize knows no types
    order = reversing(on)
    for step in (Step.PREPARE, Step.CLOSE, Step.POLL_FILL, Step.OPEN):
        on.step(order, step)
        if step is twice:
            on.step(order, step)
    assert on.desk.sent == [f"{order.order_id}-close", f"{order.order_id}-open"]
    assert on.get(order).state is OrderState.FILLED
    assert on.held() == -1


def test_steps_that_come_again_after_the_end_do_nothing() -> None:
    on = fakes()
    order = reversing(on)
    on.reverse(order)
    before = on.get(order)
    assert [on.step(order, step) for step in Step] == ["end"] * len(Step)
    assert on.get(order) == before


@pytest.mark.parametrize("late", [Step.PREPARE, Step.CLOSE, Step.POLL_FILL])
def test_a_step_that_comes_again_while_the_open_works_takes_nothing_back(late: Step) -> None:
    on = fakes()
    on.desk.fill = lambda leg: Decimal(0) if leg.leg == "open" else leg.quantity
    order = reversing(on)
    on.reverse(order)
    assert on.get(order).state is OrderState.WORKING
    on.step(order, late)
    assert on.get(order).state is OrderState.WORKING


def test_the_close_is_exactly_what_is_held_and_reduces_only() -> None:
    on = fakes()
    order = reversing(on, 3)
    on.step(order, Step.PREPARE)
    close, opening = on.get(order).legs
    assert (close.leg, close.quantity, close.reduce_only, close.type) == ("close", 3, True, OrderType.MARKET)
    assert (opening.leg, opening.quantity, opening.reduce_only) == ("open", 1, False)
    assert on.get(order).position_before == 3


def test_every_held_contract_is_closed_and_the_one_of_the_signal_opened() -> None:
    on = fakes()
    on.hold(1, "ESU6")
    order = reversing(on)
    on.reverse(order)
    assert [(leg.leg, leg.contract, int(leg.quantity)) for leg in on.get(order).legs] == [
        ("close", "ESU6", 1), ("close-2", "ESZ6", 2), ("open", "ESZ6", 1),
    ]  # fmt: skip
    assert on.held() == -1
    assert on.get(order).exit_quantity == 3


def test_an_open_that_would_be_refused_leaves_all_as_it_is() -> None:
    on = fakes()
    on.hold(2)
    protecting = at_rest(on, Operation.EXIT_LONG, 2, **STOP)
    order = reversing(on)
    on.desk.refuses = Rejected("insufficient_margin", "not enough")
    assert on.reverse(order) == ["prepare"]
    assert on.state(order) == (OrderState.REJECTED, "insufficient_margin")
    assert on.get(protecting).legs[0].status is LegStatus.WORKING
    assert on.held() == 2


def test_a_deadline_that_passed_before_the_close_leaves_all_as_it_is() -> None:
    on = fakes()
    order = reversing(on)
    on.clock.sleep(61)
    assert on.reverse(order) == ["prepare"]
    assert on.state(order) == (OrderState.EXPIRED, "deadline")
    assert on.held() == 2


def test_a_halt_before_the_close_leaves_all_as_it_is() -> None:
    on = fakes()
    order = reversing(on)
    on.controls.halt("environment", on.clock.now(), "")
    assert on.reverse(order) == ["prepare"]
    assert on.state(order) == (OrderState.REJECTED, "halted")
    assert on.held() == 2


def test_a_position_that_went_meanwhile_only_opens() -> None:
    on = fakes()
    order = reversing(on)
    on.hold(0)
    assert on.reverse(order) == ["prepare", "open"]
    assert on.get(order).state is OrderState.FILLED
    assert on.held() == -1


def test_a_working_order_that_cannot_be_seen_cancelled_stops_the_reversal_before_it_closes() -> None:
    on = fakes()
    on.hold(2)
    at_rest(on, Operation.EXIT_LONG, 2, **STOP)
    order = reversing(on)
    on.desk.hears_cancels = False
    assert on.reverse(order) == ["prepare", "abort"]
    assert on.state(order) == (OrderState.ABORTED, "cancel_unconfirmed")
    assert (on.get(order).held, on.held()) == (2, 2)


def test_a_refused_close_opens_nothing() -> None:
    on = fakes()
    on.desk.answers_to("close", refused("market_closed"))
    order = reversing(on)
    assert on.reverse(order) == ["prepare", "close", "abort"]
    assert on.state(order) == (OrderState.ABORTED, "market_closed")
    assert (on.get(order).held, on.held()) == (2, 2)
    assert on.get(order).message == "+2 ES is held"
    assert on.counted("ReversalAborted") == 1


@pytest.mark.parametrize("filled", [0, 1])
def test_a_close_that_does_not_fill_in_time_is_cancelled_and_what_is_held_is_told(filled: int) -> None:
    on = fakes()
    on.desk.fill = lambda leg: Decimal(filled)
    order = reversing(on)
    assert on.reverse(order) == ["prepare", "close", "poll_fill", "abort"]
    assert on.state(order) == (OrderState.ABORTED, "close_not_filled")
    assert on.get(order).held == on.held() == 2 - filled
    assert statuses(on, order) == [("close", LegStatus.CANCELLED), ("open", LegStatus.CANCELLED)]
    assert on.desk.working() == []


def test_a_close_has_five_seconds_to_fill() -> None:
    on = fakes()
    on.desk.fill = lambda leg: Decimal(0)
    order = reversing(on)
    on.step(order, Step.PREPARE)
    on.step(order, Step.CLOSE)
    start = on.clock.now()
    on.step(order, Step.POLL_FILL)
    assert (on.clock.now() - start).total_seconds() == pytest.approx(5, abs=0.5)


def test_a_close_that_fills_while_it_is_aborted_is_told_as_flat() -> None:
    on = fakes()
    on.desk.fill = lambda leg: Decimal(0)
    on.desk.before_cancel = lambda leg: on.desk.fill_now(leg.client_order_id)
    order = reversing(on)
    on.reverse(order)
    assert on.get(order).state is OrderState.ABORTED
    assert (on.get(order).held, on.get(order).message) == (0, "nothing is held")
    assert on.held() == 0


def test_an_open_refused_after_the_close_leaves_the_account_flat_and_says_so() -> None:
    on = fakes()
    on.desk.answers_to("open", refused("insufficient_margin"))
    order = reversing(on)
    assert on.reverse(order) == [*ALL_STEPS, "abort"]
    assert on.state(order) == (OrderState.ABORTED, "insufficient_margin")
    assert (on.get(order).held, on.held()) == (0, 0)


def test_a_halt_between_close_and_open_lets_the_close_stand() -> None:
    on = fakes()
    on.desk.answers_to("close", halting(on))
    order = reversing(on)
    assert on.reverse(order) == [*ALL_STEPS, "abort"]
    assert on.state(order) == (OrderState.ABORTED, "halted")
    assert on.held() == 0


def test_a_deadline_between_close_and_open_lets_the_close_stand() -> None:
    on = fakes()
    on.desk.answers_to("close", then(lambda: on.clock.sleep(61), placed))
    order = reversing(on)
    assert on.reverse(order) == [*ALL_STEPS, "abort"]
    assert on.state(order) == (OrderState.ABORTED, "deadline")
    assert on.held() == 0


def test_an_open_that_works_follows_the_rules_of_a_market_order() -> None:
    on = fakes()
    on.desk.fill = lambda leg: Decimal(0) if leg.leg == "open" else leg.quantity
    order = reversing(on)
    on.reverse(order)
    waiting = signal(on, Operation.CLOSE)
    on.clock.sleep(10)
    on.run()
    assert on.get(order).state is OrderState.ABORTED
    assert on.get(order).held == 0
    assert on.get(waiting).state is OrderState.SKIPPED


def test_protection_is_placed_again_for_what_an_abort_leaves_held() -> None:
    on = fakes()
    on.hold(2)
    protecting = at_rest(on, Operation.EXIT_LONG, 2, **STOP)
    on.desk.fill = lambda leg: Decimal(1) if leg.leg == "close" else leg.quantity
    order = reversing(on)
    on.reverse(order)
    assert on.get(order).held == 1
    on.run()
    assert [(leg.leg, leg.status, leg.quantity) for leg in on.get(protecting).legs] == [
        ("main", LegStatus.CANCELLED, 2), ("protect-1", LegStatus.WORKING, 1),
    ]  # fmt: skip


def test_protection_of_the_old_side_is_not_placed_over_the_new_one() -> None:
    on = fakes(FORGETFUL)
    on.hold(2)
    protecting = at_rest(on, Operation.EXIT_LONG, 2, **STOP)
    order = reversing(on)
    on.reverse(order)
    on.run()
    assert on.state(protecting) == (OrderState.CANCELLED, "position_closed")
    assert on.held() == -1
    assert on.desk.working() == []


def test_an_abort_waits_until_it_can_see_what_is_held() -> None:
    on = fakes()
    on.desk.fill = lambda leg: Decimal(0)
    order = reversing(on)
    for step in (Step.PREPARE, Step.CLOSE):
        on.step(order, step)
    on.desk.down = True
    with pytest.raises(BrokerUnavailable):
        on.step(order, Step.ABORT)
    assert not on.get(order).state.ended
    on.desk.down = False
    on.step(order, Step.ABORT)
    assert on.get(order).state is OrderState.ABORTED


def test_a_check_updates_a_running_reversal_but_never_ends_it() -> None:
    on = fakes()
    order = reversing(on)
    on.step(order, Step.PREPARE)
    on.step(order, Step.CLOSE)
    on.verify(order, "close")
    assert on.get(order).state is OrderState.CLOSING
    assert statuses(on, order) == [("close", LegStatus.FILLED), ("open", LegStatus.QUEUED)]


def test_a_target_overtaken_by_a_fill_while_the_lane_is_cleared_keeps_its_size() -> None:
    on = fakes()
    resting = at_rest(on, Operation.ENTER_LONG, 5)
    on.hold(-2)
    order = to_target(on, 1)
    on.run()
    on.desk.before_cancel = lambda leg: on.desk.fill_now(leg.client_order_id)
    on.reverse(order)
    on.settle(2)
    assert on.get(resting).state is OrderState.FILLED
    assert on.held() == 1
