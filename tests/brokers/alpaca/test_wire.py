"""Alpaca's wire form: what legs become, and what is read of its orders. Samples are in events/brokers/alpaca."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fillpath.errors import BrokerUnavailable
from fillpath.orders.model import Leg, LegStatus, OrderType, Side
from fillpath_brokers.alpaca.refusals import is_duplicate, refusal
from fillpath_brokers.alpaca.wire import exits_view, order_body, own_view, pair_of
from fillpath_brokers.web import Reply

EVENTS = Path(__file__).parents[3] / "events" / "brokers" / "alpaca"


def sample(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text())


def leg(**fields: Any) -> Leg:
    known = {"leg": "main", "client_order_id": "c-1", "contract": "AAPL", "side": Side.BUY, "quantity": Decimal(10)}
    return Leg(**{**known, **fields})


@pytest.mark.parametrize(
    ("name", "status", "filled", "price"),
    [
        ("order_pending_new", LegStatus.WORKING, "0", None),
        ("order_new", LegStatus.WORKING, "0", None),
        ("order_trailing_stop", LegStatus.WORKING, "0", None),
        ("order_partially_filled", LegStatus.PARTIALLY_FILLED, "4", "229.1"),
        ("order_filled", LegStatus.FILLED, "10", "229.135"),
        ("order_canceled_with_fills", LegStatus.CANCELLED, "4", "229.1"),
        ("order_expired", LegStatus.EXPIRED, "0", None),
        ("order_rejected", LegStatus.REJECTED, "0", None),
        ("order_replaced", LegStatus.CANCELLED, "0", None),
    ],
)
def test_an_order_is_read_with_its_cumulative_fill(name: str, status: LegStatus, filled: str, price: str | None) -> None:
    view = own_view(sample(name))
    assert (view.status, view.filled_quantity) == (status, Decimal(filled))
    assert view.average_price == (None if price is None else Decimal(price))
    assert view.broker_order_id == "61e69015-8549-4bfd-b9c3-01e75843f47d"


def test_a_time_of_nanoseconds_is_read() -> None:
    assert own_view(sample("order_filled")).filled_at == datetime(2026, 11, 25, 15, 4, 5, 127456, tzinfo=UTC)


def test_an_unknown_status_is_looked_at_again() -> None:
    assert own_view(sample("order_new") | {"status": "something_new"}).status is LegStatus.WORKING


@pytest.mark.parametrize("broken", [{"filled_qty": None}, {"filled_qty": "many"}, {"status": []}])
def test_an_order_that_cannot_be_read_is_no_answer(broken: dict[str, Any]) -> None:
    with pytest.raises(BrokerUnavailable):
        own_view(sample("order_new") | broken)


@pytest.mark.parametrize(
    ("name", "status", "filled"),
    [
        ("bracket_accepted", LegStatus.WORKING, 0),
        ("bracket_exits_working", LegStatus.WORKING, 0),
        ("bracket_target_filled", LegStatus.FILLED, 10),
        ("oto_accepted", LegStatus.WORKING, 0),
    ],
)
def test_a_bracket_has_its_exits_as_one(name: str, status: LegStatus, filled: int) -> None:
    order = sample(name)
    exits = exits_view(order)
    assert exits is not None
    assert (exits.status, exits.filled_quantity) == (status, filled)
    assert exits.broker_order_id == "+".join(each["id"] for each in order["legs"])


def test_a_simple_order_has_no_exits() -> None:
    assert exits_view(sample("order_filled")) is None


@pytest.mark.parametrize("filled", ["NaN", "inf", "1e400", "-1", "11", None])
def test_an_order_that_is_filled_with_no_sensible_part_is_no_answer(filled: str | None) -> None:
    with pytest.raises(BrokerUnavailable):
        own_view(sample("order_new") | {"qty": "10", "filled_qty": filled})


def test_an_exit_pair_names_both_of_its_orders() -> None:
    order = sample("oco_working")
    assert pair_of([order, *order["legs"]]).broker_order_id == f"{order['id']}+{order['legs'][0]['id']}"


@pytest.mark.parametrize("quantity", [Decimal(2), None])
def test_a_pair_half_of_whose_stop_is_filled_still_works(quantity: Decimal | None) -> None:
    order = sample("oco_working")
    limit = order | {"qty": "1"}  # what the stop has sold is taken off the limit order
    stop = order["legs"][0] | {"qty": "2", "status": "partially_filled", "filled_qty": "1", "filled_avg_price": "220"}
    view = pair_of([limit, stop], quantity)
    assert (view.status, view.filled_quantity) == (LegStatus.PARTIALLY_FILLED, 1)


def test_numbers_go_out_as_exact_text() -> None:
    body = order_body(leg(quantity=Decimal("0.500"), type=OrderType.LIMIT, limit_price=Decimal("229.10")), "AAPL")
    assert body == {
        "symbol": "AAPL",
        "qty": "0.5",
        "side": "buy",
        "type": "limit",
        "time_in_force": "day",
        "client_order_id": "c-1",
        "limit_price": "229.1",
    }


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"type": OrderType.STOP_LIMIT, "stop_price": 9, "limit_price": 8}, {"stop_price": "9", "limit_price": "8"}),
        ({"type": OrderType.TRAILING_STOP, "trail_amount": Decimal("1.50")}, {"trail_price": "1.5"}),
        ({"type": OrderType.TRAILING_STOP, "trail_percent": 2}, {"trail_percent": "2"}),
        (
            {"take_profit": 240, "stop_loss": 220},
            {"order_class": "bracket", "take_profit": {"limit_price": "240"}, "stop_loss": {"stop_price": "220"}},
        ),
        ({"stop_loss": 220}, {"order_class": "oto", "stop_loss": {"stop_price": "220"}}),
        ({"take_profit": 240}, {"order_class": "oto", "take_profit": {"limit_price": "240"}}),
        (
            {"type": OrderType.OCO, "side": Side.SELL, "limit_price": 240, "stop_price": 220},
            {
                "side": "sell",
                "type": "limit",
                "order_class": "oco",
                "take_profit": {"limit_price": "240"},
                "stop_loss": {"stop_price": "220"},
            },
        ),
    ],
)
def test_each_kind_of_order_has_the_fields_it_needs_and_no_others(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    plain = order_body(leg(), "AAPL")
    body = order_body(leg(**fields), "AAPL")
    assert body == plain | {"type": body["type"]} | expected


@pytest.mark.parametrize(
    ("name", "status", "reason"),
    [
        ("refusal_buying_power", 403, "insufficient_margin"),
        ("refusal_qty", 403, "insufficient_position"),
        ("refusal_short", 403, "short_not_allowed"),
        ("refusal_fraction", 403, "invalid_quantity"),
        ("refusal_wash_trade", 403, "wash_trade"),
        ("refusal_pattern_day_trader", 403, "pattern_day_trader"),
        ("refusal_symbol", 422, "invalid_symbol"),
        ("refusal_price_step", 422, "invalid_price"),
    ],
)
def test_a_refusal_has_our_code_and_alpacas_words(name: str, status: int, reason: str) -> None:
    told = refusal(Reply(status, {}, json.dumps(sample(name)).encode()))
    assert (told.reason, told.text) == (reason, sample(name)["message"])


def test_a_refusal_that_is_no_json_keeps_its_text() -> None:
    assert refusal(Reply(400, {}, b"<html>Bad Request</html>")).text == "<html>Bad Request</html>"


def test_only_the_client_order_id_makes_a_duplicate() -> None:
    assert is_duplicate(Reply(422, {}, json.dumps(sample("refusal_duplicate")).encode()))
    other = {"code": 40010001, "message": "could not find us_equity 'XYZ'"}
    assert not is_duplicate(Reply(422, {}, json.dumps(other).encode()))
