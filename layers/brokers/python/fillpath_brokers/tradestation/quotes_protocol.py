"""TradeStation's quote stream without I/O: a symbol's whole quote comes first, then its changed fields; trades or quotes go out.

The stream tells no single trades. The day's volume shows them: what it has grown by was traded, at the last price. Several trades
between two messages are one here. A symbol's first message tells what was, so no trade comes of it. Quotes carry no time of their
own: it is that of their receipt.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from fillpath.market.bars import Quote, Trade
from fillpath_brokers.documents import moment_or_none, number_or_none
from fillpath_brokers.facade import Feed, MarketEvent, NoData
from fillpath_brokers.streaming.protocol import Action, Forget, GiveUp, Heard, Ready, Reconnect
from fillpath_brokers.tradestation.stream_protocol import Message, TradeStationProtocol
from fillpath_brokers.tradestation.symbols import shown

_OF_QUOTES = {"Bid", "Ask", "BidSize", "AskSize"}
_OF_TRADES = {"Last", "LastSize", "TradeTime", "Volume"}
Fields = dict[str, Any]


class QuotesProtocol(TradeStationProtocol[MarketEvent]):
    """For up to 100 symbols of TradeStation's spelling. Other symbols need another stream."""

    def __init__(self, feed: Feed, symbols: Iterable[str]) -> None:
        super().__init__("quote stream")
        self._feed = feed
        self._symbols = set(symbols)
        self._known: dict[str, Fields] = {}

    def opened(self) -> Sequence[Action[MarketEvent]]:
        """Nothing marks the end of the first messages."""
        return [Ready()]

    def subscribe(self, add: Sequence[str], remove: Sequence[str]) -> Sequence[Action[MarketEvent]]:
        """The address names the symbols."""
        return [Reconnect("other symbols", planned=True)]

    def _heard(self, message: Message, at: datetime) -> Sequence[Action[MarketEvent]]:
        symbol = message.get("Symbol")
        if not symbol:
            return ()
        if message.get("Error"):
            return self._without(str(symbol), str(message["Error"]))
        before = self._known.get(symbol)
        now = self._known[symbol] = _merged(before, message)
        if self._feed is Feed.QUOTES:
            return [Heard(_quote(symbol, now, at))] if _OF_QUOTES & message.keys() else ()
        trade = _trade(symbol, before, now, at) if before is not None and _OF_TRADES & message.keys() else None
        return [Heard(trade)] if trade else ()

    def _without(self, told: str, error: str) -> Sequence[Action[MarketEvent]]:
        """TradeStation may spell a symbol in lower case."""
        lost = next((each for each in self._symbols if each.upper() == told.upper()), None)
        if lost is None:
            return ()
        self._symbols.discard(lost)
        text = f"TradeStation gives no quotes of {lost}: {error}"
        return [Heard(NoData(shown(lost), text)), Forget(frozenset({lost}), GiveUp(text))]


def _merged(before: Fields | None, changed: Message) -> Fields:
    flags = {**((before or {}).get("MarketFlags") or {}), **(changed.get("MarketFlags") or {})}
    return {**(before or {}), **changed, "MarketFlags": flags}


def _quote(symbol: str, now: Mapping[str, Any], at: datetime) -> Quote:
    """A price of 0 says that this side of the book is empty."""
    bid, ask = _number(now, "Bid") or None, _number(now, "Ask") or None
    sizes = (_number(now, "BidSize") if bid else None, _number(now, "AskSize") if ask else None)
    return Quote(shown(symbol), at, at, bid, ask, *sizes)


def _trade(symbol: str, before: Mapping[str, Any], now: Mapping[str, Any], at: datetime) -> Trade | None:
    price, size = _number(now, "Last"), _traded(before, now)
    if not price or not size:
        return None
    conditions = ("delayed",) if now["MarketFlags"].get("IsDelayed") else ()
    return Trade(shown(symbol), moment_or_none(now.get("TradeTime")) or at, at, price, size, conditions=conditions)


def _traded(before: Mapping[str, Any], now: Mapping[str, Any]) -> Decimal | None:
    """What the day's volume has grown by; a smaller one is that of a new day. Where none is told, the size of the last trade."""
    volume, known = _number(now, "Volume"), _number(before, "Volume")
    if volume is None:
        return _number(now, "LastSize") if before.get("TradeTime") != now.get("TradeTime") else None
    if known is None:
        return None
    return volume - known if volume >= known else volume


def _number(fields: Mapping[str, Any], name: str) -> Decimal | None:
    return number_or_none(fields.get(name))
