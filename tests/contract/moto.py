"""AWS as moto plays it, served on a loopback port of this process, with the tables and queues of docs/tables.md."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import urllib3
from moto.server import ThreadedMotoServer

from fillpath_aws.clients import DynamoDb, SecretsManager, Sqs, StepFunctions, service
from fillpath_aws.json_rpc import Connection, Keys

REGION = "eu-west-1"
KEYS = Keys("test", "test")
INDEXES = {
    "orders": {"by_user": ("user", "order_id"), "open": ("open", "order_id")},
    "accounts": {"by_user": ("user", "sk_user")},
    "guards": {},
    "market": {},
    "paper": {},
    "fleet": {},
}
MASTER_KEY = "a master key of the tests, 32 bytes or more"
_MACHINE = {"StartAt": "Stay", "States": {"Stay": {"Type": "Wait", "Seconds": 60, "End": True}}}


class Moto:
    """One server; `reset` empties it."""

    def __init__(self, url: str) -> None:
        connection = Connection(REGION, f"{url}/", lambda: KEYS)
        self.url = url
        self.dynamodb: DynamoDb = service("dynamodb", connection)
        self.sqs: Sqs = service("sqs", connection)
        self.secrets_manager: SecretsManager = service("secretsmanager", connection)
        self.step_functions: StepFunctions = service("stepfunctions", connection)

    def reset(self) -> None:
        """Forget everything: its transactions slow down with the size of its tables."""
        urllib3.request("POST", f"{self.url}/moto-api/reset")

    def create_tables(self) -> None:
        """The tables, empty, under their plain names."""
        for table, indexes in INDEXES.items():
            self.dynamodb.call("CreateTable", _table(table, indexes))

    def create_queue(self, name: str) -> str:
        """A FIFO queue; returns its URL."""
        attributes = {"FifoQueue": "true"}
        url: str = self.sqs.call("CreateQueue", {"QueueName": f"{name}.fifo", "Attributes": attributes})["QueueUrl"]
        return url

    def create_secret(self) -> str:
        """The master key; returns the secret's name."""
        self.secrets_manager.call("CreateSecret", {"Name": "master-key", "SecretString": MASTER_KEY})
        return "master-key"

    def create_state_machine(self) -> str:
        """A state machine that waits; returns its ARN."""
        arn: str = self.step_functions.call(
            "CreateStateMachine",
            {"name": "reversal", "definition": json.dumps(_MACHINE), "roleArn": "arn:aws:iam::123456789012:role/reversal"},
        )["stateMachineArn"]
        return arn


@contextmanager
def serve() -> Iterator[Moto]:
    """A server as long as the block runs."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield Moto(f"http://{host}:{port}")
    finally:
        server.stop()


def _table(name: str, indexes: dict[str, tuple[str, str]]) -> dict[str, object]:
    keys = [("pk", "sk"), *indexes.values()]
    attributes = sorted({attribute for pair in keys for attribute in pair})
    description: dict[str, object] = {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": attribute, "AttributeType": "S"} for attribute in attributes],
        "KeySchema": _schema("pk", "sk"),
    }
    if indexes:
        description["GlobalSecondaryIndexes"] = [
            {"IndexName": index, "KeySchema": _schema(*pair), "Projection": {"ProjectionType": "ALL"}}
            for index, pair in indexes.items()
        ]
    return description


def _schema(partition: str, sort: str) -> list[dict[str, str]]:
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]
