"""Brackets that TradeStation takes in part: the fill is recorded, and what is held is protected again, by the order path."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from fillpath.orders.model import Operation, Order, OrderState, OrderType
from tests.contract.broker_bench import Bench, bench
from tests.contract.order_path import levels, order_path, wished, working
from tests.fakes.clock import FakeClock
from tests.orders.floor import Fakes
from tests.orders.house import House

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]

REFUSED = "Stop price is above the market"
LOST: dict[str, Any] = {"drop": True, "when": "after", "times": 1, "match": {"method": "POST", "path": "order"}}


@pytest.fixture
def at(clock: FakeClock) -> Iterator[Bench]:
    """TradeStation, which refuses the last exit of the next bracket."""
    with bench("tradestation", clock) as found:
        found.simulator.faults.add({"refuse_last_exit": REFUSED})
        yield found


@pytest.fixture
def on(at: Bench, clock: FakeClock) -> Fakes:
    """The order path over it."""
    return order_path(at, clock)


def entered(at: Bench, on: Fakes, **more: Any) -> Order:
    return wished(at, on, Operation.ENTER_LONG, 2, **levels(at, on) | more)


def at_work(at: Bench) -> dict[OrderType, Decimal]:
    """How much of each kind may still fill."""
    return {order.state.type: order.state.remaining for order in working(at)}


def test_a_filled_entry_whose_stop_was_refused_is_recorded_and_protected_again(at: Bench, on: Fakes) -> None:
    entry = entered(at, on)
    assert (entry.state, entry.filled_quantity, at.held()) == (OrderState.FILLED, 2, 2)
    assert REFUSED in str(entry.legs[0].text)
    assert at_work(at) == {OrderType.LIMIT: 2, OrderType.STOP: 2}
    assert on.exits(entry).state is OrderState.WORKING
    assert on.counted("ProtectionLost") == 0


def test_so_is_one_of_which_all_exits_were_refused(at: Bench, on: Fakes) -> None:
    entry = entered(at, on, take_profit=None)
    assert (entry.state, entry.filled_quantity) == (OrderState.FILLED, 2)
    assert at_work(at) == {OrderType.STOP: 2}
    assert on.exits(entry).state is OrderState.WORKING


def test_a_pair_that_is_refused_again_leaves_the_stop_alone_at_work(at: Bench, on: Fakes) -> None:
    at.simulator.faults.add({"refuse_second_of_group": REFUSED})
    entry = entered(at, on)
    assert (entry.state, at.held()) == (OrderState.FILLED, 2)
    assert on.exits(entry).state is OrderState.WORKING
    assert at_work(at) == {OrderType.STOP: 2}
    assert "pair_refused" in [event.reason for event in on.exits(entry).events]
    assert on.counted("ProtectionLost") == 0


def test_an_entry_at_rest_goes_with_the_exit_that_was_refused(at: Bench, on: Fakes) -> None:
    entry = entered(at, on, type=OrderType.LIMIT, limit_price=at.away(-60))
    assert (entry.state, entry.reason) == (OrderState.REJECTED, "invalid_price")
    assert (at_work(at), at.held()) == ({}, 0)


def test_an_entry_whose_answer_was_lost_too_is_known_once_nothing_can_appear_any_more(at: Bench, on: Fakes) -> None:
    at.simulator.faults.add(LOST)
    entry = entered(at, on)
    assert (entry.state, entry.filled_quantity) == (OrderState.FILLED, 2)
    assert at_work(at) == {OrderType.LIMIT: 2, OrderType.STOP: 2}


def test_exits_at_work_that_are_not_linked_are_never_placed_a_second_time(at: Bench, on: Fakes) -> None:
    at.simulator.faults.add({"refuse_last_exit": "", "hide_links": True})
    entry = entered(at, on)
    for _ in range(10):
        on.sweep()
        at.renew()
    assert len(working(at)) == 2
    at.simulator.faults.add({"hide_links": False})
    House(on, lane=entry.lane).settle()
    assert on.get(entry).state is OrderState.FILLED
    assert on.exits(entry).state is OrderState.WORKING
    assert len(working(at)) == 2
