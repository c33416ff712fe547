"""Secrets, leases and buckets where answers are lost or late: what is sent again, and what is made of it."""

from collections.abc import Callable

import pytest

from fillpath.accounts.access import Access, TokenStatus
from fillpath.accounts.model import Credentials
from fillpath.accounts.ports.rate_limits import Quota
from fillpath.errors import Conflict, NotFound, StorageUnavailable
from fillpath_aws.access_vault import SecretsManagerAccessVault
from fillpath_aws.account_store import DynamoAccountStore
from fillpath_aws.clients import service
from fillpath_aws.rate_limits import DynamoRateLimits
from fillpath_aws.token_ledger import DynamoTokenLedger
from tests.aws.scripted_server import Reply, Request, ScriptedServer
from tests.contract.records import NOW, later
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.enable_socket

BROKEN = Reply(500, {"__type": "InternalServerError"})
LOST = Reply(400, {"__type": "x#ConditionalCheckFailedException"})
MISSING = Reply(400, {"__type": "ResourceNotFoundException"})
THERE = Reply(400, {"__type": "ResourceExistsException"})
ACCESS = Access({"password": "pa55word!"}, None, 3)
QUOTA = Quota(60, burst=3, reserve=1)
NOW_MS = int(NOW.timestamp() * 1000)


def vault_of(aws: ScriptedServer, key_id: str | None = None) -> SecretsManagerAccessVault:
    return SecretsManagerAccessVault(service("secretsmanager", aws.connection), "fillpath/dev/broker", key_id)


def ledger_of(aws: ScriptedServer) -> DynamoTokenLedger:
    return DynamoTokenLedger(service("dynamodb", aws.connection), "fleet")


def limits_of(aws: ScriptedServer) -> DynamoRateLimits:
    return DynamoRateLimits(service("dynamodb", aws.connection), "fleet", FakeClock(NOW))


def arrives(at_ms: int) -> Reply:
    return Reply(200, {"Attributes": {"arrives": {"N": str(at_ms)}}})


def standing(**attributes: int) -> Reply:
    item = {name: {"N": str(value)} for name, value in attributes.items()}
    return Reply(400, {"__type": "x#ConditionalCheckFailedException", "Item": item})


# secrets


def test_the_first_secret_is_made_under_the_account_s_name_with_the_environment_s_key(aws: ScriptedServer) -> None:
    aws.replies = [MISSING, Reply()]
    vault_of(aws, "arn:of-the-key").write("acc-1", ACCESS)
    assert aws.operations == ["PutSecretValue", "CreateSecret"]
    created = aws.requests[1].body
    assert (created["Name"], created["KmsKeyId"]) == ("fillpath/dev/broker/acc-1", "arn:of-the-key")


def test_a_secret_whose_creation_was_not_answered_is_written_once_more(aws: ScriptedServer) -> None:
    aws.replies = [MISSING, BROKEN, THERE, Reply()]
    vault_of(aws).write("acc-1", ACCESS)
    assert aws.operations == ["PutSecretValue", "CreateSecret", "CreateSecret", "PutSecretValue"]
    assert aws.requests[3].body["SecretString"] == aws.requests[1].body["SecretString"]


def test_a_version_that_is_sent_again_is_the_same_version(aws: ScriptedServer) -> None:
    aws.replies = [BROKEN, Reply()]
    vault_of(aws).write("acc-1", ACCESS)
    vault_of(aws).write("acc-1", ACCESS)
    first, again, other = [request.body["ClientRequestToken"] for request in aws.requests]
    assert first == again != other
    assert 32 <= len(first) <= 64


def test_a_vault_that_may_not_be_read_is_not_taken_for_an_empty_one(aws: ScriptedServer) -> None:
    aws.replies = [Reply(400, {"__type": "AccessDeniedException"})]
    for use in (lambda: vault_of(aws).read("acc-1"), lambda: vault_of(aws).write("acc-1", ACCESS)):
        with pytest.raises(StorageUnavailable, match="AccessDenied"):
            use()


def test_a_secret_is_forgotten_at_once_and_one_that_is_not_there_too(aws: ScriptedServer) -> None:
    aws.replies = [Reply(), MISSING]
    for _ in range(2):
        vault_of(aws).delete("acc-1")
    assert aws.requests[0].body == {"SecretId": "fillpath/dev/broker/acc-1", "ForceDeleteWithoutRecovery": True}


@pytest.mark.parametrize(
    "text", ["pa55word!", '"pa55word!"', '{"credentials": "pa55word!"}', '{"version": "pa55word!", "credentials": {}}']
)
def test_a_secret_that_cannot_be_understood_is_not_quoted(aws: ScriptedServer, text: str) -> None:
    aws.replies = [Reply(200, {"SecretString": text})]
    with pytest.raises(StorageUnavailable, match="cannot be understood") as error:
        vault_of(aws).read("acc-1")
    assert "pa55word" not in f"{error.value!r} {error.value.__cause__!r}"


# leases


def test_a_lease_whose_answer_was_lost_is_taken(aws: ScriptedServer) -> None:
    aws.replies = [BROKEN, Reply()]
    assert ledger_of(aws).take("acc-1", "ann", NOW, later(50))
    assert aws.operations == ["UpdateItem", "UpdateItem"]


