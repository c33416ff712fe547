"""TradingHours: when exchanges trade, from their calendars."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Session:
    """One stretch of time in which an exchange trades, from `opens` (aware, UTC) until before `closes`."""

    opens: datetime
    closes: datetime


class TradingHours(Protocol):
    """Raises StorageUnavailable."""

    def sessions(self, calendar: str) -> tuple[Session, ...]:
        """The sessions of the calendar (a code of exchange_calendars such as XNYS) from yesterday on for the days to come.

        Empty where nothing is known: who asks must not refuse anything for that.
        """
        ...


class HoursPublisher(Protocol):
    """Raises StorageUnavailable."""

    def publish(self, calendar: str, sessions: tuple[Session, ...], at: datetime) -> None:
        """Replace what is known of the calendar's sessions; `at` is when they were computed. Forgotten after 20 days."""
        ...
