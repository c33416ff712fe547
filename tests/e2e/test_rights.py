"""What the roles may do in a deployed stack, and that the path comes through where one of them may not."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from fillpath.orders.model import OrderState
from tests.e2e.local_stack import LocalStack
from tests.e2e.trader import Trader


@pytest.fixture(scope="module")
def broker_secret(stack: LocalStack) -> Iterator[str]:
    name = f"fillpath/local/broker/{uuid4().hex}"
    secrets_manager = stack.client("secretsmanager")
    secrets_manager.create_secret(Name=name, SecretString="a broker's password")
    yield name
    secrets_manager.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


@pytest.fixture(scope="module")
def token_item(stack: LocalStack) -> Iterator[tuple[str, dict[str, dict[str, str]]]]:
    """What is known of an account's token: the table, and the item's key."""
    table, key = stack.description["tables"]["fleet"], {"pk": {"S": f"TOKEN#{uuid4().hex}"}, "sk": {"S": "TOKEN"}}
    stack.dynamodb.put_item(TableName=table, Item={**key, "version": {"N": "1"}})
    yield table, key
    stack.dynamodb.delete_item(TableName=table, Key=key)


@pytest.mark.parametrize("function", ["webhook", "wake"])
def test_who_does_not_execute_cannot_read_a_broker_s_secret(stack: LocalStack, broker_secret: str, function: str) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        stack.as_role("secretsmanager", function).get_secret_value(SecretId=broker_secret)


@pytest.mark.parametrize("function", ["webhook", "wake"])
def test_who_does_not_execute_knows_nothing_of_tokens(
    stack: LocalStack, token_item: tuple[str, dict[str, dict[str, str]]], function: str
) -> None:
    table, key = token_item
    with pytest.raises(ClientError, match="AccessDenied"):
        stack.as_role("dynamodb", function).get_item(TableName=table, Key=key)


@pytest.mark.parametrize("function", ["execute-order", "reversal", "verify-fill", "sweep", "refresh-tokens"])
def test_who_executes_knows_of_tokens_and_may_tell_of_them_but_not_delete_them(
    stack: LocalStack, token_item: tuple[str, dict[str, dict[str, str]]], function: str
) -> None:
    table, key = token_item
    dynamodb = stack.as_role("dynamodb", function)
    assert dynamodb.get_item(TableName=table, Key=key)["Item"]["version"] == {"N": "1"}
    dynamodb.update_item(
        TableName=table, Key=key, UpdateExpression="SET refused_version = :v", ExpressionAttributeValues={":v": {"N": "1"}}
    )
    with pytest.raises(ClientError, match="AccessDenied"):
        dynamodb.delete_item(TableName=table, Key=key)


@pytest.mark.parametrize("function", ["webhook", "wake", "execute-order", "reversal", "verify-fill", "sweep"])
def test_who_does_not_renew_tokens_cannot_change_a_broker_s_secret(stack: LocalStack, broker_secret: str, function: str) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        stack.as_role("secretsmanager", function).put_secret_value(SecretId=broker_secret, SecretString="mine now")


def test_who_renews_tokens_can_change_a_broker_s_secret_and_neither_make_nor_delete_one(
    stack: LocalStack, broker_secret: str
) -> None:
    secrets_manager = stack.as_role("secretsmanager", "refresh-tokens")
    secrets_manager.put_secret_value(SecretId=broker_secret, SecretString="a broker's password")
    with pytest.raises(ClientError, match="AccessDenied"):
        secrets_manager.create_secret(Name=f"fillpath/local/broker/{uuid4().hex}", SecretString="another")
    with pytest.raises(ClientError, match="AccessDenied"):
        secrets_manager.delete_secret(SecretId=broker_secret, ForceDeleteWithoutRecovery=True)


def test_who_renews_tokens_touches_neither_orders_nor_the_master_key(stack: LocalStack) -> None:
    key = {"pk": {"S": "ORDER#any"}, "sk": {"S": "ORDER"}}
    with pytest.raises(ClientError, match="AccessDenied"):
        stack.as_role("dynamodb", "refresh-tokens").get_item(TableName=stack.description["tables"]["orders"], Key=key)
    with pytest.raises(ClientError, match="AccessDenied"):
        stack.as_role("secretsmanager", "refresh-tokens").get_secret_value(SecretId=stack.outputs["MasterKeySecretId"])


@pytest.mark.parametrize("function", ["execute-order", "reversal", "verify-fill", "sweep"])
def test_who_executes_can_read_a_broker_s_secret(stack: LocalStack, broker_secret: str, function: str) -> None:
    answer = stack.as_role("secretsmanager", function).get_secret_value(SecretId=broker_secret)
    assert answer["SecretString"] == "a broker's password"


def test_only_the_webhook_can_read_the_master_key(stack: LocalStack) -> None:
    name = stack.outputs["MasterKeySecretId"]
    assert stack.as_role("secretsmanager", "webhook").get_secret_value(SecretId=name)["SecretString"]
    with pytest.raises(ClientError, match="AccessDenied"):
        stack.as_role("secretsmanager", "execute-order").get_secret_value(SecretId=name)


def test_the_webhook_cannot_touch_the_simulated_exchange(stack: LocalStack) -> None:
    key = {"pk": {"S": "PAPER#any"}, "sk": {"S": "ACCOUNT"}}
    with pytest.raises(ClientError, match="AccessDenied"):
        stack.as_role("dynamodb", "webhook").get_item(TableName=stack.description["tables"]["paper"], Key=key)


def test_the_table_s_stream_wakes_a_lane_whose_wake_up_was_not_sent(stack: LocalStack, patient: Trader) -> None:
    with stack.denied("webhook", "sqs:SendMessage"):
        order = patient.order("buy", 1)
        assert patient.ended(order).state is OrderState.FILLED
    assert patient.position() == 1


def test_the_sweep_wakes_a_lane_that_stream_and_sender_have_forgotten(stack: LocalStack, patient: Trader) -> None:
    with stack.denied("webhook", "sqs:SendMessage"), stack.denied("wake", "sqs:SendMessage"):
        order = patient.order("buy", 1)
        stack.sweep()
        assert patient.ended(order).state is OrderState.FILLED


def test_a_replay_of_an_alert_whose_wake_up_was_not_sent_sends_it(stack: LocalStack, patient: Trader) -> None:
    alert = patient.alert("buy", 1)
    with stack.denied("wake", "sqs:SendMessage"):
        with stack.denied("webhook", "sqs:SendMessage"):
            order_id = patient.send(alert).json()["orders"][0]["order_id"]
        again = patient.send(alert)
        assert (again.status_code, again.json()["error"]) == (403, "replayed_alert")
        assert patient.ended(order_id).state is OrderState.FILLED
    assert len(patient.broker_orders()) == 1
