"""Each function once through its own wiring: from its event to what it writes, over moto."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from fillpath.accounts.manage import Access, save_webhook
from fillpath.accounts.model import Route
from fillpath.clock import SystemClock
from fillpath.orders.model import OrderState
from fillpath_aws.account_store import DynamoAccountStore
from fillpath_aws.order_store import DynamoOrderStore
from fillpath_aws.trading_hours import DynamoTradingHours
from functions.execute_order import handler as execute_order
from functions.publish_hours import handler as publish_hours
from functions.sweep import handler as sweep
from functions.verify_fill import handler as verify_fill
from functions.wake import handler as wake
from functions.webhook import handler as webhook
from tests.contract.moto import MASTER_KEY, Moto
from tests.contract.records import NOW, a_user, a_webhook, an_account
from tests.functions.conftest import Context
from tests.functions.test_events import event

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]


@pytest.fixture
def access(aws: Moto) -> Access:
    """A user with a webhook that leads to one paper account."""
    accounts = DynamoAccountStore(aws.dynamodb, "accounts")
    accounts.save(a_user())
    accounts.save(an_account(terms_accepted_at=NOW))
    return save_webhook(a_webhook(routes=(Route(account_id="acc-1"),)), accounts, MASTER_KEY.encode())


def request(access: Access, **fields: Any) -> dict[str, Any]:
    """A request of the gateway that arrives now."""
    now = datetime.now(UTC)
    alert = {"action": "buy", "symbol": "ES1!", "quantity": 1, "timestamp": now.isoformat(), "secret": access.secret, **fields}
    sample = event("webhook/buy_entry.json")
    return {
        **sample,
        "pathParameters": {"token": access.token},
        "requestContext": {**sample["requestContext"], "requestTimeEpoch": int(now.timestamp() * 1000)},
        "body": json.dumps(alert),
    }


def received(aws: Moto, queue: str) -> dict[str, Any]:
    """The first message of a queue, as Lambda hands it over."""
    url = aws.sqs.call("GetQueueUrl", {"QueueName": f"{queue}.fifo"})["QueueUrl"]
    (message,) = aws.sqs.call("ReceiveMessage", {"QueueUrl": url, "AttributeNames": ["All"]})["Messages"]
    (sample,) = event("execute_order/wake_up.json")["Records"]
    of_message = {"messageId": message["MessageId"], "receiptHandle": message["ReceiptHandle"]}
    return {"Records": [{**sample, **of_message, "body": message["Body"], "attributes": message["Attributes"]}]}


def post(access: Access, **fields: Any) -> tuple[int, dict[str, Any]]:
    answer = webhook.handler(request(access, **fields), None)
    return answer["statusCode"], json.loads(answer["body"])


def test_an_alert_becomes_an_order_and_the_order_a_fill(aws: Moto, access: Access, context: Context) -> None:
    status, body = post(access)
    assert (status, body["orders"][0]["state"]) == (202, "QUEUED")
    assert execute_order.handler(received(aws, "orders"), context) == {"batchItemFailures": []}  # type: ignore[arg-type]  a context with what is used of it
    order = DynamoOrderStore(aws.dynamodb, "orders").get(body["orders"][0]["order_id"])
    assert (order.state, order.filled_quantity) == (OrderState.FILLED, 1)
    assert verify_fill.handler(received(aws, "verification"), context) == {"batchItemFailures": []}  # type: ignore[arg-type]  a context with what is used of it
    assert sweep.handler(event("sweep/minute.json"), context) == {"failures": 0}  # type: ignore[arg-type]  a context with what is used of it


def test_a_refusal_is_an_answer(access: Access) -> None:
    status, body = post(access, secret="wrong")
    assert (status, body["error"]) == (401, "bad_secret")


def test_a_table_that_is_not_there_asks_for_a_resend(aws: Moto, access: Access) -> None:
    aws.dynamodb.call("DeleteTable", {"TableName": "guards"})
    status, body = post(access)
    assert (status, body["error"]) == (503, "try_again")


def test_what_is_wrong_with_a_message_is_reported_by_item(aws: Moto, context: Context) -> None:
    check = event("verify_fill/check.json")  # of an order that is not there
    failures = verify_fill.handler(check, context)["batchItemFailures"]  # type: ignore[arg-type]  a context with what is used of it
    assert failures == [{"itemIdentifier": check["Records"][0]["messageId"]}]


@pytest.mark.parametrize("name", ["new_waiting_order", "lane_released"])
def test_a_change_of_a_lane_wakes_it(aws: Moto, context: Context, name: str) -> None:
    assert wake.handler(event(f"wake/{name}.json"), context) == {"batchItemFailures": []}  # type: ignore[arg-type]  a context with what is used of it
    (message,) = received(aws, "orders")["Records"]
    assert json.loads(message["body"]) == {"account_id": "01KJQHPA5W3S8E6D4F2G1H9JKM", "root": "ES"}


@pytest.mark.filterwarnings("ignore:Series.values returning an ndarray")  # the library uses what pandas is about to change
@pytest.mark.parametrize("name", ["six_hours", "deployed"])
def test_the_hours_of_every_exchange_are_published(aws: Moto, context: Context, name: str) -> None:
    published = publish_hours.handler(event(f"publish_hours/{name}.json"), context)  # type: ignore[arg-type]  a context with what is used of it
    assert published.keys() == {"CMES", "XEUR", "XNYS"}
    hours = DynamoTradingHours(aws.dynamodb, "market", SystemClock())
    today = datetime.now(UTC)
    for calendar, count in published.items():
        sessions = hours.sessions(calendar)
        assert len(sessions) == count
        assert sessions[-1].opens > today
