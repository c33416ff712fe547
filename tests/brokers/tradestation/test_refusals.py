"""TradeStation's refusals: its texts come in, our reason codes go out."""

from typing import Any

import pytest

from fillpath_brokers.tradestation.refusals import errors_in, has_ended, is_duplicate, is_unknown_order, read, reason_of, text_of
from fillpath_brokers.web import Reply
from tests.brokers.tradestation.rig import sample


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("refusal_funds", "insufficient_margin"),
        ("refusal_price", "invalid_price"),
        ("refusal_boxed", "insufficient_position"),
        ("refusal_symbol", "invalid_symbol"),
        ("refusal_duration", "unsupported"),
        ("refusal_closed", "market_closed"),
        ("refusal_account_type", "unsupported"),
    ],
)
def test_a_refusal_has_our_code_and_their_text(name: str, reason: str) -> None:
    text = text_of(errors_in(sample(name)))
    assert reason_of(text) == reason
    assert len(text) > 10


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Order failed. Reason: Insufficient buying power", "insufficient_margin"),
        ("Order failed. Reason: Account does not meet margin requirement", "insufficient_margin"),
        ("Invalid Stop Price - Stop Price must be above current market.", "invalid_price"),
        ("Account is Closing Transactions Only", "account_blocked"),
        ("Symbol is hard to borrow", "short_not_allowed"),
        ("Not entitled to data for this symbol", "not_entitled"),
        ("Exceeds maximum contracts for this account", "position_limit"),
        ("Invalid quantity", "invalid_quantity"),
        ("Something else", "rejected"),
    ],
)
def test_texts_are_matched_loosely(text: str, reason: str) -> None:
    assert reason_of(text) == reason


@pytest.mark.parametrize("name", ["cancel_not_open", "cancel_again", "change_too_late"])
def test_what_has_ended_cannot_be_cancelled_any_more(name: str) -> None:
    assert has_ended(text_of(errors_in(sample(name))))


def test_other_refusals_of_a_cancellation_are_none_of_these() -> None:
    assert not has_ended(text_of(errors_in(sample("error_gateway_timeout"))))


def test_a_duplicate_and_an_unknown_order_are_known() -> None:
    assert is_duplicate(text_of(errors_in(sample("refusal_duplicate"))))
    assert is_unknown_order(text_of(errors_in(sample("orders_not_found"))))
    assert not is_unknown_order(text_of(errors_in(sample("orders_wrong_account"))))


@pytest.mark.parametrize(
    ("text", "by_text", "named"),
    [
        ("Order not found.", True, True),
        ("Invalid order ID.", True, True),
        ("No orders found", True, True),
        ("Not found.", False, True),
        ("HTTP 404 Not Found", False, True),
        ("Account not found", False, False),
        ("Order not found in this account", False, False),
        ("The order cannot be read now", False, False),
    ],
)
def test_an_unknown_order_is_known_by_a_text_about_an_order_or_by_its_id(text: str, by_text: bool, named: bool) -> None:
    assert is_unknown_order(text) is by_text
    assert is_unknown_order(text, named=True) is named


def test_an_error_among_the_orders_counts_too() -> None:
    [error] = errors_in({"Orders": [{"OrderID": "1", "Error": "FAILED", "Message": "no"}]})
    assert error["Message"] == "no"


@pytest.mark.parametrize("document", [None, [], "text", 1, {"Errors": None}, {"Errors": "no"}, {"Orders": None}])
def test_odd_answers_have_no_errors(document: Any) -> None:
    assert errors_in(document) == ()


def test_a_body_that_is_no_json_is_told_as_it_is() -> None:
    assert read(Reply(502, {}, b"<html>Bad gateway</html>")) == "<html>Bad gateway</html>"
