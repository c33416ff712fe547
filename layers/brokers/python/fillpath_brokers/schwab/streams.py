"""Schwab's one streamer connection of an account behind the facade: quotes, bars and changed orders, all over the same one.

Schwab allows one connection for each login. A second account of the same login, or another program that uses it, takes it over.
"""

from collections.abc import AsyncGenerator, Iterable, Mapping
from datetime import timedelta
from weakref import WeakSet

from fillpath.accounts.access import Access
from fillpath.errors import BrokerUnavailable, Unsupported
from fillpath.market.bars import Gap
from fillpath_brokers.facade import Feed, MarketEvent, OrderUpdate
from fillpath_brokers.schwab.hub import Hub
from fillpath_brokers.schwab.listener import Listener
from fillpath_brokers.schwab.lookup import LookUp
from fillpath_brokers.schwab.order_watch import OrderWatch
from fillpath_brokers.schwab.settings import Settings
from fillpath_brokers.schwab.streamer_protocol import ORDERS, Changed, StreamerProtocol, Who, topic
from fillpath_brokers.schwab.trader import Trader
from fillpath_brokers.session import Session
from fillpath_brokers.streaming.driver import Means, Stream
from fillpath_brokers.streaming.protocol import Place

_BEFORE_THE_END = timedelta(minutes=1)


class SchwabStreams:
    """The streams of one account that are running."""

    def __init__(self, session: Session, settings: Settings, trader: Trader, look_up: LookUp, means: Means | None = None) -> None:
        self._session = session
        self._settings = settings
        self._trader = trader
        self._look_up = look_up
        self._means = means or Means()
        self._hub = Hub(lambda topics: Stream(self._opening, topics, self._means))
        self._listeners: WeakSet[Listener] = WeakSet()
        self._last: tuple[StreamerProtocol, Access] | None = None

    def market(self, symbols: Mapping[str, str], feed: Feed) -> AsyncGenerator[MarketEvent, None]:
        """Quotes or bars of these symbols: ours by Schwab's spelling. Unsupported for trades."""
        listener = Listener(_topics(feed, symbols), self._means.clock.now, feed)
        self._listeners.add(listener)
        return self._market(listener)

    async def orders(self) -> AsyncGenerator[OrderUpdate | Gap, None]:
        """Every change of an order of this account."""
        listener = Listener({ORDERS: ""}, self._means.clock.now)
        async with self._hub.joined(listener):
            async for update in OrderWatch(self._look_up, self._settings, self._means.in_thread).updates(listener):
                yield update

    def update(self, feed: Feed, add: Mapping[str, str], remove: Iterable[str]) -> None:
        """Change what the streams of this feed carry, also of those that nobody reads yet. From any task or thread."""
        wanted, left = _topics(feed, add), {topic(feed, symbol) for symbol in remove}
        for listener in list(self._listeners):
            if listener.feed is feed:
                listener.want(wanted, left)
        self._hub.carry()

    def close(self) -> None:
        """End them all. From any task or thread."""
        self._hub.close()

    async def _market(self, listener: Listener) -> AsyncGenerator[MarketEvent, None]:
        async with self._hub.joined(listener):
            while (event := await listener.next()) is not None:
                if not isinstance(event, Changed):
                    yield event

    def _opening(self, topics: frozenset[str]) -> tuple[Place, StreamerProtocol]:
        """With the newest token, and with what Schwab says anew about its streamer each time."""
        if self._last and self._last[0].denied:
            self._session.refused(self._last[1], self._last[0].denied)
        access = self._session.access()
        told = self._trader.streamer()
        try:
            who = Who(
                told["schwabClientCustomerId"],
                told["schwabClientCorrelId"],
                told["schwabClientChannel"],
                told["schwabClientFunctionId"],
                access.token.access_token if access.token else "",
            )
            place = Place(self._settings.stream_url(told["streamerSocketUrl"]))
        except (KeyError, TypeError) as exc:
            raise BrokerUnavailable("Schwab does not tell where its streamer is") from exc
        again = self._settings.sign_in_again_on_stream and access.token
        renew_at = access.token.expires_at - _BEFORE_THE_END if again and access.token else None
        protocol = StreamerProtocol(who, topics, self._settings.shortest_stream_s, renew_at)
        self._last = (protocol, access)
        return place, protocol


def _topics(feed: Feed, symbols: Mapping[str, str]) -> dict[str, str]:
    if feed is Feed.TICKS:
        raise Unsupported("Schwab does not stream trades, only quotes and bars of a minute")
    return {topic(feed, symbol): ours for symbol, ours in symbols.items()}
