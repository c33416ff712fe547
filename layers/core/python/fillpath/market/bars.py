"""Bars, trades and quotes as venues tell them, and what is missing between bars. Prices are Decimal, times aware UTC."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum


class Interval(StrEnum):
    """The length of a bar."""

    MINUTE = "1m"
    FIVE_MINUTES = "5m"
    QUARTER_HOUR = "15m"
    HOUR = "1h"
    DAY = "1d"

    @property
    def duration(self) -> timedelta:
        """How long one bar lasts; of a day the calendar decides, here it is 24 h."""
        return _DURATIONS[self]


_DURATIONS = {
    Interval.MINUTE: timedelta(minutes=1),
    Interval.FIVE_MINUTES: timedelta(minutes=5),
    Interval.QUARTER_HOUR: timedelta(minutes=15),
    Interval.HOUR: timedelta(hours=1),
    Interval.DAY: timedelta(days=1),
}


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar, labelled by its start: [start, start + interval). `final` is false while the venue may still change it."""

    symbol: str
    start: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    final: bool = True


@dataclass(frozen=True, slots=True)
class Trade:
    """One trade: when it happened at the venue, when it was received, and its id or sequence where the venue tells one."""

    symbol: str
    at: datetime
    received_at: datetime
    price: Decimal
    size: Decimal
    trade_id: str | None = None
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Quote:
    """The best bid and ask as the venue shows them at `at`; None where a side is empty or not told yet."""

    symbol: str
    at: datetime
    received_at: datetime
    bid: Decimal | None = None
    ask: Decimal | None = None
    bid_size: Decimal | None = None
    ask_size: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """Something may have been missed: from the last that was heard until the line was up again (half open)."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class History:
    """Bars from the oldest on, without doubles, and the stretches in which the market was open and no bar is there."""

    bars: tuple[Bar, ...]
    gaps: tuple[Gap, ...] = ()
