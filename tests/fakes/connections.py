"""Connections without a network: a test says what the other side sends, and sees what it was sent."""

import asyncio
from collections import deque
from collections.abc import Callable

from fillpath_brokers.streaming.connection import Ended
from fillpath_brokers.streaming.protocol import End, Frame, Place


class FakeConnection:
    """One connection. `dead`: nothing comes any more, and nobody says so."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.sent: list[Frame] = []
        self.pings = 0
        self.dead = False
        self.blocked = False
        self.closed = False
        self.received = 0
        self._incoming: deque[Frame | End] = deque()
        self._arrived = asyncio.Event()
        self._end: End | None = None

    def hears(self, *frames: Frame) -> None:
        """The other side sends these."""
        self._incoming.extend(frames)
        self._arrived.set()

    def ends(self, end: End | None = None) -> None:
        """The other side ends it, after what it has sent; without a word, if it is not said how."""
        self._end = end or End()
        self._incoming.append(self._end)
        self._arrived.set()

    async def receive(self) -> Frame:
        """What the other side sent next."""
        while not self._incoming:
            self._arrived.clear()
            await self._arrived.wait()
        frame = self._incoming[0]
        if isinstance(frame, End):
            raise Ended(frame)
        self.received += 1
        self._incoming.popleft()
        return frame

    async def send(self, frame: Frame) -> None:
        """Keep what was sent; never return while `blocked`."""
        if self._end:
            raise Ended(self._end)
        self.sent.append(frame)
        if self.blocked:
            await asyncio.Event().wait()

    async def ping(self, answered: Callable[[], object]) -> None:
        """Answered at once, unless dead."""
        if self._end:
            raise Ended(self._end)
        self.pings += 1
        if not self.dead:
            answered()

    async def close(self) -> None:
        """Note that it was given back."""
        self.closed = True


class FakeConnector:
    """Every connection that was made, in order. `answers` are given first: an error is raised; None never comes."""

    def __init__(self) -> None:
        self.connections: list[FakeConnection] = []
        self.attempts = 0
        self.answers: deque[Exception | None] = deque()
        self.always: Exception | None = None

    async def connect(self, place: Place) -> FakeConnection:
        """A connection, or what the test wants instead."""
        self.attempts += 1
        if self.always:
            raise self.always
        if self.answers:
            answer = self.answers.popleft()
            if answer is None:
                await asyncio.Event().wait()
            else:
                raise answer
        connection = FakeConnection(place)
        self.connections.append(connection)
        return connection
