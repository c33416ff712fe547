"""Reversals through the real state machine: what is closed, what is opened, what is left when it does not work out."""

from decimal import Decimal
from typing import Any

import pytest

from fillpath.orders.model import Order, OrderState
from tests.e2e.local_stack import LocalStack
from tests.e2e.trader import Trader
from tests.waiting import until

REVERSED = ["Prepare", "ClosePosition", "PollFill", "OpenPosition"]
Legs = list[tuple[str, str, int]]

MATRIX: list[tuple[int, str, Legs, int]] = [
    (0, "buy", [("main", "buy", 1)], 1),
    (1, "buy", [("main", "buy", 1)], 2),
    (-2, "buy", [("close", "buy", 2), ("open", "buy", 1)], 1),
    (0, "sell", [("main", "sell", 1)], -1),
    (3, "sell", [("close", "sell", 3), ("open", "sell", 1)], -1),
    (-1, "sell", [("main", "sell", 1)], -2),
]


def legs_of(order: Order) -> Legs:
    return [(leg.leg, leg.side.value, int(leg.filled_quantity)) for leg in order.legs]


@pytest.mark.parametrize(("before", "action", "legs", "after"), MATRIX)
def test_an_entry_of_one_leads_from_what_is_held_to_what_the_matrix_says(
    stack: LocalStack, trader: Trader, before: int, action: str, legs: Legs, after: int
) -> None:
    trader.hold(before)
    order = trader.trade(action, 1)
    assert (order.state, legs_of(order), trader.position()) == (OrderState.FILLED, legs, after)
    assert order.position_before == before
    assert stack.steps(order) == (REVERSED if len(legs) == 2 else [])


def test_a_reversal_is_answered_in_time_and_its_record_tells_both_legs(trader: Trader) -> None:
    trader.hold(2)
    answer = trader.post("sell", 1).json()["orders"][0]
    record: dict[str, Any] = answer if answer["state"] == "FILLED" else {}
    order = trader.ended(answer["order_id"])
    assert (order.auto_exit, order.exit_quantity, order.filled_quantity) == (True, 2, 1)
    assert [event.to_state for event in order.events] == ["QUEUED", "CLOSING", "OPENING", "FILLED"]
    assert not record or [leg["leg"] for leg in record["legs"]] == ["close", "open"]


def test_a_flip_as_tradingview_reports_it_opens_the_new_size_only(stack: LocalStack, trader: Trader) -> None:
    trader.hold(1)
    flip = {"market_position": "short", "market_position_size": 2, "prev_market_position": "long", "prev_market_position_size": 1}
    order = trader.trade("sell", 3, **flip)
    assert (legs_of(order), trader.position()) == ([("close", "sell", 1), ("open", "sell", 2)], -2)
    assert stack.steps(order) == REVERSED


def test_an_open_that_would_be_refused_leaves_the_position_alone(stack: LocalStack, trader: Trader) -> None:
    trader.hold(1)
    trader.scenario("reject", reason="insufficient_margin", leg="open")
    order = trader.trade("sell", 1)
    assert (order.state, order.reason, trader.position()) == (OrderState.REJECTED, "insufficient_margin", 1)
    assert stack.steps(order) == ["Prepare"]


def test_an_open_that_is_refused_after_the_close_ends_flat(stack: LocalStack, trader: Trader) -> None:
    trader.hold(1)
    trader.scenario("reject", reason="market_closed", leg="open", precheck="false")
    order = trader.trade("sell", 1)
    assert (order.state, order.reason, order.held, trader.position()) == (OrderState.ABORTED, "market_closed", 0, 0)
    assert stack.steps(order) == [*REVERSED, "Abort"]


def test_a_close_that_does_not_fill_aborts_with_what_is_held_and_protects_it_again(stack: LocalStack, patient: Trader) -> None:
    patient.price("SI1!", "31")
    patient.hold(1, "SI1!")
    stop = patient.order("sell", 1, "SI1!", order_type="exit", type="stop", stop_price="30")
    patient.became(stop, OrderState.WORKING)
    patient.scenario("never_fill", leg="close")
    order = patient.trade("sell", 1, "SI1!")
    assert (order.state, order.reason, order.held, patient.position()) == (OrderState.ABORTED, "close_not_filled", 1, 1)
    assert stack.steps(order) == ["Prepare", "ClosePosition", "PollFill", "Abort"]
    stop = until(lambda: patient.look(stop), lambda now: now.state is OrderState.WORKING and len(now.legs) == 2)
    assert [(leg.leg, leg.quantity) for leg in stop.legs] == [("main", 1), ("protect-1", 1)]
    assert [order.client_order_id for order in patient.broker.orders()] == [stop.legs[1].client_order_id]


def test_a_close_that_fills_in_part_tells_what_is_still_held(patient: Trader) -> None:
    patient.hold(4)
    patient.scenario("partial_fill", leg="close", fraction="0.5")
    order = patient.trade("sell", 1)
    assert (order.state, order.reason, order.held, order.exit_quantity) == (OrderState.ABORTED, "close_not_filled", 2, 2)
    assert patient.position() == 2


def test_a_stop_loss_exit_during_a_reversal_does_not_touch_what_it_opens(patient: Trader) -> None:
    patient.hold(2)
    patient.scenario("delay", seconds="1.5", leg="close")
    reversal = patient.order("sell", 1)
    patient.became(reversal, OrderState.CLOSING)
    stop_loss = patient.trade("sell", order_type="exit", quantity=2, comment="stop loss")
    assert (stop_loss.state, stop_loss.reason) == (OrderState.SKIPPED, "other_side_held")
    assert (patient.ended(reversal).state, patient.position()) == (OrderState.FILLED, -1)


def test_a_close_during_a_reversal_closes_what_it_opened(patient: Trader) -> None:
    patient.hold(2)
    patient.scenario("delay", seconds="1", leg="close")
    reversal = patient.order("sell", 1)
    patient.became(reversal, OrderState.CLOSING)
    assert patient.trade("close").state is OrderState.FILLED
    assert (patient.ended(reversal).filled_quantity, patient.position()) == (Decimal(1), 0)
