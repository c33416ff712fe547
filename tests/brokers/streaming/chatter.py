"""A venue that does not exist, with a stream of one-word frames, and a scene in which its stream is driven in virtual time."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fillpath.market.bars import Gap
from fillpath_brokers.streaming.driver import Means, Stream
from fillpath_brokers.streaming.protocol import (
    Action,
    Frame,
    GiveUp,
    Heard,
    Ping,
    Place,
    Ready,
    Reconnect,
    Send,
    StreamProtocol,
)
from tests.fakes.async_clock import START, FakeAsyncClock
from tests.fakes.connections import FakeConnection, FakeConnector

ADDRESS = "wss://venue.example/stream?token=hush"


@dataclass
class Chatter(StreamProtocol[str]):
    """`welcome` signs in; other words say what is to be done, and what is none of these is an event."""

    symbols: frozenset[str] = frozenset()
    pings: bool = False
    silence_s = 20.0
    beat_s: float | None = 5.0
    heard_at: list[datetime] = field(default_factory=list)

    def opened(self) -> Sequence[Action[str]]:
        return [Send(f"hello {','.join(sorted(self.symbols))}".strip())]

    def received(self, frame: Frame, at: datetime) -> Sequence[Action[str]]:
        self.heard_at.append(at)
        match str(frame).split():
            case ["welcome"]:
                return [Ready()]
            case ["bye"]:
                return [Reconnect("it said bye")]
            case ["new-day"]:
                return [Reconnect("once a day", planned=True)]
            case ["later", seconds]:
                return [Reconnect("it said later", float(seconds))]
            case ["out"]:
                return [Heard("out"), GiveUp("another session took over")]
            case ["signed-out"]:
                return [GiveUp("the password was changed", needs_reauth=True)]
            case ["fault"]:
                raise ZeroDivisionError
            case _:
                return [Heard(str(frame))]

    def beat(self) -> Sequence[Action[str]]:
        return [Ping() if self.pings else Send("beat")]

    def subscribe(self, add: Sequence[str], remove: Sequence[str]) -> Sequence[Action[str]]:
        if "HEAVY" in add:
            return [Reconnect("other symbols", planned=True)]
        return [Send(" ".join([*(f"+{symbol}" for symbol in add), *(f"-{symbol}" for symbol in remove)]))]

    def token_changed(self, token: str) -> Sequence[Action[str]]:
        return [Send(f"token {token}")]


class Scene:
    """A running stream of the chatter, and all that can be seen of it."""

    def __init__(self, symbols: Sequence[str] = ()) -> None:
        self.clock = FakeAsyncClock()
        self.connector = FakeConnector()
        self.jitter = 1.0
        self.protocols: list[Chatter] = []
        self.openings = 0
        self.refusals: list[Exception] = []
        self.opened: Callable[[frozenset[str]], Chatter] = Chatter
        means = Means(self.connector, self.clock, lambda: self.jitter, _at_once)
        self.stream: Stream[str] = Stream(self._opening, symbols, means)
        self.events: list[str | Gap] = []
        self.reading: asyncio.Future[Any] | None = None

    def start(self) -> None:
        """Begin to read."""
        self.reading = asyncio.create_task(self._read(self.stream.events()))

    async def connected(self, number: int = 1) -> FakeConnection:
        """The n-th connection, once it is there and has been spoken to."""
        if self.reading is None:
            self.start()
        await self.clock.until(lambda: len(self.connector.connections) >= number)
        await self.clock.settle()
        return self.connector.connections[number - 1]

    async def ready(self, number: int = 1) -> FakeConnection:
        """The n-th connection, signed in."""
        connection = await self.connected(number)
        connection.hears("welcome")
        await self.clock.settle()
        return connection

    def reads_one(self) -> tuple[AsyncGenerator[str | Gap, None], asyncio.Future[str | Gap]]:
        """Begin to read, and stop after the first event: the events, and that one."""
        events = self.stream.events()
        begun = self.reading = asyncio.ensure_future(anext(events))
        return events, begun

    async def drops(self, connection: FakeConnection, after_s: float) -> None:
        """See the driver end a connection that is left alone for so long, and not a tenth of a second before."""
        await self.clock.advance(after_s - 0.1)
        assert not connection.closed
        await self.clock.advance(0.1)
        assert connection.closed

    async def waited_s(self, connection: FakeConnection, following: int) -> float:
        """How long it takes from the end of a connection until the next one, the n-th, is ready."""
        connection.ends()
        await self.clock.settle()
        before = self.clock.monotonic()
        await self.ready(following)
        return self.clock.monotonic() - before

    async def failure(self) -> BaseException | None:
        """What ended the reading; None: it came to its end."""
        assert self.reading
        await self.clock.until(self.reading.done)
        return self.reading.exception()

    async def end(self) -> None:
        """Close, and look whether anything is left."""
        self.stream.close()
        await self.clock.settle()
        assert self.reading is None or self.reading.done()
        assert all(connection.closed for connection in self.connector.connections)
        assert self.clock.sleepers == 0
        assert asyncio.all_tasks() == {asyncio.current_task()}

    async def _read(self, events: AsyncGenerator[str | Gap, None]) -> None:
        async for event in events:
            self.events.append(event)

    def _opening(self, symbols: frozenset[str]) -> tuple[Place, Chatter]:
        self.openings += 1
        if self.refusals:
            raise self.refusals.pop(0)
        self.protocols.append(self.opened(symbols))
        return Place(ADDRESS), self.protocols[-1]


def at(seconds: float) -> datetime:
    """So many seconds after a scene has begun."""
    return START + timedelta(seconds=seconds)


def play(story: Callable[[Scene], Awaitable[None]], symbols: Sequence[str] = (), *, debug: bool = False) -> None:
    """Tell a story in a fresh scene, and see that it leaves nothing behind."""

    async def told() -> None:
        scene = Scene(symbols)
        await story(scene)
        await scene.end()

    asyncio.run(told(), debug=debug)


async def _at_once(call: Callable[..., Any], *arguments: Any) -> Any:
    return call(*arguments)
