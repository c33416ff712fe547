"""Alpaca's bars: a symbol and a stretch of time come in, bars page by page and what is missing between them go out."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from fillpath.errors import BrokerUnavailable
from fillpath.market.bars import Bar, History, Interval
from fillpath.market.ports.trading_hours import TradingHours
from fillpath_brokers.alpaca.refusals import read
from fillpath_brokers.alpaca.settings import Settings
from fillpath_brokers.canonical import instrument_behind
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
    bars: list[Bar] = []
    while True:
        reply = session.read(f"{settings.data_url}/v2/stocks/bars", params)
        if not reply.ok:
            raise BrokerUnavailable(f"Alpaca gives no bars of {symbol} ({reply.status}): {read(reply)[1]}")
        page = reply.json()
        bars += [_bar(symbol, row) for row in (page.get("bars") or {}).get(symbol) or ()]
        if not page.get("next_page_token"):
            return with_gaps(bars, instrument_behind(symbol), start, end, interval, hours)
        params["page_token"] = page["next_page_token"]


def _bar(symbol: str, row: dict[str, Any]) -> Bar:
    first, high, low, last, volume = (Decimal(str(row[name])) for name in ("o", "h", "l", "c", "v"))
    return Bar(symbol, datetime.fromisoformat(row["t"]), first, high, low, last, volume)


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
