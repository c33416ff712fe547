"""Alpaca's two streams behind the facade: one connection for all market data of the account, others for its orders.

Most plans allow one market data connection; a second one is refused while the first is there.
"""

from collections.abc import AsyncGenerator, Iterable, Mapping

from fillpath.market.bars import Gap
from fillpath_brokers.alpaca.calls import Calls
from fillpath_brokers.alpaca.data_protocol import DataProtocol, topic_of, topics
from fillpath_brokers.alpaca.orders_protocol import OrdersProtocol
from fillpath_brokers.alpaca.settings import Settings
from fillpath_brokers.facade import Feed, MarketEvent, OrderUpdate
from fillpath_brokers.streaming.driver import Means, Stream
from fillpath_brokers.streaming.hub import Hub
from fillpath_brokers.streaming.protocol import Place
from fillpath_brokers.streaming.running import Running


class AlpacaStreams:
    """The streams of one account."""

    def __init__(self, calls: Calls, settings: Settings, means: Means | None = None) -> None:
        self._calls = calls
        self._settings = settings
        self._means = means or Means()
        self._orders = Running()
        self._data: Hub[MarketEvent] = Hub(
            lambda wanted: Stream(self._data_opening, wanted, self._means), topic_of, self._means.clock.now
        )

    def market(self, symbols: Mapping[str, str], feed: Feed) -> AsyncGenerator[MarketEvent, None]:
        """Trades, quotes or minute bars of these symbols: ours by Alpaca's spelling."""
        return self._data.events(self._data.listener(topics(feed, symbols), feed))

    def orders(self) -> AsyncGenerator[OrderUpdate | Gap, None]:
        """Every change of an order."""
        stream: Stream[OrderUpdate] = Stream(self._orders_opening, means=self._means)
        return self._orders.read(stream)

    def update(self, feed: Feed, add: Mapping[str, str], remove: Iterable[str]) -> None:
        """Change what the streams of this feed carry, also of those that nobody reads yet."""
        self._data.update(feed, topics(feed, add), topics(feed, dict.fromkeys(remove, "")))

    def close(self) -> None:
        """End them all."""
        self._data.close()
        self._orders.close()

    def _data_opening(self, wanted: frozenset[str]) -> tuple[Place, DataProtocol]:
        return Place(self._settings.data_stream_url), DataProtocol(self._calls.access().credentials, wanted)

    def _orders_opening(self, _: frozenset[str]) -> tuple[Place, OrdersProtocol]:
        return Place(self._settings.orders_stream_url), OrdersProtocol(self._calls.access().credentials)
