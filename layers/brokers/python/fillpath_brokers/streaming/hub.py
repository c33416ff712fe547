"""One stream for many listeners: it begins with the first, carries what any of them wants, and ends with the last."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from fillpath.errors import StreamEnded
from fillpath.market.bars import Bar, Gap, Quote
from fillpath_brokers.facade import Feed
from fillpath_brokers.schwab.listener import Listener
from fillpath_brokers.schwab.streamer_protocol import ORDERS, Changed, NotToBeHad, StreamerEvent, topic
from fillpath_brokers.streaming.driver import Stream

Open = Callable[[frozenset[str]], Stream[StreamerEvent]]


class Hub:
    """`open_stream` makes the stream for these topics."""

    def __init__(self, open_stream: Open) -> None:
        self._open = open_stream
        self._listeners: list[Listener] = []
        self._stream: Stream[StreamerEvent] | None = None
        self._pump: asyncio.Task[None] | None = None
        self._carried: frozenset[str] = frozenset()
        self._last: dict[str, Quote] = {}
        self._turn = asyncio.Lock()
        self._lock = threading.Lock()

    @asynccontextmanager
    async def joined(self, listener: Listener) -> AsyncGenerator[None, None]:
        """Hear what the listener wants, until the block ends. The last quotes that are known come at once."""
        async with self._turn:
            self._listeners.append(listener)
            for name in listener.topics.keys() & self._last.keys():
                listener.offer(self._last[name], name)
            if self._pump is None:
                self._carried = self._wanted()
                self._stream = self._open(self._carried)
                self._pump = asyncio.create_task(self._run(self._stream))
            else:
                self.carry()
        try:
            yield
        finally:
            await self._left(listener)

    def carry(self) -> None:
        """Carry what the listeners want by now. From any task or thread."""
        with self._lock:
            before, self._carried = self._carried, self._wanted()
            if self._stream and before != self._carried:
                self._stream.update(self._carried - before, before - self._carried)

    def close(self) -> None:
        """End the stream, and with it every listener's. From any task or thread."""
        if stream := self._stream:
            stream.close()

    async def _left(self, listener: Listener) -> None:
        async with self._turn:
            self._listeners.remove(listener)
            if self._listeners:
                self.carry()
            elif self._pump is not None:
                self.close()
                await asyncio.gather(self._pump, return_exceptions=True)

    def _wanted(self) -> frozenset[str]:
        return frozenset(name for listener in self._listeners for name in listener.topics)

    async def _run(self, stream: Stream[StreamerEvent]) -> None:
        error: Exception | None = None
        try:
            async for event in stream.events():
                self._tell(event)
        except Exception as exc:  # noqa: BLE001  whoever listens raises it
            error = exc
        finally:
            self._stream = self._pump = None
            self._last.clear()
            for listener in self._listeners:
                listener.end(error)

    def _tell(self, event: StreamerEvent | Gap) -> None:
        if isinstance(event, NotToBeHad):
            self._refuse(event)
            return
        name = _topic_of(event)
        if isinstance(event, Gap):
            self._last.clear()
        elif isinstance(event, Quote) and name:
            self._last[name] = event
        for listener in self._listeners:
            listener.offer(event, name)

    def _refuse(self, event: NotToBeHad) -> None:
        for listener in self._listeners:
            if event.topics & listener.topics.keys():
                listener.end(StreamEnded(event.text))


def _topic_of(event: Quote | Bar | Changed | Gap) -> str | None:
    """None: it is for everybody."""
    match event:
        case Quote():
            return topic(Feed.QUOTES, event.symbol)
        case Bar():
            return topic(Feed.BARS, event.symbol)
        case Changed():
            return ORDERS
    return None
