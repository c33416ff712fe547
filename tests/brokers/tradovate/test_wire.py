"""Tradovate's wire form: what legs become, and what is read of its entities. Samples are in events/brokers/tradovate."""

import json
from decimal import Decimal
from typing import Any

import pytest

from fillpath.errors import BrokerUnavailable
from fillpath.orders.model import LegStatus, OrderType, Side
from fillpath_brokers.facade import Change
from fillpath_brokers.tradovate.wire import (
    Trail,
    VenueAccount,
    cancel_body,
    change_body,
    fees_in,
    is_as_sent,
    newest,
    order_body,
    trail_of,
    view_of,
    working_order,
)
from fillpath_brokers.web import Request
from tests.brokers.tradovate.house import House, leg, sample

ACCOUNT = VenueAccount(123, "DEMO123456")
THREE = Decimal(3)


def body(**fields: Any) -> dict[str, Any]:
    return order_body(leg(**fields), "ESZ6", ACCOUNT)[1]


@pytest.mark.parametrize(
    ("name", "fills", "status", "filled"),
    [
        ("pending_new", "none", LegStatus.WORKING, 0),
        ("working", "none", LegStatus.WORKING, 0),
        ("suspended", "none", LegStatus.WORKING, 0),
        ("pending_cancel", "none", LegStatus.WORKING, 0),
        ("pending_replace", "partial", LegStatus.PARTIALLY_FILLED, 1),
        ("working", "partial", LegStatus.PARTIALLY_FILLED, 1),
        ("working", "complete", LegStatus.FILLED, 3),
        ("filled", "complete", LegStatus.FILLED, 3),
        ("completed", "complete", LegStatus.FILLED, 3),
        ("filled", "none", LegStatus.WORKING, 0),
        ("filled", "partial", LegStatus.PARTIALLY_FILLED, 1),
        ("working", "busted", LegStatus.PARTIALLY_FILLED, 1),
        ("canceled", "none", LegStatus.CANCELLED, 0),
        ("canceled", "partial", LegStatus.CANCELLED, 1),
        ("canceled", "complete", LegStatus.FILLED, 3),
        ("expired", "partial", LegStatus.EXPIRED, 1),
        ("rejected", "none", LegStatus.REJECTED, 0),
        ("rejected", "partial", LegStatus.CANCELLED, 1),
    ],
)
def test_quantities_decide_what_an_order_is(name: str, fills: str, status: LegStatus, filled: int) -> None:
    view = view_of(sample(f"order_{name}"), [] if fills == "none" else sample(f"fills_{fills}"), THREE)
    assert (view.status, view.filled_quantity, view.broker_order_id) == (status, filled, "210518")


def test_the_average_price_and_the_last_fill_are_reckoned_from_the_fills() -> None:
    view = view_of(sample("order_filled"), sample("fills_complete"), THREE)
    assert view.average_price == (Decimal("5000.25") + 2 * Decimal("5001.0")) / 3
    assert view.filled_at is not None
    assert view.filled_at.isoformat() == "2026-11-25T15:04:07.901000+00:00"


@pytest.mark.parametrize("quantity", ["NaN", "Infinity", "1e400", -1, 0, 3, None])
def test_a_fill_of_no_sensible_size_is_no_answer(quantity: Any) -> None:
    fill = {"qty": quantity, "price": 1, "timestamp": "2026-11-25T15:00:00Z"}
    with pytest.raises(BrokerUnavailable):
        view_of(sample("order_working"), [fill], Decimal(2))


def test_a_status_that_tradovate_does_not_know_itself_is_no_answer() -> None:
    with pytest.raises(BrokerUnavailable):
        view_of(sample("order_unknown"), [], THREE)


@pytest.mark.parametrize("broken", [{"ordStatus": None}, {"id": ...}])
def test_an_order_that_cannot_be_read_is_no_answer(broken: dict[str, Any]) -> None:
    order = {name: value for name, value in {**sample("order_working"), **broken}.items() if value is not ...}
    with pytest.raises(BrokerUnavailable):
        view_of(order, [], THREE)


def test_fees_of_all_kinds_count() -> None:
    assert fees_in(sample("fill_fees")) == Decimal("8.26")


