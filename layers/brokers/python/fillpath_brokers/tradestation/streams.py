"""TradeStation's streams behind the facade: they are opened, told new symbols, and closed here; their protocols are beside."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import TypeVar
from urllib.parse import urlencode

from fillpath.accounts.access import Access
from fillpath.market.bars import Gap
from fillpath_brokers.facade import Feed, MarketEvent, OrderUpdate
from fillpath_brokers.session import Session
from fillpath_brokers.streaming.driver import Means, Stream
from fillpath_brokers.streaming.protocol import Opening, Place
from fillpath_brokers.streaming.running import Running
from fillpath_brokers.tradestation.bars_protocol import BarsProtocol
from fillpath_brokers.tradestation.orders_protocol import OrdersProtocol
from fillpath_brokers.tradestation.quotes_protocol import QuotesProtocol
from fillpath_brokers.tradestation.settings import Settings
from fillpath_brokers.tradestation.sign_in import authorization
from fillpath_brokers.tradestation.spread import Spread
from fillpath_brokers.tradestation.stream_protocol import TradeStationProtocol
from fillpath_brokers.web import part

_MOST_QUOTES = 100
_ACCEPT = "application/vnd.tradestation.streams.v2+json"
_ACCEPT_ORDERS = "application/vnd.tradestation.streams.v3+json"

Event = TypeVar("Event")
Make = Callable[[frozenset[str]], tuple[str, TradeStationProtocol[Event]]]
"""The address, and the protocol of a connection for these symbols."""


class TradeStationStreams:
    """The streams of one account, whose number `account` tells."""

    def __init__(self, session: Session, settings: Settings, account: Callable[[], str], means: Means | None = None) -> None:
        self._session = session
        self._settings = settings
        self._account = account
        self._means = means or Means()
        self._running = Running()

    def market(self, symbols: Mapping[str, str], feed: Feed) -> AsyncIterator[MarketEvent]:
        """Trades, quotes or minute bars of these symbols: ours by TradeStation's spelling."""

        def make(first: frozenset[str]) -> Stream[MarketEvent]:
            return Stream(self._opening(self._bars if feed is Feed.BARS else quotes, _ACCEPT), first, self._means)

        def quotes(wanted: frozenset[str]) -> tuple[str, TradeStationProtocol[MarketEvent]]:
            listed = ",".join(sorted(wanted))
            return self._url(f"marketdata/stream/quotes/{part(listed)}"), QuotesProtocol(feed, wanted)

        return self._running.read(Spread(make, symbols, 1 if feed is Feed.BARS else _MOST_QUOTES), feed)

    def orders(self) -> AsyncIterator[OrderUpdate | Gap]:
        """Every change of an order of the account."""

        def make(_: frozenset[str]) -> tuple[str, TradeStationProtocol[OrderUpdate]]:
            return self._url(f"brokerage/stream/accounts/{part(self._account())}/orders"), OrdersProtocol()

        stream: Stream[OrderUpdate] = Stream(self._opening(make, _ACCEPT_ORDERS), means=self._means)
        return self._running.read(stream)

    def update(self, feed: Feed, add: Mapping[str, str], remove: Iterable[str]) -> None:
        """Change what the streams of this feed carry, also of those that nobody reads yet."""
        self._running.update(feed, add, remove)

    def close(self) -> None:
        """End them all."""
        self._running.close()

    def _bars(self, wanted: frozenset[str]) -> tuple[str, TradeStationProtocol[MarketEvent]]:
        (symbol,) = wanted
        query = urlencode(
            {"interval": "1", "unit": "Minute", "barsback": "1", "sessiontemplate": self._settings.session_template}
        )
        return self._url(f"marketdata/stream/barcharts/{part(symbol)}?{query}"), BarsProtocol(symbol)

    def _opening(self, make: Make[Event], accept: str) -> Opening[Event]:
        """Each connection is made with the newest token; one that was refused before is told first, so that it is renewed."""
        last: list[tuple[Access, TradeStationProtocol[Event]]] = []

        def opening(symbols: frozenset[str], /) -> tuple[Place, TradeStationProtocol[Event]]:
            if last and last[0][1].refused:
                raise self._session.refused(last.pop()[0], "refused by a stream")
            access = self._session.access()
            url, protocol = make(symbols)
            last[:] = [(access, protocol)]
            return Place(url, {**authorization(access), "Accept": accept}), protocol

        return opening

    def _url(self, path: str) -> str:
        return f"{self._settings.api_url}/v3/{path}"
