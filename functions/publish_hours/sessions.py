"""The sessions of a calendar as exchange_calendars reckons them: a calendar and a day go in, sessions come out.

The only module that loads the library: it brings pandas along, which no function on the order path could wait for.
"""

from datetime import UTC, date, datetime, timedelta

import exchange_calendars
import pandas as pd

from fillpath.market.calendars import Calendar, as_traded
from fillpath.market.ports.trading_hours import Session

DAYS_AHEAD = 14


def sessions_of(calendar: Calendar, today: date) -> tuple[Session, ...]:
    """The sessions of yesterday and of the 14 days from today on, in the hours in which the exchange's products are traded."""
    first, last = (pd.Timestamp(today + timedelta(days=days)) for days in (-1, DAYS_AHEAD))
    schedule = exchange_calendars.get_calendar(calendar.code, start=first, end=last).schedule
    days = zip(schedule["open"], schedule["close"], strict=True)
    return tuple(as_traded(calendar, Session(_instant(opens), _instant(closes))) for opens, closes in days)


def _instant(at: pd.Timestamp) -> datetime:
    moment: datetime = at.to_pydatetime()
    return moment.astimezone(UTC)
