"""TradeStation's wire form: what legs become, and what is read of its orders. Samples are in events/brokers/tradestation."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from fillpath.errors import BrokerUnavailable
from fillpath.orders.model import LegStatus, OrderType, Side
from fillpath_brokers.facade import Change
from fillpath_brokers.tradestation.history import bar_of
from fillpath_brokers.tradestation.listing import orders_in
from fillpath_brokers.tradestation.refusals import errors_in, reason_of, text_of
from fillpath_brokers.tradestation.wire import (
    Terms,
    change_bodies,
    closing_body,
    confirm_id,
    entry_view,
    execution,
    exits_view,
    group_body,
    order_body,
    own_view,
    working_order,
)
from fillpath_brokers.web import Reply
from tests.brokers.tradestation.rig import EVENTS, NOW, leg, sample

FUTURE = Terms("SIM1234567F", "ESZ26", "future", "Intelligent")
SHARE = Terms("SIM1234567M", "AAPL", "equity", "Intelligent")
W, P, F, C = LegStatus.WORKING, LegStatus.PARTIALLY_FILLED, LegStatus.FILLED, LegStatus.CANCELLED


@pytest.mark.parametrize(
    ("name", "status", "filled", "price"),
    [
        ("order_sent", W, "0", None),
        ("order_received", W, "0", None),
        ("order_queued", W, "0", None),
        ("order_received_but_filled", F, "2", "5900.25"),
        ("order_partially_filled", P, "1", "5890"),
        ("order_filled", F, "2", "5900.375"),
        ("order_filled_lower_case", F, "2", "5900.25"),
        ("order_called_filled_before_its_quantity", P, "1", "5900.25"),
        ("order_out_not_closed", W, "0", None),
        ("order_out", C, "0", None),
        ("order_out_nothing_left", C, "0", None),
        ("order_out_with_fills", C, "1", "5890"),
        ("order_expired", LegStatus.EXPIRED, "0", None),
        ("order_rejected", LegStatus.REJECTED, "0", None),
        ("order_change_refused", W, "0", None),
        ("order_replaced_goes_on", W, "0", None),
        ("order_cancel_sent", W, "0", None),
        ("order_stop_hit", W, "0", None),
        ("order_bracket_cancelled", C, "0", None),
    ],
)
def test_an_order_is_read_by_its_quantities(name: str, status: LegStatus, filled: str, price: str | None) -> None:
    view = own_view(sample(name))
    assert (view.status, view.filled_quantity) == (status, Decimal(filled))
    assert view.average_price == (None if price is None else Decimal(price))
    assert view.broker_order_id == "911249493"


def test_commission_and_time_of_a_fill_are_read() -> None:
    view = own_view(sample("order_filled"))
    assert (view.commission, view.filled_at) == (Decimal("2.5"), datetime(2026, 11, 25, 15, 4, 6, tzinfo=UTC))


def test_a_rejection_has_our_reason_code() -> None:
    assert own_view(sample("order_rejected")).reason == "invalid_price"


def test_an_unknown_status_is_looked_at_again() -> None:
    assert own_view(sample("order_received") | {"Status": "NEW"}).status is W


@pytest.mark.parametrize("broken", [{"Legs": []}, {"Legs": [{"Symbol": "ESZ26"}]}, {"OrderID": 1, "Status": None, "Legs": None}])
def test_an_order_that_cannot_be_read_is_no_answer(broken: dict[str, Any]) -> None:
    with pytest.raises(BrokerUnavailable):
        own_view(sample("order_received") | broken)


@pytest.mark.parametrize(
    ("name", "status", "filled"),
    [("orders_bracket_sent", W, 0), ("orders_bracket_working", W, 0), ("orders_bracket_target_filled", F, 2)],
)
def test_a_bracket_shows_its_exits_as_one(name: str, status: LegStatus, filled: int) -> None:
    entry, *exits = sample(name)["Orders"]
    view = entry_view(entry, [own_view(each) for each in exits])
    assert view.exits is not None
    assert view.exits.broker_order_id == "911249495+911249496"
    assert (view.exits.status, view.exits.filled_quantity) == (status, filled)


def test_exits_work_for_as_long_as_their_entry_does() -> None:
    entry = sample("orders_bracket_sent")["Orders"][0]
    gone = [each | {"Status": "OUT", "ClosedDateTime": "2026-11-25T15:05:00Z"} for each in sample("orders_exit_pair")["Orders"]]
    view = entry_view(entry, [own_view(each) for each in gone])
    assert view.exits is not None
    assert view.exits.status is W


def test_an_exit_pair_is_one_order_with_two_numbers() -> None:
    view = exits_view(sample("orders_exit_pair")["Orders"], Decimal(2))
    assert (view.status, view.broker_order_id) == (W, "911249498+911249499")


def test_a_partial_fill_of_one_half_is_one_of_the_pair() -> None:
    limit, stop = sample("orders_exit_pair")["Orders"]
    limit["Legs"][0] |= {"ExecQuantity": "1", "QuantityRemaining": "1", "ExecutionPrice": "5920"}
    stop["Legs"][0] |= {"QuantityOrdered": "1", "QuantityRemaining": "1"}
    view = exits_view([limit, stop], Decimal(2))
    assert (view.status, view.filled_quantity, view.average_price) == (P, 1, 5920)


def test_a_working_order_is_listed_with_its_terms() -> None:
    order = working_order(sample("order_stop"), "ESZ6")
    assert (order.side, order.quantity, order.type, order.stop_price) == (Side.SELL, 2, OrderType.STOP, 5880)
    trailing = working_order(sample("order_trailing_stop"), "ESZ6")
    assert trailing.type is OrderType.TRAILING_STOP


def test_somebodys_spread_can_be_listed() -> None:
    order = working_order(sample("order_vertical_spread"), "NVDA 261218C190")
    assert (order.quantity, order.view.status) == (2, W)


def test_what_is_filled_of_an_order_is_one_execution() -> None:
    fill = execution(sample("order_filled"), NOW)
    assert (fill.execution_id, fill.contract, fill.quantity, fill.price) == ("911249493-2", "ESZ6", 2, Decimal("5900.375"))
    assert fill.at == datetime(2026, 11, 25, 15, 4, 6, tzinfo=UTC)


# --- requests -------------------------------------------------------------------------------------------------------------------


def test_a_market_order_becomes_a_request() -> None:
    assert order_body(leg(), FUTURE) == {
        "AccountID": "SIM1234567F",
        "Symbol": "ESZ26",
        "Quantity": "2",
        "OrderType": "Market",
        "TradeAction": "BUY",
        "TimeInForce": {"Duration": "DAY"},
        "Route": "Intelligent",
        "OrderConfirmID": confirm_id("01KJQHXDKVZ8Q4T6W2YB3N5M7R-main"),
    }


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"type": OrderType.LIMIT, "limit_price": Decimal("5890.50")}, {"OrderType": "Limit", "LimitPrice": "5890.5"}),
        ({"type": OrderType.STOP, "stop_price": Decimal(5910)}, {"OrderType": "StopMarket", "StopPrice": "5910"}),
        (
            {"type": OrderType.STOP_LIMIT, "stop_price": Decimal(5910), "limit_price": Decimal(5911)},
            {"OrderType": "StopLimit", "StopPrice": "5910", "LimitPrice": "5911"},
        ),
        (
            {"type": OrderType.TRAILING_STOP, "trail_amount": Decimal(20)},
            {"OrderType": "StopMarket", "AdvancedOptions": {"TrailingStop": {"Amount": "20"}}},
        ),
        (
            {"type": OrderType.TRAILING_STOP, "trail_percent": Decimal("0.5")},
            {"OrderType": "StopMarket", "AdvancedOptions": {"TrailingStop": {"Percent": "0.5"}}},
        ),
        ({"time_in_force": "ioc"}, {"TimeInForce": {"Duration": "IOC"}}),
        ({"time_in_force": "fok"}, {"TimeInForce": {"Duration": "FOK"}}),
        ({"time_in_force": "gtc"}, {"TimeInForce": {"Duration": "GTC"}}),
    ],
)
def test_types_prices_and_durations_are_spelled_as_there(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    plain = {name: value for name, value in order_body(leg(), FUTURE).items() if name not in expected}
    assert order_body(leg(**fields), FUTURE) == plain | expected


@pytest.mark.parametrize(
    ("kind", "side", "reduces", "action"),
    [
        ("future", "buy", False, "BUY"),
        ("future", "sell", False, "SELL"),
        ("future", "buy", True, "BUY"),
        ("future", "sell", True, "SELL"),
        ("equity", "buy", False, "BUY"),
        ("equity", "sell", True, "SELL"),
        ("equity", "sell", False, "SELLSHORT"),
        ("equity", "buy", True, "BUYTOCOVER"),
    ],
)
def test_shares_are_told_apart_by_what_a_trade_does_to_the_position(kind: str, side: str, reduces: bool, action: str) -> None:
    terms = FUTURE if kind == "future" else SHARE
    assert order_body(leg(side=Side(side), reduce_only=reduces), terms)["TradeAction"] == action


def test_a_bracket_sends_its_exits_after_its_fill() -> None:
    body = order_body(leg(take_profit=Decimal(5920), stop_loss=Decimal(5880)), FUTURE)
    [group] = body["OSOs"]
    target, stop = group["Orders"]
    assert (body["OrderType"], group["Type"]) == ("Market", "BRK")
    assert (target["OrderType"], target["TradeAction"], target["LimitPrice"]) == ("Limit", "SELL", "5920")
    assert (stop["OrderType"], stop["TradeAction"], stop["StopPrice"]) == ("StopMarket", "SELL", "5880")
    assert "LimitPrice" not in stop
    assert "StopPrice" not in target
    assert len({each["OrderConfirmID"] for each in (body, target, stop)}) == 3


def test_the_exits_of_a_short_sale_cover_it() -> None:
    body = order_body(leg(side=Side.SELL, take_profit=Decimal(200)), SHARE)
    [group] = body["OSOs"]
    assert body["TradeAction"] == "SELLSHORT"
    assert group["Type"] == "NORMAL"
    assert [each["TradeAction"] for each in group["Orders"]] == ["BUYTOCOVER"]


@pytest.mark.parametrize(("entry", "exits"), [("day", "DAY"), ("gtc", "GTC"), ("ioc", "GTC"), ("fok", "GTC")])
def test_exits_do_not_end_with_the_moment_of_their_entry(entry: str, exits: str) -> None:
    body = order_body(leg(time_in_force=entry, stop_loss=Decimal(5880)), FUTURE)
    assert body["OSOs"][0]["Orders"][0]["TimeInForce"] == {"Duration": exits}


def test_an_exit_pair_is_a_bracket_group_that_closes() -> None:
    pair = leg(side=Side.BUY, type=OrderType.OCO, limit_price=Decimal(200), stop_price=Decimal(260))
    body = group_body(pair, SHARE)
    assert body["Type"] == "BRK"
    assert [(each["OrderType"], each["TradeAction"]) for each in body["Orders"]] == [
        ("Limit", "BUYTOCOVER"),
        ("StopMarket", "BUYTOCOVER"),
    ]


def test_limit_orders_of_shares_may_fill_outside_the_hours_where_that_is_wanted() -> None:
    terms = Terms("SIM1234567M", "AAPL", "equity", "Intelligent", extended_hours=True)
    limit = order_body(leg(type=OrderType.LIMIT, limit_price=Decimal(200), time_in_force="gtc"), terms)
    assert limit["TimeInForce"] == {"Duration": "GCP"}
    assert order_body(leg(), terms)["TimeInForce"] == {"Duration": "DAY"}


def test_a_position_is_closed_by_its_opposite() -> None:
    assert (
        closing_body(Decimal(-3), SHARE).items() >= {"Quantity": "3", "TradeAction": "BUYTOCOVER", "OrderType": "Market"}.items()
    )
    assert closing_body(Decimal(3), FUTURE).items() >= {"Quantity": "3", "TradeAction": "SELL"}.items()


def test_a_confirmation_id_is_short_and_always_the_same() -> None:
    one, other = confirm_id("a-main"), confirm_id("a-exits")
    assert one == confirm_id("a-main")
    assert one != other
    assert len(one) <= 22


def test_a_change_of_a_pair_goes_to_the_order_that_has_the_price() -> None:
    pair = sample("orders_exit_pair")["Orders"]
    assert change_bodies(Change(stop_price=Decimal(5885)), pair) == [("911249499", {"StopPrice": "5885"})]
    assert change_bodies(Change(quantity=Decimal(1), limit_price=Decimal(5925)), pair) == [
        ("911249498", {"Quantity": "1", "LimitPrice": "5925"}),
        ("911249499", {"Quantity": "1"}),
    ]


# --- every sample ---------------------------------------------------------------------------------------------------------------

READ: dict[str, Callable[[Any], object]] = {
    "order_": own_view,
    "orders_wrong": lambda doc: text_of(errors_in(doc)),
    "orders_not": lambda doc: orders_in(Reply(200, {}, json.dumps(doc).encode()), ["1"]).absent == {"1"},
    "orders_": lambda doc: [own_view(each) for each in orders_in(Reply(200, {}, json.dumps(doc).encode())).orders],
    "placed": lambda doc: [each["OrderID"] for each in doc["Orders"]],
    "answer_": lambda doc: errors_in(doc) == (),
    "refusal_": lambda doc: reason_of(text_of(errors_in(doc))),
    "change_sent": lambda doc: doc["OrderID"],
    "cancel_sent": lambda doc: doc["OrderID"],
    "change_": lambda doc: text_of(errors_in(doc)),
    "cancel_": lambda doc: text_of(errors_in(doc)),
    "error_": lambda doc: text_of(errors_in(doc)),
    "bars_not": lambda doc: text_of(errors_in(doc)),
    "bars_": lambda doc: [bar_of(each, "ESZ6", NOW) for each in doc["Bars"]],
}
ELSEWHERE = ("token_", "accounts", "balances_", "positions", "symbols_", "quotes", "preview_")
"""Read in test_sign_in and test_account."""


@pytest.mark.parametrize("name", sorted(file.stem for file in EVENTS.glob("*.json")))
def test_every_sample_is_understood(name: str) -> None:
    if not name.startswith(ELSEWHERE):
        read = next(read for prefix, read in READ.items() if name.startswith(prefix))
        assert read(sample(name))
