"""Time for streams: instants, stretches of time and waiting, without stopping the event loop."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class AsyncClock(Protocol):
    """Where streams get the time from and wait."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment; never set back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that long."""
        ...


class SystemAsyncClock:
    """The machine's clocks, as exact as they are: a trade's time of receipt is worth its microseconds."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since some moment; never set back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait that long."""
        await asyncio.sleep(seconds)
