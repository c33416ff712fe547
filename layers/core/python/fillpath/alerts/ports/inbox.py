"""Inbox: what came in and what became of it, for those who want to know."""

from typing import Protocol

from fillpath.alerts.ports.alert_store import InboxEntry


class Inbox(Protocol):
    """Raises StorageUnavailable."""

    def newest(self, user_id: str, limit: int) -> tuple[InboxEntry, ...]:
        """A user's entries, the newest first."""
        ...

    def get(self, user_id: str, alert_id: str) -> InboxEntry:
        """One entry; NotFound."""
        ...
