"""A clock for asyncio that goes as the machine's does, until a test skips a stretch of it."""

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta


class SkippingClock:
    """For what really waits for others, and is not to wait long: sleepers whose time was skipped wake at once."""

    def __init__(self) -> None:
        self._ahead_s = 0.0
        self._skipped = asyncio.Event()

    def now(self) -> datetime:
        """The machine's instant, and what was skipped."""
        return datetime.now(UTC) + timedelta(seconds=self._ahead_s)

    def monotonic(self) -> float:
        """Seconds since some moment, those that were skipped among them."""
        return time.monotonic() + self._ahead_s

    async def sleep(self, seconds: float) -> None:
        """Wait that long, or until it was skipped."""
        due = self.monotonic() + seconds
        while (left_s := due - self.monotonic()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    await self._skipped.wait()

    def skip(self, seconds: float) -> None:
        """Be so much later."""
        self._ahead_s += seconds
        self._skipped.set()
        self._skipped = asyncio.Event()
