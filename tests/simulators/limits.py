"""How many requests a simulated venue takes: who asks and what for goes in, where that leaves him comes out.

Every venue counts at its real limits, by its own clock, and answers in its own words what is too much:

    standing = request.app[LIMITS].take("a credential", TRADING)
    if standing.refused: ...                                    # 429; the standing tells what headers may have to say

`Options.limited` False, or the fault {"rate_limits": "off"}, lets everything through; "on" counts again; with "used up" nobody
has a request left until the windows that begin now are over.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Limit:
    """So many requests in each window of this length. A window begins with a request; a rolling one ends at any moment.

    `locked`: for how long after one too many nothing is taken at all; what is asked meanwhile begins it anew.
    """

    name: str
    most: int
    length: timedelta
    rolling: bool = False
    locked: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a request leaves who sent it: how many are left of how many, and when there are more."""

    most: int
    left: int
    resets_at: datetime
    refused: bool


@dataclass(slots=True)
class _Window:
    asked: deque[datetime] = field(default_factory=deque)
    locked_until: datetime | None = None


class RequestLimits:
    """The counts of one simulator; `refused` is how many requests were too many."""

    def __init__(self, now: Callable[[], datetime], *, counting: bool) -> None:
        self.counting = counting
        self.refused = 0
        self._now = now
        self._windows: dict[tuple[str, str], _Window] = {}
        self._used_up_at: datetime | None = None

    def take(self, who: str, limit: Limit) -> Standing:
        """Count a request."""
        now = self._now()
        if not self.counting:
            return Standing(limit.most, limit.most, now + limit.length, refused=False)
        window = self._windows.setdefault((who, limit.name), self._new(limit))
        _forget(window.asked, limit, now)
        window.asked.append(now)
        left = limit.most - len(window.asked)
        locked = window.locked_until is not None and now < window.locked_until
        refused = left < 0 or locked
        if refused:
            self.refused += 1
            window.locked_until = now + limit.locked
        return Standing(limit.most, max(0, left), window.asked[0] + limit.length, refused)

    def switch(self, to: Any) -> None:
        """Count, let everything through, or have everything used up; ValueError."""
        if to not in ("on", "off", "used up"):
            raise ValueError(f"rate_limits: {to!r} is none of on, off, used up")
        self.counting = to != "off"
        if to == "used up":
            self._windows.clear()
            self._used_up_at = self._now()

    def forget(self) -> None:
        """Nobody has asked for anything yet."""
        self._windows.clear()
        self._used_up_at = None
        self.refused = 0

    def _new(self, limit: Limit) -> _Window:
        return _Window() if self._used_up_at is None else _Window(deque([self._used_up_at] * limit.most))


def _forget(asked: deque[datetime], limit: Limit, now: datetime) -> None:
    """What does not count any more: of a window that is over all, else what has become too old."""
    if not limit.rolling and asked and now >= asked[0] + limit.length:
        asked.clear()
    while asked and asked[0] + limit.length <= now:
        asked.popleft()
