"""Listening to a venue's streams: what comes is kept, and looked at until it is as wanted; the network can be held."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from fillpath.errors import BrokerError
from fillpath.market.bars import Bar, Gap, Quote, Trade
from fillpath_brokers.facade import Feed, NoData
from fillpath_brokers.streaming.connection import Connection, NetworkConnector
from fillpath_brokers.streaming.driver import Means
from fillpath_brokers.streaming.protocol import Place
from tests.contract.broker_bench import Bench
from tests.fakes.skipping_clock import SkippingClock
from tests.waiting import until

Told = TypeVar("Told", Trade, Quote, Bar, NoData)

EVENTS: dict[Feed, type[Any]] = {Feed.TICKS: Trade, Feed.QUOTES: Quote, Feed.BARS: Bar}
MOVES_EVERY_S = 0.1


class Heard:
    """What has come out of an iterator, which is read in a task of its own, and the error that ended it."""

    def __init__(self, stream: AsyncIterator[Any]) -> None:
        self.events: list[Any] = []
        self.error: BrokerError | None = None
        self._stream = stream
        self._reading = asyncio.create_task(self._read())

    async def becomes(self, wanted: Callable[[list[Any]], object]) -> list[Any]:
        """The events once they are as wanted."""
        return await looked(lambda: list(self.events), wanted)

    def of(self, kind: type[Told], symbol: str) -> list[Told]:
        """What was told of a symbol."""
        return [each for each in self.events if isinstance(each, kind) and each.symbol == symbol]

    def gaps(self) -> list[Gap]:
        """What may have been missed."""
        return [each for each in self.events if isinstance(each, Gap)]

    async def ended(self) -> BrokerError | None:
        """The error that ended it, once it has ended."""
        await looked(self._reading.done, bool)
        return self.error

    async def close(self) -> None:
        """Read no more."""
        self._reading.cancel()
        with suppress(asyncio.CancelledError):
            await self._reading
        await self._stream.aclose()  # type: ignore[attr-defined]  # an async generator

    async def _read(self) -> None:
        try:
            async for event in self._stream:
                self.events.append(event)
        except BrokerError as exc:
            self.error = exc


class Network:
    """The network between a test and a venue. While it is held, nobody gets through who connects."""

    def __init__(self) -> None:
        self.tries = 0
        self._free = asyncio.Event()
        self._free.set()

    def hold(self) -> None:
        """From here on."""
        self._free.clear()

    def release(self) -> None:
        """Who was held gets through."""
        self._free.set()

    async def connect(self, place: Place) -> Connection:
        """A real connection, once it is not held."""
        self.tries += 1
        await self._free.wait()
        return await NetworkConnector().connect(place)


@dataclass(frozen=True)
class Line:
    """What a stream stands on, so that a test can let it fall."""

    network: Network = field(default_factory=Network)
    clock: SkippingClock = field(default_factory=SkippingClock)


async def looked(look: Callable[[], Any], wanted: Callable[[Any], object]) -> Any:
    """Look until it is as wanted, and let the event loop go on."""
    return await asyncio.to_thread(until, look, lambda seen: bool(wanted(seen)))


def streaming_over(at: Bench, line: Line) -> Any:
    """The account, whose streams connect over this line, and at once."""
    venue: Any = type(at.broker)
    return venue(at.account.account_id, at.services, means=Means(line.network, line.clock, lambda: 0.0))


async def keep_moving(at: Bench, *others: str) -> None:
    """Trades of what the bench trades and of others, one after the other, and minutes that end."""
    for number in range(10_000):
        for contract in (at.contract, *others):
            at.simulator.exchange.set_price(contract, at.away(number % 7))
        at.simulator.exchange.end_minute()
        await asyncio.sleep(MOVES_EVERY_S)
