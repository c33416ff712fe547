"""Every status and code that the webhook API can give, over HTTP as a sender sees them."""

import json
import time
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from fillpath.accounts.model import Credentials, Route
from fillpath.alerts.message import strategy_message
from fillpath.orders.model import OrderState
from tests.e2e.conftest import NewTrader
from tests.e2e.local_stack import LocalStack
from tests.e2e.trader import Trader
from tests.waiting import until

TRADINGVIEW_HANGS_UP_S = 3.0


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Status and code; every error has the same shape."""
    body = answer.json()
    assert answer.headers["content-type"] == "application/json"
    assert sorted(body) == ["details", "error", "message"]
    return answer.status_code, body["error"]


# --- accepted -------------------------------------------------------------------------------------------------------------------


def test_an_alert_whose_order_ends_in_time_is_answered_with_the_fill(trader: Trader) -> None:
    answer = trader.post("buy", 1)
    assert answer.status_code == 200
    (order,) = answer.json()["orders"]
    assert (order["state"], order["filled_quantity"], order["alert_id"]) == ("FILLED", "1", answer.json()["alert_id"])
    assert [event["to"] for event in order["events"]] == ["QUEUED", "SUBMITTING", "FILLED"]
    assert "user_id" not in order


def test_an_alert_whose_order_takes_longer_is_answered_before_tradingview_hangs_up(stack: LocalStack, trader: Trader) -> None:
    trader.scenario("delay", seconds="3")
    begun = time.monotonic()
    answer = trader.post("buy", 1)
    assert time.monotonic() - begun < TRADINGVIEW_HANGS_UP_S
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/trading/orders?alert_id={answer.json()['alert_id']}"
    (order,) = answer.json()["orders"]
    assert order["state"] in {"QUEUED", "SUBMITTING", "WORKING"}
    until(trader.position)
    assert stack.verify(trader.look(order["order_id"]), "main") == []
    assert trader.look(order["order_id"]).state is OrderState.FILLED


def test_the_message_to_paste_works_as_tradingview_fills_it_in(trader: Trader) -> None:
    filled_in = {
        "{{strategy.order.action}}": "buy",
        "{{ticker}}": "ES1!",
        "{{exchange}}": "CME_MINI",
        "{{strategy.order.contracts}}": "2",
        "{{strategy.market_position}}": "long",
        "{{strategy.market_position_size}}": "2",
        "{{strategy.prev_market_position}}": "flat",
        "{{strategy.prev_market_position_size}}": "0",
        "{{strategy.order.id}}": "Long",
        "{{timenow}}": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
    }
    message = strategy_message(trader.access.secret)
    for placeholder, value in filled_in.items():
        message = message.replace(placeholder, value)
    assert "{{" not in message
    assert trader.send(message).status_code == 200
    assert trader.position() == 2


def test_a_json_alert_may_come_as_plain_text(trader: Trader) -> None:
    assert trader.send(trader.alert("buy", 1), "text/plain; charset=utf-8").status_code == 200


def test_numbers_may_come_as_strings(trader: Trader) -> None:
    sizes = {
        "market_position": "long",
        "market_position_size": "2",
        "prev_market_position": "flat",
        "prev_market_position_size": "0",
    }
    answer = trader.post("buy", "2", price="5900.25", **sizes)
    assert (answer.status_code, answer.json()["orders"][0]["filled_quantity"]) == (200, "2")


def test_a_fraction_of_a_share_is_traded_as_it_is(trader: Trader) -> None:
    answer = trader.post("buy", 0.125, "NASDAQ:AAPL")
    assert (answer.status_code, answer.json()["orders"][0]["filled_quantity"]) == (200, "0.125")


def test_the_token_may_come_in_the_body(trader: Trader) -> None:
    alert = trader.alert("buy", 1, token=trader.access.token)
    assert trader.send(alert, path="/webhook/tradingview").status_code == 200


def test_one_refused_route_of_three_does_not_hold_up_the_others(stack: LocalStack, traders: NewTrader) -> None:
    trader = traders(accounts=3)
    first, second, third = trader.accounts
    stack.target.accounts.save(second.model_copy(update={"terms_accepted_at": None}))
    answer = trader.post("buy", 1)
    assert answer.status_code == 200
    outcome = {order["account_id"]: (order["state"], order["reason"]) for order in answer.json()["orders"]}
    assert outcome == {
        first.account_id: ("FILLED", None),
        second.account_id: ("REJECTED", "terms_not_accepted"),
        third.account_id: ("FILLED", None),
    }
    assert [trader.position(account) for account in trader.accounts] == [1, 0, 1]


# --- 400 and 413 ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"timestamp": None}, "timestamp"),
        ({"timestamp": "yesterday"}, "timestamp"),
        ({"action": "bye"}, "action"),
        ({"quantity": "{{strategy.order.contracts}}"}, "quantity"),
        ({"quantity": 0}, "quantity"),
        ({"quantity": -1}, "quantity"),
        ({"symbol": "NOSUCH"}, "symbol"),
        ({"quantitty": 1}, "quantitty"),
        ({"type": "limit"}, "limit_price"),
        ({"type": "limit", "limit_price": "5900.10"}, "limit_price"),
        ({"market_position": "long"}, "market_position_size"),
    ],
)
def test_a_wrong_field_is_named(trader: Trader, fields: dict[str, Any], named: str) -> None:
    answer = trader.send({name: value for name, value in (trader.alert("buy", 1) | fields).items() if value is not None})
    assert refusal(answer) == (400, "invalid_alert")
    assert answer.json()["details"]["field"] == named
    assert answer.json()["details"]["reason"]


@pytest.mark.parametrize("body", ["", "buy ES", '{"action": "buy", "quantity": }', '{"quantity": NaN}', "[]", '"text"'])
def test_what_is_no_json_object_is_refused(trader: Trader, body: str) -> None:
    answer = trader.send(body, "text/plain")
    assert (refusal(answer), answer.json()["details"]["field"]) == ((400, "invalid_alert"), "body")


def test_a_body_of_more_than_8_kb_is_refused(trader: Trader) -> None:
    assert refusal(trader.post("buy", 1, comment="x" * 8192)) == (413, "invalid_alert")


# --- 401 ------------------------------------------------------------------------------------------------------------------------


def test_an_unknown_token_is_refused(trader: Trader) -> None:
    answer = trader.send(trader.alert("buy", 1), path="/webhook/tradingview/nobodys")
    assert refusal(answer) == (401, "unknown_token")


def test_a_missing_token_is_refused(trader: Trader) -> None:
    assert refusal(trader.send(trader.alert("buy", 1), path="/webhook/tradingview")) == (401, "unknown_token")


@pytest.mark.parametrize("secret", ["wrong", None])
def test_a_wrong_or_missing_secret_is_refused(trader: Trader, secret: str | None) -> None:
    assert refusal(trader.post("buy", 1, secret=secret)) == (401, "bad_secret")


def test_the_secret_of_another_webhook_is_refused(trader: Trader, traders: NewTrader) -> None:
    assert refusal(trader.post("buy", 1, secret=traders().access.secret)) == (401, "bad_secret")


@pytest.mark.parametrize(
    ("action", "age_s"), [("buy", 32), ("buy", -15), ("close", 302)], ids=["old entry", "future", "old reduction"]
)
def test_a_stale_alert_is_refused(trader: Trader, action: str, age_s: int) -> None:
    assert refusal(trader.post(action, 1, age_s=age_s)) == (401, "stale_alert")


def test_a_reduction_may_be_older_than_an_entry(trader: Trader) -> None:
    trader.hold(1)
    assert trader.post("close", age_s=120).status_code == 200
    assert trader.position() == 0


# --- 403 and 429 ----------------------------------------------------------------------------------------------------------------


def test_the_same_alert_again_is_told_what_it_became(trader: Trader) -> None:
    alert = trader.alert("buy", 1)
    first = trader.send(alert).json()
    again = trader.send(json.dumps(alert, indent=2, sort_keys=True))
    assert refusal(again) == (403, "replayed_alert")
    assert again.json()["details"] == first
    assert trader.position() == 1


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"plan_active": False}, "plan_inactive"),
        ({"account": {"terms_accepted_at": None}}, "terms_not_accepted"),
        ({"account": {"symbols": ("NQ",)}}, "symbol_not_allowed"),
        ({"account": {"venue": "nosuch"}}, "unsupported"),
        ({"routes": (Route(account_id="not-there"),)}, "not_found"),
    ],
)
def test_an_entry_that_no_route_may_take_is_refused(traders: NewTrader, settings: dict[str, Any], code: str) -> None:
    answer = traders(**settings).post("buy", 1)
    assert refusal(answer) == (403, code)
    assert [route["code"] for route in answer.json()["details"]["routes"]] == [code]


def test_what_the_venue_cannot_do_is_refused_with_what_it_can(traders: NewTrader) -> None:
    at_alpaca = traders(account={"venue": "alpaca", "credentials": Credentials.VERIFIED})
    answer = at_alpaca.post("buy", 1, "ES1!")
    assert refusal(answer) == (403, "unsupported")
    assert answer.json()["message"].endswith("it trades: equity")


def test_an_account_without_verified_credentials_is_refused(traders: NewTrader) -> None:
    assert refusal(traders(account={"venue": "tradovate"}).post("buy", 1)) == (403, "credentials_missing")


def test_a_size_that_the_instrument_does_not_trade_in_is_refused(trader: Trader) -> None:
    assert refusal(trader.post("buy", "1.5")) == (403, "bad_quantity")


@pytest.mark.parametrize("scope", ["account", "user"])
def test_an_entry_under_a_halt_is_refused(trader: Trader, scope: str) -> None:
    trader.halt(scope)
    assert refusal(trader.post("buy", 1)) == (403, "halted")


def test_what_reduces_is_refused_for_no_plan_terms_list_limit_or_halt(stack: LocalStack, traders: NewTrader) -> None:
    trader = traders(daily_limit=1)
    trader.hold(1)
    stack.target.accounts.save(trader.user.model_copy(update={"plan_active": False}))
    stack.target.accounts.save(trader.account.model_copy(update={"terms_accepted_at": None, "symbols": ("NQ",)}))
    trader.halt()
    assert trader.post("close").status_code == 200
    assert trader.position() == 0


def test_a_daily_limit_counts_each_entry_once(traders: NewTrader) -> None:
    trader = traders(daily_limit=2)
    first = trader.alert("buy", 1)
    assert [trader.send(first).status_code, trader.send(first).status_code] == [200, 403]
    assert trader.post("buy", 1).status_code == 200
    over = trader.post("buy", 1)
    assert refusal(over) == (429, "daily_limit")
    assert over.json()["details"]["limit"] == 2
    assert over.json()["details"]["resets_at"].endswith("T00:00:00Z")


# --- 503 ------------------------------------------------------------------------------------------------------------------------


def test_an_alert_that_could_not_be_kept_succeeds_when_it_is_sent_again(stack: LocalStack, trader: Trader) -> None:
    alert = trader.alert("buy", 1)
    with stack.denied("webhook", "dynamodb:TransactWriteItems", "dynamodb:PutItem"):
        assert refusal(trader.send(alert)) == (503, "try_again")
    answer = trader.send(alert)
    assert (answer.status_code, answer.json()["orders"][0]["state"]) == (200, "FILLED")
    assert len(trader.broker_orders()) == 1


def test_an_alert_that_could_not_be_judged_is_to_be_sent_again(stack: LocalStack, trader: Trader) -> None:
    with stack.denied("webhook", "dynamodb:GetItem"):
        assert refusal(trader.post("buy", 1)) == (503, "try_again")
    assert trader.broker_orders() == []


# --- what is kept of it ---------------------------------------------------------------------------------------------------------


def test_every_hit_on_a_known_token_is_in_the_inbox_without_its_secret(stack: LocalStack, trader: Trader) -> None:
    trader.post("buy", 1)
    trader.post("buy", 1, secret="wrong-secret")
    trader.send("buy ES")
    found = stack.dynamodb.query(
        TableName=stack.description["tables"]["guards"],
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"INBOX#{trader.user.user_id}"}},
    )["Items"]
    assert [(item["code"]["S"], item["layer"]["S"]) for item in found] == [
        ("accepted", "commit"),
        ("bad_secret", "secret"),
        ("invalid_alert", "parse"),
    ]
    assert trader.access.secret not in str(found)
    assert "wrong-secret" not in str(found)
