"""A clock for asyncio that stands still until a test moves it, from one sleeper's time to the next."""

import asyncio
import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
_PASSES = 60


class FakeAsyncClock:
    """Whoever sleeps is woken when the test gets there; nothing waits for real time."""

    def __init__(self, at: datetime = START) -> None:
        self._start = at
        self._elapsed_s = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    def now(self) -> datetime:
        """The instant it stands at."""
        return self._start + timedelta(seconds=self._elapsed_s)

    def monotonic(self) -> float:
        """Seconds since it was made."""
        return self._elapsed_s

    async def sleep(self, seconds: float) -> None:
        """Wait until the test has moved it on by so much."""
        self._count += 1
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed_s + seconds, self._count, woken))
        await woken

    async def settle(self) -> None:
        """Let every task run until it waits for something."""
        for _ in range(_PASSES):
            await asyncio.sleep(0)

    async def advance(self, seconds: float) -> None:
        """Move on by `seconds`, waking every sleeper at its own time."""
        end = self._elapsed_s + seconds
        await self.settle()
        while (due := self._next_due()) is not None and due <= end:
            await self._wake(due)
        self._elapsed_s = end

    def jump(self, seconds: float) -> None:
        """Be so much later all of a sudden, as when the event loop was busy elsewhere: whoever is due has yet to run."""
        self._elapsed_s += seconds
        while (due := self._next_due()) is not None and due <= self._elapsed_s:
            heapq.heappop(self._sleepers)[2].set_result(None)

    async def until(self, condition: Callable[[], object], within_s: float = 3600.0) -> None:
        """Move on until it holds."""
        end = self._elapsed_s + within_s
        await self.settle()
        while not condition():
            due = self._next_due()
            assert due is not None, "everybody waits and nobody sleeps: this will never happen"
            assert due <= end, f"it has not happened within {within_s} s"
            await self._wake(due)

    @property
    def sleepers(self) -> int:
        """How many wait for it."""
        return sum(not woken.done() for _, _, woken in self._sleepers)

    def _next_due(self) -> float | None:
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    async def _wake(self, due: float) -> None:
        self._elapsed_s = max(self._elapsed_s, due)
        heapq.heappop(self._sleepers)[2].set_result(None)
        await self.settle()
