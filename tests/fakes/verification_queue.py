"""Checks of submitted legs and what ended in the dead-letter queue, collected."""

from datetime import datetime
from typing import NamedTuple

from fillpath.clock import Clock
from fillpath.orders.ports.verification_queue import Check
from tests.fakes.clock import FakeClock
from tests.fakes.lane_queue import REMEMBERED


class Sent(NamedTuple):
    """One check and when it was sent; its delay of 2 s is the queue's."""

    check: Check
    at: datetime


class GivenUp(NamedTuple):
    """One message of the dead-letter queue."""

    check: Check
    reason: str


class FakeVerificationQueue:
    """VerificationQueue that appends to `messages` and `dead_letters`; an id counts once in five minutes, in each."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.messages: list[Sent] = []
        self.dead_letters: list[GivenUp] = []
        self._clock = clock or FakeClock()
        self._sent: dict[tuple[bool, str], datetime] = {}

    def check(self, check: Check) -> None:
        """Append a check unless its id was sent less than five minutes ago."""
        if self._is_new(check, dead=False):
            self.messages.append(Sent(check, self._clock.now()))

    def give_up(self, check: Check, reason: str) -> None:
        """Append to the dead letters unless that was done less than five minutes ago."""
        if self._is_new(check, dead=True):
            self.dead_letters.append(GivenUp(check, reason))

    def _is_new(self, check: Check, *, dead: bool) -> bool:
        now, key = self._clock.now(), (dead, check.check_id)
        before = self._sent.get(key)
        if before is not None and now - before < REMEMBERED:
            return False
        self._sent[key] = now
        return True
