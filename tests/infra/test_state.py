from typing import Any

import pytest

from tests.infra.conftest import PARTS, Synthesize, Synthesized

TABLES = {"accounts", "fleet", "guards", "market", "orders", "paper"}
ENVIRONMENTS = ["local", "dev", "staging", "prod"]
STATEFUL = ("AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::SecretsManager::Secret", "AWS::SQS::Queue")


def tables(synthesized: Synthesized) -> dict[str, dict[str, Any]]:
    return {table["TableName"].rpartition("-")[2]: table for table in synthesized.properties("AWS::DynamoDB::Table")}


def queues(synthesized: Synthesized) -> dict[str, dict[str, Any]]:
    prefix = f"{synthesized.settings.prefix}-"
    return {queue["QueueName"].removeprefix(prefix): queue for queue in synthesized.properties("AWS::SQS::Queue")}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_environment_synthesizes_without_a_finding_of_cdk_nag(synthesize: Synthesize, environment: str) -> None:
    # A finding ends the synthesis with an error.
    assert synthesize(environment).templates.keys() == set(PARTS)


def test_tables_are_those_of_the_page(prod: Synthesized) -> None:
    keys = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]

    assert tables(prod).keys() == TABLES
    assert all(table["KeySchema"] == keys for table in tables(prod).values())
    assert all(table["BillingMode"] == "PAY_PER_REQUEST" for table in tables(prod).values())


@pytest.mark.parametrize(
    ("table", "indexes"),
    [
        ("orders", {"by_user": ["user", "order_id"], "open": ["open", "order_id"]}),
        ("accounts", {"by_user": ["user", "sk_user"]}),
        ("guards", {}),
        ("market", {}),
        ("paper", {}),
        ("fleet", {}),
    ],
)
def test_indexes_are_those_of_the_page(prod: Synthesized, table: str, indexes: dict[str, list[str]]) -> None:
    found = tables(prod)[table].get("GlobalSecondaryIndexes", [])

    assert {index["IndexName"]: [key["AttributeName"] for key in index["KeySchema"]] for index in found} == indexes


def test_what_expires_has_a_time_to_live_and_orders_have_a_stream(prod: Synthesized) -> None:
    expiring = {name for name, table in tables(prod).items() if "TimeToLiveSpecification" in table}
    streaming = {name: table["StreamSpecification"] for name, table in tables(prod).items() if "StreamSpecification" in table}

    assert expiring == {"fleet", "guards", "market"}
    assert streaming == {"orders": {"StreamViewType": "NEW_AND_OLD_IMAGES"}}


def test_everything_stateful_is_encrypted_with_the_one_key_that_rotates(prod: Synthesized) -> None:
    [key] = prod.resources("AWS::KMS::Key")
    arn = {"Fn::GetAtt": [key, "Arn"]}

    assert prod.resources("AWS::KMS::Key")[key]["Properties"]["EnableKeyRotation"] is True
    assert all(table["SSESpecification"]["KMSMasterKeyId"] == arn for table in tables(prod).values())
    assert all(queue["KmsMasterKeyId"] == arn for queue in queues(prod).values())
    assert [secret["KmsKeyId"] for secret in prod.properties("AWS::SecretsManager::Secret")] == [arn]
    assert all("KmsMasterKeyId" in topic for topic in prod.properties("AWS::SNS::Topic"))


@pytest.mark.parametrize("environment", ENVIRONMENTS[1:])
def test_state_outlives_its_stack_outside_local(synthesize: Synthesize, environment: str) -> None:
    state = synthesize(environment)

    kept = [resource["DeletionPolicy"] for kind in STATEFUL for resource in state.resources(kind).values()]
    assert set(kept) == {"Retain"}
    assert all(table["DeletionProtectionEnabled"] for table in tables(state).values())
    assert state.undeletable == {"State"}


def test_state_goes_with_its_stack_in_local(local: Synthesized) -> None:
    kept = [resource["DeletionPolicy"] for kind in STATEFUL for resource in local.resources(kind).values()]

    assert set(kept) == {"Delete"}
    assert not any(table.get("DeletionProtectionEnabled") for table in tables(local).values())
    assert not local.undeletable


def test_tables_can_be_restored_to_any_second(prod: Synthesized) -> None:
    assert all(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] for table in tables(prod).values())


@pytest.mark.parametrize(
    ("queue", "visibility", "delay", "max_receive_count"), [("orders", 30, 0, 20), ("verification", 180, 2, 100)]
)
def test_a_queue_has_its_times_and_its_dead_letter_queue(
    prod: Synthesized, queue: str, visibility: int, delay: int, max_receive_count: int
) -> None:
    [dead_letters] = [
        name
        for name, resource in prod.resources("AWS::SQS::Queue").items()
        if resource["Properties"]["QueueName"] == f"fillpath-prod-{queue}-dlq.fifo"
    ]
    found = queues(prod)[f"{queue}.fifo"]

    assert (found["VisibilityTimeout"], found["DelaySeconds"]) == (visibility, delay)
    redrive = {"deadLetterTargetArn": {"Fn::GetAtt": [dead_letters, "Arn"]}, "maxReceiveCount": max_receive_count}
    assert found["RedrivePolicy"] == redrive


def test_every_queue_has_a_dead_letter_queue_or_is_one(prod: Synthesized) -> None:
    without = {name for name, queue in queues(prod).items() if "RedrivePolicy" not in queue}

    assert without == {"orders-dlq.fifo", "verification-dlq.fifo", "wake-dlq"}


def test_fifo_queues_take_the_senders_ids_group_by_group(prod: Synthesized) -> None:
    fifo = [queue for name, queue in queues(prod).items() if name.endswith(".fifo")]

    assert len(fifo) == 4
    for queue in fifo:
        assert queue["ContentBasedDeduplication"] is False
        assert (queue["DeduplicationScope"], queue["FifoThroughputLimit"]) == ("messageGroup", "perMessageGroupId")


def test_queues_and_topic_refuse_plain_http(prod: Synthesized) -> None:
    policies = [*prod.properties("AWS::SQS::QueuePolicy"), *prod.properties("AWS::SNS::TopicPolicy")]
    refusing = [
        policy
        for policy in policies
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny" and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    ]

    assert len(refusing) == len(queues(prod)) + 1


def test_the_command_line_finds_state_by_its_outputs(prod: Synthesized) -> None:
    assert prod.outputs("State").keys() == {
        "OrdersTableName",
        "AccountsTableName",
        "GuardsTableName",
        "MarketTableName",
        "PaperTableName",
        "FleetTableName",
        "OrdersQueueUrl",
        "OrdersDlqUrl",
        "VerificationQueueUrl",
        "VerificationDlqUrl",
        "WakeDlqUrl",
        "MasterKeySecretId",
        "BrokerSecretPrefix",
        "KeyArn",
    }
