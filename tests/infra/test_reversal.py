import json
from typing import Any

import pytest

from tests.infra.conftest import Synthesized

STEPS = {
    "Prepare": "prepare",
    "ClosePosition": "close",
    "PollFill": "poll_fill",
    "OpenPosition": "open",
    "Abort": "abort",
}
NEXT = {
    "Prepare": {"close": "ClosePosition", "open": "OpenPosition", "end": "Ended"},
    "ClosePosition": {"poll_fill": "PollFill", "end": "Ended", "wait": "WaitForClosePosition"},
    "PollFill": {"open": "OpenPosition", "end": "Ended"},
    "OpenPosition": {"end": "Ended", "wait": "WaitForOpenPosition"},
}


@pytest.fixture
def definition(prod: Synthesized) -> dict[str, Any]:
    [machine] = prod.properties("AWS::StepFunctions::StateMachine")
    pieces = machine["DefinitionString"]["Fn::Join"][1]
    parsed: dict[str, Any] = json.loads("".join(piece if isinstance(piece, str) else "function" for piece in pieces))
    return parsed


def test_the_workflow_is_a_named_and_recorded_standard_one(prod: Synthesized) -> None:
    [machine] = prod.properties("AWS::StepFunctions::StateMachine")

    assert (machine["StateMachineName"], machine["StateMachineType"]) == ("fillpath-prod-reversal", "STANDARD")
    assert machine["LoggingConfiguration"]["Level"] == "ALL"
    assert machine["TracingConfiguration"] == {"Enabled": True}


def test_it_begins_with_prepare_and_has_two_minutes(definition: dict[str, Any]) -> None:
    assert (definition["StartAt"], definition["TimeoutSeconds"]) == ("Prepare", 120)


def test_each_step_calls_the_function_with_its_name_and_the_order(definition: dict[str, Any]) -> None:
    tasks = {name: state for name, state in definition["States"].items() if state["Type"] == "Task"}

    assert {name: task["Parameters"] for name, task in tasks.items()} == {
        name: {"step": step, "order_id.$": "$.order_id"} for name, step in STEPS.items()
    }


@pytest.mark.parametrize("step", NEXT)
def test_a_step_goes_where_its_answer_says_and_else_to_abort(definition: dict[str, Any], step: str) -> None:
    choice = definition["States"][definition["States"][step]["Next"]]

    assert {each["StringEquals"]: each["Next"] for each in choice["Choices"]} == NEXT[step]
    assert {each["Variable"] for each in choice["Choices"]} == {"$.next"}
    assert choice["Default"] == "Abort"


@pytest.mark.parametrize("step", ["ClosePosition", "OpenPosition"])
def test_a_rate_limited_step_waits_as_long_as_it_says_and_comes_back(definition: dict[str, Any], step: str) -> None:
    assert definition["States"][f"WaitFor{step}"] == {"Type": "Wait", "SecondsPath": "$.wait_s", "Next": step}


@pytest.mark.parametrize("step", NEXT)
def test_lambdas_own_troubles_are_retried_and_all_others_lead_to_abort(definition: dict[str, Any], step: str) -> None:
    state = definition["States"][step]
    retried = {error: retry["MaxAttempts"] for retry in state["Retry"] for error in retry["ErrorEquals"]}

    assert retried["Lambda.TooManyRequestsException"] == 3
    assert retried["Sandbox.Timedout"] == 1
    assert "States.ALL" not in retried
    assert "States.TaskFailed" not in retried
    assert state["Catch"] == [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Abort"}]


def test_abort_is_tried_again_whatever_happens_and_ends_the_workflow(definition: dict[str, Any]) -> None:
    abort = definition["States"]["Abort"]

    assert [(retry["ErrorEquals"], retry["MaxAttempts"]) for retry in abort["Retry"]] == [(["States.ALL"], 5)]
    assert abort["End"] is True
    assert "Catch" not in abort
