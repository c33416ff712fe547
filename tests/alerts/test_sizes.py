"""Sizes and prices: what an instrument's lot and tick, and a venue's fractions, allow of what an alert asks for."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fillpath.accounts.model import Route
from fillpath.orders.model import OrderType
from tests.alerts.desk import PAPER, FrontDesk, exit_fields


@given(size=st.integers(1, 500), multiplier=st.sampled_from(["0.001", "0.01", "0.1", "0.5", "1", "3"]))
def test_what_the_lot_allows_is_accepted_and_nothing_else(size: int, multiplier: str) -> None:
    front = FrontDesk(Route(account_id="A1", multiplier=Decimal(multiplier)))
    scaled = size * Decimal(multiplier)
    if scaled % 1 == 0:
        assert front.post(quantity=size).orders[0].quantity == scaled
    else:
        assert front.refusal(quantity=size).code == "bad_quantity"
    assert front.post(quantity=size, symbol="AAPL").orders[0].quantity == scaled


@pytest.mark.parametrize("fields", [{}, {"market_position": "long", "market_position_size": "0.5"}])
def test_a_fraction_is_refused_where_the_venue_trades_whole_numbers(fields: dict[str, Any]) -> None:
    front = FrontDesk()
    front.venues.known["paper"] = replace(PAPER, fractional=False)
    refusal = front.refusal(symbol="AAPL", quantity="0.5", **fields)
    assert refusal.code == "bad_quantity"
    assert "whole numbers" in refusal.message
    assert front.post(symbol="AAPL", quantity="2", action="buy").orders
    assert front.post(symbol="AAPL", quantity="0.5", action="sell", order_type="exit").orders, "it is cut to what is held"


BRACKETED = {"take_profit": "210", "stop_loss": "190"}


@pytest.mark.parametrize(
    ("fields", "taken"),
    [
        ({}, True),
        ({"type": "limit", "limit_price": "200"}, True),
        ({"time_in_force": "gtc"}, False),
        ({"type": "trailing_stop", "trail_percent": "1"}, False),
        (BRACKETED, False),
        ({"stop_loss": "190"}, False),
        ({"action": "sell", "order_type": "exit", "type": "oco", "limit_price": "210", "stop_price": "190"}, False),
        ({"action": "sell", "order_type": "exit"}, True),
        ({"action": "close", "quantity": None}, True),
    ],
)
def test_a_venue_may_take_fractions_in_simple_orders_only(fields: dict[str, Any], taken: bool) -> None:
    front = FrontDesk()
    front.venues.known["paper"] = replace(PAPER, simple_fractions=True)
    alert = {"symbol": "AAPL", "quantity": "0.5"} | fields
    if taken:
        assert front.post(**alert).orders
    else:
        refusal = front.refusal(**alert)
        assert refusal.code == "unsupported"
        assert "send a whole number" in refusal.message
        assert front.post(**alert | {"quantity": "2"}).orders


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(exit_fields(0, 1), id="a flat target"),
        pytest.param({"action": "close", "quantity": 1}, id="a close"),
        pytest.param({"action": "close_long", "quantity": 1}, id="a close of a side"),
    ],
)
def test_a_close_is_not_refused_for_a_quantity_that_does_not_decide(fields: dict[str, Any]) -> None:
    front = FrontDesk(Route(account_id="A1", multiplier=Decimal("0.5")))
    assert front.post(**fields).orders


def test_a_target_is_not_refused_for_contracts_that_do_not_decide() -> None:
    front = FrontDesk(Route(account_id="A1", multiplier=Decimal("0.5")))
    (order,) = front.post(quantity=3, market_position="long", market_position_size=4, prev_market_position="long",
                          prev_market_position_size=1).orders  # fmt: skip
    assert order.target == 2


@pytest.mark.parametrize("price", ["5900.25", "5900.2500000001", 5900])
def test_a_price_on_its_tick_is_taken_without_its_noise(price: object) -> None:
    (order,) = FrontDesk().post(type="limit", limit_price=price).orders
    assert order.type is OrderType.LIMIT
    assert order.limit_price is not None
    assert order.limit_price % Decimal("0.25") == 0


@pytest.mark.parametrize("field", ["limit_price", "stop_price"])
def test_a_price_beside_its_tick_is_refused_by_name(field: str) -> None:
    fields: dict[str, Any] = {"type": "stop_limit", "limit_price": 5900, "stop_price": 5900} | {field: "5900.1"}
    refusal = FrontDesk().refusal(**fields)
    assert (refusal.code, refusal.details["field"]) == ("invalid_alert", field)
