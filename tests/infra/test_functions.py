import importlib
import json
from typing import Any

import pytest

from tests.infra.conftest import Synthesize, Synthesized
from tests.infra.policies import Words

FUNCTIONS = ("webhook", "execute_order", "reversal", "verify_fill", "wake", "sweep", "publish_hours", "refresh_tokens")
TIMEOUTS = {
    "webhook": 28,
    "execute_order": 25,
    "reversal": 30,
    "verify_fill": 30,
    "wake": 30,
    "sweep": 55,
    "publish_hours": 60,
    "refresh_tokens": 90,
}


def functions(synthesized: Synthesized) -> dict[str, dict[str, Any]]:
    return {
        found["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]: found
        for found in synthesized.properties("AWS::Lambda::Function")
    }


def rules(synthesized: Synthesized) -> dict[str, dict[str, Any]]:
    return {rule["Name"].removeprefix("fillpath-prod-"): rule for rule in synthesized.properties("AWS::Events::Rule")}


def started_by(synthesized: Synthesized, rule: dict[str, Any]) -> str:
    [target] = rule["Targets"]
    return Words(synthesized).of("Orders", target["Arn"])


def test_the_functions_are_these(prod: Synthesized) -> None:
    assert functions(prod).keys() == set(FUNCTIONS)
    assert prod.outputs("Orders").keys() == {
        "ReversalStateMachineArn",
        "WebhookFunctionName",
        "ExecuteOrderFunctionName",
        "ReversalFunctionName",
        "VerifyFillFunctionName",
        "WakeFunctionName",
        "SweepFunctionName",
        "PublishHoursFunctionName",
        "RefreshTokensFunctionName",
    }


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_functions_variables_are_the_fields_of_its_env(prod: Synthesized, name: str) -> None:
    env = importlib.import_module(f"functions.{name}.env").Env

    assert functions(prod)[name]["Environment"]["Variables"].keys() == {field.upper() for field in env.model_fields}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_runs_its_own_handler_on_lambda_with_all_layers_and_traces(prod: Synthesized, name: str) -> None:
    found = functions(prod)[name]

    assert found["Handler"] == f"functions.{name}.handler.handler"
    assert (found["Runtime"], found["Architectures"]) == ("python3.13", ["arm64"])
    assert found["TracingConfig"] == {"Mode": "Active"}
    assert found["Timeout"] == TIMEOUTS[name]
    assert len(found["Layers"]) == (5 if name == "publish_hours" else 4)


def test_every_log_group_forgets(prod: Synthesized) -> None:
    groups = prod.properties("AWS::Logs::LogGroup")

    assert {group["RetentionInDays"] for group in groups} == {prod.settings.log_retention_days}
    assert len(groups) == len(FUNCTIONS) + 3


def test_the_webhook_waits_and_reserves_as_the_settings_say(synthesize: Synthesize, prod: Synthesized) -> None:
    small_account = synthesize("dev", wait_s=0, webhook_reserved_concurrency=25)
    reserved = {name: found.get("ReservedConcurrentExecutions") for name, found in functions(small_account).items()}

    assert reserved == {name: 25 if name == "webhook" else None for name in FUNCTIONS}
    assert functions(small_account)["webhook"]["Environment"]["Variables"]["WAIT_S"] == "0"
    assert functions(prod)["webhook"]["Environment"]["Variables"]["WAIT_S"] == "2"


def test_queues_deliver_one_message_and_take_back_the_failed_ones(prod: Synthesized) -> None:
    words = Words(prod)
    sources = {
        words.of("Orders", mapping["EventSourceArn"]): mapping for mapping in prod.properties("AWS::Lambda::EventSourceMapping")
    }

    assert sources.keys() == {"queue orders.fifo", "queue verification.fifo", "table orders stream"}
    for queue, function in [("orders.fifo", "execute-order"), ("verification.fifo", "verify-fill")]:
        mapping = sources[f"queue {queue}"]
        assert words.of("Orders", mapping["FunctionName"]) == f"function {function}"
        assert (mapping["BatchSize"], mapping["FunctionResponseTypes"]) == (1, ["ReportBatchItemFailures"])


def test_the_stream_wakes_for_new_waiting_orders_and_lanes_that_had_an_owner(prod: Synthesized) -> None:
    [stream] = [each for each in prod.properties("AWS::Lambda::EventSourceMapping") if "StartingPosition" in each]
    filters = [json.loads(each["Pattern"]) for each in stream["FilterCriteria"]["Filters"]]

    assert filters == [
        {"eventName": ["INSERT"], "dynamodb": {"Keys": {"sk": {"S": [{"prefix": "WAIT#"}]}}}},
        {
            "eventName": ["MODIFY"],
            "dynamodb": {"Keys": {"sk": {"S": ["LANE"]}}, "OldImage": {"order_id": {"S": [{"exists": True}]}}},
        },
    ]
    assert (stream["StartingPosition"], stream["BisectBatchOnFunctionError"], stream["MaximumRetryAttempts"]) == (
        "TRIM_HORIZON",
        True,
        5,
    )
    destination = stream["DestinationConfig"]["OnFailure"]["Destination"]
    assert Words(prod).of("Orders", destination) == "queue wake-dlq"


def test_the_sweeper_runs_each_minute_and_is_not_retried(prod: Synthesized) -> None:
    rule = rules(prod)["each-minute"]

    assert rule["ScheduleExpression"] == "rate(1 minute)"
    assert rule["Targets"][0]["RetryPolicy"] == {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0}
    assert started_by(prod, rule) == "function sweep"


def test_tokens_are_looked_after_each_minute_and_the_next_run_does_what_one_did_not(prod: Synthesized) -> None:
    rule = rules(prod)["each-minute-refresh-tokens"]

    assert rule["ScheduleExpression"] == "rate(1 minute)"
    assert rule["Targets"][0]["RetryPolicy"] == {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0}
    assert started_by(prod, rule) == "function refresh-tokens"


def test_hours_are_published_every_six_hours_and_after_each_deployment(prod: Synthesized) -> None:
    regularly, deployed = rules(prod)["every-six-hours"], rules(prod)["deployed"]
    pattern = deployed["EventPattern"]

    assert regularly["ScheduleExpression"] == "rate(6 hours)"
    assert (pattern["source"], pattern["detail-type"]) == (["aws.cloudformation"], ["CloudFormation Stack Status Change"])
    assert pattern["detail"]["status-details"] == {"status": ["CREATE_COMPLETE", "UPDATE_COMPLETE"]}
    [stacks] = pattern["detail"]["stack-id"]
    assert Words(prod).of("Orders", stacks["prefix"]) == "stack/Fillpath-prod-"
    assert started_by(prod, regularly) == started_by(prod, deployed) == "function publish-hours"


def test_the_calendars_are_a_layer_of_the_function_that_publishes_hours_only(prod: Synthesized) -> None:
    versions = prod.resources("AWS::Lambda::LayerVersion")
    names = {name: version["Properties"]["LayerName"].rpartition("-")[2] for name, version in versions.items()}
    layers = {name: {names[layer["Ref"]] for layer in found["Layers"]} for name, found in functions(prod).items()}

    assert {name for name, its in layers.items() if "calendars" in its} == {"publish_hours"}
