"""Trading hours in a dictionary."""

from datetime import datetime

from fillpath.errors import StorageUnavailable
from fillpath.market.ports.trading_hours import Session


class FakeTradingHours:
    """TradingHours and HoursPublisher that know what they were told; `published_at` is when, and `fails` makes reads fail."""

    def __init__(self) -> None:
        self.published_at: dict[str, datetime] = {}
        self.fails = False
        self._sessions: dict[str, tuple[Session, ...]] = {}

    def sessions(self, calendar: str) -> tuple[Session, ...]:
        """The sessions of the calendar; empty where nothing is known."""
        if self.fails:
            raise StorageUnavailable("the table does not answer")
        return self._sessions.get(calendar, ())

    def publish(self, calendar: str, sessions: tuple[Session, ...], at: datetime) -> None:
        """Replace the calendar's sessions."""
        self._sessions[calendar] = sessions
        self.published_at[calendar] = at
