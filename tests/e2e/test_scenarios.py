"""What the paper venue can be made to do: an order comes through it once, and its end is known."""

from datetime import timedelta
from decimal import Decimal

import pytest

from fillpath.orders.model import OrderState
from fillpath_brokers.facade import OrderRef
from tests.e2e.local_stack import LocalStack
from tests.e2e.trader import Trader
from tests.waiting import until


def test_a_delayed_fill_is_found(patient: Trader) -> None:
    patient.scenario("delay", seconds="0.6")
    order = patient.trade("buy", 1)
    assert (order.state, patient.position()) == (OrderState.FILLED, 1)
    assert order.filled_at is not None
    assert order.submitted_at is not None
    assert order.filled_at - order.submitted_at > timedelta(seconds=0.3)


def test_a_fill_that_outlasts_the_run_is_found_by_verification(stack: LocalStack, patient: Trader) -> None:
    patient.scenario("delay", seconds="2.6")
    order = patient.order("buy", 1)
    until(patient.position)  # a look is what moves the simulated exchange
    order = patient.look(order)
    assert (order.state, order.filled_quantity) == (OrderState.WORKING, 0)
    assert stack.verify(order, "main") == []
    order = patient.look(order)
    assert (order.state, order.filled_quantity) == (OrderState.FILLED, 1)


def test_a_partial_fill_that_is_completed_shows_both_parts(patient: Trader) -> None:
    patient.scenario("partial_fill", fraction="0.25", then="complete", after="0.5")
    order = patient.trade("buy", 4)
    assert (order.state, order.filled_quantity, patient.position()) == (OrderState.FILLED, 4, 4)
    assert [event.to_state for event in order.events] == ["QUEUED", "SUBMITTING", "PARTIALLY_FILLED", "FILLED"]


def test_a_partial_fill_counts_while_the_rest_works(stack: LocalStack, patient: Trader) -> None:
    patient.scenario("partial_fill", fraction="0.5")
    order = patient.became(patient.order("buy", 4), OrderState.PARTIALLY_FILLED)
    assert (order.filled_quantity, patient.position()) == (Decimal(2), 2)
    patient.broker.cancel(OrderRef(order.legs[0].client_order_id))
    assert stack.verify(order, "main") == []
    order = patient.look(order)
    assert (order.state, order.filled_quantity) == (OrderState.CANCELLED, 2)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("insufficient_margin", "required"),
        ("market_closed", "Sunday 18:00 to Friday 17:00"),
        ("invalid_symbol", "not traded here"),
        ("position_mode", "Switch to one-way mode"),
    ],
)
def test_a_rejection_comes_with_the_venue_s_own_words(trader: Trader, reason: str, words: str) -> None:
    trader.scenario("reject", reason=reason)
    answer = trader.post("buy", 1)
    (order,) = answer.json()["orders"]
    assert (answer.status_code, order["state"], order["reason"]) == (200, "REJECTED", reason)
    assert words in order["message"]
    assert trader.broker_orders() == []


def test_margin_that_is_really_short_is_refused(trader: Trader) -> None:
    order = trader.trade("buy", 1000)
    assert (order.state, order.reason, trader.position()) == (OrderState.REJECTED, "insufficient_margin", 0)


def test_a_rate_limited_order_is_sent_later_and_keeps_its_place(patient: Trader) -> None:
    patient.scenario("reject", reason="rate_limited", delay="1", times="1")
    first, second = patient.order("buy", 1), patient.order("buy", 2)
    first, second = patient.ended(first), patient.ended(second)
    assert (first.state, second.state, patient.position()) == (OrderState.FILLED, OrderState.FILLED, 3)
    assert "rate_limited" in [event.reason for event in first.events]
    assert first.legs[0].attempts == 2
    assert first.filled_at is not None
    assert second.filled_at is not None
    assert first.filled_at < second.filled_at
    assert len(patient.broker_orders()) == 2


def test_a_time_out_after_the_order_was_taken_is_verified(patient: Trader) -> None:
    patient.scenario("timeout", when="after", times="1")
    order = patient.trade("buy", 1)
    assert "UNKNOWN" in [event.to_state for event in order.events]
    assert (order.state, patient.position(), len(patient.broker_orders())) == (OrderState.FILLED, 1, 1)


def test_an_entry_behind_an_unknown_order_is_refused(patient: Trader) -> None:
    patient.scenario("timeout", when="before", times="1")
    patient.became(patient.order("buy", 1), OrderState.UNKNOWN)
    order = patient.trade("buy", 1)
    assert (order.state, order.reason) == (OrderState.REJECTED, "unknown_ahead")


def test_what_is_held_can_be_closed_behind_an_unknown_entry(patient: Trader) -> None:
    patient.hold(1)
    patient.scenario("timeout", when="before", times="1")
    patient.became(patient.order("buy", 1), OrderState.UNKNOWN)
    assert patient.trade("close").state is OrderState.FILLED
    assert patient.position() == 0
