"""A continuous symbol trades the venue's own front month, where the account wants that: asked when something is opened."""

from dataclasses import replace

import pytest

from fillpath.orders.messages import Step
from fillpath.orders.model import Operation, OrderState
from tests.orders.floor import Fakes, at_rest, fakes, signal, to_target
from tests.orders.venue import DEDUPLICATES, limited


def with_front(contract: str = "ESH7") -> Fakes:
    on = fakes()
    on.desk.fronts["ES"] = contract
    return on


def test_an_entry_trades_the_venues_front_month_and_says_so() -> None:
    on = with_front()
    order = signal(on, Operation.ENTER_LONG, at_front=True)
    on.run()
    assert (on.get(order).contract, on.get(order).legs[0].contract) == ("ESH7", "ESH7")
    assert not on.get(order).at_front
    assert on.desk.held == {("A1", "ESH7"): 1}


def test_an_entry_that_names_its_contract_trades_that() -> None:
    on = with_front()
    order = signal(on, Operation.ENTER_LONG)
    on.run()
    assert on.get(order).legs[0].contract == "ESZ6"


def test_a_venue_that_does_not_say_leaves_it_to_the_calendar() -> None:
    on = fakes(replace(DEDUPLICATES, front_month=False))
    order = signal(on, Operation.ENTER_LONG, at_front=True)
    on.run()
    assert on.get(order).legs[0].contract == "ESZ6"


@pytest.mark.parametrize("operation", [Operation.CLOSE, Operation.EXIT_LONG])
def test_what_reduces_trades_what_is_held_and_never_asks(operation: Operation) -> None:
    on = fakes()
    on.hold(1)
    order = signal(on, operation, at_front=True)
    on.run()
    assert on.get(order).state is OrderState.FILLED
    assert on.get(order).legs[0].contract == "ESZ6"


def test_a_target_toward_zero_never_asks_either() -> None:
    on = fakes()
    on.hold(3)
    order = to_target(on, 1, 3, at_front=True)
    on.run()
    assert on.get(order).legs[0].contract == "ESZ6"


def test_a_reversal_closes_what_is_held_and_opens_the_front_month() -> None:
    on = with_front()
    on.hold(2)
    order = signal(on, Operation.ENTER_SHORT, at_front=True, one_order_flip=True)
    on.run()
    on.reverse(order, Step.PREPARE)
    assert [(leg.leg, leg.contract) for leg in on.get(order).legs] == [("close", "ESZ6"), ("open", "ESH7")]
    assert on.desk.held == {("A1", "ESZ6"): 0, ("A1", "ESH7"): -1}


def test_an_entry_waits_while_the_venue_does_not_answer() -> None:
    on = with_front()
    order = signal(on, Operation.ENTER_LONG, at_front=True)
    on.desk.down = True
    on.run()
    assert on.state(order) == (OrderState.QUEUED, "broker_unavailable")
    on.desk.down = False
    on.run()
    assert on.get(order).legs[0].contract == "ESH7"


def test_it_is_asked_once_however_often_the_order_is_put_off() -> None:
    on = with_front()
    on.desk.answers_to("main", limited(1))
    order = signal(on, Operation.ENTER_LONG, at_front=True)
    on.run()
    on.desk.fronts["ES"] = "ESM7"
    on.clock.sleep(2)
    on.run()
    assert on.get(order).legs[0].contract == "ESH7"


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", ["desk.front_month", "orders.save"])
def test_a_crash_around_the_question_leads_to_one_order(call: str, after: bool) -> None:
    on = with_front()
    order = signal(on, Operation.ENTER_LONG, at_front=True)
    on.run_and_die(call, after=after)
    on.run()
    assert on.get(order).legs[0].contract == "ESH7"
    assert len(on.desk.orders) == 1


def test_resting_orders_of_the_lane_stay_what_they_are() -> None:
    on = with_front()
    at_rest(on, Operation.ENTER_LONG)
    signal(on, Operation.ENTER_LONG, at_front=True)
    on.run()
    assert on.desk.held == {("A1", "ESH7"): 1}
