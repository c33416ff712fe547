"""One listener of a shared connection: events of all sorts are offered, those that he asked for wait for him, bounded.

A listener who reads too slowly loses what waits, and gets a Gap in its place; which symbols he has lost he is told all the same.
"""

import asyncio
import threading
from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Generic, TypeAlias

from fillpath.errors import StreamEnded
from fillpath.market.bars import Bar, Gap, Quote, Trade
from fillpath_brokers.facade import NoData
from fillpath_brokers.streaming.outbox import Outbox
from fillpath_brokers.streaming.protocol import Event

MOST_WAITING = 4096
Told: TypeAlias = Gap | NoData | Event


class Listener(Generic[Event]):
    """`topics`: what he hears, each with our spelling of its symbol. On one event loop, but for `want`."""

    def __init__(self, topics: Mapping[str, str], now: Callable[[], datetime], feed: Hashable = None) -> None:
        self.feed = feed
        self.topics = dict(topics)
        self.now = now
        self._waiting: Outbox[Told[Event]] = Outbox(MOST_WAITING)
        self._lock = threading.Lock()
        self._taken_at = now()
        self._ended = False
        self._error: Exception | None = None

    def want(self, add: Mapping[str, str], remove: Collection[str]) -> None:
        """Other topics from now on. From any task or thread."""
        with self._lock:
            self.topics = {name: ours for name, ours in {**self.topics, **add}.items() if name not in remove}

    def refuse(self, topics: Collection[str], text: str) -> None:
        """These are not to be had: he loses those of them that he wants, and it ends for him once nothing is left."""
        lost = {name: ours for name, ours in self.topics.items() if name in topics}
        self.want({}, lost)
        for ours in sorted(lost.values()):
            self.offer(NoData(ours, text))
        if lost and not self.topics:
            self.end(StreamEnded(text))

    def offer(self, event: Told[Event], topic: str | None = None) -> None:
        """An event of this topic; without one it is for everybody."""
        if self._ended or (topic is not None and topic not in self.topics):
            return
        if self._waiting.full:
            self._leave_out()
        if topic is not None and isinstance(event, Trade | Quote | Bar) and event.symbol != self.topics[topic]:
            event = replace(event, symbol=self.topics[topic])
        self._waiting.put(event)

    def end(self, error: Exception | None) -> None:
        """Nothing more comes: after what waits he gets the error, or simply the end."""
        if not self._ended:
            self._ended, self._error = True, error
            self._waiting.stir()

    async def next(self) -> Told[Event] | None:
        """What comes next; None at the end, or the error that ended it."""
        while not self._waiting:
            if self._ended:
                if self._error is not None:
                    raise self._error
                return None
            await self._waiting.stirring()
        self._taken_at = self.now()
        return self._waiting.take()

    async def next_within(self, seconds: float | None) -> Told[Event] | None:
        """The same; TimeoutError if nothing comes."""
        async with asyncio.timeout(seconds):
            return await self.next()

    def more(self) -> list[Told[Event]]:
        """What waits besides, without waiting."""
        return [self._waiting.take() for _ in range(len(self._waiting))]

    def _leave_out(self) -> None:
        refusals = [each for each in self.more() if isinstance(each, NoData)]
        self._waiting.put(Gap(self._taken_at, self.now()))
        for each in refusals:
            self._waiting.put(each)
