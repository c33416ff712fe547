"""Schwab's one streamer connection of an account behind the facade: quotes, bars and changed orders, all over the same one.

Schwab allows one connection for each login. A second account of the same login, or another program that uses it, takes it over.
"""

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing

from fillpath.accounts.access import Access
from fillpath.errors import Unsupported
from fillpath.market.bars import Gap
from fillpath_brokers.documents import readable
from fillpath_brokers.facade import Feed, MarketEvent, OrderUpdate
from fillpath_brokers.schwab.look_up import LookUp
from fillpath_brokers.schwab.order_watch import OrderWatch
from fillpath_brokers.schwab.settings import Settings
from fillpath_brokers.schwab.stream_protocol import ORDERS, Changed, StreamerEvent, StreamerProtocol, Who, topic, topic_of
from fillpath_brokers.schwab.trader import Trader
from fillpath_brokers.session import Session, access_token
from fillpath_brokers.streaming.driver import Means, Stream
from fillpath_brokers.streaming.hub import Hub
from fillpath_brokers.streaming.listener import Listener
from fillpath_brokers.streaming.protocol import Place
from fillpath_brokers.streaming.topics import NotToBeHad


class SchwabStreams:
    """The streams of one account."""

    def __init__(self, session: Session, settings: Settings, trader: Trader, look_up: LookUp, means: Means | None = None) -> None:
        self._session = session
        self._settings = settings
        self._trader = trader
        self._look_up = look_up
        self._means = means or Means()
        self._hub: Hub[StreamerEvent] = Hub(self._stream, topic_of, self._means.clock.now)
        self._last: tuple[StreamerProtocol, Access] | None = None

    def market(self, symbols: Mapping[str, str], feed: Feed) -> AsyncGenerator[MarketEvent, None]:
        """Quotes or bars of these symbols: ours by Schwab's spelling. Unsupported for trades."""
        return self._market(self._hub.listener(_topics(feed, symbols), feed))

    async def orders(self) -> AsyncGenerator[OrderUpdate | Gap, None]:
        """Every change of an order of this account."""
        listener = self._hub.listener({ORDERS: ""})
        async with self._hub.joined(listener):
            watch = OrderWatch(self._look_up, self._settings, self._means.in_thread, listener.now())
            async for update in watch.updates(listener):
                yield update

    def update(self, feed: Feed, add: Mapping[str, str], remove: Iterable[str]) -> None:
        """Change what the streams of this feed carry, also of those that nobody reads yet. From any task or thread."""
        self._hub.update(feed, _topics(feed, add), _topics(feed, dict.fromkeys(remove, "")))

    def close(self) -> None:
        """End them all. From any task or thread."""
        self._hub.close()

    async def _market(self, listener: Listener[StreamerEvent]) -> AsyncGenerator[MarketEvent, None]:
        async with aclosing(self._hub.events(listener)) as events:
            async for event in events:
                if not isinstance(event, Changed):
                    yield event

    def _stream(self, topics: frozenset[str]) -> Stream[StreamerEvent | NotToBeHad]:
        return Stream(self._opening, topics, self._means, self._token if self._settings.sign_in_again_on_stream else None)

    def _opening(self, topics: frozenset[str]) -> tuple[Place, StreamerProtocol]:
        """With the newest token, and with what Schwab says anew about its streamer each time."""
        if self._last and self._last[0].denied:
            self._session.refused(self._last[1], self._last[0].denied)
            self._last = None
        access = self._session.access()
        told = self._trader.streamer()
        with readable("what Schwab tells of its streamer"):
            who = Who(
                told["schwabClientCustomerId"],
                told["schwabClientCorrelId"],
                told["schwabClientChannel"],
                told["schwabClientFunctionId"],
                access_token(access),
            )
            place = Place(self._settings.stream_url(told["streamerSocketUrl"]))
        protocol = StreamerProtocol(who, topics, self._settings.shortest_stream_s)
        self._last = (protocol, access)
        return place, protocol

    def _token(self) -> str:
        return access_token(self._session.access())


def _topics(feed: Feed, symbols: Mapping[str, str]) -> dict[str, str]:
    if feed is Feed.TICKS:
        raise Unsupported("Schwab does not stream trades, only quotes and bars of a minute")
    return {topic(feed, symbol): ours for symbol, ours in symbols.items()}
