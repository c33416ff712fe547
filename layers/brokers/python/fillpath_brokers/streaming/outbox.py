"""What lies between a stream's tasks and whoever iterates: events go in, wait in their order, and come out. Bounded by manners:

putting never waits, but who puts asks for room before he reads the next frame.
"""

import asyncio
from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Outbox(Generic[Item]):
    """For one event loop, one reader."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._items: deque[Item] = deque()
        self._stirred = asyncio.Event()
        self._room = asyncio.Event()

    def __len__(self) -> int:
        return len(self._items)

    @property
    def full(self) -> bool:
        """Whether more events wait than is good."""
        return len(self._items) >= self._limit

    def put(self, item: Item) -> None:
        """Add an event; never waits."""
        self._items.append(item)
        self._stirred.set()

    def take(self) -> Item:
        """The event that has waited longest; IndexError if there is none."""
        item = self._items.popleft()
        self._room.set()
        return item

    def stir(self) -> None:
        """Let the reader look up, though there may be nothing new."""
        self._stirred.set()

    async def stirring(self) -> None:
        """Until something was put, or `stir` was called, since the last time."""
        await self._stirred.wait()
        self._stirred.clear()

    async def room(self) -> None:
        """Until it is not full."""
        while self.full:
            self._room.clear()
            await self._room.wait()
