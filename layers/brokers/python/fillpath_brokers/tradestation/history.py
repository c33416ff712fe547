"""TradeStation's bars: a symbol and a stretch of time come in, bars page by page and what is missing between them go out.

It labels a bar by its close and cuts the last bar of a session short, so a bar begins where the one before it ended, or a whole
interval before its close. A day bar is labelled here by the midnight of its exchange that begins its trading day.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from fillpath.errors import BrokerUnavailable, Unsupported
from fillpath.market.bars import Bar, History, Interval
from fillpath.market.calendars import calendar_of
from fillpath.market.instruments import Instrument
from fillpath.market.ports.trading_hours import TradingHours
from fillpath_brokers.documents import moment, number, readable
from fillpath_brokers.gaps import with_gaps
from fillpath_brokers.session import Session
from fillpath_brokers.tradestation.refusals import errors_in, read
from fillpath_brokers.tradestation.settings import Settings
from fillpath_brokers.web import part

MOST_BARS = 57_600
_MINUTES = {Interval.MINUTE: "1", Interval.FIVE_MINUTES: "5", Interval.QUARTER_HOUR: "15", Interval.HOUR: "60"}
_NEW_YORK = "America/New_York"


def read_bars(
    symbol: str, ours: str, instrument: Instrument, span: tuple[datetime, datetime], interval: Interval, source: "BarSource"
) -> History:
    """Bars that begin in the span [start, end); BrokerUnavailable, Unsupported for a symbol without data."""
    start, end = span
    calendar = calendar_of(instrument)
    zone = ZoneInfo(calendar.zone if calendar else _NEW_YORK)
    rows = [row for first, last in pages(start, end, interval) for row in source.page(symbol, first, last, interval)]
    with readable(f"TradeStation's bars of {symbol}"):
        bars = list(bars_of(rows, ours, interval, zone))
    return with_gaps(bars, instrument, start, end, interval, source.hours)


class BarSource:
    """Where bars come from."""

    def __init__(self, session: Session, settings: Settings, hours: TradingHours) -> None:
        self.hours = hours
        self._session = session
        self._settings = settings

    def page(self, symbol: str, first: datetime, last: datetime, interval: Interval) -> Sequence[Mapping[str, Any]]:
        """The bars that close in a stretch of time that one answer can hold."""
        minutes = _MINUTES.get(interval)
        params = {
            "unit": "Minute" if minutes else "Daily",
            "interval": minutes or "1",
            "firstdate": _stamp(first),
            "lastdate": _stamp(last),
            "sessiontemplate": self._settings.session_template,
        }
        reply = self._session.read(f"{self._settings.api_url}/v3/marketdata/barcharts/{part(symbol)}", params)
        if 400 <= reply.status < 500:
            raise Unsupported(f"TradeStation gives no bars of {symbol}: {read(reply)}")
        document = reply.json()
        if errors_in(document):
            raise Unsupported(f"TradeStation gives no bars of {symbol}: {read(reply)}")
        if not isinstance(document, dict) or not isinstance(document.get("Bars"), list):
            raise BrokerUnavailable(f"TradeStation's bars of {symbol} cannot be read")
        rows: list[dict[str, Any]] = document["Bars"]
        return rows


def pages(start: datetime, end: datetime, interval: Interval) -> Iterator[tuple[datetime, datetime]]:
    """Stretches of closing times, none with more bars than one answer holds even if trading never stopped.

    One interval more on both sides: the first bar needs the close of the one before, and the edges may or may not count.
    """
    first, last = start - interval.duration, end + interval.duration
    step = interval.duration * (MOST_BARS - 2)
    while first < last:
        yield first, min(first + step, last)
        first += step


def bars_of(rows: Iterable[Mapping[str, Any]], ours: str, interval: Interval, zone: ZoneInfo) -> Iterator[Bar]:
    """The rows as bars labelled by their start."""
    before: datetime | None = None
    closes = {moment(row["TimeStamp"]): row for row in rows}
    for close in sorted(closes):
        start = _midnight(close, zone) if interval is Interval.DAY else close - interval.duration
        if before is not None and interval is not Interval.DAY and start < before < close:
            start = before
        yield bar_of(closes[close], ours, start)
        before = close


def bar_of(row: Mapping[str, Any], ours: str, start: datetime) -> Bar:
    """One row as a bar; the running one is not final."""
    first, high, low, last, volume = (number(row[name]) for name in ("Open", "High", "Low", "Close", "TotalVolume"))
    return Bar(ours, start, first, high, low, last, volume, final=row.get("BarStatus") != "Open")


def _midnight(close: datetime, zone: ZoneInfo) -> datetime:
    return datetime.combine(close.astimezone(zone).date(), time(), zone).astimezone(UTC)


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
