"""What Tradovate refuses, in our words. Samples are in events/brokers/tradovate."""

import json
from typing import Any

import pytest

from fillpath.orders.outcomes import RateLimited, Rejected, Unknown
from fillpath_brokers.tradovate.refusals import REASONS, change_refused, failure_in, placing_refused, rejected, why_rejected
from fillpath_brokers.web import Reply
from tests.brokers.tradovate.house import sample
from tests.simulators.tradovate.schemas import SCHEMAS


def reply(document: Any, status: int = 200) -> Reply:
    text = document if isinstance(document, str) else json.dumps(document, default=str)
    return Reply(status, {}, text.encode())


@pytest.mark.parametrize(
    ("name", "reason", "text"),
    [
        ("session_closed", "market_closed", "The market is closed"),
        ("contract", "invalid_symbol", "Contract is not found"),
        ("price", "invalid_price", "Invalid price"),
        ("max_position", "position_limit", "Maximum position limit reached"),
        ("max_quantity", "position_limit", "Your maximum order quantity has been reached."),
        ("liquidation_only", "account_blocked", "Your account is set to liquidation only."),
        ("margin", "insufficient_margin", "Insufficient funds to cover initial margin"),
        ("access", "not_entitled", "Access is denied"),
        ("too_late", "rejected", "The order is already completed"),
        ("error_text", "invalid_quantity", "Order quantity must be positive"),
        ("violations", "rejected", "Symbol should be specified"),
    ],
)
def test_a_refusal_has_our_code_and_tradovates_words(name: str, reason: str, text: str) -> None:
    assert placing_refused(reply(sample(f"refused_{name}"))) == Rejected(reason, text)


@pytest.mark.parametrize("name", ["placed", "placed_success", "placed_oso", "command_taken"])
def test_an_answer_with_ids_is_no_refusal(name: str) -> None:
    assert placing_refused(reply(sample(name))) is None
    assert change_refused(reply(sample(name))) is None


def test_a_risk_check_that_took_too_long_may_have_let_the_order_through() -> None:
    assert isinstance(placing_refused(reply(sample("refused_risk_timeout"))), Unknown)
    assert isinstance(change_refused(reply(sample("refused_risk_timeout"))), Unknown)


def test_a_change_behind_another_command_may_be_sent_again() -> None:
    assert isinstance(change_refused(reply(sample("refused_another_command"))), RateLimited)
    assert isinstance(placing_refused(reply(sample("refused_another_command"))), Unknown)


@pytest.mark.parametrize("more", [{}, {"orderId": 210518}])
def test_a_refusal_for_a_reason_that_says_nothing_is_no_evidence(more: dict[str, Any]) -> None:
    assert isinstance(placing_refused(reply({"failureReason": "UnknownReason", "failureText": "Sorry"} | more)), Unknown)


def test_a_refusal_that_names_an_order_is_looked_up_unless_it_says_why() -> None:
    named = {"failureReason": "OtherExecutionRelated", "orderId": 210518}
    assert isinstance(placing_refused(reply(named | {"failureText": "Sorry"})), Unknown)
    assert placing_refused(reply(named | {"failureText": "Invalid price"})) == Rejected("invalid_price", "Invalid price")


@pytest.mark.parametrize("status", [408, 423, 425, 500, 502, 503, 504, 302])
def test_a_status_that_proves_nothing_is_unknown(status: int) -> None:
    assert isinstance(placing_refused(reply("", status)), Unknown)


@pytest.mark.parametrize("status", [400, 403, 404, 405, 422])
def test_another_4xx_proves_that_nothing_was_placed(status: int) -> None:
    assert placing_refused(reply({"errorText": "Bad request: orderQty"}, status)) == Rejected("rejected", "Bad request: orderQty")


@pytest.mark.parametrize("status", [400, 403, 404, 405, 422])
@pytest.mark.parametrize("text", ["", "<html><h1>Forbidden</h1></html>", "null", "[]"])
def test_a_4xx_that_is_not_tradovate_s_proves_nothing(status: int, text: str) -> None:
    assert isinstance(placing_refused(reply(text, status)), Unknown)


def test_every_reason_of_the_schema_has_a_code_or_is_judged_by_its_text() -> None:
    known = SCHEMAS._definitions["$defs"]["PlaceOrderResult"]["properties"]["failureReason"]["enum"]
    judged = {"AnotherCommandPending", "OtherExecutionRelated", "RiskCheckTimeout", "Success", "UnknownReason"}
    assert set(known) == set(REASONS) | judged


def test_a_reason_without_a_code_is_judged_by_its_text() -> None:
    assert rejected("UnknownReason", "Not enough margin").reason == "insufficient_margin"
    assert rejected("SomethingNew", "").text == "SomethingNew"
    assert rejected("SomethingNew", "whatever") == Rejected("rejected", "whatever")


def test_why_an_order_was_rejected_is_told_by_its_reports() -> None:
    risk, exchange = sample("command_report_risk_rejected"), sample("execution_report_rejected")
    passed = sample("command_report_risk_passed")
    told = Rejected("insufficient_margin", "Insufficient funds: initial margin 13,000.00, available 812.40")
    assert why_rejected([passed, risk]) == told
    assert why_rejected([exchange, risk, passed]) == Rejected("market_closed", "Market closed")
    assert why_rejected([passed]) is None


@pytest.mark.parametrize("document", [None, [], 5, {}, {"failureReason": ""}, {"errorText": ""}])
def test_what_says_nothing_is_no_refusal(document: Any) -> None:
    assert failure_in(document) is None
