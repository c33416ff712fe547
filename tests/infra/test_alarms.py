import re
from collections import defaultdict
from typing import Any

import pytest

from tests.infra.conftest import ROOT, Synthesized

RUNBOOKS = ROOT / "docs" / "runbooks"
REPORTED = {
    "BrokerSilent": {"execute_order", "reversal"},
    "LateFill": {"execute_order", "reversal", "verify_fill", "sweep"},
    "NeedsReauth": {"refresh_tokens"},
    "OldestUnknownSeconds": {"sweep"},
    "OrderVanished": {"execute_order", "reversal", "verify_fill", "sweep"},
    "Overfilled": {"execute_order", "reversal", "verify_fill", "sweep"},
    "ProtectionLost": {"execute_order", "verify_fill", "sweep"},
    "ReversalAborted": {"reversal", "sweep"},
    "SignInDueSoon": {"refresh_tokens"},
    "SweepErrors": {"sweep"},
    "TokenRenewalFailed": {"refresh_tokens"},
    "UnknownAheadExpired": {"execute_order", "sweep"},
}


@pytest.fixture
def alarms(prod: Synthesized) -> list[dict[str, Any]]:
    return prod.properties("AWS::CloudWatch::Alarm")


def test_every_alarm_leads_to_a_runbook_and_every_runbook_belongs_to_an_alarm(alarms: list[dict[str, Any]]) -> None:
    named = {re.search(r"docs/runbooks/(\S+)\.md", alarm["AlarmDescription"]) for alarm in alarms}

    assert None not in named
    assert {match[1] for match in named if match} == {page.stem for page in RUNBOOKS.glob("*.md")}


def test_every_alarm_tells_the_topic_and_is_quiet_without_data(alarms: list[dict[str, Any]], prod: Synthesized) -> None:
    [topic] = prod.resources("AWS::SNS::Topic")

    assert all(alarm["AlarmActions"] == [{"Ref": topic}] for alarm in alarms)
    assert all(alarm["TreatMissingData"] == "notBreaching" for alarm in alarms)


def test_what_functions_report_is_watched_in_each_function_under_the_dimensions_it_is_reported_with(
    alarms: list[dict[str, Any]],
) -> None:
    watched: dict[str, set[str]] = defaultdict(set)
    for alarm in alarms:
        if alarm["Namespace"] == "Fillpath":
            dimensions = {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]}
            assert dimensions.keys() == {"environment", "service"}
            assert dimensions["environment"] == "prod"
            watched[alarm["MetricName"]].add(dimensions["service"])

    assert watched == REPORTED


def test_every_event_that_the_code_counts_is_watched() -> None:
    sources = [file.read_text() for folder in ("functions", "layers") for file in (ROOT / folder).rglob("*.py")]
    counted = {name for source in sources for name in re.findall(r'telemetry\.count\("(\w+)"', source)}

    # A check that is given up is seen in the dead-letter queue.
    assert counted <= REPORTED.keys() | {"VerificationGivenUp"}


@pytest.mark.parametrize(
    ("metric", "count"),
    [
        ("5XXError", 1),
        ("ApproximateAgeOfOldestMessage", 2),
        ("ApproximateNumberOfMessagesVisible", 3),
        ("Errors", 8),
        ("ExecutionsAborted", 1),
        ("ExecutionsFailed", 1),
        ("ExecutionsTimedOut", 1),
        ("IteratorAge", 1),
        ("Throttles", 8),
    ],
)
def test_queues_functions_workflow_stream_and_webhook_are_watched(alarms: list[dict[str, Any]], metric: str, count: int) -> None:
    assert len([alarm for alarm in alarms if alarm["MetricName"] == metric]) == count


def test_only_alarms_of_this_account_may_publish(prod: Synthesized) -> None:
    [policy] = prod.properties("AWS::SNS::TopicPolicy")
    allowed = [statement for statement in policy["PolicyDocument"]["Statement"] if statement["Effect"] == "Allow"]

    assert [(each["Principal"], each["Action"]) for each in allowed] == [({"Service": "cloudwatch.amazonaws.com"}, "sns:Publish")]
    assert allowed[0]["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
