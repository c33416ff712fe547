"""Bars and the last price, from the market data socket: a symbol and a stretch of time come in, bars page by page go out.

A page is a chart that ends at the oldest bar of the one before; how many bars come is up to Tradovate, so pages are read until
the start is reached or nothing older comes.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from fillpath.accounts.access import Access
from fillpath.clock import Clock
from fillpath.errors import BrokerUnavailable, Unsupported
from fillpath.market.bars import Bar, Interval
from fillpath_brokers.documents import moment, number, readable
from fillpath_brokers.session import access_token
from fillpath_brokers.tradovate.market_socket import Line, MarketSocket, Watch, connected
from fillpath_brokers.tradovate.settings import Settings
from fillpath_brokers.tradovate.sign_in import MARKET_DATA_LOGIN

Connect = Callable[[str, float], AbstractContextManager[Line]]
_CHARTS = {
    Interval.MINUTE: ("MinuteBar", 1),
    Interval.FIVE_MINUTES: ("MinuteBar", 5),
    Interval.QUARTER_HOUR: ("MinuteBar", 15),
    Interval.HOUR: ("MinuteBar", 60),
    Interval.DAY: ("DailyBar", 1),
}


class MarketReader:
    """Asks one account's market data, each time over a connection of its own."""

    def __init__(self, settings: Settings, clock: Clock, connect: Connect = connected, watch: Watch = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._connect = connect
        self._watch = watch

    def bars(self, symbol: str, shown: str, span: tuple[datetime, datetime], interval: Interval, access: Access) -> list[Bar]:
        """The bars of Tradovate's symbol that begin in [start, end), as bars of `shown`; Unsupported, BrokerUnavailable."""
        start, end = span
        with self._connect(self._settings.data_url, self._settings.history_within_s) as line:
            socket = self._signed_in(line, access, self._settings.history_within_s)
            found: dict[datetime, Bar] = {}
            until = end
            while True:
                page = {bar.start: bar for bar in self._page(socket, symbol, shown, until, interval)}
                oldest = min(page, default=until)
                found = {**page, **found}
                if oldest <= start or oldest >= until:
                    return [bar for at, bar in sorted(found.items()) if start <= at < end]
                until = oldest

    def last_price(self, symbol: str, access: Access, within_s: float) -> Decimal | None:
        """The last trade of a contract; None where it is not told in time, for whatever reason."""
        try:
            with readable("Tradovate's quote"), self._connect(self._settings.data_url, within_s) as line:
                socket = self._signed_in(line, access, within_s)
                socket.ask("md/subscribeQuote", {"symbol": symbol})
                while True:
                    kind, data = socket.event()
                    for quote in data.get("quotes") or () if kind == "md" else ():
                        if (price := quote.get("entries", {}).get("Trade", {}).get("price")) is not None:
                            return number(price)
        except (BrokerUnavailable, Unsupported):
            return None

    def _signed_in(self, line: Line, access: Access, within_s: float) -> MarketSocket:
        socket = MarketSocket(line, self._settings, self._watch, within_s)
        socket.sign_in(data_token(access))
        return socket

    def _page(self, socket: MarketSocket, symbol: str, shown: str, until: datetime, interval: Interval) -> list[Bar]:
        kind, size = _CHARTS[interval]
        chart = socket.ask(
            "md/getChart",
            {
                "symbol": symbol,
                "chartDescription": {
                    "underlyingType": kind,
                    "elementSize": size,
                    "elementSizeUnit": "UnderlyingUnits",
                    "withHistogram": False,
                },
                "timeRange": {"closestTimestamp": stamp(until), "asMuchAsElements": self._settings.page},
            },
        )
        bars = [self._bar(row, shown, interval) for row in _rows(socket, int(chart["historicalId"]))]
        socket.tell("md/cancelChart", {"subscriptionId": chart["realtimeId"]})
        return bars

    def _bar(self, row: Mapping[str, Any], shown: str, interval: Interval) -> Bar:
        return read_bar(row, shown, self._settings, interval, self._clock.now())


def read_bar(row: Mapping[str, Any], shown: str, settings: Settings, interval: Interval, now: datetime) -> Bar:
    """A bar of a chart; final once its time is over. Its volume is what was traded upwards and downwards."""
    with readable("Tradovate's bar"):
        at = moment(row["timestamp"]) - (interval.duration if settings.bar_label == "end" else timedelta(0))
        begin, high, low, close = (number(row[name]) for name in ("open", "high", "low", "close"))
        volume = sum((number(row.get(name) or 0) for name in ("upVolume", "downVolume")), Decimal(0))
        return Bar(shown, at, begin, high, low, close, volume, final=at + interval.duration <= now)


def data_token(access: Access) -> str:
    """What signs in to market data: its own token, or where none was given the account's."""
    own = access_token(access)
    return access.token.extra.get(MARKET_DATA_LOGIN, own) if access.token else own


def stamp(at: datetime) -> str:
    """An instant as Tradovate reads it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def _rows(socket: MarketSocket, historical: int) -> Iterable[Mapping[str, Any]]:
    """The rows of a chart until its history is over; what is told live besides is nobody's here."""
    while True:
        kind, data = socket.event()
        for chart in data.get("charts") or () if kind == "chart" else ():
            if chart.get("id") != historical:
                continue
            yield from chart.get("bars") or ()
            if chart.get("eoh"):
                return
