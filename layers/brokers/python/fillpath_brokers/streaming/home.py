"""The event loop that something lives on once somebody reads it, reached from any task or thread."""

import asyncio
from collections.abc import Callable
from contextlib import suppress


class Home:
    """Of one stream, which is read once."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def enter(self) -> None:
        """Live here, on the running loop, from now on; RuntimeError the second time."""
        if self._loop:
            raise RuntimeError("a stream is read once")
        self._loop = asyncio.get_running_loop()

    def call(self, call: Callable[[], object]) -> None:
        """Have it called there, soon; not at all before somebody reads, or once the loop is closed."""
        if self._loop:
            with suppress(RuntimeError):  # the loop is closed, and with it everything that ran there
                self._loop.call_soon_threadsafe(call)
