"""What the adapter keeps of the hours that it has read, and how it stores them."""

from datetime import UTC, datetime, timedelta

import pytest

from fillpath.errors import StorageUnavailable
from fillpath.market.ports.trading_hours import Session
from fillpath_aws.clients import service
from fillpath_aws.trading_hours import DynamoTradingHours
from tests.aws.scripted_server import Reply, ScriptedServer
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.enable_socket

SESSION = Session(datetime(2026, 3, 2, 14, 30, tzinfo=UTC), datetime(2026, 3, 2, 21, tzinfo=UTC))
PAIR = [{"S": "2026-03-02T14:30:00.000Z"}, {"S": "2026-03-02T21:00:00.000Z"}]
FOUND = Reply(200, {"Item": {"sessions": {"L": [{"L": PAIR}]}}})


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def hours(aws: ScriptedServer, clock: FakeClock) -> DynamoTradingHours:
    return DynamoTradingHours(service("dynamodb", aws.connection), "market", clock)


def reads_within(hours: DynamoTradingHours, clock: FakeClock, aws: ScriptedServer, passes: timedelta) -> int:
    """How often the table is asked by two orders with so much time between them."""
    first = hours.sessions("XNYS")
    clock.set(clock.now() + passes)
    assert hours.sessions("XNYS") == first
    return len(aws.requests)


@pytest.mark.parametrize(("passes", "reads"), [(timedelta(minutes=59), 1), (timedelta(hours=1), 2)])
def test_what_was_read_is_kept_for_an_hour(
    hours: DynamoTradingHours, clock: FakeClock, aws: ScriptedServer, passes: timedelta, reads: int
) -> None:
    aws.replies = [FOUND]
    assert reads_within(hours, clock, aws, passes) == reads
    assert hours.sessions("XNYS") == (SESSION,)


@pytest.mark.parametrize("nothing", [Reply(200, {}), Reply(200, {"Item": {"sessions": {"L": []}}})])
@pytest.mark.parametrize(("passes", "reads"), [(timedelta(seconds=59), 1), (timedelta(minutes=1), 2)])
def test_that_there_was_nothing_is_kept_for_a_minute(
    hours: DynamoTradingHours, clock: FakeClock, aws: ScriptedServer, nothing: Reply, passes: timedelta, reads: int
) -> None:
    aws.replies = [nothing]
    assert reads_within(hours, clock, aws, passes) == reads


def test_each_calendar_is_kept_by_itself(hours: DynamoTradingHours, aws: ScriptedServer) -> None:
    aws.replies = [FOUND, Reply(200, {})]
    assert (hours.sessions("XNYS"), hours.sessions("CMES"), hours.sessions("XNYS")) == ((SESSION,), (), (SESSION,))
    assert [request.body["Key"]["pk"]["S"] for request in aws.requests] == ["HOURS#XNYS", "HOURS#CMES"]


def test_a_failed_read_is_not_kept(hours: DynamoTradingHours, aws: ScriptedServer) -> None:
    aws.replies = [Reply(400, {"__type": "x#ResourceNotFoundException"}), FOUND]
    with pytest.raises(StorageUnavailable):
        hours.sessions("XNYS")
    assert hours.sessions("XNYS") == (SESSION,)


def test_what_is_published_expires_after_twenty_days(hours: DynamoTradingHours, clock: FakeClock, aws: ScriptedServer) -> None:
    aws.replies = [Reply(200, {})]
    hours.publish("XNYS", (SESSION,), clock.now())
    (request,) = aws.requests
    expires_at = int((clock.now() + timedelta(days=20)).timestamp())
    assert request.body == {
        "TableName": "market",
        "Item": {
            "pk": {"S": "HOURS#XNYS"},
            "sk": {"S": "HOURS"},
            "sessions": {"L": [{"L": PAIR}]},
            "published_at": {"S": "2026-03-02T14:30:00.000Z"},
            "expires_at": {"N": str(expires_at)},
        },
    }
