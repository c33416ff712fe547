"""The stream driver: keeps one stream of a venue up, over as many connections in a row as it takes.

What a venue's protocol says comes in; its events come out of one async iterator, with a Gap after every reconnect. Everything
else (connecting, supervising, waiting longer and longer between failures) is the same for all venues and lives here.
"""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Generic

from fillpath.errors import BrokerUnavailable, NeedsReauth, NotSent, StreamEnded
from fillpath.market.bars import Gap
from fillpath_brokers.streaming.clock import AsyncClock, SystemAsyncClock
from fillpath_brokers.streaming.connection import Connector, Ended, NetworkConnector
from fillpath_brokers.streaming.conversation import Conversation, Surroundings, Wishes
from fillpath_brokers.streaming.home import Home
from fillpath_brokers.streaming.outbox import Outbox
from fillpath_brokers.streaming.protocol import End, Event, GiveUp, Opening, Reconnect, StreamProtocol
from fillpath_brokers.streaming.tokens import TokenWatch

FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 30.0
STABLE_S = 60.0
"""Who has been Ready for so long starts again with the first wait."""
MOST_WAITING = 4096
"""Events that may wait for a slow reader before the stream stops reading."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Means:
    """What a stream works with: the network, time, chance in [0, 1), and how a call that may block is made."""

    connector: Connector = field(default_factory=NetworkConnector)
    clock: AsyncClock = field(default_factory=SystemAsyncClock)
    jitter: Callable[[], float] = random.random
    in_thread: Callable[..., Awaitable[Any]] = asyncio.to_thread


class Stream(Generic[Event]):
    """One stream, read once. `symbols` are the venue's own spelling, empty for streams of orders.

    `token` reads the account's access token (it may block), for venues whose running connections are to be told a new one.
    """

    def __init__(
        self,
        opening: Opening[Event],
        symbols: Iterable[str] = (),
        means: Means | None = None,
        token: Callable[[], str] | None = None,
    ) -> None:
        self._opening = opening
        self._means = means or Means()
        self._clock = self._means.clock
        self._wishes = Wishes(frozenset(symbols))
        self._outbox: Outbox[Event | Gap] = Outbox(MOST_WAITING)
        self._tokens = TokenWatch(token, self._clock, self._means.in_thread) if token else None
        self._around = Surroundings(self._clock, self._outbox, self._wishes, self._tokens)
        self._home = Home()
        self._runner: asyncio.Task[None] | None = None
        self._closed = False
        self._heard_at: datetime | None = None
        self._failures = 0
        self._same_end: tuple[tuple[int | None, int | None] | None, int] = (None, 0)

    async def events(self) -> AsyncGenerator[Event | Gap, None]:
        """The events as they come; ends with `close`. After a reconnect, once it is Ready, a Gap from the last that was heard.

        NeedsReauth or StreamEnded when no reconnect would help. A reader who leaves early closes the iterator (`aclose`), or lets
        the event loop do it.
        """
        self._home.enter()
        runner = self._runner = asyncio.create_task(self._run())
        runner.add_done_callback(lambda _: self._outbox.stir())
        try:
            while not self._closed:
                if self._outbox:
                    yield self._outbox.take()
                elif runner.done():
                    runner.result()
                else:
                    await self._outbox.stirring()
        finally:
            runner.cancel()
            await asyncio.gather(runner, return_exceptions=True)

    def update(self, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        """Other symbols from now on, whether connected or not. From any task or thread."""
        self._wishes.change(add, remove)
        self._home.call(self._wishes.stirred.set)

    def token_changed(self, token: str) -> None:
        """The account has a new access token: a running connection is told once it is Ready. From any task or thread."""
        self._wishes.token = token
        self._home.call(self._wishes.stirred.set)

    def close(self) -> None:
        """End the iterator, now and without what still waits, and the connection. From any task or thread, however often."""
        self._closed = True
        self._home.call(self._stop)

    def _stop(self) -> None:
        if self._runner:
            self._runner.cancel()
        self._outbox.stir()

    async def _run(self) -> None:
        while True:
            try:
                verdict = await self._connection()
            except BrokerUnavailable as exc:
                verdict = Reconnect(str(exc), exc.delay_s if isinstance(exc, NotSent) else 0.0)
            if isinstance(verdict, GiveUp):
                raise NeedsReauth(verdict.reason) if verdict.needs_reauth else StreamEnded(verdict.reason)
            await self._pause(verdict)

    async def _connection(self) -> Reconnect | GiveUp:
        """One connection, or the attempt at one, and what is to be done after it."""
        if self._tokens:
            await self._tokens.before_opening()
        symbols, self._wishes.token = self._wishes.symbols, None  # a new connection is made with the newest token
        place, protocol = await self._means.in_thread(self._opening, symbols)
        try:
            connection = await self._means.connector.connect(place)
        except Ended as exc:
            return _paced(self._judge(protocol, exc.end, ready=False), 0.0)
        talk = Conversation(connection, protocol, self._around, symbols, self._heard_at)
        try:
            verdict = await talk.run()
        finally:
            await connection.close()
        self._heard_at = talk.last_heard
        if talk.ready_s >= STABLE_S:
            self._failures = 0
        if isinstance(verdict, End):
            return _paced(self._judge(protocol, verdict, ready=talk.ready), talk.ready_s)
        self._same_end = (None, 0)
        return _paced(verdict, talk.ready_s)

    def _judge(self, protocol: StreamProtocol[Event], end: End, *, ready: bool) -> Reconnect | GiveUp:
        before, times = self._same_end
        times = times + 1 if (end.status, end.code) == before else 1
        self._same_end = ((end.status, end.code), 0 if ready else times)
        return protocol.ended(end, self._same_end[1])

    async def _pause(self, verdict: Reconnect) -> None:
        """Full jitter, so that many streams that fail together do not come back together."""
        wait_s = 0.0
        if not verdict.planned:
            wait_s = self._means.jitter() * min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(self._failures, 16))
            self._failures += 1
        wait_s = max(wait_s, verdict.after_s)
        _log.warning("a stream connects again in %.1f s: %s", wait_s, verdict.reason)
        await self._clock.sleep(wait_s)


def _paced(verdict: Reconnect | GiveUp, ready_s: float) -> Reconnect | GiveUp:
    """A protocol that plans a reconnect again and again makes no hot loop either."""
    if isinstance(verdict, Reconnect) and verdict.planned and ready_s < FIRST_WAIT_S:
        return replace(verdict, after_s=max(verdict.after_s, FIRST_WAIT_S))
    return verdict
