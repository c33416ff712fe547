"""The inbox in a dictionary."""

from fillpath.alerts.ports.alert_store import InboxEntry
from fillpath.errors import NotFound
from tests.fakes.tables import FakeTables


class FakeInbox:
    """Inbox over what FakeAlertStore has written."""

    def __init__(self, tables: FakeTables | None = None) -> None:
        self.tables = tables or FakeTables()

    def newest(self, user_id: str, limit: int) -> tuple[InboxEntry, ...]:
        """A user's entries, the newest first."""
        entries = self.tables.inbox.get(user_id, {})
        return tuple(entries[alert_id] for alert_id in sorted(entries, reverse=True)[:limit])

    def get(self, user_id: str, alert_id: str) -> InboxEntry:
        """One entry; NotFound."""
        try:
            return self.tables.inbox[user_id][alert_id]
        except KeyError:
            raise NotFound(f"alert {alert_id}") from None
