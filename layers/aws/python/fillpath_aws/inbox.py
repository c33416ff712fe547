"""The inbox as items of the guards table, by user and time."""

from dataclasses import asdict
from datetime import datetime, timedelta
from itertools import islice

from fillpath.alerts.ports.alert_store import InboxEntry
from fillpath.errors import NotFound
from fillpath_aws import pages, wire
from fillpath_aws.clients import DynamoDb
from fillpath_aws.wire import Item

KEPT = timedelta(days=30)


class DynamoInbox:
    """Inbox on DynamoDB."""

    def __init__(self, dynamodb: DynamoDb, guards_table: str) -> None:
        self._dynamodb = dynamodb
        self._table = guards_table

    def newest(self, user_id: str, limit: int) -> tuple[InboxEntry, ...]:
        """A user's entries, the newest first."""
        key = ("pk", _partition(user_id))
        found = pages.query(self._dynamodb, key, TableName=self._table, ConsistentRead=True, ScanIndexForward=False, Limit=limit)
        return tuple(map(_entry_of, islice(found, limit)))

    def get(self, user_id: str, alert_id: str) -> InboxEntry:
        """One entry; NotFound."""
        key = wire.item({"pk": _partition(user_id), "sk": alert_id})
        found = self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        if found is None:
            raise NotFound(f"alert {alert_id}")
        return _entry_of(found)


def inbox_item(entry: InboxEntry) -> Item:
    """An entry, for 30 days."""
    expires_at = int((entry.received_at + KEPT).timestamp())
    return wire.item(asdict(entry) | {"pk": _partition(entry.user_id), "sk": entry.alert_id, "expires_at": expires_at})


def _partition(user_id: str) -> str:
    return f"INBOX#{user_id}"


def _entry_of(item: Item) -> InboxEntry:
    content = wire.record({name: value for name, value in item.items() if name not in {"pk", "sk", "expires_at"}})
    content["received_at"] = datetime.fromisoformat(content["received_at"])
    content["order_ids"] = tuple(content["order_ids"])
    return InboxEntry(**content)
