"""Metrics as lines of embedded metric format."""

import json
from typing import Any

import pytest

from fillpath_aws.telemetry import EmfTelemetry
from tests.contract.records import an_order


@pytest.fixture(autouse=True)
def _function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "sweep")


def printed(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(capsys.readouterr().out)
    return line


def test_a_count_stands_under_environment_and_function_and_names_its_order(capsys: pytest.CaptureFixture[str]) -> None:
    order = an_order()
    EmfTelemetry("dev").count("ReversalAborted", order)
    line = printed(capsys)
    (described,) = line["_aws"]["CloudWatchMetrics"]
    assert described["Namespace"] == "Fillpath"
    assert described["Dimensions"] == [["environment", "service"]]
    assert described["Metrics"] == [{"Name": "ReversalAborted", "Unit": "Count"}]
    assert (line["environment"], line["service"], line["order_id"]) == ("dev", "sweep", order.order_id)
    assert line["ReversalAborted"] == [1.0]


@pytest.mark.parametrize(
    ("name", "unit"), [("alert_to_fill_ms", "Milliseconds"), ("OldestUnknownSeconds", "Seconds"), ("Depth", "None")]
)
def test_a_figure_has_the_unit_of_its_name(capsys: pytest.CaptureFixture[str], name: str, unit: str) -> None:
    EmfTelemetry("dev").measure(name, 12.5)
    line = printed(capsys)
    assert line["_aws"]["CloudWatchMetrics"][0]["Metrics"] == [{"Name": name, "Unit": unit}]
    assert line[name] == [12.5]