def what_was_written_first(aws: ScriptedServer) -> Callable[[Request], Reply]:
    def item(_: Request) -> Reply:
        return Reply(200, {"Item": {"write_id": aws.requests[0].body["ExpressionAttributeValues"][":write_id"]}})

    return item


def test_a_settlement_that_had_worked_before_its_answer_was_lost_is_one(aws: ScriptedServer) -> None:
    aws.replies = [BROKEN, LOST, what_was_written_first(aws)]
    ledger_of(aws).settle("acc-1", "ann", TokenStatus(4))
    assert aws.operations == ["UpdateItem", "UpdateItem", "GetItem"]


def test_a_settlement_that_came_too_late_conflicts(aws: ScriptedServer) -> None:
    aws.replies = [BROKEN, LOST, Reply(200, {"Item": {"write_id": {"S": "another"}}})]
    with pytest.raises(Conflict):
        ledger_of(aws).settle("acc-1", "ann", TokenStatus(4))


def test_a_ledger_that_does_not_answer_is_neither_taken_nor_free(aws: ScriptedServer) -> None:
    aws.replies = [BROKEN]
    with pytest.raises(StorageUnavailable):
        ledger_of(aws).take("acc-1", "ann", NOW, later(50))


def test_a_mark_whose_answer_was_lost_is_made_again(aws: ScriptedServer) -> None:
    aws.replies = [BROKEN, Reply()]
    DynamoAccountStore(service("dynamodb", aws.connection), "accounts").mark_access("acc-1", Credentials.VERIFIED, None)
    assert aws.operations == ["UpdateItem", "UpdateItem"]


def test_a_mark_on_a_removed_account_makes_none(aws: ScriptedServer) -> None:
    aws.replies = [LOST]
    with pytest.raises(NotFound):
        DynamoAccountStore(service("dynamodb", aws.connection), "accounts").mark_access("acc-1", Credentials.VERIFIED, None)


# buckets


def test_a_bucket_at_rest_costs_one_call_and_so_does_one_in_use_that_was_seen(aws: ScriptedServer) -> None:
    aws.replies = [arrives(NOW_MS + 1000), arrives(NOW_MS + 2000)]
    limits = limits_of(aws)
    assert [limits.take("k", QUOTA), limits.take("k", QUOTA)] == [0, 0]
    assert len(aws.requests) == 2
    at_rest, in_use = [request.body["UpdateExpression"] for request in aws.requests]
    assert at_rest.startswith("SET arrives = :next")
    assert in_use.startswith("SET arrives = arrives + :interval")


def test_a_bucket_that_another_process_has_used_costs_one_more(aws: ScriptedServer) -> None:
    aws.replies = [standing(arrives=NOW_MS + 1000), arrives(NOW_MS + 2000)]
    assert limits_of(aws).take("k", QUOTA) == 0
    assert len(aws.requests) == 2


def test_a_bucket_that_came_to_rest_in_between_costs_one_more(aws: ScriptedServer) -> None:
    aws.replies = [arrives(NOW_MS + 1000), standing(arrives=NOW_MS), arrives(NOW_MS + 1000)]
    limits = limits_of(aws)
    assert [limits.take("k", QUOTA), limits.take("k", QUOTA)] == [0, 0]


def test_an_empty_bucket_tells_the_wait_of_what_was_found(aws: ScriptedServer) -> None:
    aws.replies = [standing(arrives=NOW_MS + 2500)]
    assert limits_of(aws).take("k", QUOTA) == 1.5
    assert limits_of(aws).take("k", QUOTA, urgent=True) == 0.5
    assert len(aws.requests) == 2


@pytest.mark.parametrize("trouble", [BROKEN, Reply(0)])
def test_a_request_is_not_taken_twice_because_its_answer_was_lost(aws: ScriptedServer, trouble: Reply) -> None:
    aws.replies = [trouble]
    with pytest.raises(StorageUnavailable):
        limits_of(aws).take("k", QUOTA)
    assert len(aws.requests) == 1


def test_who_always_comes_too_late_gives_up_with_nothing_taken(aws: ScriptedServer) -> None:
    aws.replies = [standing(arrives=NOW_MS), standing(arrives=NOW_MS + 1000)] * 9
    assert limits_of(aws).take("k", QUOTA) == 1


def test_a_bucket_stays_in_the_table_for_longer_than_it_counts(aws: ScriptedServer) -> None:
    aws.replies = [arrives(NOW_MS + 1000)]
    limits_of(aws).take("daily", Quota(per_minute=25 / 1440, burst=25))
    gone = int(aws.requests[0].body["ExpressionAttributeValues"][":gone"]["N"])
    assert gone > NOW.timestamp() + 86_400


def test_a_pause_shorter_than_the_bucket_stays_does_not_shorten_its_stay(aws: ScriptedServer) -> None:
    aws.replies = [LOST, Reply()]
    limits_of(aws).pause("k", 60, "too many")
    first, second = [request.body["UpdateExpression"] for request in aws.requests]
    assert "expires_at" in first
    assert second == "SET paused_until = :until, paused_why = :why"
