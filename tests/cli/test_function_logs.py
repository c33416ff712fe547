"""How a person reads what a function logged."""

import json

from cli.function_logs import LogEvent, render


def test_a_structured_line_is_told_by_its_message_and_its_own_fields() -> None:
    record = {
        "level": "INFO",
        "location": "handler:12",
        "message": "filled",
        "service": "fillpath",
        "order_id": "01J",
        "cold_start": True,
    }
    line = render(LogEvent(0, "execute_order", json.dumps(record))).plain
    assert line.endswith("execute_order  filled  order_id=01J")


def test_any_other_line_is_shown_as_it_is() -> None:
    assert render(LogEvent(0, "sweep", "[WARNING] careful")).plain.endswith("sweep          [WARNING] careful")


def test_a_measurement_is_told_by_its_values() -> None:
    record = {"_aws": {"Timestamp": 1}, "environment": "local", "alert_to_fill_ms": [84.0]}
    assert render(LogEvent(0, "webhook", json.dumps(record))).plain.endswith("webhook        metric  alert_to_fill_ms=[84.0]")
