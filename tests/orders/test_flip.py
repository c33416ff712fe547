"""Reversals with one order through zero: where that was chosen, the venue can, and one contract is all there is."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from fillpath.ids import new_id
from fillpath.orders.model import Leg, Operation, Order, OrderState, OrderType, Side
from tests.orders.floor import Fakes, at_rest, bracket, fakes, signal, to_target
from tests.orders.venue import DEDUPLICATES, never_arrived, placed, refused, then


def flip(on: Fakes, quantity: int = 1, **more: Any) -> Order:
    return signal(on, Operation.ENTER_SHORT, quantity, one_order_flip=True, **more)


def sent(on: Fakes, order: Order) -> list[tuple[str, Side, int, bool]]:
    return [(leg.leg, leg.side, int(leg.quantity), leg.reduce_only) for leg in on.get(order).legs]


def test_one_order_closes_what_is_held_and_opens_the_other_side() -> None:
    on = fakes()
    on.hold(2)
    order = flip(on)
    on.run()
    assert on.get(order).state is OrderState.FILLED
    assert sent(on, order) == [("main", Side.SELL, 3, False)]
    assert on.held() == -1
    assert on.reversals.executions == {}
    assert on.get(order).position_before == 2


def test_so_does_a_target_on_the_other_side() -> None:
    on = fakes()
    on.hold(-2)
    order = to_target(on, 3, -2, one_order_flip=True)
    on.run()
    assert sent(on, order) == [("main", Side.BUY, 5, False)]
    assert on.held() == 3


def test_a_quantity_that_includes_the_close_is_traded_as_it_is() -> None:
    on = fakes()
    on.hold(2)
    order = flip(on, 3, includes_close=True)
    on.run()
    assert sent(on, order) == [("main", Side.SELL, 3, False)]


@pytest.mark.parametrize("why", ["not chosen", "not possible", "a bracket", "at rest", "another contract"])
def test_otherwise_the_close_comes_first(why: str) -> None:
    on = fakes(replace(DEDUPLICATES, single_order_flip=why != "not possible"))
    on.hold(2, "ESU6" if why == "another contract" else "ESZ6")
    more: dict[str, Any] = {"one_order_flip": why != "not chosen"}
    if why == "at rest":
        more |= {"type": OrderType.LIMIT, "limit_price": Decimal(110)}
    accept = bracket if why == "a bracket" else signal
    order = accept(on, Operation.ENTER_SHORT, 1, **more)
    on.run()
    assert on.get(order).state is OrderState.CLOSING
    assert on.get(order).legs == ()


def test_it_clears_the_lane_first_and_what_protected_does_not_come_back() -> None:
    on = fakes()
    on.hold(2)
    stop = at_rest(on, Operation.EXIT_LONG, 2, type=OrderType.STOP)
    on.desk.answers_to("main", then(lambda: _nothing_works(on), placed))
    order = flip(on)
    on.settle(2)
    assert on.get(order).state is OrderState.FILLED
    assert on.held() == -1
    assert on.state(stop) == (OrderState.CANCELLED, "position_closed")


def _nothing_works(on: Fakes) -> None:
    assert on.desk.working() == [], "the order was sent while something was at work"


def test_one_that_is_refused_leaves_what_is_held_protected() -> None:
    on = fakes()
    on.hold(2)
    stop = at_rest(on, Operation.EXIT_LONG, 2, type=OrderType.STOP)
    on.desk.answers_to("main", refused("insufficient_margin"))
    order = flip(on)
    on.settle(2)
    assert on.state(order) == (OrderState.REJECTED, "insufficient_margin")
    assert on.get(stop).state is OrderState.WORKING
    assert on.held() == 2


def test_a_fill_of_what_it_clears_makes_it_count_again() -> None:
    on = fakes()
    on.hold(3)
    at_rest(on, Operation.EXIT_LONG, 2, type=OrderType.STOP)
    on.desk.before_cancel = lambda leg: on.desk.fill_now(leg.client_order_id, 2)
    order = flip(on)
    on.run()
    assert on.state(order) == (OrderState.QUEUED, "position_moved")
    on.run()
    assert sent(on, order) == [("main", Side.SELL, 2, False)]
    assert on.held() == -1


def test_a_halt_blocks_it_as_the_entry_that_it_is() -> None:
    on = fakes()
    on.hold(2)
    on.controls.halt("environment", on.clock.now(), "")
    order = flip(on)
    on.run()
    assert on.state(order) == (OrderState.REJECTED, "halted")
    assert on.held() == 2


def test_it_is_not_sent_while_an_earlier_order_is_in_doubt() -> None:
    on = fakes()
    on.hold(2)
    on.desk.answers_to("main", never_arrived)
    signal(on, Operation.ENTER_LONG, order_id=new_id(on.clock.now()))
    order = flip(on)
    on.run()
    assert on.state(order) == (OrderState.REJECTED, "unknown_ahead")


def test_one_that_fills_in_part_is_cancelled_for_who_waits_and_the_rest_is_protected_again() -> None:
    on = fakes()
    on.hold(2)
    stop = at_rest(on, Operation.EXIT_LONG, 2, type=OrderType.STOP)
    on.desk.fill = _one_of_a_flip
    order = flip(on)
    on.run()
    for _ in range(8):
        on.run()
        on.clock.sleep(2)
    on.settle(3)
    assert on.state(order) == (OrderState.CANCELLED, "not_filled")
    assert on.held() == 1
    assert [int(leg.quantity) for leg in on.get(stop).legs] == [2, 1]
    assert on.get(stop).state is OrderState.WORKING


def _one_of_a_flip(leg: Leg) -> Decimal:
    return Decimal(1)
