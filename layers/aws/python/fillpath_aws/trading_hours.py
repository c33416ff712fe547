"""When exchanges trade, in the market table: one item per calendar."""

from datetime import datetime, timedelta

from fillpath.clock import Clock
from fillpath.market.ports.trading_hours import Session
from fillpath_aws import wire
from fillpath_aws.clients import DynamoDb
from fillpath_aws.wire import Item

KEPT = timedelta(hours=1)
MISSING_KEPT = timedelta(minutes=1)
EXPIRES_AFTER = timedelta(days=20)


class DynamoTradingHours:
    """TradingHours and HoursPublisher on DynamoDB.

    What was read is kept in the process for an hour, that there was nothing only for a minute: the order path asks before each
    order, and sessions change a few times a year.
    """

    def __init__(self, dynamodb: DynamoDb, table: str, clock: Clock) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._clock = clock
        self._kept: dict[str, tuple[tuple[Session, ...], datetime]] = {}

    def sessions(self, calendar: str) -> tuple[Session, ...]:
        """The sessions of the calendar from yesterday on for the days to come; empty where nothing is known."""
        now = self._clock.now()
        sessions, until = self._kept.get(calendar, ((), now))
        if until > now:
            return sessions
        sessions = self._read(calendar)
        self._kept[calendar] = (sessions, now + (KEPT if sessions else MISSING_KEPT))
        return sessions

    def publish(self, calendar: str, sessions: tuple[Session, ...], at: datetime) -> None:
        """Replace the calendar's sessions."""
        content = {
            "sessions": [(session.opens, session.closes) for session in sessions],
            "published_at": at,
            "expires_at": int((at + EXPIRES_AFTER).timestamp()),
        }
        self._dynamodb.put_item(TableName=self._table, Item=_key(calendar) | wire.item(content))
        self._kept.pop(calendar, None)

    def _read(self, calendar: str) -> tuple[Session, ...]:
        found = self._dynamodb.get_item(TableName=self._table, Key=_key(calendar)).get("Item")
        if found is None:
            return ()
        pairs = wire.record(found)["sessions"]
        return tuple(Session(datetime.fromisoformat(opens), datetime.fromisoformat(closes)) for opens, closes in pairs)


def _key(calendar: str) -> Item:
    return wire.item({"pk": f"HOURS#{calendar}", "sk": "HOURS"})