def test_every_order_is_marked_as_automated_and_names_its_account() -> None:
    assert body() == {
        "accountSpec": "DEMO123456",
        "accountId": 123,
        "clOrdId": "c-1",
        "action": "Buy",
        "symbol": "ESZ6",
        "orderQty": 3,
        "orderType": "Market",
        "timeInForce": "Day",
        "isAutomated": True,
    }
    assert cancel_body("210518") == {"orderId": 210518, "isAutomated": True}


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({"type": OrderType.LIMIT, "limit_price": Decimal("5000.25")}, {"orderType": "Limit", "price": Decimal("5000.25")}),
        ({"type": OrderType.STOP, "stop_price": Decimal("5010.5")}, {"orderType": "Stop", "stopPrice": Decimal("5010.5")}),
        (
            {"type": OrderType.STOP_LIMIT, "limit_price": Decimal(5011), "stop_price": Decimal(5010)},
            {"orderType": "StopLimit", "price": Decimal(5011), "stopPrice": Decimal(5010)},
        ),
        ({"side": Side.SELL, "time_in_force": "gtc"}, {"action": "Sell", "timeInForce": "GTC"}),
        ({"time_in_force": "ioc"}, {"timeInForce": "IOC"}),
        ({"time_in_force": "fok"}, {"timeInForce": "FOK"}),
    ],
)
def test_types_and_prices_are_tradovates_own(fields: dict[str, Any], sent: dict[str, Any]) -> None:
    made = body(**fields)
    assert {name: made[name] for name in sent} == sent


@pytest.mark.parametrize("price", ["5000.25", "1.06005", "0.000005", "117.03125", "69.10"])
def test_a_price_is_written_exactly_as_it_is(price: str) -> None:
    house = House()
    house.venue.lay_down("order/placeorder", sample("placed"))
    house.broker.submit(leg(type=OrderType.LIMIT, limit_price=Decimal(price)))
    [asked] = house.venue.requests("order/placeorder")
    assert str(json.loads(asked.text, parse_float=Decimal)["price"]) == price


def test_a_trailing_stop_is_a_distance_and_where_it_begins() -> None:
    wanted = leg(type=OrderType.TRAILING_STOP, side=Side.SELL, trail_amount=Decimal("10.1"))
    trail = trail_of(wanted, Decimal("5000.25"), "plain")
    assert trail == Trail(Decimal("10.00"), Decimal("4990.25"))
    made = order_body(wanted, "ESZ6", ACCOUNT, trail)[1]
    assert (made["orderType"], made["pegDifference"], made["stopPrice"]) == ("TrailingStop", Decimal(10), Decimal("4990.25"))


def test_where_no_price_is_known_tradovate_begins_the_trail_itself() -> None:
    wanted = leg(type=OrderType.TRAILING_STOP, side=Side.SELL, trail_amount=Decimal(10))
    made = order_body(wanted, "ESZ6", ACCOUNT, trail_of(wanted, None, "signed"))[1]
    assert made["pegDifference"] == Decimal(-10)
    assert "stopPrice" not in made


def test_a_trail_in_percent_needs_a_price() -> None:
    wanted = leg(type=OrderType.TRAILING_STOP, trail_percent=Decimal(1))
    assert trail_of(wanted, None, "plain") is None
    assert trail_of(wanted, Decimal(5000), "plain") == Trail(Decimal(50), Decimal(5050))


def test_an_entry_with_exits_is_one_request_with_two_brackets() -> None:
    path, made = order_body(leg(take_profit=Decimal(5010), stop_loss=Decimal(4995), time_in_force="ioc"), "ESZ6", ACCOUNT)
    assert path == "order/placeoso"
    assert made["bracket1"] == {
        "action": "Sell",
        "timeInForce": "Day",
        "orderType": "Limit",
        "price": Decimal(5010),
        "clOrdId": "c-1-tp",
    }
    assert made["bracket2"] == {
        "action": "Sell",
        "timeInForce": "Day",
        "orderType": "Stop",
        "stopPrice": Decimal(4995),
        "clOrdId": "c-1-sl",
    }


def test_a_single_exit_is_the_first_bracket() -> None:
    path, made = order_body(leg(side=Side.SELL, stop_loss=Decimal(5005), time_in_force="gtc"), "ESZ6", ACCOUNT)
    assert path == "order/placeoso"
    assert (made["bracket1"]["action"], made["bracket1"]["stopPrice"], made["bracket1"]["timeInForce"]) == ("Buy", 5005, "GTC")
    assert "bracket2" not in made


