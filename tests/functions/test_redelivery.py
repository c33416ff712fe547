"""Messages that come back: hidden for their delay, reported by item, and told in the log when something went wrong."""

import math
from typing import Any

import pytest
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from fillpath.alerts.route import REDUCTION_DEADLINE_S
from fillpath.errors import Conflict
from fillpath_aws.clients import Sqs
from functions.redelivery import LONGEST_S, NotYet, come_back, each_message, patiently
from tests.functions.test_events import event


class FakeSqs(Sqs):
    """Keeps what was asked of it."""

    def __init__(self) -> None:
        self.hidden: list[dict[str, Any]] = []

    def change_message_visibility(self, **parameters: Any) -> dict[str, Any]:
        self.hidden.append(parameters)
        return {}


@pytest.fixture
def context() -> LambdaContext:
    """Powertools' own: nobody here asks how much time is left."""
    return LambdaContext()


def messages(*groups: str) -> dict[str, Any]:
    """One message per group, called by its number."""
    (sample,) = event("execute_order/wake_up.json")["Records"]
    return {
        "Records": [
            {**sample, "messageId": str(number), "attributes": {**sample["attributes"], "MessageGroupId": group}}
            for number, group in enumerate(groups)
        ]
    }


def failed(answer: Any) -> list[str]:
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


@pytest.mark.parametrize(("delay_s", "hidden_s"), [(2.0, 2), (0.2, 1), (0, 0), (-1, 0), (1e9, LONGEST_S), (math.inf, LONGEST_S)])
def test_a_message_that_comes_back_is_hidden_for_whole_seconds(delay_s: float, hidden_s: int) -> None:
    sqs = FakeSqs()
    record = SQSRecord(event("execute_order/wake_up.json")["Records"][0])
    with pytest.raises(NotYet):
        come_back(sqs, "queue", record, delay_s)
    assert sqs.hidden == [{"QueueUrl": "queue", "ReceiptHandle": record.receipt_handle, "VisibilityTimeout": hidden_s}]


def test_what_was_handled_is_used_up(context: LambdaContext) -> None:
    seen: list[str] = []
    answer = each_message(messages("a", "b"), lambda record: seen.append(record.message_id), context)
    assert (seen, failed(answer)) == (["0", "1"], [])


def test_what_failed_is_reported_and_holds_up_only_its_own_group(context: LambdaContext) -> None:
    def handle(record: SQSRecord) -> None:
        if record.message_id == "0":
            raise NotYet("later")

    answer = each_message(messages("a", "b", "a"), handle, context)
    assert failed(answer) == ["0", "2"]


def test_a_batch_that_fails_as_a_whole_is_an_answer_too(context: LambdaContext) -> None:
    def handle(record: SQSRecord) -> None:
        raise NotYet("later")

    assert failed(each_message(messages("a"), handle, context)) == ["0"]


@pytest.mark.parametrize(
    ("error", "levels"),
    [(ValueError("what nobody thought of"), ["ERROR"]), (Conflict("somebody was faster"), ["WARNING"]), (NotYet("later"), [])],
)
def test_a_failure_is_told_and_a_return_is_not(
    context: LambdaContext, caplog: pytest.LogCaptureFixture, error: Exception, levels: list[str]
) -> None:
    def handle(record: SQSRecord) -> None:
        raise error

    each_message(messages("a"), handle, context)
    assert [record.levelname for record in caplog.records] == levels


def received(times: int) -> SQSRecord:
    (sample,) = event("execute_order/wake_up.json")["Records"]
    return SQSRecord({**sample, "attributes": {**sample["attributes"], "ApproximateReceiveCount": str(times)}})


def test_a_lane_that_comes_back_again_and_again_does_so_less_and_less_often() -> None:
    delays = [patiently(2.0, received(times)) for times in range(1, 21)]
    assert delays[:7] == [2.0] * 7
    assert delays == sorted(delays)
    assert delays[-1] == 30.0
    assert patiently(30.0, received(1)) == patiently(30.0, received(20)) == 30.0


def test_a_message_outlasts_the_deadline_of_a_reduction() -> None:
    assert sum(patiently(2.0, received(times)) for times in range(1, 21)) + 20 * 3 > REDUCTION_DEADLINE_S
