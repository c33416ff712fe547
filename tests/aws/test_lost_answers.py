"""Writes whose answer was lost: what an adapter makes of a condition that fails by its own first attempt."""

from collections.abc import Callable

import pytest

from fillpath.errors import Conflict, Replayed, StorageUnavailable
from fillpath.orders.ports.order_store import LaneView
from fillpath_aws.alert_store import ATTEMPTS, DynamoAlertStore, Tables
from fillpath_aws.clients import service
from fillpath_aws.order_store import DynamoOrderStore
from tests.aws.scripted_server import Reply, Request, ScriptedServer
from tests.contract.records import NOW, an_entry, an_order, an_owner, changed

pytestmark = pytest.mark.enable_socket

BROKEN = Reply(500, {"__type": "InternalServerError"})
CONDITION_FAILED = Reply(400, {"__type": "x#ConditionalCheckFailedException"})


def cancelled(*codes: str) -> Reply:
    reasons = [{"Code": code} for code in codes]
    return Reply(400, {"__type": "x#TransactionCanceledException", "CancellationReasons": reasons})


def orders_of(aws: ScriptedServer) -> DynamoOrderStore:
    return DynamoOrderStore(service("dynamodb", aws.connection), "orders")


def alerts_of(aws: ScriptedServer) -> DynamoAlertStore:
    return DynamoAlertStore(service("dynamodb", aws.connection), Tables("orders", "accounts", "guards"))


def what_was_put_first(aws: ScriptedServer) -> Callable[[Request], Reply]:
    return lambda _: Reply(200, {"Item": aws.requests[0].body["Item"]})


def test_a_save_that_had_worked_before_its_answer_was_lost_is_saved(aws: ScriptedServer) -> None:
    aws.replies = [BROKEN, CONDITION_FAILED, what_was_put_first(aws)]
    order = an_order()
    assert orders_of(aws).save(order, changed(order, reason="x")).version == order.version + 1
    assert aws.operations == ["PutItem", "PutItem", "GetItem"]


def test_a_save_that_lost_to_an_equal_one_of_another_writer_conflicts(aws: ScriptedServer) -> None:
    def anothers(_: Request) -> Reply:
        return Reply(200, {"Item": {**aws.requests[0].body["Item"], "write_id": {"S": "another"}}})

    aws.replies = [BROKEN, CONDITION_FAILED, anothers]
    order = an_order()
    with pytest.raises(Conflict):
        orders_of(aws).save(order, changed(order, reason="x"))


@pytest.mark.parametrize("reason", ["ConditionalCheckFailed", "TransactionConflict"])
def test_a_cancelled_move_conflicts(aws: ScriptedServer, reason: str) -> None:
    aws.replies = [cancelled("None", reason)]
    order = an_order()
    with pytest.raises(Conflict):
        orders_of(aws).take(LaneView(order.lane), order, order.received_at)


def test_a_move_cancelled_for_want_of_capacity_is_no_conflict(aws: ScriptedServer) -> None:
    aws.replies = [cancelled("None", "ProvisionedThroughputExceeded")]
    order = an_order()
    with pytest.raises(StorageUnavailable):
        orders_of(aws).take(LaneView(order.lane), order, order.received_at)


def test_an_order_added_twice_is_there_once(aws: ScriptedServer) -> None:
    aws.replies = [BROKEN, cancelled("ConditionalCheckFailed", "None"), what_is_there]
    orders_of(aws).add(an_order())
    assert aws.operations == ["TransactWriteItems", "TransactWriteItems", "GetItem"]


def test_an_order_that_another_transaction_kept_from_being_added_is_not_taken_for_there(aws: ScriptedServer) -> None:
    aws.replies = [cancelled("None", "TransactionConflict"), Reply()]
    with pytest.raises(StorageUnavailable):
        orders_of(aws).add(an_order())


def what_is_there(_: Request) -> Reply:
    return Reply(200, {"Item": {"pk": {"S": "ORDER"}}})


def test_an_acceptance_that_meets_another_transaction_is_tried_again(aws: ScriptedServer) -> None:
    aws.replies = [cancelled("TransactionConflict", "None"), Reply()]
    order = an_order()
    alerts_of(aws).accept("guard", (order,), an_entry(order))
    first, second = [request.body["ClientRequestToken"] for request in aws.requests]
    assert first != second


def test_an_acceptance_that_always_meets_another_is_given_up(aws: ScriptedServer) -> None:
    aws.replies = [cancelled("TransactionConflict", "None")]
    order = an_order()
    with pytest.raises(StorageUnavailable):
        alerts_of(aws).accept("guard", (order,), an_entry(order))
    assert len(aws.requests) == ATTEMPTS


def guarded_by(alert_id: str) -> Reply:
    return Reply(200, {"Item": {"alert_id": {"S": alert_id}, "order_ids": {"L": [{"S": "o"}]}}})


def test_a_guard_that_is_ones_own_is_no_replay(aws: ScriptedServer) -> None:
    order = an_order()
    aws.replies = [BROKEN, cancelled("ConditionalCheckFailed", "None"), guarded_by(order.alert_id)]
    alerts_of(aws).accept("guard", (order,), an_entry(order))
    assert aws.operations == ["TransactWriteItems", "TransactWriteItems", "GetItem"]


def test_a_guard_of_another_alert_is_a_replay(aws: ScriptedServer) -> None:
    order = an_order()
    aws.replies = [cancelled("ConditionalCheckFailed", "None"), guarded_by("another")]
    with pytest.raises(Replayed) as replayed:
        alerts_of(aws).accept("guard", (order,), an_entry(order))
    assert (replayed.value.alert_id, replayed.value.order_ids) == ("another", ("o",))


def test_a_guard_that_failed_and_is_gone_is_no_acceptance(aws: ScriptedServer) -> None:
    order = an_order()
    aws.replies = [cancelled("ConditionalCheckFailed", "None"), Reply()]
    with pytest.raises(StorageUnavailable):
        alerts_of(aws).accept("guard", (order,), an_entry(order))


def test_keys_that_a_batch_left_unread_are_asked_for_again(aws: ScriptedServer) -> None:
    def half(request: Request) -> Reply:
        return Reply(200, {"Responses": {}, "UnprocessedKeys": {"accounts": request.body["RequestItems"]["accounts"]}})

    aws.replies = [half]
    with pytest.raises(StorageUnavailable, match="unread"):
        alerts_of(aws).context(an_owner(), "guard", NOW)
    first, second, *_ = [request.body["RequestItems"] for request in aws.requests]
    assert set(first) == {"accounts", "guards"}
    assert set(second) == {"accounts"}
