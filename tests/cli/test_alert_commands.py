"""Why did nothing happen? The inbox and previews by hand: what programs get, what a person sees, and that nothing is sent."""

import io
import json
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fillpath.alerts.accept import Desks, accept
from fillpath.alerts.case import Hit
from fillpath.errors import Refused
from fillpath.orders.model import Leg, Side
from fillpath_brokers import registry
from fillpath_brokers.paper.venue import PaperBroker
from tests.cli.local_stack import Stack
from tests.fakes.lane_queue import FakeLaneQueue

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]


def fields(stack: Stack, **more: Any) -> dict[str, Any]:
    base = {"action": "buy", "symbol": "AAPL", "quantity": 1, "timestamp": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"}
    return {
        name: value for name, value in (base | {"secret": stack.seeded["webhook_secret"]} | more).items() if value is not None
    }


def post(stack: Stack, **more: Any) -> None:
    """Through the front desk, as the webhook does."""
    desks = Desks(stack.target.alerts, FakeLaneQueue(), stack.target.master_key, registry)
    token = stack.seeded["webhook_url"].rsplit("/", 1)[1]
    try:
        accept(Hit(token, json.dumps(fields(stack, **more)).encode(), datetime.now(UTC)), desks)
    except Refused:
        return


def preview(stack: Stack, folder: Path, **more: Any) -> Any:
    file = folder / "alert.json"
    file.write_text(json.dumps(fields(stack, **more)))
    return stack.run("alert", "preview", str(file), "--json").json


def holds(stack: Stack, quantity: int) -> None:
    stack.target.prices.put("AAPL", Decimal(230), datetime.now(UTC))
    broker = stack.target.broker(stack.directory.accounts()[0])
    assert isinstance(broker, PaperBroker)
    side = Side.BUY if quantity > 0 else Side.SELL
    broker.submit(Leg(leg="main", client_order_id="one", contract="AAPL", side=side, quantity=Decimal(abs(quantity))))


# --- the inbox ----------------------------------------------------------------------------------------------------------------


def test_alerts_are_listed_the_newest_first(stack: Stack) -> None:
    assert "No alerts yet" in stack.run("alerts").out
    post(stack)
    post(stack, secret="wrong")
    listed = stack.run("alerts", "--json").json
    assert [(each["code"], each["layer"], each["dialect"]) for each in listed] == [
        ("bad_secret", "secret", "canonical"),
        ("accepted", "commit", "canonical"),
    ]
    assert stack.run("alerts", "--refused", "--json").json == listed[:1]
    assert stack.run("alerts", "--limit", "1", "--json").json == listed[:1]
    table = stack.run("alerts").out
    assert "bad_secret" in table
    assert "tradingview" in table


def test_one_alert_is_shown_with_each_layer_and_its_orders(stack: Stack) -> None:
    post(stack)
    (entry,) = stack.run("alerts", "--json").json
    shown = stack.run("alerts", "show", entry["alert_id"], "--json").json
    assert set(shown["layers"].values()) == {"passed"}
    assert [(order["order_id"], order["state"]) for order in shown["orders"]] == [(entry["order_ids"][0], "QUEUED")]
    assert shown["canonical"]["symbol"] == "AAPL"
    assert stack.seeded["webhook_secret"] not in json.dumps(shown)
    text = stack.run("alerts", "show", entry["alert_id"][-6:].lower())
    assert text.code == 0
    assert "QUEUED" in text.out


def test_a_refused_alert_shows_which_layer_refused_it(stack: Stack) -> None:
    post(stack, secret="wrong")
    (entry,) = stack.run("alerts", "--json").json
    shown = stack.run("alerts", "show", entry["alert_id"], "--json").json
    assert list(shown["layers"].items())[:3] == [("parse", "passed"), ("time", "passed"), ("secret", "refused")]
    assert set(list(shown["layers"].values())[3:]) == {"not reached"}
    assert shown["orders"] == []
    text = stack.run("alerts", "show", entry["alert_id"]).out
    assert "No order was made of it" in text
    assert "bad_secret" in text


@pytest.mark.parametrize("alert_id", ["NOSUCH", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "x"])
def test_an_unknown_alert_is_an_error(stack: Stack, alert_id: str) -> None:
    ran = stack.run("alerts", "show", alert_id, "--json")
    assert (ran.code, ran.out) == (1, "")
    assert f"there is no alert {alert_id}" in ran.err


# --- the preview --------------------------------------------------------------------------------------------------------------


def test_a_preview_shows_the_order_and_sends_nothing(stack: Stack, tmp_path: Path) -> None:
    shown = preview(stack, tmp_path)
    assert (shown["refused"], shown["dialect"], shown["reasons"]) == (False, "canonical", [])
    (route,) = shown["routes"]
    assert (route["account_id"], route["contract"], route["operation"]) == (stack.seeded["account_id"], "AAPL", "enter_long")
    assert (route["position_before"], route["held"]) == ("0", {})
    assert route["plan"] == {"kind": "trade", "reason": "", "side": "buy", "close": "0", "open": "1", "after": "1"}
    assert stack.webhook.alerts == []
    assert stack.run("alerts", "--json").json == []
    assert stack.run("orders", "--json").json == []


def test_a_preview_runs_from_what_the_account_holds(stack: Stack, tmp_path: Path) -> None:
    holds(stack, -2)
    (route,) = preview(stack, tmp_path)["routes"]
    assert (route["position_before"], route["held"]) == ("-2", {"AAPL": "-2"})
    assert route["plan"] == {"kind": "reversal", "reason": "", "side": "buy", "close": "2", "open": "1", "after": "1"}
    text = stack.run("alert", "preview", str(tmp_path / "alert.json")).out
    assert "reversal: closes 2, then opens 1" in text


def test_a_preview_tells_every_reason(stack: Stack, tmp_path: Path) -> None:
    stack.run("webhook", "set", "tradingview", "--daily-limit", "0")
    stack.run("account", "set", "paper", "--no-terms")
    shown = preview(stack, tmp_path, secret=None, timestamp="2026-01-05T14:30:00Z")
    assert shown["refused"]
    assert [reason["code"] for reason in shown["reasons"]] == ["stale_alert", "bad_secret", "daily_limit"]
    assert [reason["code"] for reason in shown["routes"][0]["reasons"]] == ["terms_not_accepted"]
    text = stack.run("alert", "preview", str(tmp_path / "alert.json")).out
    for part in ("It would be refused", "stale_alert", "bad_secret", "daily_limit", "terms_not_accepted"):
        assert part in text


def test_a_preview_of_a_message_without_a_time_knows_its_dialect_and_how_the_webhook_is_set(stack: Stack, tmp_path: Path) -> None:
    assert preview(stack, tmp_path, timestamp=None)["dialect"] == "canonical"
    text = stack.run("alert", "preview", str(tmp_path / "alert.json")).out
    assert "webhook set tradingview --time arrival" in text
    assert "not understood" not in text


def test_a_message_that_cannot_be_read_has_no_dialect(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "alert.json"
    file.write_text('{"action"')
    assert stack.run("alert", "preview", str(file), "--json").json["dialect"] == ""
    assert "Dialect" not in stack.run("alert", "preview", str(file)).out


def test_a_preview_knows_where_the_webhook_has_its_secret(stack: Stack, tmp_path: Path) -> None:
    stack.run("webhook", "set", "tradingview", "--secret-in", "url", "--time", "arrival")
    assert not preview(stack, tmp_path, secret=None, timestamp=None)["refused"]


def test_a_message_of_standard_input_may_be_in_any_dialect(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"key={stack.seeded['webhook_secret']};command=PLACE;account=Sim101;instrument=AAPL;action=BUY;qty=1;"
    text += "order_type=MARKET;tif=DAY;"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    shown = stack.run("alert", "preview", "-", "--json").json
    assert (shown["dialect"], shown["refused"]) == ("crosstrade", False)


def test_a_file_that_cannot_be_read_is_named(stack: Stack) -> None:
    ran = stack.run("alert", "preview", "/no/such/file", "--json")
    assert (ran.code, ran.out) == (1, "")
    assert "FILE: /no/such/file cannot be read" in ran.err


def test_send_may_be_written_out(stack: Stack) -> None:
    assert stack.run("alert", "send", "buy", "AAPL", "1", "--json").code == 0
    assert stack.run("alert", "buy", "AAPL", "1", "--json").code == 0
    assert len(stack.webhook.alerts) == 2
