"""Schwab's wire form: what legs become, and what is read of its orders. Samples are in events/brokers/schwab."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from fillpath.errors import BrokerUnavailable
from fillpath.orders.model import LegStatus, OrderType, Side
from fillpath_brokers.facade import Change
from fillpath_brokers.schwab.bodies import closing_body, may_be_what_was_sent, order_body, replacement_body
from fillpath_brokers.schwab.wire import executions, exits_of, singles, view_of
from tests.brokers.schwab.site import leg, sample

LIMIT = {"type": OrderType.LIMIT, "limit_price": Decimal("229.05")}


@pytest.mark.parametrize(
    ("name", "status", "filled"),
    [
        ("order_pending_activation", LegStatus.WORKING, 0),
        ("order_queued", LegStatus.WORKING, 0),
        ("order_accepted", LegStatus.WORKING, 0),
        ("order_working", LegStatus.WORKING, 0),
        ("order_partially_filled", LegStatus.PARTIALLY_FILLED, 4),
        ("order_filled", LegStatus.FILLED, 10),
        ("order_canceled_with_fills", LegStatus.CANCELLED, 4),
        ("order_pending_cancel", LegStatus.WORKING, 0),
        ("order_expired", LegStatus.EXPIRED, 0),
        ("order_rejected_buying_power", LegStatus.REJECTED, 0),
        ("order_awaiting_stop", LegStatus.WORKING, 0),
        ("order_trailing_stop", LegStatus.WORKING, 0),
        ("order_unknown", LegStatus.WORKING, 0),
        ("order_replaced", LegStatus.CANCELLED, 4),
        ("order_replacement", LegStatus.WORKING, 0),
    ],
)
def test_each_status_has_its_meaning(name: str, status: LegStatus, filled: int) -> None:
    view = view_of(sample(name))
    assert (view.status, view.filled_quantity) == (status, filled)
    assert view.broker_order_id == str(sample(name)["orderId"])


def test_the_average_price_is_that_of_the_executions() -> None:
    view = view_of(sample("order_filled"))
    assert view.average_price == (4 * Decimal("229.03") + 6 * Decimal("229.0501")) / 10
    assert view.filled_at == datetime(2026, 11, 25, 15, 52, 10, tzinfo=UTC)


def test_an_order_of_which_all_is_filled_is_filled_whatever_its_status_says() -> None:
    assert view_of({**sample("order_filled"), "status": "WORKING"}).status is LegStatus.FILLED


def test_what_the_replaced_order_has_filled_counts() -> None:
    view = view_of(sample("order_replacement"), [sample("order_replaced")])
    assert (view.status, view.filled_quantity, view.average_price) == (LegStatus.PARTIALLY_FILLED, 4, Decimal("229.03"))


@pytest.mark.parametrize(
    ("name", "reason"),
    [("order_rejected_buying_power", "insufficient_margin"), ("order_rejected_oversold", "insufficient_position")],
)
def test_a_rejected_order_says_why(name: str, reason: str) -> None:
    assert view_of(sample(name)).reason == reason


@pytest.mark.parametrize("missing", ["status", "quantity", "orderId"])
def test_an_order_that_cannot_be_read_is_no_evidence(missing: str) -> None:
    order = {name: value for name, value in sample("order_working").items() if name != missing}
    with pytest.raises(BrokerUnavailable):
        view_of(order)


def test_executions_are_numbered_and_have_their_own_time() -> None:
    first, second = executions(sample("order_filled"), "AAPL")
    assert (first.quantity, first.price, first.side) == (4, Decimal("229.03"), Side.BUY)
    assert first.execution_id != second.execution_id
    assert first.at < second.at


def test_the_exits_of_a_bracket_are_found_inside_the_group() -> None:
    assert [each["orderType"] for each in exits_of(sample("bracket_working"))] == ["LIMIT", "STOP"]
    assert [each["orderId"] for each in singles([sample("bracket_working")])] == [1002881234010, 1002881234012, 1002881234013]
    assert len(list(singles([sample("oco_working")]))) == 2


@pytest.mark.parametrize(
    ("side", "reduce_only", "instruction"),
    [
        (Side.BUY, False, "BUY"),
        (Side.BUY, True, "BUY_TO_COVER"),
        (Side.SELL, True, "SELL"),
        (Side.SELL, False, "SELL_SHORT"),
    ],
)
def test_the_instruction_says_whether_a_position_is_opened_or_closed(side: Side, reduce_only: bool, instruction: str) -> None:
    body = order_body(leg(side=side, reduce_only=reduce_only), "AAPL")
    assert body["orderLegCollection"] == [
        {"instruction": instruction, "quantity": 10, "instrument": {"symbol": "AAPL", "assetType": "EQUITY"}}
    ]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {"orderType": "MARKET", "duration": "DAY"}),
        (LIMIT | {"time_in_force": "gtc"}, {"orderType": "LIMIT", "price": Decimal("229.05"), "duration": "GOOD_TILL_CANCEL"}),
        ({"type": OrderType.STOP, "stop_price": Decimal(220)}, {"orderType": "STOP", "stopPrice": 220}),
        (
            {"type": OrderType.STOP_LIMIT, "stop_price": Decimal(230), "limit_price": Decimal(231), "time_in_force": "fok"},
            {"orderType": "STOP_LIMIT", "stopPrice": 230, "price": 231, "duration": "FILL_OR_KILL"},
        ),
        (
            {"type": OrderType.TRAILING_STOP, "trail_amount": Decimal("1.5")},
            {
                "orderType": "TRAILING_STOP",
                "stopPriceLinkBasis": "LAST",
                "stopPriceLinkType": "VALUE",
                "stopPriceOffset": Decimal("1.5"),
            },
        ),
        (
            {"type": OrderType.TRAILING_STOP, "trail_percent": Decimal(2), "time_in_force": "ioc"},
            {"stopPriceLinkType": "PERCENT", "stopPriceOffset": 2, "duration": "IMMEDIATE_OR_CANCEL"},
        ),
    ],
)
def test_each_kind_of_order_has_its_fields(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    body = order_body(leg(**fields), "AAPL")
    assert {name: body[name] for name in expected} == expected
    assert body["orderStrategyType"] == "SINGLE"
    assert body["session"] == "NORMAL"


def test_only_limit_orders_work_outside_the_session_and_only_where_that_is_set() -> None:
    assert order_body(leg(**LIMIT), "AAPL", extended_hours=True)["session"] == "SEAMLESS"
    assert order_body(leg(), "AAPL", extended_hours=True)["session"] == "NORMAL"


def test_a_bracket_is_a_trigger_with_a_pair_behind_it() -> None:
    body = order_body(leg(**LIMIT, take_profit=Decimal(240), stop_loss=Decimal(220)), "AAPL")
    assert body["orderStrategyType"] == "TRIGGER"
    [group] = body["childOrderStrategies"]
    assert group["orderStrategyType"] == "OCO"
    target, stop = group["childOrderStrategies"]
    assert (target["orderType"], target["price"], stop["orderType"], stop["stopPrice"]) == ("LIMIT", 240, "STOP", 220)
    assert {each["orderLegCollection"][0]["instruction"] for each in (target, stop)} == {"SELL"}


def test_a_bracket_with_one_exit_has_no_group() -> None:
    [stop] = order_body(leg(side=Side.SELL, stop_loss=Decimal(240)), "AAPL")["childOrderStrategies"]
    assert (stop["orderStrategyType"], stop["orderLegCollection"][0]["instruction"]) == ("SINGLE", "BUY_TO_COVER")


@pytest.mark.parametrize(
    ("time_in_force", "duration"), [("gtc", "GOOD_TILL_CANCEL"), ("day", "DAY"), ("fok", "DAY"), ("ioc", "DAY")]
)
def test_exits_last_as_long_as_the_entry_would_and_never_end_at_once(time_in_force: str, duration: str) -> None:
    body = order_body(leg(take_profit=Decimal(240), time_in_force=time_in_force), "AAPL")
    assert body["childOrderStrategies"][0]["duration"] == duration


def test_an_exit_pair_is_a_group_that_sells_what_is_held() -> None:
    pair = leg(side=Side.SELL, type=OrderType.OCO, limit_price=Decimal(240), stop_price=Decimal(220), reduce_only=True)
    body = order_body(pair, "AAPL")
    assert body["orderStrategyType"] == "OCO"
    assert "orderLegCollection" not in body
    assert [each["orderLegCollection"][0]["instruction"] for each in body["childOrderStrategies"]] == ["SELL", "SELL"]


@pytest.mark.parametrize(("held", "instruction"), [("7", "SELL"), ("-7", "BUY_TO_COVER")])
def test_a_position_is_closed_with_its_whole_quantity(held: str, instruction: str) -> None:
    body = closing_body("AAPL", Decimal(held))
    assert body["orderLegCollection"][0]["instruction"] == instruction
    assert (body["orderLegCollection"][0]["quantity"], body["orderType"]) == (7, "MARKET")


def test_a_replacement_is_the_same_order_but_for_the_change() -> None:
    body = replacement_body(sample("order_working"), Change(limit_price=Decimal(230)), Decimal(6))
    assert body["price"] == 230
    assert (body["orderType"], body["duration"], body["session"]) == ("LIMIT", "DAY", "NORMAL")
    assert body["orderLegCollection"][0]["quantity"] == 6


def test_the_replacement_of_an_entry_keeps_its_exits() -> None:
    body = replacement_body(sample("bracket_working"), Change(limit_price=Decimal(230)), Decimal(10))
    assert body["orderStrategyType"] == "TRIGGER"
    [group] = body["childOrderStrategies"]
    assert [each.get("price", each.get("stopPrice")) for each in group["childOrderStrategies"]] == [240, 220]


PAIR = {"side": Side.SELL, "type": OrderType.OCO, "limit_price": Decimal(240), "stop_price": Decimal(220), "reduce_only": True}
BRACKET = LIMIT | {"take_profit": Decimal(240), "stop_loss": Decimal(220)}


@pytest.mark.parametrize(
    ("fields", "name", "same"),
    [
        (LIMIT, "order_working", True),
        (LIMIT, "order_partially_filled", True),
        (LIMIT, "order_replaced", True),
        (LIMIT | {"limit_price": Decimal("229.06")}, "order_working", False),
        (LIMIT | {"quantity": Decimal(9)}, "order_working", False),
        (LIMIT | {"contract": "MSFT"}, "order_working", False),
        (LIMIT | {"time_in_force": "gtc"}, "order_working", False),
        (LIMIT | {"side": Side.SELL}, "order_working", False),
        ({}, "order_working", False),
        ({}, "order_accepted", True),
        (LIMIT, "bracket_working", False),
        (BRACKET, "bracket_working", True),
        (BRACKET, "bracket_target_filled", True),
        (BRACKET, "bracket_one_exit", False),
        (BRACKET | {"take_profit": None}, "bracket_one_exit", True),
        (PAIR, "oco_working", True),
        (PAIR | {"limit_price": Decimal(241)}, "oco_working", False),
        (PAIR, "order_awaiting_stop", False),
        (
            {"side": Side.SELL, "type": OrderType.TRAILING_STOP, "trail_amount": Decimal(10), "reduce_only": True},
            "order_trailing_stop",
            True,
        ),
    ],
)
def test_an_order_is_known_by_what_was_sent(fields: dict[str, Any], name: str, same: bool) -> None:
    wanted = leg(**fields)
    assert may_be_what_was_sent(sample(name), order_body(wanted, wanted.contract), wanted) is same


def test_an_entry_is_known_though_its_exits_were_moved_and_cut() -> None:
    order = sample("bracket_working")
    for each in order["childOrderStrategies"][0]["childOrderStrategies"]:
        each["quantity"] = each["orderLegCollection"][0]["quantity"] = 4
        each.update({"price": 241} if each["orderType"] == "LIMIT" else {"stopPrice": 221})
    assert may_be_what_was_sent(order, order_body(leg(**BRACKET), "AAPL"), leg(**BRACKET))
