"""Token buckets in a dictionary, counted as the adapter counts them."""

import math
from dataclasses import dataclass, field
from datetime import datetime

from fillpath.accounts.ports.rate_limits import Quota
from fillpath.clock import Clock
from tests.fakes.clock import FakeClock

SKEW_MS = 2000


@dataclass(slots=True)
class Buckets:
    """What all processes share: when the next request of a bucket would arrive, and until when it is paused, in ms, and why."""

    arrives: dict[str, int] = field(default_factory=dict)
    paused_until: dict[str, int] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)


class FakeRateLimits:
    """RateLimits of one process; others get the same `buckets`."""

    def __init__(self, clock: Clock | None = None, buckets: Buckets | None = None) -> None:
        self._clock = clock or FakeClock()
        self.buckets = buckets or Buckets()

    def take(self, key: str, quota: Quota, *, urgent: bool = False) -> float:
        """Take one request, or nothing: then the seconds until there may be one."""
        now, interval = _ms(self._clock.now()), math.ceil(60_000 / quota.per_minute)
        room = quota.burst if urgent else max(1, quota.burst - quota.reserve)
        arrives, full = self.buckets.arrives.get(key, 0), now + quota.burst * interval
        if arrives > full + SKEW_MS:
            arrives = self.buckets.arrives[key] = full
        wait = max(arrives - now - (room - 1) * interval, self.buckets.paused_until.get(key, 0) - now)
        if wait > 0:
            return wait / 1000
        self.buckets.arrives[key] = max(arrives, now) + interval
        return 0.0

    def pause(self, key: str, seconds: float, why: str) -> None:
        """Nobody gets anything for so long."""
        until = _ms(self._clock.now()) + math.ceil(seconds * 1000)
        if until > self.buckets.paused_until.get(key, 0):
            self.buckets.paused_until[key], self.buckets.why[key] = until, why

    def silence(self, key: str) -> str:
        """Why nobody gets anything now."""
        paused = self.buckets.paused_until.get(key, 0) > _ms(self._clock.now())
        return self.buckets.why[key] if paused else ""


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
