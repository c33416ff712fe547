"""The local stack that the tests speak to: its stores through the adapters, and AWS by hand for what only an operator does."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
from botocore.config import Config

from cli.deployment import read_outputs
from cli.places import Local
from cli.target import Target, local_target
from fillpath.ids import new_id
from fillpath.orders.messages import CheckRequest
from fillpath.orders.model import Order
from tests.waiting import until

ROLE = "fillpath-local-{function}"
TASKS = ("Prepare", "ClosePosition", "PollFill", "OpenPosition", "Abort")


class LocalStack:
    """One running stack, by its stack.json."""

    def __init__(self, file: Path) -> None:
        self.folder = file.parent
        self.description: Mapping[str, Any] = json.loads(file.read_text())
        self.outputs = read_outputs(Local(file.parent))
        self.target: Target = local_target(self.description, self.outputs)

    @property
    def api_url(self) -> str:
        """Where the webhook API answers."""
        return str(self.description["api_url"])

    def client(self, service: str, **keys: str) -> Any:
        """boto3's client, with the operator's keys unless others are given."""
        aws = self.description["aws"]
        own = {"aws_access_key_id": aws["access_key_id"], "aws_secret_access_key": aws["secret_access_key"]}
        config = Config(retries={"total_max_attempts": 1})
        return boto3.client(service, region_name=aws["region"], endpoint_url=aws["endpoint_url"], config=config, **(own | keys))

    def as_role(self, service: str, function: str) -> Any:
        """boto3's client with the rights of a function's role."""
        arn = f"arn:aws:iam::000000000000:role/{ROLE.format(function=function)}"
        keys = self.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        return self.client(
            service,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )

    @contextmanager
    def denied(self, function: str, *actions: str) -> Iterator[None]:
        """As long as the block runs, the function's role may not do these."""
        role, name = ROLE.format(function=function), f"test-{uuid4().hex}"
        statement = {"Effect": "Deny", "Action": list(actions), "Resource": "*"}
        self._iam.put_role_policy(
            RoleName=role, PolicyName=name, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        )
        try:
            yield
        finally:
            self._iam.delete_role_policy(RoleName=role, PolicyName=name)

    @contextmanager
    def paused(self, function: str) -> Iterator[None]:
        """As long as the block runs, the function's queue or stream is not read."""
        name = self.outputs[f"{function}FunctionName"]
        mapping = self._lambda.list_event_source_mappings(FunctionName=name)["EventSourceMappings"][0]["UUID"]
        self._switch(mapping, "Disabled")
        try:
            yield
        finally:
            self._switch(mapping, "Enabled")

    def is_quiet(self) -> bool:
        """Whether no wake-up waits or is at work: the emulator reads the queue one message at a time, whatever the lane."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        url = self.description["queues"]["orders"]
        counts = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return not any(int(counts[name]) for name in names)

    def sweep(self) -> None:
        """One sweep, now."""
        assert self.target.invoke("sweep", {}) == {"failures": 0}

    def verify(self, order: Order, leg: str) -> list[str]:
        """One check of a leg, handed to verify_fill as its queue would; the ids of the messages that come back."""
        check = CheckRequest(order_id=order.order_id, leg=leg, fence=order.fence, attempt=1)
        record = {
            "messageId": new_id(order.received_at),
            "receiptHandle": "of-a-test",
            "body": check.model_dump_json(exclude_none=True),
            "attributes": {"MessageGroupId": f"{order.order_id}#{leg}", "ApproximateReceiveCount": "1"},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
        }
        answer = self.target.invoke("verify_fill", {"Records": [record]})
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def steps(self, order: Order) -> list[str]:
        """The steps that the order's reversal took, as its execution's history tells; none if there was no execution."""
        arn = self.outputs["ReversalStateMachineArn"].replace(":stateMachine:", ":execution:") + f":{order.order_id}"
        if self._status(arn) is None:
            return []
        until(lambda: self._status(arn), lambda status: status != "RUNNING")
        events = self._step_functions.get_execution_history(executionArn=arn, maxResults=1000)["events"]
        entered = [event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event]
        return [state for state in entered if state in TASKS]

    def dead_checks(self, order: Order) -> list[dict[str, Any]]:
        """What the dead-letter queue of verification holds about the order; other orders' messages stay there."""
        url = self.description["queues"]["verification_dlq"]
        answer = self._sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        bodies = [json.loads(message["Body"]) for message in answer.get("Messages", [])]
        return [body for body in bodies if body["order_id"] == order.order_id]

    def _status(self, arn: str) -> str | None:
        try:
            return str(self._step_functions.describe_execution(executionArn=arn)["status"])
        except self._step_functions.exceptions.ExecutionDoesNotExist:
            return None

    def _switch(self, mapping: str, state: str) -> None:
        self._lambda.update_event_source_mapping(UUID=mapping, Enabled=state == "Enabled")
        until(lambda: self._lambda.get_event_source_mapping(UUID=mapping)["State"], lambda now: now == state)

    @cached_property
    def dynamodb(self) -> Any:
        """The tables, with the operator's keys."""
        return self.client("dynamodb")

    @cached_property
    def _iam(self) -> Any:
        return self.client("iam")

    @cached_property
    def _lambda(self) -> Any:
        return self.client("lambda")

    @cached_property
    def _sqs(self) -> Any:
        return self.client("sqs")

    @cached_property
    def _step_functions(self) -> Any:
        return self.client("stepfunctions")
