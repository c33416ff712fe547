"""Which calendar an exchange follows, and where its trading differs from it: an instrument goes in, a calendar comes out.

The calendars themselves, with holidays and short days, are those of the library exchange_calendars; their sessions come through
`TradingHours`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from fillpath.market.instruments import US_SHARES, Instrument
from fillpath.market.ports.trading_hours import Session

AROUND_THE_CLOCK = "around the clock, closed for maintenance"


@dataclass(frozen=True, slots=True)
class Calendar:
    """The hours of an exchange: `code` is exchange_calendars' own, `text` an ordinary week for people, `zone` its clock.

    Where the products are traded otherwise than the library says: `opens_utc` is when every day begins, `closes` (in `zone`) when
    it ends at the latest. `short_day_slack`: how long after the end of a shortened day some products may still be traded.
    """

    code: str
    zone: str
    text: str
    opens_utc: time | None = None
    closes: time | None = None
    short_day_slack: timedelta = timedelta(0)


_NEW_YORK = Calendar("XNYS", "America/New_York", "Mon-Fri 09:30-16:00 America/New_York")
# The library's day of the CME group is 24 hours long. In truth trading stops for an hour each day at 16:00 in Chicago, which is
# 17:00 in New York on every day of the year. On short days the library stops everything at noon in Chicago; share indices,
# rates and currencies go on until 12:15 on some of them. Grains pause during the day, which no calendar here knows: they count as
# open then.
_CME = Calendar(
    "CMES",
    "America/New_York",
    "Sunday 18:00 to Friday 17:00 America/New_York, closed daily 17:00-18:00",
    closes=time(17),
    short_day_slack=timedelta(minutes=15),
)
# Energy and metals stop at 13:30 on most short days and at 13:45 at the latest.
_NYMEX = replace(_CME, short_day_slack=timedelta(minutes=105))
# The library's day begins at 8:00. The large futures open for Asia, where clocks never change: 01:10 in winter, 02:10 in summer.
_EUREX = Calendar("XEUR", "Europe/Berlin", "Mon-Fri 01:10-22:00 Europe/Berlin (in summer from 02:10)", opens_utc=time(0, 10))

EXCHANGES: Mapping[str, Calendar] = MappingProxyType(
    {
        "ARCA": _NEW_YORK,
        "NASDAQ": _NEW_YORK,
        "NYSE": _NEW_YORK,
        US_SHARES: _NEW_YORK,
        "CBOT": _CME,
        "CME": _CME,
        "COMEX": _NYMEX,
        "NYMEX": _NYMEX,
        "EUREX": _EUREX,
    }
)
"""By exchange of the catalogue. The exchanges of coins are not among them: they are always open."""


def calendar_of(instrument: Instrument) -> Calendar | None:
    """The calendar that the instrument's exchange follows; None: it is always open, or nothing is known of it."""
    return EXCHANGES.get(instrument.exchange)


def hours_text(instrument: Instrument) -> str:
    """When the instrument trades in an ordinary week, for people."""
    calendar = calendar_of(instrument)
    return calendar.text if calendar else AROUND_THE_CLOCK


def as_traded(calendar: Calendar, session: Session) -> Session:
    """A session of the library's calendar, with the hours in which the exchange's products are really traded."""
    opens, closes = session.opens, session.closes
    if calendar.opens_utc:
        opens = datetime.combine(opens.astimezone(ZoneInfo(calendar.zone)).date(), calendar.opens_utc, UTC)
    if calendar.closes:
        closes = min(closes, _usual_close(calendar, closes))
    return Session(opens, closes)


def last_trade_possible(calendar: Calendar, session: Session) -> datetime:
    """Until when an order in that session (as traded) may still find a market: its end, later on a shortened day."""
    shortened = calendar.closes is not None and session.closes < _usual_close(calendar, session.closes)
    return session.closes + (calendar.short_day_slack if shortened else timedelta(0))


def _usual_close(calendar: Calendar, closes: datetime) -> datetime:
    """Where the day of `closes` ends at the latest, in UTC."""
    zone = ZoneInfo(calendar.zone)
    return datetime.combine(closes.astimezone(zone).date(), calendar.closes or time.max, zone).astimezone(UTC)
