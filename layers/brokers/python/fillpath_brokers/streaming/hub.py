"""One stream for many listeners, for venues that allow one connection for each account or login.

It begins with the first listener, carries what any of them wants, and ends with the last. What is wanted is topics: the stream is
opened with those of all listeners, and told which come and go. After a reconnect every listener gets its Gap. Topics that the
venue refuses are taken from whoever wants them; the others he goes on hearing.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Hashable, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Generic
from weakref import WeakSet

from fillpath.market.bars import Gap, Quote
from fillpath_brokers.streaming.driver import Stream
from fillpath_brokers.streaming.listener import Listener, Told
from fillpath_brokers.streaming.protocol import Event
from fillpath_brokers.streaming.topics import NotToBeHad


class Hub(Generic[Event]):
    """`open_stream` makes the stream for these topics; `topic_of` says what an event is about (None: it is for everybody)."""

    def __init__(
        self,
        open_stream: Callable[[frozenset[str]], Stream[Event | NotToBeHad]],
        topic_of: Callable[[Event], str | None],
        now: Callable[[], datetime],
    ) -> None:
        self._open = open_stream
        self._topic_of = topic_of
        self._now = now
        self._known: WeakSet[Listener[Event]] = WeakSet()
        self._listeners: list[Listener[Event]] = []
        self._stream: Stream[Event | NotToBeHad] | None = None
        self._pump: asyncio.Task[None] | None = None
        self._carried: frozenset[str] = frozenset()
        self._last: dict[str, Quote] = {}
        self._closed = False
        self._turn = asyncio.Lock()
        self._lock = threading.Lock()

    def listener(self, topics: Mapping[str, str], feed: Hashable = None) -> Listener[Event]:
        """Somebody who wants these topics, each with our spelling of its symbol, once he reads."""
        listener: Listener[Event] = Listener(topics, self._now, feed)
        with self._lock:
            self._known.add(listener)
        return listener

    async def events(self, listener: Listener[Event]) -> AsyncGenerator[Told[Event], None]:
        """What the listener hears, the last quotes that are known at once; ends with `close`. NeedsReauth, StreamEnded."""
        async with self.joined(listener):
            while (event := await listener.next()) is not None:
                yield event

    @asynccontextmanager
    async def joined(self, listener: Listener[Event]) -> AsyncGenerator[None, None]:
        """Hear what the listener wants, until the block ends."""
        async with self._turn:
            self._join(listener)
        try:
            yield
        finally:
            await self._left(listener)

    def update(self, feed: Hashable, add: Mapping[str, str], remove: Iterable[str]) -> None:
        """Change what the listeners of this feed hear, also of those that nobody reads yet. From any task or thread."""
        left = frozenset(remove)
        with self._lock:
            of_feed = [listener for listener in self._known if listener.feed == feed]
        for listener in of_feed:
            listener.want(add, left)
        self._carry()

    def close(self) -> None:
        """End the stream, and with it every listener's, for good. From any task or thread."""
        self._closed = True
        if stream := self._stream:
            stream.close()

    def _join(self, listener: Listener[Event]) -> None:
        self._listeners.append(listener)
        if self._closed:
            listener.end(None)
            return
        for name in listener.topics.keys() & self._last.keys():
            listener.offer(self._last[name], name)  # type: ignore[arg-type]  # a quote that was told as an Event
        if self._pump is None:
            self._carried = self._wanted()
            self._stream = self._open(self._carried)
            self._pump = asyncio.create_task(self._run(self._stream))
        else:
            self._carry()

    def _carry(self) -> None:
        """Let the stream carry what the listeners want by now."""
        with self._lock:
            before, self._carried = self._carried, self._wanted()
            if self._stream and before != self._carried:
                self._stream.update(self._carried - before, before - self._carried)

    async def _left(self, listener: Listener[Event]) -> None:
        async with self._turn:
            self._listeners.remove(listener)
            if self._listeners:
                self._carry()
            elif self._pump is not None and self._stream is not None:
                self._stream.close()
                await asyncio.gather(self._pump, return_exceptions=True)

    def _wanted(self) -> frozenset[str]:
        return frozenset(name for listener in self._listeners for name in listener.topics)

    async def _run(self, stream: Stream[Event | NotToBeHad]) -> None:
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

    def _tell(self, event: Event | NotToBeHad | Gap) -> None:
        if isinstance(event, NotToBeHad):
            self._refuse(event)
            return
        name = None
        if isinstance(event, Gap):
            self._last.clear()
        else:
            name = self._topic_of(event)
            if isinstance(event, Quote) and name:
                self._last[name] = event
        for listener in self._listeners:
            listener.offer(event, name)

    def _refuse(self, event: NotToBeHad) -> None:
        for listener in self._listeners:
            listener.refuse(event.topics, event.text)
        self._carry()
