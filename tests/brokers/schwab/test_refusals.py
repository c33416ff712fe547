"""Schwab's errors in all their shapes, in our words."""

import pytest

from fillpath_brokers.schwab.refusals import TOO_BIG, read, refusal
from fillpath_brokers.web import Reply
from tests.brokers.schwab.site import raw


def reply(name: str, status: int = 400) -> Reply:
    return Reply(status, {}, raw(name))


@pytest.mark.parametrize(
    ("name", "status", "reason", "text"),
    [
        ("refusal_validation", 400, "invalid_quantity", "Quantity must be a whole number of shares."),
        ("refusal_stop_price", 400, "invalid_price", "Order_Sys_0002"),
        ("refusal_symbol", 400, "invalid_symbol", "Instrument for XYZQ does not exist."),
        ("refusal_buying_power", 400, "insufficient_margin", "buying power"),
        ("refusal_short", 400, "short_not_allowed", "hard to borrow"),
        ("refusal_market_closed", 400, "market_closed", "market is closed"),
        ("refusal_restricted", 403, "account_blocked", "Account_Sys_0005"),
        ("refusal_not_entitled", 403, "not_entitled", "Forbidden"),
        ("refusal_too_late_to_cancel", 400, "rejected", "current status"),
    ],
)
def test_a_refusal_has_our_code_and_schwabs_own_words(name: str, status: int, reason: str, text: str) -> None:
    refused = refusal(reply(name, status))
    assert refused.reason == reason
    assert text in refused.text


def test_market_data_errors_tell_their_detail() -> None:
    assert read(reply("refusal_market_data")).text.startswith("Enter valid frequency")


def test_a_refused_token_is_read_like_market_data() -> None:
    assert read(reply("refusal_token", 401)).text == "Client not authorized"


def test_the_gateways_fault_has_a_code() -> None:
    problem = read(reply("fault_too_big", 502))
    assert (problem.text, problem.code) == ("Body buffer overflow", TOO_BIG)


@pytest.mark.parametrize("body", [b"", b"<html>down</html>", b"[]", b"{}", b'{"errors": "no list"}', b'{"fault": {"detail": 7}}'])
def test_what_is_in_no_known_shape_is_told_as_it_is(body: bytes) -> None:
    problem = read(Reply(500, {}, body))
    assert isinstance(problem.text, str)
    assert refusal(Reply(400, {}, body)).reason == "rejected"
