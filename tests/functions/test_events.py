"""The contract in events/: each file is parsed as the function does it under whose name it is filed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSEvent

from fillpath.alerts.body import read_message
from fillpath.alerts.canonical import CanonicalAlert
from fillpath.alerts.case import Hit
from fillpath.alerts.dialects.registry import understand
from fillpath.alerts.route import operation_of, reduces
from fillpath.orders.messages import CheckRequest, StepRequest, WakeUp
from fillpath.orders.model import Lane, Operation
from fillpath_aws import lane_changes
from functions.webhook.handler import hit_of

EVENTS = Path(__file__).parents[2] / "events"
ORDER_ID = "01KJQHXDKVZ8Q4T6W2YB3N5M7R"
LANE = Lane("01KJQHPA5W3S8E6D4F2G1H9JKM", "ES")

Event = dict[str, Any]


def event(name: str) -> Event:
    content: Event = json.loads((EVENTS / name).read_text())
    return content


def named(folder: str) -> list[str]:
    """The files of one function."""
    return sorted(str(file.relative_to(EVENTS)) for file in (EVENTS / folder).glob("*.json"))


def record(name: str) -> Event:
    (only,) = event(name)["Records"]
    return dict(only)


def hit(name: str) -> Hit:
    return hit_of(event(name))


def alert(name: str) -> CanonicalAlert:
    return understand(read_message((EVENTS / name).read_bytes())).alert


PARSERS: dict[str, Callable[[str], object]] = {
    "execute_order": lambda name: WakeUp.model_validate_json(record(name)["body"]),
    "publish_hours": lambda name: event(name)["time"],
    "refresh_tokens": lambda name: event(name)["time"],
    "reversal": lambda name: StepRequest.model_validate(event(name)),
    "sweep": lambda name: event(name)["time"],
    "verify_fill": lambda name: CheckRequest.model_validate_json(record(name)["body"]),
    "wake": lambda name: lane_changes.wake_up_for(record(name)["dynamodb"]) or True,
    "webhook": lambda name: understand(read_message(hit(name).body)),
    "webhook/alerts": alert,
}


def test_every_folder_has_a_parser() -> None:
    folders = {str(file.parent.relative_to(EVENTS)) for file in EVENTS.rglob("*.json")}
    dialects = {folder for folder in folders if folder.startswith("webhook/dialects/")}  # parsed by tests/alerts/test_dialects.py
    venues = {folder for folder in folders if folder.startswith("brokers/")}  # parsed by tests/brokers/<venue>
    assert folders - dialects - venues == set(PARSERS)


@pytest.mark.parametrize("name", [name for folder in PARSERS for name in named(folder)])
def test_every_event_is_understood_by_its_function(name: str) -> None:
    assert PARSERS[str(Path(name).parent)](name)


@pytest.mark.parametrize("folder", ["execute_order", "verify_fill"])
def test_a_message_stands_in_the_group_that_its_body_belongs_to(folder: str) -> None:
    for name in named(folder):
        (message,) = SQSEvent(event(name)).records
        body = message.json_body
        group = f"{body['account_id']}#{body['root']}" if folder == "execute_order" else f"{body['order_id']}#{body['leg']}"
        assert message.attributes.message_group_id == group
        assert message.attributes.message_deduplication_id


@pytest.mark.parametrize(
    ("name", "wake_id"),
    [
        ("wake/new_waiting_order.json", ORDER_ID),
        ("wake/lane_released.json", f"{LANE}#7"),
        ("wake/lane_taken_again.json", None),
        ("wake/order_taken.json", None),
    ],
)
def test_only_a_new_order_and_a_lane_without_owner_wake(name: str, wake_id: str | None) -> None:
    wake_up = lane_changes.wake_up_for(record(name)["dynamodb"])
    assert wake_up == (None if wake_id is None else (LANE, wake_id))


def test_a_body_in_base64_is_the_same_alert() -> None:
    assert understand(read_message(hit("webhook/base64.json").body)).alert == alert("webhook/alerts/strategy_reversal.json")


def test_a_hit_carries_the_token_of_the_path_and_the_gateway_s_time() -> None:
    assert hit("webhook/buy_entry.json").token == "kq2vapm5x3r7n4y6tc1w8zdehsfgjbou"
    assert hit("webhook/token_in_body.json").token is None
    assert hit("webhook/buy_entry.json").received_at.isoformat() == "2026-03-02T14:30:00.123000+00:00"


@pytest.mark.parametrize(
    ("name", "operation", "reduction"),
    [
        ("buy_entry", Operation.ENTER_LONG, False),
        ("sell_entry", Operation.ENTER_SHORT, False),
        ("long_exit", Operation.EXIT_LONG, True),
        ("short_exit", Operation.EXIT_SHORT, True),
        ("close", Operation.CLOSE, True),
        ("close_long", Operation.CLOSE_LONG, True),
        ("close_short", Operation.CLOSE_SHORT, True),
        ("target", Operation.TARGET, False),
        ("strategy_reversal", Operation.TARGET, False),
        ("strategy_flat", Operation.TARGET, True),
    ],
)
def test_what_each_alert_wants(name: str, operation: Operation, reduction: bool) -> None:
    wanted = alert(f"webhook/alerts/{name}.json")
    assert (operation_of(wanted), reduces(wanted)) == (operation, reduction)
