"""One stream of market data over several connections: TradeStation has one per symbol for bars, one per 100 symbols for quotes.

Symbols come in and may change; events of all connections come out of one iterator. A connection that cannot go on takes its
symbols with it, which is told of each; what ends the last one ends the iterator.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from fillpath.errors import StreamEnded
from fillpath_brokers.facade import MarketEvent, NoData
from fillpath_brokers.streaming.driver import MOST_WAITING, Stream
from fillpath_brokers.streaming.home import Home
from fillpath_brokers.tradestation.symbols import shown

MakeStream = Callable[[frozenset[str]], Stream[MarketEvent]]


@dataclass(slots=True, eq=False)
class _Part:
    stream: Stream[MarketEvent]
    symbols: set[str]


@dataclass(frozen=True, slots=True)
class _Over:
    """The end of a part; without one: of everything, by `close`."""

    part: _Part | None = None
    why: Exception | None = field(default=None)


class Spread:
    """Read once, like a Stream; `most` symbols share a connection."""

    def __init__(self, make: MakeStream, symbols: Iterable[str], most: int) -> None:
        self._make = make
        self._most = most
        self._wanted = set(symbols)
        self._parts: list[_Part] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._lock = threading.Lock()
        self._home = Home()
        self._closed = False
        self._queue: asyncio.Queue[MarketEvent | _Over] = asyncio.Queue(MOST_WAITING)

    async def events(self) -> AsyncGenerator[MarketEvent, None]:
        """The events as they come; ends with `close`. NeedsReauth, or StreamEnded once nothing of it can go on."""
        self._home.enter()
        self._adjust()
        try:
            while not self._closed:
                item = await self._queue.get()
                if isinstance(item, _Over):
                    for lost in self._lost_with(item):
                        yield lost
                    continue
                if isinstance(item, NoData):
                    self._forget(item.symbol)
                yield item
        finally:
            await self._end_parts()

    def update(self, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        """Other symbols from now on. From any task or thread."""
        with self._lock:
            self._wanted = (self._wanted | set(add)) - set(remove)
        self._home.call(self._adjust)

    def close(self) -> None:
        """End the iterator and the connections. From any task or thread, as often as you like."""
        self._closed = True
        self._home.call(self._stop)

    def _adjust(self) -> None:
        """Give every wanted symbol a place on a connection, and take it from the others."""
        if self._closed:
            return
        with self._lock:
            wanted = set(self._wanted)
        for part in list(self._parts):
            gone = part.symbols - wanted
            part.symbols -= gone
            if not part.symbols:
                self._parts.remove(part)
                part.stream.close()
            elif gone:
                part.stream.update(remove=gone)
        for symbol in sorted(wanted - {each for part in self._parts for each in part.symbols}):
            self._place(symbol)

    def _place(self, symbol: str) -> None:
        room = next((part for part in self._parts if len(part.symbols) < self._most), None)
        if room:
            room.symbols.add(symbol)
            room.stream.update(add=[symbol])
            return
        part = _Part(self._make(frozenset({symbol})), {symbol})
        self._parts.append(part)
        task = asyncio.get_running_loop().create_task(self._pump(part))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _pump(self, part: _Part) -> None:
        try:
            async for event in part.stream.events():
                await self._queue.put(event)
        except Exception as exc:  # noqa: BLE001  whoever reads raises it
            await self._queue.put(_Over(part, exc))

    def _lost_with(self, over: _Over) -> Iterator[NoData]:
        """What ends with a part, and after it the error, if nothing is left."""
        if over.part is None or over.why is None:
            return
        if over.part in self._parts:
            self._parts.remove(over.part)
        with self._lock:
            self._wanted -= over.part.symbols
        if isinstance(over.why, StreamEnded):
            yield from (NoData(shown(symbol), str(over.why)) for symbol in sorted(over.part.symbols))
        if not isinstance(over.why, StreamEnded) or not self._parts:
            raise over.why

    def _forget(self, symbol: str) -> None:
        """A part goes on without a symbol (in our spelling) that was refused."""
        for part in self._parts:
            lost = {each for each in part.symbols if shown(each) == symbol}
            part.symbols -= lost
            with self._lock:
                self._wanted -= lost

    def _stop(self) -> None:
        with suppress(asyncio.QueueFull):  # then the reader has something to wake up for
            self._queue.put_nowait(_Over())

    async def _end_parts(self) -> None:
        self._closed = True
        for part in self._parts:
            part.stream.close()
        tasks = list(self._tasks)  # those of connections that were left before included
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
