"""Which HTTP status goes with which code."""

import json
from typing import Any

import pytest

from fillpath.alerts.body import MAX_BODY_BYTES, read_object
from fillpath.errors import Refused
from fillpath.orders.model import OrderState
from functions.webhook import answers
from tests.contract.records import an_order, changed


def told(answer: answers.Answer) -> tuple[int, Any]:
    assert answer["headers"]["Content-Type"] == "application/json"
    return answer["statusCode"], json.loads(answer["body"])


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("invalid_alert", 400),
        ("unknown_token", 401),
        ("bad_secret", 401),
        ("stale_alert", 401),
        ("daily_limit", 429),
        ("plan_inactive", 403),
        ("terms_not_accepted", 403),
        ("symbol_not_allowed", 403),
        ("halted", 403),
        ("unsupported", 403),
        ("credentials_missing", 403),
        ("needs_reauth", 403),
        ("not_found", 403),
    ],
)
def test_each_refusal_has_its_status_and_keeps_its_details(code: str, status: int) -> None:
    answer = told(answers.refused(Refused(code, "why", {"limit": 3})))
    assert answer == (status, {"error": code, "message": "why", "details": {"limit": 3}})


def test_a_body_that_is_too_large_has_a_status_of_its_own() -> None:
    with pytest.raises(Refused) as refusal:
        read_object(b"x" * (MAX_BODY_BYTES + 1))
    status, body = told(answers.refused(refusal.value))
    assert (status, body["error"], body["details"]["field"]) == (413, "invalid_alert", "body")


def test_orders_that_have_ended_are_the_answer() -> None:
    orders = (changed(an_order(), state=OrderState.FILLED), changed(an_order(), state=OrderState.REJECTED))
    answer = answers.settled("alert-1", orders)
    status, body = told(answer)
    assert (status, [order["state"] for order in body["orders"]]) == (200, ["FILLED", "REJECTED"])
    assert "Location" not in answer["headers"]


def test_an_order_that_goes_on_comes_with_the_place_to_ask_again() -> None:
    answer = answers.settled("alert-1", (changed(an_order(), state=OrderState.FILLED), an_order()))
    assert answer["statusCode"] == 202
    assert answer["headers"]["Location"] == "/trading/orders?alert_id=alert-1"


def test_a_replay_tells_what_the_first_one_became() -> None:
    order = an_order()
    status, body = told(answers.replayed("alert-1", (order,)))
    assert (status, body["error"], body["details"]["alert_id"]) == (403, "replayed_alert", "alert-1")
    assert body["details"]["orders"][0]["order_id"] == order.order_id


def test_nothing_decided_asks_for_a_resend() -> None:
    assert told(answers.try_again())[0] == 503


def test_no_answer_carries_user_data() -> None:
    order = changed(an_order(), user_id="somebody")
    assert "somebody" not in answers.settled("a", (order,))["body"] + answers.replayed("a", (order,))["body"]
