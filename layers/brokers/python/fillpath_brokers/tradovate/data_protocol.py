"""Tradovate's market data socket without I/O: frames come in, trades, quotes and minute bars go out.

A quote tells only what has changed, entry by entry, so it is put together here. What was traded is told as the last trade beside
a growing total: each growth is one trade, of the last price. Bars are charts: the running minute is told again and again, and is
final once the next one begins. A symbol that Tradovate refuses is left out; the last one ends the stream.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from fillpath.errors import BrokerUnavailable
from fillpath.market.bars import Bar, Interval, Quote, Trade
from fillpath_brokers.documents import moment, number_or_none
from fillpath_brokers.facade import Feed, MarketEvent, NoData
from fillpath_brokers.streaming.decoding import unread
from fillpath_brokers.streaming.protocol import Action, Forget, GiveUp, Heard, Ready, Reconnect
from fillpath_brokers.tradovate.frames import Message, error_in
from fillpath_brokers.tradovate.history import read_bar
from fillpath_brokers.tradovate.market_socket import NO_DATA
from fillpath_brokers.tradovate.settings import Settings
from fillpath_brokers.tradovate.stream_protocol import Door, SocketProtocol
from fillpath_brokers.tradovate.symbols import shown

_CHART = {"underlyingType": "MinuteBar", "elementSize": 1, "elementSizeUnit": "UnderlyingUnits", "withHistogram": False}
Entry = dict[str, Any]


class DataProtocol(SocketProtocol[MarketEvent]):
    """One connection: authorize, subscribe, hear. `ids`: the contract ids by Tradovate's names; quotes have nothing else."""

    def __init__(
        self, token: str, feed: Feed, symbols: Iterable[str], ids: Mapping[str, int], settings: Settings, door: Door
    ) -> None:
        super().__init__(token, settings, door)
        self._feed = feed
        self._symbols = set(symbols)
        self._ids = ids
        self._names = {number: name for name, number in ids.items()}
        self._asked_for: dict[int, str] = {}
        self._charts: dict[int, str] = {}
        self._live_chart: dict[str, int] = {}
        self._entries: dict[int, dict[str, Entry]] = {}
        self._running: dict[str, Bar] = {}
        self._ready = False

    def authorized(self) -> Sequence[Action[MarketEvent]]:
        """Ask for every symbol; ready when all are answered."""
        return self._subscribed(sorted(self._symbols)) if self._symbols else self._become_ready()

    def subscribe(self, add: Sequence[str], remove: Sequence[str]) -> Sequence[Action[MarketEvent]]:
        """More symbols, or fewer; for one whose id is not known a new connection is made, which knows it."""
        if self._feed is not Feed.BARS and any(symbol not in self._ids for symbol in add):
            return [Reconnect("another set of symbols", planned=True)]
        self._symbols = (self._symbols | set(add)) - set(remove)
        return [*self._subscribed(add), *(self._left(symbol) for symbol in remove)]

    def answered(self, number: int, message: Message) -> Sequence[Action[MarketEvent]]:
        """Whether a symbol is carried now."""
        symbol = self._asked_for.pop(number, None)
        if symbol is None:
            return ()
        error = error_in(message)
        if error is not None:
            return self._refused(symbol, error)
        try:
            self._keep_chart(symbol, message.d)
        except (KeyError, TypeError, ValueError) as exc:
            unread.count("tradovate chart", exc)
            return [Reconnect(f"Tradovate does not say which chart {symbol} is")]
        return self._settled()

    def told(self, kind: str, data: Any, at: datetime) -> Sequence[Action[MarketEvent]]:
        """Quotes, or bars of a chart."""
        try:
            if kind == "md":
                return [Heard(event) for quote in data.get("quotes") or () for event in self._quote(quote, at)]
            if kind == "chart":
                return [Heard(bar) for chart in data.get("charts") or () for bar in self._chart(chart, at)]
        except (AttributeError, KeyError, TypeError, ValueError, ArithmeticError, BrokerUnavailable) as exc:
            unread.count(f"tradovate {kind}", exc)
        return ()

    def _refused(self, symbol: str, error: str) -> Sequence[Action[MarketEvent]]:
        if symbol not in self._symbols:  # it has been left meanwhile
            return self._settled()
        self._symbols.discard(symbol)
        no_licence = self.settings.is_without_data(error)
        text = f"{NO_DATA} (it says of {symbol}: {error})" if no_licence else f"Tradovate gives no data of {symbol}: {error}"
        return [Heard(NoData(shown(symbol), text)), Forget(frozenset({symbol}), GiveUp(text)), *self._settled()]

    def _settled(self) -> Sequence[Action[MarketEvent]]:
        return () if self._asked_for else self._become_ready()

    def _become_ready(self) -> Sequence[Action[MarketEvent]]:
        first, self._ready = not self._ready, True
        return [Ready()] if first else ()

    def _subscribed(self, symbols: Iterable[str]) -> Sequence[Action[MarketEvent]]:
        actions: list[Action[MarketEvent]] = []
        for symbol in symbols:
            if self._feed is Feed.BARS:
                chart = {"symbol": symbol, "chartDescription": _CHART, "timeRange": {"asMuchAsElements": 1}}
                number, request = self.ask("md/getChart", chart)
            else:
                number, request = self.ask("md/subscribeQuote", {"symbol": symbol})
            self._asked_for[number] = symbol
            actions.append(request)
        return actions

    def _left(self, symbol: str) -> Action[MarketEvent]:
        if self._feed is Feed.BARS:
            self._running.pop(symbol, None)
            return self.ask("md/cancelChart", {"subscriptionId": self._live_chart.pop(symbol, 0)})[1]
        self._entries.pop(self._ids.get(symbol, 0), None)
        return self.ask("md/unsubscribeQuote", {"symbol": symbol})[1]

    def _keep_chart(self, symbol: str, answer: Any) -> None:
        if self._feed is Feed.BARS:
            for name in ("historicalId", "realtimeId"):
                self._charts[int(answer[name])] = symbol
            self._live_chart[symbol] = int(answer["realtimeId"])

    def _chart(self, chart: Mapping[str, Any], at: datetime) -> Iterable[Bar]:
        symbol = self._charts.get(int(chart["id"]))
        if symbol is None:
            return
        for row in sorted(chart.get("bars") or (), key=lambda row: str(row["timestamp"])):
            bar = replace(read_bar(row, shown(symbol), self.settings, Interval.MINUTE, at), final=False)
            before = self._running.get(symbol)
            if before is not None and bar.start < before.start:
                continue
            if before is not None and bar.start > before.start:
                yield replace(before, final=True)
            if bar != before:
                yield bar
            self._running[symbol] = bar

    def _quote(self, quote: Mapping[str, Any], at: datetime) -> Iterable[MarketEvent]:
        number = int(quote["contractId"])
        name = self._names.get(number)
        if name is None:
            return
        told: Mapping[str, Entry] = quote.get("entries") or {}
        known = self._entries.setdefault(number, {})
        volume_before = _size(known, "TotalTradeVolume")
        for entry, values in told.items():
            known[entry] = {**known.get(entry, {}), **values}
        moment_told = moment(quote["timestamp"])
        if self._feed is Feed.QUOTES and {"Bid", "Offer"} & told.keys():
            yield _best(shown(name), moment_told, at, known)
        if self._feed is Feed.TICKS:
            yield from _traded(shown(name), moment_told, at, known, volume_before)


def _best(symbol: str, told_at: datetime, at: datetime, known: Mapping[str, Entry]) -> Quote:
    bid, ask = _price(known, "Bid"), _price(known, "Offer")
    return Quote(
        symbol,
        told_at,
        at,
        bid,
        ask,
        _size(known, "Bid") if bid is not None else None,
        _size(known, "Offer") if ask is not None else None,
    )


def _traded(symbol: str, told_at: datetime, at: datetime, known: Mapping[str, Entry], before: Decimal | None) -> Iterable[Trade]:
    """The first total says nothing of when its trades were; a smaller one than before belongs to a new session."""
    volume, price = _size(known, "TotalTradeVolume"), _price(known, "Trade")
    if volume is None or before is None or price is None or volume == before:
        return
    yield Trade(symbol, told_at, at, price, volume - before if volume > before else volume)


def _price(known: Mapping[str, Entry], entry: str) -> Decimal | None:
    return number_or_none(known.get(entry, {}).get("price"))


def _size(known: Mapping[str, Entry], entry: str) -> Decimal | None:
    return number_or_none(known.get(entry, {}).get("size"))
