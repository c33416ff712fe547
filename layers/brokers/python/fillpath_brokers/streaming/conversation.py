"""One connection from `opened` to its end: feeds the protocol, sends what it says, beats on time, watches for silence.

A connection and its protocol come in; events go to the outbox; what comes out at the end is Reconnect or GiveUp. Reading stops
while the outbox is full, beating does not; and who does not read cannot tell silence.
"""

import asyncio
import threading
from collections.abc import Coroutine, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic

from fillpath.market.bars import Gap
from fillpath_brokers.streaming.clock import AsyncClock
from fillpath_brokers.streaming.connection import Connection, Ended
from fillpath_brokers.streaming.outbox import Outbox
from fillpath_brokers.streaming.protocol import (
    Action,
    End,
    Event,
    Forget,
    GiveUp,
    Heard,
    Ping,
    Ready,
    Reconnect,
    Send,
    StreamProtocol,
)
from fillpath_brokers.streaming.tokens import TokenWatch

READY_WITHIN_S = 30.0
_PASSES = 8


@dataclass(slots=True)
class Wishes:
    """What is wanted of the running connection. Others change it and then stir it, on the event loop."""

    symbols: frozenset[str] = frozenset()
    token: str | None = field(default=None, repr=False)
    stirred: asyncio.Event = field(default_factory=asyncio.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def change(self, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        """Other symbols. From any task or thread."""
        with self._lock:
            self.symbols = (self.symbols | frozenset(add)) - frozenset(remove)


@dataclass(frozen=True, slots=True)
class Surroundings(Generic[Event]):
    """What the connections of one stream share."""

    clock: AsyncClock
    outbox: Outbox[Event | Gap]
    wishes: Wishes
    tokens: TokenWatch | None = None


class Conversation(Generic[Event]):
    """`carried`: the symbols that the protocol was made for; `since`: what was last heard before, if a Gap is to be told."""

    def __init__(
        self,
        connection: Connection,
        protocol: StreamProtocol[Event],
        around: Surroundings[Event],
        carried: frozenset[str],
        since: datetime | None,
    ) -> None:
        self._connection = connection
        self._protocol = protocol
        self._clock, self._outbox, self._wishes, self._tokens = around.clock, around.outbox, around.wishes, around.tokens
        self._carried = carried
        self._since = since
        self._heard_at: datetime | None = None
        self._ready = asyncio.Event()
        self._ready_by = self._clock.monotonic() + READY_WITHIN_S
        self._ready_from: float | None = None
        self._quiet_from = self._clock.monotonic()
        self._listening = True

    @property
    def ready(self) -> bool:
        """Whether it was Ready at some time."""
        return self._ready_from is not None

    @property
    def ready_s(self) -> float:
        """For how long it has been Ready."""
        return 0.0 if self._ready_from is None else self._clock.monotonic() - self._ready_from

    @property
    def last_heard(self) -> datetime | None:
        """When the last frame or ping answer came (if none: when it was Ready). Of what never was Ready: `since`."""
        return self._heard_at if self.ready else self._since

    async def run(self) -> Reconnect | GiveUp | End:
        """Until it is over; an End is the other side's doing."""
        duties: list[Coroutine[Any, Any, Reconnect | GiveUp | End | None]] = [self._read(), self._watch(), self._change()]
        if self._protocol.beat_s:
            duties.append(self._beat(self._protocol.beat_s))
        if self._tokens:
            duties.append(self._look_for_tokens(self._tokens))
        tasks = [asyncio.create_task(duty) for duty in duties]
        try:
            while True:
                await asyncio.wait([task for task in tasks if not task.done()], return_when=asyncio.FIRST_COMPLETED)
                for task in tasks:
                    if task.done() and (verdict := task.result()):
                        return verdict
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self) -> Reconnect | GiveUp | End:
        verdict = await self._do(self._protocol.opened())
        try:
            while not verdict:
                if self._outbox.full:
                    await self._wait_for_room()
                frame = await self._connection.receive()
                verdict = await self._do(self._protocol.received(frame, self._mark()))
        except Ended as exc:
            return exc.end
        return verdict

    async def _wait_for_room(self) -> None:
        self._listening = False
        await self._outbox.room()
        self._listening = True
        self._quiet_from = self._clock.monotonic()

    async def _watch(self) -> Reconnect:
        """Until it has been silent, or not Ready, for too long."""
        while True:
            wait_s = self._due() - self._clock.monotonic()
            if wait_s > 0:
                await self._clock.sleep(wait_s)
                continue
            for _ in range(_PASSES):  # the loop may have been busy elsewhere: what lies in the socket is read first
                await asyncio.sleep(0)
            if self._due() <= self._clock.monotonic():
                return Reconnect("silent for too long" if self.ready else "signing in took too long")

    def _due(self) -> float:
        silence_s = self._protocol.silence_s
        if not self._listening:
            self._ready_by = self._clock.monotonic() + READY_WITHIN_S
            return self._clock.monotonic() + silence_s
        silent = self._quiet_from + silence_s
        return silent if self.ready else min(silent, self._ready_by)

    async def _beat(self, every_s: float) -> Reconnect | GiveUp | None:
        verdict = None
        while not verdict:
            await self._clock.sleep(every_s)
            verdict = await self._do(self._protocol.beat())
        return verdict

    async def _change(self) -> Reconnect | GiveUp | None:
        """Tell the protocol what else is wanted, once it is Ready."""
        await self._ready.wait()
        verdict, wishes = None, self._wishes
        while not verdict:
            wishes.stirred.clear()
            token, wishes.token = wishes.token, None
            if token is not None:
                verdict = await self._do(self._protocol.token_changed(token))
            wanted = wishes.symbols  # another thread may change it at any moment
            add, remove = sorted(wanted - self._carried), sorted(self._carried - wanted)
            if not verdict and (add or remove):
                self._carried = wanted
                verdict = await self._do(self._protocol.subscribe(add, remove))
            if not verdict:
                await wishes.stirred.wait()
        return verdict

    async def _look_for_tokens(self, tokens: TokenWatch) -> None:
        while True:
            self._wishes.token = await tokens.changed()
            self._wishes.stirred.set()

    async def _do(self, actions: Sequence[Action[Event]]) -> Reconnect | GiveUp | None:
        for action in actions:
            match action:
                case Heard(event):
                    self._outbox.put(event)
                case Ready():
                    self._become_ready()
                case Reconnect() | GiveUp():
                    return action
                case Forget(symbols, otherwise):
                    self._carried -= symbols
                    self._wishes.change(remove=symbols)
                    if otherwise and not self._wishes.symbols:
                        return otherwise
                case _:
                    with suppress(Ended):  # why it has ended is found by who reads, after the last frames
                        await self._dispatch(action)
        return None

    async def _dispatch(self, action: Send | Ping) -> None:
        if isinstance(action, Send):
            await self._connection.send(action.frame)
        else:
            await self._connection.ping(self._mark)

    def _become_ready(self) -> None:
        if self._ready_from is not None:
            return
        self._ready_from = self._clock.monotonic()
        now = self._clock.now()
        if self._since is not None:
            self._outbox.put(Gap(self._since, now))
        self._heard_at = self._heard_at or now
        self._ready.set()

    def _mark(self) -> datetime:
        """Something was heard, just now."""
        self._quiet_from = self._clock.monotonic()
        self._heard_at = self._clock.now()
        return self._heard_at
