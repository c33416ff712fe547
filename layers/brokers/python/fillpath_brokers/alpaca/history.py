"""Alpaca's bars: a symbol and a stretch of time come in, bars page by page and what is missing between them go out."""

from datetime import UTC, datetime
from typing import Any

from fillpath.errors import BrokerUnavailable
from fillpath.market.bars import Bar, History, Interval
from fillpath.market.ports.trading_hours import TradingHours
from fillpath_brokers.alpaca.refusals import read
from fillpath_brokers.alpaca.settings import Settings
from fillpath_brokers.canonical import instrument_behind
from fillpath_brokers.documents import moment, number, paged, readable
from fillpath_brokers.gaps import with_gaps
from fillpath_brokers.session import Session

_PAGE = 10_000
_TIMEFRAME = {
    Interval.MINUTE: "1Min",
    Interval.FIVE_MINUTES: "5Min",
    Interval.QUARTER_HOUR: "15Min",
    Interval.HOUR: "1Hour",
    Interval.DAY: "1Day",
}


def read_bars(
    symbol: str, start: datetime, end: datetime, interval: Interval, session: Session, settings: Settings, hours: TradingHours
) -> History:
    """Bars that begin in [start, end); BrokerUnavailable."""
    params = {
        "symbols": symbol,
        "timeframe": _TIMEFRAME[interval],
        "start": _stamp(start),
        "end": _stamp(end),
        "limit": str(_PAGE),
        "adjustment": "raw",
        "feed": settings.feed,
    }

    def page(token: str | None) -> tuple[list[Bar], str | None]:
        reply = session.read(f"{settings.data_url}/v2/stocks/bars", params | ({"page_token": token} if token else {}))
        if not reply.ok:
            raise BrokerUnavailable(f"Alpaca gives no bars of {symbol} ({reply.status}): {read(reply)[1]}")
        document = reply.json()
        with readable(f"Alpaca's bars of {symbol}"):
            rows = (document.get("bars") or {}).get(symbol) or ()
            return [_bar(symbol, row) for row in rows], document.get("next_page_token") or None

    bars = paged(page, f"Alpaca's bars of {symbol}")
    return with_gaps(bars, instrument_behind(symbol), start, end, interval, hours)


def _bar(symbol: str, row: dict[str, Any]) -> Bar:
    first, high, low, last, volume = (number(row[name]) for name in ("o", "h", "l", "c", "v"))
    return Bar(symbol, moment(row["t"]), first, high, low, last, volume)


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
