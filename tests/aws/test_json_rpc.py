"""The lean client: what is sent again, what is not, and what becomes of an answer."""

import socket

import pytest

from fillpath.errors import StorageUnavailable
from fillpath_aws.clients import DynamoDb, service
from fillpath_aws.json_rpc import AwsError
from tests.aws.scripted_server import SECRET, Reply, ScriptedServer

pytestmark = pytest.mark.enable_socket

THROTTLED = Reply(400, {"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException", "message": "slow down"})
BROKEN = Reply(500, {"__type": "InternalServerError"})
DROPPED = Reply(0)
UNREADABLE = Reply(200, "<html>")
LATE = Reply(200, {}, delay_s=0.3)
ITEM = {"Item": {"pk": {"S": "a"}}}


@pytest.fixture
def dynamodb(aws: ScriptedServer) -> DynamoDb:
    return service("dynamodb", aws.connection, read_s=0.2)


def test_a_call_names_its_operation_and_is_signed_for_its_service(aws: ScriptedServer, dynamodb: DynamoDb) -> None:
    aws.replies = [Reply(200, ITEM)]
    assert dynamodb.get_item(TableName="orders", Key={"pk": {"S": "a"}}) == ITEM
    (request,) = aws.requests
    assert request.headers["X-Amz-Target"] == "DynamoDB_20120810.GetItem"
    assert request.headers["Content-Type"] == "application/x-amz-json-1.0"
    assert "/eu-west-1/dynamodb/aws4_request" in request.headers["Authorization"]
    assert request.headers["X-Amz-Security-Token"] == "a-session-token"
    assert request.body == {"TableName": "orders", "Key": {"pk": {"S": "a"}}}


@pytest.mark.parametrize(
    ("name", "target", "method"),
    [
        ("sqs", "AmazonSQS.SendMessage", "send_message"),
        ("secretsmanager", "secretsmanager.GetSecretValue", "get_secret_value"),
        ("stepfunctions", "AWSStepFunctions.StartExecution", "start_execution"),
    ],
)
def test_each_service_has_its_own_target(aws: ScriptedServer, name: str, target: str, method: str) -> None:
    getattr(service(name, aws.connection), method)()  # type: ignore[call-overload]  # names come from the table above
    assert aws.requests[0].headers["X-Amz-Target"] == target


@pytest.mark.parametrize("trouble", [THROTTLED, BROKEN, DROPPED, UNREADABLE, LATE])
def test_a_call_in_trouble_is_made_again(aws: ScriptedServer, dynamodb: DynamoDb, trouble: Reply) -> None:
    aws.replies = [trouble, Reply(200, ITEM)]
    assert dynamodb.get_item(TableName="orders") == ITEM
    assert aws.operations == ["GetItem", "GetItem"]


@pytest.mark.parametrize("trouble", [THROTTLED, BROKEN, DROPPED, UNREADABLE])
def test_after_three_attempts_a_call_has_failed(aws: ScriptedServer, dynamodb: DynamoDb, trouble: Reply) -> None:
    aws.replies = [trouble]
    with pytest.raises(StorageUnavailable):
        dynamodb.get_item(TableName="orders")
    assert len(aws.requests) == 3


def test_a_service_that_never_answers_is_asked_twice(aws: ScriptedServer, dynamodb: DynamoDb) -> None:
    aws.replies = [LATE]
    with pytest.raises(StorageUnavailable):
        dynamodb.get_item(TableName="orders")
    assert len(aws.requests) == 2


def test_a_transaction_made_again_carries_the_same_token(aws: ScriptedServer, dynamodb: DynamoDb) -> None:
    aws.replies = [BROKEN, Reply()]
    dynamodb.transact_write_items(TransactItems=[])
    dynamodb.transact_write_items(TransactItems=[])
    first, again, other = [request.body["ClientRequestToken"] for request in aws.requests]
    assert first == again != other


@pytest.mark.parametrize("trouble", [BROKEN, DROPPED, UNREADABLE, LATE])
def test_what_adds_up_is_not_sent_again_if_it_may_have_worked(aws: ScriptedServer, dynamodb: DynamoDb, trouble: Reply) -> None:
    aws.replies = [trouble, Reply()]
    with pytest.raises(StorageUnavailable):
        dynamodb.update_item(TableName="guards")
    assert aws.operations == ["UpdateItem"]


def test_what_adds_up_is_sent_again_if_it_was_throttled(aws: ScriptedServer, dynamodb: DynamoDb) -> None:
    aws.replies = [THROTTLED, Reply()]
    dynamodb.update_item(TableName="guards")
    assert aws.operations == ["UpdateItem", "UpdateItem"]


def test_a_refusal_is_not_sent_again_and_keeps_its_code(aws: ScriptedServer, dynamodb: DynamoDb) -> None:
    reasons = [{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Message": "x"}]
    aws.replies = [Reply(400, {"__type": "x#TransactionCanceledException", "Message": "m", "CancellationReasons": reasons})]
    with pytest.raises(AwsError) as error:
        dynamodb.transact_write_items(TransactItems=[])
    assert (error.value.code, error.value.message) == ("TransactionCanceledException", "m")
    assert error.value.cancellation_reasons == ("None", "ConditionalCheckFailed")
    assert error.value.lost_condition
    assert len(aws.requests) == 1


def test_where_nobody_listens_storage_is_unavailable(aws: ScriptedServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(StorageUnavailable, match="NotConnected"):
        service("sqs", aws.connection._replace(url=f"http://127.0.0.1:{port}/")).send_message(QueueUrl="q", MessageBody="b")


def test_an_error_tells_neither_keys_nor_what_was_sent(aws: ScriptedServer, dynamodb: DynamoDb) -> None:
    aws.replies = [DROPPED]
    with pytest.raises(StorageUnavailable) as error:
        dynamodb.put_item(TableName="guards", Item={"body": {"S": "told to nobody"}})
    told = f"{error.value!r} {error.value.__cause__!r} {error.value.__cause__}"
    assert SECRET not in told
    assert "told to nobody" not in told
