"""Alpaca's two streams behind the facade: they are opened, told new symbols, and closed here; their protocols are beside."""

from collections.abc import AsyncIterator, Iterable
from typing import cast

from fillpath.market.bars import Gap
from fillpath_brokers.alpaca.data_protocol import DataProtocol
from fillpath_brokers.alpaca.orders_protocol import OrdersProtocol
from fillpath_brokers.alpaca.settings import Settings
from fillpath_brokers.facade import Feed, MarketEvent, OrderUpdate
from fillpath_brokers.session import Session
from fillpath_brokers.streaming.driver import Stream
from fillpath_brokers.streaming.protocol import Place


class AlpacaStreams:
    """The streams of one account that are running."""

    def __init__(self, session: Session, settings: Settings) -> None:
        self._session = session
        self._settings = settings
        self._running: list[tuple[Feed | None, Stream[MarketEvent] | Stream[OrderUpdate]]] = []

    def market(self, symbols: Iterable[str], feed: Feed) -> AsyncIterator[MarketEvent]:
        """Trades, quotes or minute bars of these symbols."""

        def opening(wanted: frozenset[str]) -> tuple[Place, DataProtocol]:
            return Place(self._settings.data_stream_url), DataProtocol(self._session.access().credentials, feed, wanted)

        stream: Stream[MarketEvent] = Stream(opening, symbols=frozenset(symbols))
        self._running.append((feed, stream))
        return stream.events()

    def orders(self) -> AsyncIterator[OrderUpdate | Gap]:
        """Every change of an order."""

        def opening(_: frozenset[str]) -> tuple[Place, OrdersProtocol]:
            return Place(self._settings.orders_stream_url), OrdersProtocol(self._session.access().credentials)

        stream: Stream[OrderUpdate] = Stream(opening)
        self._running.append((None, stream))
        return stream.events()

    def update(self, feed: Feed, add: Iterable[str], remove: Iterable[str]) -> None:
        """Change what the running streams of this feed carry."""
        for of, stream in self._running:
            if of is feed:
                cast("Stream[MarketEvent]", stream).update(add, remove)

    def close(self) -> None:
        """End them all."""
        while self._running:
            self._running.pop()[1].close()
