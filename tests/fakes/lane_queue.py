"""Wake-ups of lanes, collected."""

from datetime import datetime, timedelta
from typing import NamedTuple

from fillpath.clock import Clock
from fillpath.orders.model import Lane
from tests.fakes.clock import FakeClock

REMEMBERED = timedelta(minutes=5)


class WakeUp(NamedTuple):
    """One message: the lane is its group."""

    lane: Lane
    wake_id: str
    at: datetime


class FakeLaneQueue:
    """LaneQueue that appends to `messages` and, like SQS, remembers an id for five minutes."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.messages: list[WakeUp] = []
        self._clock = clock or FakeClock()
        self._sent: dict[str, datetime] = {}

    def wake(self, lane: Lane, wake_id: str) -> None:
        """Append a wake-up unless its id was sent less than five minutes ago."""
        now = self._clock.now()
        before = self._sent.get(wake_id)
        if before is None or now - before >= REMEMBERED:
            self._sent[wake_id] = now
            self.messages.append(WakeUp(lane, wake_id, now))
