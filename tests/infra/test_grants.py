"""Who may touch what, on one page."""

import pytest

from tests.infra.conftest import Synthesized
from tests.infra.policies import Rights, Words, rights

GET = "BatchGetItem GetItem"
CONSUME = "ChangeMessageVisibility DeleteMessage GetQueueAttributes ReceiveMessage"
USE_KEY = {
    "key via dynamodb": "Decrypt DescribeKey Encrypt GenerateDataKey ReEncryptFrom ReEncryptTo",
    "key via sqs": "Decrypt GenerateDataKey",
}
TRACE = {"*": "PutTelemetryRecords PutTraceSegments"}
EXECUTOR = {
    "table orders": "BatchGetItem DeleteItem GetItem PutItem Query UpdateItem",
    "table orders/index/by_user": "Query",
    "table accounts": GET,
    "table market": GET,
    "table paper": "BatchGetItem GetItem PutItem Query",
    "table fleet": "GetItem UpdateItem",
    "queue orders.fifo": "SendMessage",
    "queue verification.fifo": "SendMessage",
    "secret:fillpath/prod/broker/*": "GetSecretValue",
    "key via secretsmanager for secret:fillpath/prod/broker/*": "Decrypt",
    **USE_KEY,
    **TRACE,
}
EXPECTED: Rights = {
    "role webhook": {
        "table accounts": GET,
        "table orders": "BatchGetItem GetItem PutItem",
        "table guards": "BatchGetItem GetItem PutItem UpdateItem",
        "queue orders.fifo": "SendMessage",
        "secret:fillpath/prod/master-key-??????": "GetSecretValue",
        "key via secretsmanager for secret:fillpath/prod/master-key-??????": "Decrypt",
        **USE_KEY,
        **TRACE,
    },
    "role execute-order": EXECUTOR | {"queue orders.fifo": f"{CONSUME} SendMessage", "workflow reversal": "StartExecution"},
    "role reversal": EXECUTOR,
    "role verify-fill": EXECUTOR
    | {"queue verification.fifo": f"{CONSUME} SendMessage", "queue verification-dlq.fifo": "SendMessage"},
    "role sweep": EXECUTOR
    | {
        "table orders/index/open": "Query",
        "workflow reversal": "StartExecution",
        "execution:fillpath-prod-reversal:*": "DescribeExecution",
    },
    "role wake": {
        "table orders stream": "DescribeStream GetRecords GetShardIterator",
        "queue orders.fifo": "SendMessage",
        "queue wake-dlq": "SendMessage",
        "key via dynamodb": "Decrypt",
        "key via sqs": "Decrypt GenerateDataKey",
        "*": f"ListStreams {TRACE['*']}",
    },
    "role refresh-tokens": {
        "table accounts": "GetItem Query UpdateItem",
        "table accounts/index/by_user": "Query",
        "table fleet": "GetItem UpdateItem",
        "secret:fillpath/prod/broker/*": "GetSecretValue PutSecretValue",
        "key via secretsmanager for secret:fillpath/prod/broker/*": "Decrypt GenerateDataKey",
        "key via dynamodb": USE_KEY["key via dynamodb"],
        **TRACE,
    },
    "role publish-hours": {"table market": "PutItem", "key via dynamodb": USE_KEY["key via dynamodb"], **TRACE},
    "role reversal-workflow": {
        "function reversal": "InvokeFunction",
        "*": "CreateLogDelivery DeleteLogDelivery DescribeLogGroups DescribeResourcePolicies GetLogDelivery GetSamplingRules "
        "GetSamplingTargets ListLogDeliveries PutResourcePolicy PutTelemetryRecords PutTraceSegments UpdateLogDelivery",
    },
}


@pytest.fixture
def granted(prod: Synthesized) -> Rights:
    return rights(prod)


def test_no_role_is_left_out(granted: Rights) -> None:
    assert granted.keys() == EXPECTED.keys()


@pytest.mark.parametrize("role", EXPECTED)
def test_a_role_may_do_exactly_what_this_page_says(granted: Rights, role: str) -> None:
    own_log = {f"log /aws/lambda/fillpath-prod-{role.removeprefix('role ')}": "CreateLogStream PutLogEvents"}

    assert granted[role] == EXPECTED[role] | ({} if role == "role reversal-workflow" else own_log)


@pytest.mark.parametrize("role", ["role webhook", "role wake", "role publish-hours"])
def test_who_does_not_execute_reads_no_broker_secret_no_paper_account_and_nothing_of_tokens(granted: Rights, role: str) -> None:
    assert not [thing for thing in granted[role] if "broker" in thing or "paper" in thing or "fleet" in thing]


def test_only_who_renews_tokens_may_change_secrets(granted: Rights) -> None:
    writers = {role for role, things in granted.items() if any("PutSecretValue" in actions for actions in things.values())}
    assert writers == {"role refresh-tokens"}


def test_managed_policies_are_attached_to_the_gateways_log_role_only(prod: Synthesized) -> None:
    roles = [role for role in prod.properties("AWS::IAM::Role") if "ManagedPolicyArns" in role or "Policies" in role]

    assert [role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"] for role in roles] == [
        "apigateway.amazonaws.com"
    ]


def test_only_the_gateway_and_the_schedules_may_invoke_functions(prod: Synthesized) -> None:
    words = Words(prod)
    invokers = {
        (permission["Principal"], words.of(part, permission["FunctionName"]))
        for part in ("Orders", "Edge")
        for permission in prod.properties("AWS::Lambda::Permission", part)
    }

    assert invokers == {
        ("apigateway.amazonaws.com", "function webhook"),
        ("events.amazonaws.com", "function sweep"),
        ("events.amazonaws.com", "function publish-hours"),
        ("events.amazonaws.com", "function refresh-tokens"),
    }
