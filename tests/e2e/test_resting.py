"""Limit and stop orders: they rest, fill when the price comes, and make way for what must act before them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from fillpath.orders.model import Order, OrderState
from tests.e2e.local_stack import LocalStack
from tests.e2e.trader import Trader
from tests.waiting import until

# Last trades are everybody's: each test moves the price of an instrument of its own.


@pytest.mark.parametrize(
    ("symbol", "price", "order", "through", "filled_at"),
    [
        ("ZC1!", "430", {"type": "limit", "limit_price": "428"}, "427", "428"),
        ("ZS1!", "1000", {"type": "stop", "stop_price": "1002"}, "1003", "1003"),
    ],
    ids=["limit", "stop"],
)
def test_an_entry_rests_until_the_price_comes(
    stack: LocalStack, patient: Trader, symbol: str, price: str, order: dict[str, str], through: str, filled_at: str
) -> None:
    patient.price(symbol, price)
    resting = patient.became(patient.order("buy", 2, symbol, **order), OrderState.WORKING)
    stack.sweep()
    assert patient.look(resting).state is OrderState.WORKING
    patient.price(symbol, through)
    stack.sweep()
    filled = patient.look(resting)
    assert (filled.state, filled.average_price, patient.position()) == (OrderState.FILLED, Decimal(filled_at), 2)


def test_a_limit_that_the_price_has_passed_already_fills_at_once(patient: Trader) -> None:
    patient.price("ZW1!", "550")
    order = patient.trade("buy", 1, "ZW1!", type="limit", limit_price="560")
    assert (order.state, order.average_price) == (OrderState.FILLED, Decimal(550))


def test_a_partial_exit_leaves_the_rest_protected(patient: Trader) -> None:
    protecting = _protected(patient, "GC1!", "2640", "2600")
    exit_ = patient.trade("sell", 1, "GC1!", order_type="exit")
    assert (exit_.state, exit_.filled_quantity, patient.position()) == (OrderState.FILLED, 1, 2)
    protecting = until(lambda: patient.look(protecting), lambda now: len(now.legs) == 2 and now.state is OrderState.WORKING)
    assert [(leg.leg, leg.quantity, leg.status) for leg in protecting.legs] == [
        ("main", 3, "CANCELLED"),
        ("protect-1", 2, "WORKING"),
    ]
    assert [order.client_order_id for order in patient.broker.orders()] == [protecting.legs[1].client_order_id]


def test_a_close_leaves_no_protection_behind(patient: Trader) -> None:
    protecting = _protected(patient, "MGC1!", "2640", "2600")
    assert patient.trade("close", symbol="MGC1!").state is OrderState.FILLED
    assert patient.ended(protecting).state is OrderState.CANCELLED
    assert (patient.position(), patient.broker.orders()) == (0, ())


def test_a_reversal_leaves_no_protection_of_the_old_side_behind(patient: Trader) -> None:
    protecting = _protected(patient, "HG1!", "4.1", "4")
    assert patient.trade("sell", 1, "HG1!").state is OrderState.FILLED
    assert patient.ended(protecting).state is OrderState.CANCELLED
    assert (patient.position(), patient.broker.orders()) == (-1, ())


def test_an_opposite_entry_cancels_the_resting_entry_against_it(patient: Trader) -> None:
    patient.price("CL1!", "69")
    resting = patient.became(patient.order("buy", 1, "CL1!", type="limit", limit_price="68"), OrderState.WORKING)
    assert patient.trade("sell", 1, "CL1!").state is OrderState.FILLED
    resting = patient.look(resting)
    assert (resting.state, resting.reason, patient.position()) == (OrderState.CANCELLED, "superseded", -1)


def test_a_stop_that_fills_ends_protection_and_position(stack: LocalStack, patient: Trader) -> None:
    protecting = _protected(patient, "NG1!", "3.1", "3")
    patient.price("NG1!", "2.95")
    stack.sweep()
    protecting = patient.look(protecting)
    assert (protecting.state, protecting.average_price, patient.position()) == (OrderState.FILLED, Decimal("2.95"), 0)


def test_what_waits_beyond_its_deadline_is_ended_by_the_sweep(stack: LocalStack, patient: Trader) -> None:
    with stack.paused("ExecuteOrder"):
        order = patient.order("buy", 1)
        overdue = order.model_copy(update={"deadline": datetime.now(UTC) - timedelta(seconds=1)})
        stack.target.orders.save(order, overdue)
        stack.sweep()
        order = patient.look(order)
        assert (order.state, order.reason) == (OrderState.EXPIRED, "deadline")
    assert patient.broker_orders() == []


def _protected(trader: Trader, symbol: str, price: str, stop_price: str) -> Order:
    """Three long, and a stop for all of them."""
    trader.price(symbol, price)
    trader.hold(3, symbol)
    stop = trader.order("sell", 3, symbol, order_type="exit", type="stop", stop_price=stop_price)
    return trader.became(stop, OrderState.WORKING)
