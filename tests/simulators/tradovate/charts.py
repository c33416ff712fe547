"""Charts: a request comes in, its bars go out, some at a time, and then the running bar with each trade."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from fillpath.market.bars import Bar, Trade
from tests.simulators.exchange import SimulatedExchange
from tests.simulators.tradovate.gate import stamp

MOST_BARS = 250
"""However many are asked for: who wants more pages back."""
_PACKET = 100
_UNITS = {"MinuteBar": timedelta(minutes=1), "DailyBar": timedelta(days=1)}


@dataclass(slots=True)
class Chart:
    """One chart that is running."""

    history: int
    live: int
    contract: str
    wanted: dict[str, Any]
    running: Bar | None = None

    @property
    def length(self) -> timedelta:
        """How long one bar lasts."""
        description = self.wanted["chartDescription"]
        return _UNITS[description["underlyingType"]] * int(description["elementSize"])

    def traded(self, trade: Trade) -> Bar:
        """The running bar after a trade."""
        start = _floor(trade.at, self.length)
        before = self.running if self.running and self.running.start == start else None
        if before is None:
            bar = Bar(self.contract, start, trade.price, trade.price, trade.price, trade.price, trade.size, final=False)
        else:
            bar = replace(
                before,
                high=max(before.high, trade.price),
                low=min(before.low, trade.price),
                close=trade.price,
                volume=before.volume + trade.size,
            )
        self.running = bar
        return bar


def chart_rows(exchange: SimulatedExchange, chart: Chart) -> Iterator[list[dict[str, Any]]]:
    """The history that is asked for, in packets."""
    bars = _history(exchange, chart)
    for start in range(0, len(bars), _PACKET):
        yield [bar_json(bar) for bar in bars[start : start + _PACKET]]


def bar_json(bar: Bar) -> dict[str, Any]:
    """One bar; its volume in two parts."""
    up = int(bar.volume) // 2
    return {
        "timestamp": stamp(bar.start),
        "open": float(bar.open),
        "high": float(bar.high),
        "low": float(bar.low),
        "close": float(bar.close),
        "upVolume": up,
        "downVolume": int(bar.volume) - up,
        "upTicks": 10,
        "downTicks": 9,
        "bidVolume": up,
        "offerVolume": int(bar.volume) - up,
    }


def _history(exchange: SimulatedExchange, chart: Chart) -> list[Bar]:
    span = chart.wanted.get("timeRange", {})
    closest = datetime.fromisoformat(span["closestTimestamp"]) if "closestTimestamp" in span else exchange.now()
    wanted = min(int(span.get("asMuchAsElements", MOST_BARS)), MOST_BARS)
    last = _floor(min(closest, exchange.now()), chart.length)
    begin = last - chart.length * (wanted - 1)
    if "asFarAsTimestamp" in span:
        begin = max(begin, datetime.fromisoformat(span["asFarAsTimestamp"]))
    return list(exchange.bars(chart.contract, begin, last + chart.length, chart.length))


def _floor(at: datetime, length: timedelta) -> datetime:
    seconds = int(length.total_seconds())
    return datetime.fromtimestamp(int(at.timestamp()) // seconds * seconds, UTC)
