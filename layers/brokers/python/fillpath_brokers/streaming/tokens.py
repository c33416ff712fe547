"""Tokens of running connections: how an account's token is read comes in, each new one goes out.

For venues that want a running connection to go on with the account's newest token. Others give a stream none of this.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from fillpath.errors import BrokerError
from fillpath_brokers.streaming.clock import AsyncClock

LOOK_EVERY_S = 30.0
"""How often it is looked whether the account has a new token."""


class TokenWatch:
    """For one stream. `read` gives the token as it is now; it may block, so that `in_thread` calls it."""

    def __init__(self, read: Callable[[], str], clock: AsyncClock, in_thread: Callable[..., Awaitable[Any]]) -> None:
        self._read = read
        self._clock = clock
        self._in_thread = in_thread
        self._known: str | None = None

    async def before_opening(self) -> None:
        """A connection is about to be opened, with the token as it is now or a newer one."""
        self._known = await self._now()

    async def changed(self) -> str:
        """The next token that is another than the one before."""
        while True:
            await self._clock.sleep(LOOK_EVERY_S)
            before, token = self._known, await self._now()
            self._known = token or before
            if before and token and token != before:
                return token

    async def _now(self) -> str | None:
        with suppress(BrokerError):  # whoever opens the next connection finds out, and says so
            token: str = await self._in_thread(self._read)
            return token
        return None