def test_a_pair_is_a_limit_with_a_stop_of_the_same_side_beside_it() -> None:
    path, made = order_body(
        leg(type=OrderType.OCO, side=Side.SELL, limit_price=Decimal(5010), stop_price=Decimal(4990)), "ESZ6", ACCOUNT
    )
    assert path == "order/placeoco"
    assert (made["orderType"], made["price"], made["action"]) == ("Limit", Decimal(5010), "Sell")
    assert "stopPrice" not in made
    assert (made["other"]["orderType"], made["other"]["stopPrice"], made["other"]["action"]) == ("Stop", Decimal(4990), "Sell")


@pytest.mark.parametrize("fields", [{}, {"take_profit": Decimal(1), "stop_loss": Decimal(1)}])
def test_client_order_ids_are_short_enough(fields: dict[str, Any]) -> None:
    made = body(client_order_id="01JDN3V6Q0XH8R2YB4M7C9K5TD-protect-12", **fields)
    ids = [made["clOrdId"], *(each["clOrdId"] for name, each in made.items() if name.startswith("bracket"))]
    assert max(map(len, ids)) <= 64


def test_a_change_sends_all_values_of_the_newest_version() -> None:
    version = sample("version_stop_limit")
    assert change_body("210518", version, Change(stop_price=Decimal("5009.75"))) == {
        "orderId": 210518,
        "orderQty": 3,
        "orderType": "StopLimit",
        "price": Decimal("5011.5"),
        "stopPrice": Decimal("5009.75"),
        "timeInForce": "GTC",
        "text": "multibracket",
        "isAutomated": True,
    }
    assert change_body("210518", version, Change(quantity=Decimal(5)))["orderQty"] == 5


def test_the_version_with_the_highest_id_counts() -> None:
    assert (newest(sample("versions")) or {})["orderQty"] == 5
    assert newest([]) is None


def test_an_order_of_the_listing_has_its_version_s_figures() -> None:
    order, version = sample("order_working"), sample("version_stop_limit")
    listed = working_order(order, version, view_of(order, [], THREE), "ESZ6", "c-1")
    assert (listed.type, listed.limit_price, listed.stop_price) == (OrderType.STOP_LIMIT, Decimal("5011.5"), Decimal("5010.25"))
    assert (listed.side, listed.quantity, listed.client_order_id) == (Side.BUY, 3, "c-1")


@pytest.mark.parametrize(
    ("fields", "version", "same"),
    [
        ({}, "version_market", True),
        ({"quantity": Decimal(2)}, "version_market", False),
        ({"type": OrderType.LIMIT, "limit_price": Decimal("5000.250")}, "version_limit", True),
        ({"type": OrderType.LIMIT, "limit_price": Decimal("5000.5")}, "version_limit", False),
        ({"type": OrderType.OCO, "limit_price": Decimal("5000.25"), "stop_price": Decimal(1)}, "version_limit", True),
        ({"type": OrderType.STOP, "stop_price": Decimal("5010.25")}, "version_stop_limit", False),
        (
            {"type": OrderType.STOP_LIMIT, "limit_price": Decimal("5011.5"), "stop_price": Decimal("5010.25")},
            "version_stop_limit",
            True,
        ),
        ({"type": OrderType.TRAILING_STOP, "trail_amount": Decimal(10)}, "version_trailing_stop", True),
    ],
)
def test_an_order_is_known_again_by_exactly_what_was_sent(fields: dict[str, Any], version: str, same: bool) -> None:
    assert is_as_sent(leg(**fields), sample(version)) is same


@pytest.mark.parametrize(("quantity", "same"), [(2, True), (3, True), (4, True), (1, False)])
def test_what_only_reduces_at_the_market_may_be_smaller_than_its_leg(quantity: int, same: bool) -> None:
    cut = sample("version_market") | {"orderQty": 2}
    assert is_as_sent(leg(quantity=Decimal(quantity), reduce_only=True), cut) is same
    assert is_as_sent(leg(quantity=Decimal(quantity)), cut) is (quantity == 2)


def test_a_request_that_is_shown_hides_what_was_sent() -> None:
    assert "pa55word" not in repr(Request("POST", "https://x", json={"password": "pa55word!"}))
