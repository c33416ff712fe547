"""Trading by hand: what the commands print for programs, what they send, and what they refuse."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cli.application import run
from fillpath.orders.model import Event, Leg, LegStatus, Listing, Order, OrderState, OrderType, Side, new_leg
from fillpath.orders.result import order_record
from fillpath_aws.alert_store import DynamoAlertStore, Tables
from fillpath_brokers.paper.venue import PaperBroker
from tests.cli.local_stack import Stack
from tests.contract.moto import Moto
from tests.contract.records import an_entry, an_order

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]

RECORD = {
    *("symbol", "action", "order_type", "type", "quantity", "limit_price", "stop_price", "source"),
    *("order_id", "alert_id", "state", "reason", "submitted_at"),
    *("average_price", "filled_quantity", "filled_at", "commission"),
    *("auto_exit", "exit_quantity", "position_before", "legs"),
    *("user_id", "account_id", "venue", "simulation", "received_at", "events"),
}
LEG = {"leg", "client_order_id", "broker_order_id", "side", "quantity", "filled_quantity", "average_price", "status"}


def accepted(stack: Stack, moto: Moto, **changes: Any) -> Order:
    order = an_order(datetime.now(UTC), user_id=stack.seeded["user"]["id"], account_id=stack.seeded["account_id"], **changes)
    tables = Tables(orders="orders", accounts="accounts", guards="guards")
    DynamoAlertStore(moto.dynamodb, tables).accept(order.order_id, (order,), an_entry(order))
    return order


def filled(stack: Stack, moto: Moto) -> Order:
    order = accepted(stack, moto, quantity=Decimal(1), contract="ESZ6")
    leg = new_leg(order, "main", "ESZ6", Side.BUY, Decimal(1), reduce_only=False)
    fill = {"status": LegStatus.FILLED, "filled_quantity": Decimal(1), "average_price": Decimal("5900.50")}
    events = (
        Event(at=order.received_at, to_state="QUEUED"),
        Event(at=order.received_at, from_state="QUEUED", to_state="FILLED", reason="why"),
    )
    change = {"state": OrderState.FILLED, "legs": (leg.model_copy(update=fill),), "events": events, "listing": Listing.NONE}
    return stack.target.orders.save(order, order.model_copy(update={**fill, **change}))


def resting(stack: Stack, moto: Moto) -> Order:
    order = accepted(stack, moto, type=OrderType.LIMIT, limit_price=Decimal(5800))
    leg = new_leg(order, "main", "ESZ6", Side.BUY, Decimal(1), reduce_only=False)
    change = {"state": OrderState.WORKING, "legs": (leg,), "listing": Listing.WORKING}
    return stack.target.orders.save(order, order.model_copy(update=change))


def buys(stack: Stack, quantity: str, price: str) -> None:
    stack.target.prices.put("ESZ6", Decimal(price), datetime.now(UTC))
    broker = stack.target.broker(stack.directory.accounts()[0])
    leg = Leg(leg="main", client_order_id="one", contract="ESZ6", side=Side.BUY, quantity=Decimal(quantity))
    assert isinstance(broker, PaperBroker)
    broker.submit(leg)


def test_orders_are_listed_for_programs_the_newest_first(stack: Stack, moto: Moto) -> None:
    first, second = filled(stack, moto), accepted(stack, moto)
    listed = stack.run("orders", "--json").json
    assert [order["order_id"] for order in listed] == [second.order_id, first.order_id]
    assert set(listed[0]) >= RECORD
    assert stack.run("orders", "--json", "--limit", "1").json == listed[:1]


def test_one_order_is_an_object_with_legs_and_events(stack: Stack, moto: Moto) -> None:
    order = filled(stack, moto)
    shown = stack.run("orders", order.order_id, "--json").json
    assert set(shown["legs"][0]) >= LEG
    assert shown["average_price"] == "5900.5"
    assert [set(event) for event in shown["events"]] == [{"at", "from", "to", "reason"}] * 2


def test_an_order_is_found_by_the_end_of_its_id(stack: Stack, moto: Moto) -> None:
    order = filled(stack, moto)
    shown = stack.run("orders", order.order_id[-6:].lower())
    assert shown.code == 0
    for part in (order.order_id, "paper", "FILLED", "1 ESZ6 at 5900.50", "Step ms"):
        assert part in shown.out


def test_an_unknown_order_is_an_error_on_stderr(stack: Stack) -> None:
    for order_id in ("NOSUCH", "01ARZ3NDEKTSV4RRFFQ69G5FAV"):
        ran = stack.run("orders", order_id, "--json")
        assert (ran.code, ran.out) == (1, "")
        assert f"there is no order {order_id}" in ran.err


def test_positions_are_signed_and_name_the_contract(stack: Stack) -> None:
    buys(stack, "2", "5900")
    expected = {"account_id": stack.seeded["account_id"], "symbol": "ESZ6", "quantity": "2", "average_price": "5900"}
    assert stack.run("positions", "--json").json[0] == expected
    assert "+2" in stack.run("positions").out


def test_positions_of_one_account_are_asked_for_by_its_label(stack: Stack) -> None:
    buys(stack, "2", "5900")
    stack.run("account", "add", "paper", "--label", "empty")
    (worth,) = stack.run("positions", "--account", "empty", "--json").json
    assert worth["account_id"] == stack.directory.account("empty").account_id
    assert (worth["balances"]["cash"], worth["balances"]["currency"]) == ("1000000", "USD")


def test_an_alert_is_posted_with_time_and_secret(stack: Stack) -> None:
    sent = stack.run("alert", "sell", "ES1!", "1.5", "--order-type", "exit", "--type", "limit", "--limit-price", "5900", "--json")
    path, alert = stack.webhook.alerts[0]
    assert stack.seeded["webhook_url"].endswith(path)
    age = datetime.now(UTC) - datetime.fromisoformat(alert.pop("timestamp"))
    assert 0 <= age.total_seconds() < 5
    assert alert == {
        "action": "sell",
        "symbol": "ES1!",
        "quantity": "1.5",
        "order_type": "exit",
        "type": "limit",
        "limit_price": "5900",
        "secret": stack.seeded["webhook_secret"],
    }
    assert sent.json | {"elapsed_ms": 0} == {"status": 200, "elapsed_ms": 0, "alert_id": "A", "orders": []}


def test_an_alert_of_a_file_keeps_what_it_says_itself(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "alert.json"
    file.write_text(json.dumps({"action": "buy", "qty": 1.25, "timestamp": "2026-01-05T14:30:00Z", "secret": "its own"}))
    stack.run("alert", "--file", str(file), "--field", "symbol=AAPL", "--json")
    sent = {"action": "buy", "qty": "1.25", "symbol": "AAPL", "timestamp": "2026-01-05T14:30:00Z", "secret": "its own"}
    assert stack.webhook.alerts[0][1] == sent


def test_a_pasted_tradingview_message_gets_the_time_that_tradingview_would_fill_in(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "alert.json"
    file.write_text('{"action": "buy", "timestamp": "{{timenow}}"}')
    stack.run("alert", "--file", str(file), "--json")
    assert stack.webhook.alerts[0][1]["timestamp"].startswith("20")


def test_a_refused_alert_is_no_success_and_tells_why(stack: Stack) -> None:
    body = {"error": "stale_alert", "message": "timestamp: is 99 s old", "details": {}}
    stack.webhook.answers(401, body)
    ran = stack.run("alert", "buy", "ES1!", "1", "--json")
    assert ran.code == 1
    assert ran.json | {"elapsed_ms": 0} == {"status": 401, "elapsed_ms": 0, **body}
    assert "401 stale_alert: timestamp: is 99 s old" in ran.err


@pytest.mark.parametrize(("states", "code"), [(["REJECTED"], 1), (["FILLED"], 0), (["REJECTED", "FILLED"], 0), (["SKIPPED"], 0)])
def test_an_alert_whose_orders_all_failed_is_no_success(stack: Stack, states: list[str], code: int) -> None:
    results = [order_record(an_order(state=state, reason="insufficient_margin", message="needs 1,000 USD")) for state in states]
    stack.webhook.answers(200, {"alert_id": "A", "orders": results})
    ran = stack.run("alert", "buy", "ES1!", "1")
    assert ran.code == code
    assert ("REJECTED: insufficient_margin: needs 1,000 USD" in ran.err) == (code == 1)


@pytest.mark.parametrize(("wanted", "side", "size"), [("-1", "short", "1"), ("2", "long", "2"), ("0", "flat", "0")])
def test_a_target_is_told_in_the_fields_of_the_webhook(stack: Stack, wanted: str, side: str, size: str) -> None:
    assert stack.run("alert", "target", "ES1!", wanted, "--json").code == 0
    sent = stack.webhook.alerts[0][1]
    assert (sent["market_position"], sent["market_position_size"], "quantity" in sent) == (side, size, False)


def test_an_action_may_come_as_a_field_and_a_time_in_force_as_an_option(stack: Stack) -> None:
    assert stack.run("alert", "--field", "action=cancel", "--field", "symbol=ES1!", "--json").code == 0
    assert stack.run("alert", "buy", "ES1!", "1", "--time-in-force", "gtc", "--json").code == 0
    assert [stack.webhook.alerts[0][1]["action"], stack.webhook.alerts[1][1]["time_in_force"]] == ["cancel", "gtc"]


def test_a_trail_may_be_in_percent(stack: Stack) -> None:
    stack.run("alert", "buy", "ES1!", "1", "--type", "trailing_stop", "--trail-percent", "2", "--json")
    assert stack.webhook.alerts[0][1]["trail_percent"] == "2"


def test_a_target_with_a_sign_is_told_what_to_write_instead(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "alert.json"
    file.write_text('{"action": "target", "symbol": "ES1!", "quantity": -1}')
    stack.webhook.answers(400, {"error": "invalid_alert", "message": "quantity: input should be greater than or equal to 0"})
    assert "send market_position short and market_position_size 1" in stack.run("alert", "--file", str(file)).err
    assert "send market_position short and market_position_size 1" in stack.run("alert", "preview", str(file)).err


def test_a_refusal_names_the_webhook_in_the_command_that_helps(stack: Stack) -> None:
    message = "timestamp: is missing; or: ./fillpath webhook set --time arrival"
    stack.webhook.answers(400, {"error": "invalid_alert", "message": message})
    assert "webhook set tradingview --time arrival" in stack.run("alert", "buy", "ES1!", "1").err


def test_each_refused_route_tells_its_own_reason(stack: Stack) -> None:
    routes = [{"account_id": f"ACC{n}", "code": "halted", "message": f"reason {n}"} for n in (1, 2)]
    stack.webhook.answers(403, {"error": "halted", "message": "reason 1", "details": {"routes": routes}})
    ran = stack.run("alert", "buy", "ES1!", "1")
    assert (ran.code, ran.out) == (1, "")
    assert "account ACC2: halted: reason 2" in ran.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param((), "ACTION is missing", id="nothing"),
        pytest.param(("target", "ES1!"), "QUANTITY is missing: the position that is wanted", id="no target"),
        pytest.param(("buy", "ES1!", "-1"), "QUANTITY: -1 is not above 0", id="below zero"),
        pytest.param(("target", "ES1!", "all"), "QUANTITY: 'all' is not a number", id="no number"),
        pytest.param(("buy", "ES1!", "--qty"), "there is no option --qty", id="option"),
        pytest.param(("buy", "--field", "x"), "--field: 'x' is not NAME=VALUE", id="field"),
        pytest.param(("--file", "/no/such/file"), "--file: /no/such/file cannot be read", id="file"),
        pytest.param(("buy", "ES1!", "1", "--webhook", "none"), "there is no webhook none", id="webhook"),
    ],
)
def test_an_alert_that_cannot_be_made_is_not_sent(stack: Stack, arguments: tuple[str, ...], told: str) -> None:
    ran = stack.run("alert", *arguments)
    assert (ran.code, ran.out, stack.webhook.alerts) == (1, "", [])
    assert told in ran.err


def test_a_price_is_set_for_the_contract_that_trades_now(stack: Stack, sweep: None) -> None:
    assert stack.run("price", "AAPL", "230.50", "--json").json == {"contract": "AAPL", "price": "230.50"}
    last = stack.target.prices.last("AAPL")
    assert last is not None
    assert last[0] == Decimal("230.5")


@pytest.mark.parametrize("text", ["5900.1", "0", "-1", "nan", "much"])
def test_a_price_off_the_tick_is_refused_with_the_tick(stack: Stack, text: str) -> None:
    ran = stack.run("price", "ES1!", "--", text)
    assert (ran.code, ran.out) == (1, "")
    assert f"PRICE: {text!r}" in ran.err
    assert "0.25" in ran.err


def test_a_halt_blocks_its_scope_and_tells_what_rests(stack: Stack, moto: Moto, sweep: None) -> None:
    order = resting(stack, moto)
    user_id, account_id = stack.seeded["user"]["id"], stack.seeded["account_id"]
    halted = stack.run("halt", "--account", "paper", "--reason", "news", "--json").json
    scope = f"account:{account_id}"
    assert halted == {"scope": scope, "halted": True, "reason": "news", "cancelled": [], "still_open": [order.order_id]}
    found = stack.target.controls.halted(user_id, account_id)
    assert found is not None
    assert (found.scope, found.reason) == (scope, "news")
    assert stack.run("resume", "--json").json == {"scope": "environment", "halted": False, "still_halted": [scope]}
    assert stack.run("resume", "--account", "paper", "--json").json["still_halted"] == []
    assert stack.target.controls.halted(user_id, account_id) is None


def test_what_is_resumed_without_having_been_halted_is_told(stack: Stack) -> None:
    assert stack.run("resume").out == "There was no halt of everything.\n"
    stack.target.controls.halt("environment", datetime.now(UTC), "why")
    assert stack.run("resume").out == "Resumed everything.\n"
    assert stack.run("resume", "--account", "paper").out == "There was no halt of account paper.\n"


def test_a_halt_keeps_its_first_reason_until_a_new_one_is_given(stack: Stack, sweep: None) -> None:
    assert "Halted account paper (news)" in stack.run("halt", "--account", "paper", "--reason", "news").out
    assert stack.run("halt", "--account", "paper", "--json").json["reason"] == "news"
    assert stack.run("halt", "--account", "paper", "--reason", "other", "--json").json["reason"] == "other"
    assert stack.run("halt", "--json").json["reason"] == "by hand"
    assert "Still halted: account paper (other)" in stack.run("resume").out


def test_halt_takes_one_scope_at_a_time(stack: Stack) -> None:
    ran = stack.run("halt", "--account", "paper", "--user", "trader@example.com")
    assert (ran.code, ran.out) == (1, "")
    assert "exclude each other" in ran.err
    assert stack.target.controls.halted("", "") is None


@pytest.mark.parametrize("command", ["orders", "positions", "halt", "resume"])
def test_without_a_running_stack_the_way_to_start_it_is_told(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--local", str(tmp_path), command]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"./fillpath --local {tmp_path} up" in captured.err
