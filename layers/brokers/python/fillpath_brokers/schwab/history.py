"""Schwab's bars of shares: a symbol and a stretch of time come in, bars window by window and what is missing between them go out.

Schwab has bars of 1, 5, 15 and 30 minutes and of days; hours are made of half hours. It has no bars of futures to ask for.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from fillpath.errors import BrokerUnavailable, Unsupported
from fillpath.market.bars import Bar, History, Interval
from fillpath.market.ports.trading_hours import TradingHours
from fillpath_brokers.canonical import instrument_behind
from fillpath_brokers.documents import moment_of, number, readable
from fillpath_brokers.gaps import with_gaps
from fillpath_brokers.schwab.refusals import read
from fillpath_brokers.schwab.settings import Settings
from fillpath_brokers.schwab.symbols import FUTURE, to_venue
from fillpath_brokers.session import Session

_MINUTES = {Interval.MINUTE: 1, Interval.FIVE_MINUTES: 5, Interval.QUARTER_HOUR: 15, Interval.HOUR: 30}
_WINDOW, _WINDOW_OF_DAYS = timedelta(days=10), timedelta(days=3650)


def read_bars(
    symbol: str, start: datetime, end: datetime, interval: Interval, session: Session, settings: Settings, hours: TradingHours
) -> History:
    """Bars of a share (our spelling) that begin in [start, end); Unsupported for futures, BrokerUnavailable."""
    instrument = instrument_behind(symbol)
    if instrument.kind == FUTURE:
        raise Unsupported(f"Schwab has no bars of {symbol} to ask for: bars of futures are heard live only, from the stream")
    window = _WINDOW_OF_DAYS if interval is Interval.DAY else _WINDOW
    last = _full_hour(end) if interval is Interval.HOUR else end
    bars: list[Bar] = []
    since = start
    while since < last:
        until = min(since + window, last)
        bars += _page(symbol, since, until, interval, session, settings)
        since = until
    if interval is Interval.HOUR:
        bars = list(_hours(sorted({bar.start: bar for bar in bars}.values(), key=lambda bar: bar.start)))
    return with_gaps(bars, instrument, start, end, interval, hours)


def _page(symbol: str, start: datetime, end: datetime, interval: Interval, session: Session, settings: Settings) -> list[Bar]:
    how = {"periodType": "year", "frequencyType": "daily", "frequency": "1"}
    if interval is not Interval.DAY:
        how = {"periodType": "day", "frequencyType": "minute", "frequency": str(_MINUTES[interval])}
    params = {
        "symbol": to_venue(symbol, start.date()),
        **how,
        "startDate": _ms(start),
        "endDate": _ms(end),
        "needExtendedHoursData": "true" if settings.extended_hours_data else "false",
    }
    reply = session.read(f"{settings.data_url}/pricehistory", params)
    if not reply.ok:
        raise BrokerUnavailable(f"Schwab gives no bars of {symbol} ({reply.status}): {read(reply).text}")
    document = reply.json()
    with readable(f"Schwab's bars of {symbol}"):
        return [_bar(symbol, candle) for candle in document.get("candles") or ()]


def _bar(symbol: str, candle: dict[str, Any]) -> Bar:
    first, high, low, last, volume = (number(candle[name]) for name in ("open", "high", "low", "close", "volume"))
    return Bar(symbol, moment_of(candle["datetime"]), first, high, low, last, volume)


def _hours(bars: Iterable[Bar]) -> Iterator[Bar]:
    made: Bar | None = None
    for bar in bars:
        start = bar.start.replace(minute=0)
        if made is None or made.start != start:
            if made is not None:
                yield made
            made = Bar(bar.symbol, start, bar.open, bar.high, bar.low, bar.close, bar.volume)
            continue
        high, low = max(made.high, bar.high), min(made.low, bar.low)
        made = Bar(bar.symbol, start, made.open, high, low, bar.close, made.volume + bar.volume)
    if made is not None:
        yield made


def _full_hour(at: datetime) -> datetime:
    """Where the hour ends in which something before this moment lies: its bar is to be whole."""
    begun = at.replace(minute=0, second=0, microsecond=0)
    return begun if begun == at else begun + timedelta(hours=1)


def _ms(at: datetime) -> str:
    return str(int(at.timestamp() * 1000))
