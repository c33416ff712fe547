"""Clients of the AWS services on the order path, by name: methods and parameters are boto3's, import and first call are cheap.

This file alone reads the variables of the AWS SDK (`AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, ...). Where they
leave the region or the credentials open (a person's profile, a Fargate task), botocore's own chain is asked.
"""

import os
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, overload

from fillpath.errors import StorageUnavailable
from fillpath_aws.json_rpc import AwsError, Connection, JsonRpc, Keys, Wire

if TYPE_CHECKING:
    from botocore.session import Session

READ_S = 3.0

Answer = dict[str, Any]


class DynamoDb(JsonRpc):
    """DynamoDB with values in their wire form (`{"S": ...}`); `fillpath_aws.wire` translates."""

    def get_item(self, **parameters: Any) -> Answer:
        """GetItem."""
        return self.call("GetItem", parameters)

    def batch_get_item(self, **parameters: Any) -> Answer:
        """BatchGetItem; the caller asks again for `UnprocessedKeys`."""
        return self.call("BatchGetItem", parameters)

    def query(self, **parameters: Any) -> Answer:
        """Query; the caller follows `LastEvaluatedKey`."""
        return self.call("Query", parameters)

    def put_item(self, **parameters: Any) -> Answer:
        """PutItem; after an ambiguous attempt a condition may fail by its own write."""
        return self.call("PutItem", parameters)

    def delete_item(self, **parameters: Any) -> Answer:
        """DeleteItem."""
        return self.call("DeleteItem", parameters)

    def update_item(self, **parameters: Any) -> Answer:
        """UpdateItem; not repeated after an ambiguous attempt, because it may add up."""
        return self.call("UpdateItem", parameters, repeatable=False)

    def set_if(self, **parameters: Any) -> bool:
        """UpdateItem for what is the same when it is done twice; False: the condition does not hold.

        After an ambiguous attempt it may be that attempt's own write by which the condition fails.
        """
        try:
            self.call("UpdateItem", parameters)
        except AwsError as error:
            if error.lost_condition:
                return False
            raise
        return True

    def transact_write_items(self, **parameters: Any) -> Answer:
        """TransactWriteItems, idempotent by the token that it gets here."""
        return self.call("TransactWriteItems", {"ClientRequestToken": os.urandom(16).hex(), **parameters})


class Sqs(JsonRpc):
    """SQS; messages to FIFO queues carry a deduplication id."""

    def send_message(self, **parameters: Any) -> Answer:
        """SendMessage."""
        return self.call("SendMessage", parameters)

    def send_message_batch(self, **parameters: Any) -> Answer:
        """SendMessageBatch; the caller looks at `Failed`."""
        return self.call("SendMessageBatch", parameters)

    def change_message_visibility(self, **parameters: Any) -> Answer:
        """ChangeMessageVisibility."""
        return self.call("ChangeMessageVisibility", parameters)


class SecretsManager(JsonRpc):
    """Secrets Manager; a version that is sent twice is stored once, by the token that it gets here."""

    def get_secret_value(self, **parameters: Any) -> Answer:
        """GetSecretValue."""
        return self.call("GetSecretValue", parameters)

    def create_secret(self, **parameters: Any) -> Answer:
        """CreateSecret; after an ambiguous attempt it may be there already."""
        return self.call("CreateSecret", {"ClientRequestToken": os.urandom(16).hex(), **parameters})

    def put_secret_value(self, **parameters: Any) -> Answer:
        """PutSecretValue."""
        return self.call("PutSecretValue", {"ClientRequestToken": os.urandom(16).hex(), **parameters})

    def delete_secret(self, **parameters: Any) -> Answer:
        """DeleteSecret."""
        return self.call("DeleteSecret", parameters)


class StepFunctions(JsonRpc):
    """Step Functions; executions are named, so that starting twice starts one."""

    def start_execution(self, **parameters: Any) -> Answer:
        """StartExecution."""
        return self.call("StartExecution", parameters)

    def describe_execution(self, **parameters: Any) -> Answer:
        """DescribeExecution."""
        return self.call("DescribeExecution", parameters)


Name = Literal["dynamodb", "sqs", "secretsmanager", "stepfunctions"]

_SERVICES: dict[Name, tuple[type[JsonRpc], Wire, str]] = {
    "dynamodb": (DynamoDb, Wire("DynamoDB_20120810", "1.0", "dynamodb"), "AWS_ENDPOINT_URL_DYNAMODB"),
    "sqs": (Sqs, Wire("AmazonSQS", "1.0", "sqs"), "AWS_ENDPOINT_URL_SQS"),
    "secretsmanager": (SecretsManager, Wire("secretsmanager", "1.1", "secretsmanager"), "AWS_ENDPOINT_URL_SECRETS_MANAGER"),
    "stepfunctions": (StepFunctions, Wire("AWSStepFunctions", "1.0", "states"), "AWS_ENDPOINT_URL_SFN"),
}


@overload
def service(name: Literal["dynamodb"], connection: Connection | None = None, *, read_s: float = READ_S) -> DynamoDb: ...
@overload
def service(name: Literal["sqs"], connection: Connection | None = None, *, read_s: float = READ_S) -> Sqs: ...
@overload
def service(
    name: Literal["secretsmanager"], connection: Connection | None = None, *, read_s: float = READ_S
) -> SecretsManager: ...
@overload
def service(name: Literal["stepfunctions"], connection: Connection | None = None, *, read_s: float = READ_S) -> StepFunctions: ...
def service(name: Name, connection: Connection | None = None, *, read_s: float = READ_S) -> JsonRpc:
    """A client, by default for the process's own region and credentials; a call ends within 2.5 `read_s` seconds."""
    client, wire, variable = _SERVICES[name]
    return client(wire, connection or _own_connection(wire, variable), read_s)


def _own_connection(wire: Wire, variable: str) -> Connection:
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or _session().get_config_variable("region")
    if not region:
        raise StorageUnavailable("no AWS region: set AWS_REGION or a profile")
    endpoint = os.environ.get(variable) or os.environ.get("AWS_ENDPOINT_URL") or f"https://{wire.name}.{region}.amazonaws.com"
    return Connection(region, endpoint.rstrip("/") + "/", _own_keys())


def _own_keys() -> Callable[[], Keys]:
    access_key, secret_key = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
    if access_key and secret_key:
        keys = Keys(access_key, secret_key, os.environ.get("AWS_SESSION_TOKEN"))
        return lambda: keys
    return _keys_of_session


def _keys_of_session() -> Keys:
    credentials = _session().get_credentials()
    frozen = credentials.get_frozen_credentials() if credentials else None
    if frozen is None or not frozen.access_key or not frozen.secret_key:
        raise StorageUnavailable("no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile")
    return Keys(frozen.access_key, frozen.secret_key, frozen.token)


@cache
def _session() -> "Session":
    from botocore.session import get_session  # noqa: PLC0415  the import that this file exists to avoid

    return get_session()
