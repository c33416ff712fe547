"""Virtual time: events and tasks of one simulated cloud, on one thread, in the order of their instants.

A task runs until it pauses. Whatever is planned for an earlier instant goes first, so tasks interleave at every pause.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush

from greenlet import getcurrent, greenlet

BEGIN = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)


class Killed(BaseException):
    """The process that runs this task is gone. Not an Exception: no code under test may catch it."""


class VirtualTime:
    """Seconds since BEGIN, and what is planned for later ones."""

    def __init__(self) -> None:
        self.now = 0.0
        self._until = 0.0
        self._planned: list[tuple[float, int, Callable[[], object]]] = []
        self._number = 0
        self._hub = getcurrent()
        self._live: dict[greenlet, None] = {}

    def at(self, when: float, action: Callable[[], object]) -> None:
        """Plan `action` for an instant; those of one instant keep their order."""
        self._number += 1
        heappush(self._planned, (when, self._number, action))

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        """Plan `action` for so many seconds from now."""
        self.at(self.now + seconds, action)

    def run(self, until: float) -> None:
        """Let everything happen that is planned up to an instant."""
        self._hub, self._until, planned = getcurrent(), until, self._planned
        while planned and planned[0][0] <= until:
            self.now, _, action = heappop(planned)
            action()
        self.now = until

    def start(self, body: Callable[[], None]) -> None:
        """Run `body` as a task, now, until it pauses for the first time."""

        def run() -> None:
            task = getcurrent()
            self._live[task] = None
            try:
                body()
            finally:
                del self._live[task]

        greenlet(run, self._hub).switch()

    def pause(self, seconds: float) -> None:
        """Let so much time pass for the task that calls."""
        wake = self.now + seconds
        if wake <= self._until and (not self._planned or self._planned[0][0] > wake):
            self.now = wake
            return
        self.at(wake, getcurrent().switch)
        self._hub.switch()

    def close(self) -> None:
        """End the tasks that still pause."""
        for task in list(self._live):
            task.throw(Killed)


def instant(seconds: float) -> datetime:
    """The instant so many seconds after BEGIN."""
    return BEGIN + timedelta(seconds=seconds)


def seconds_of(at: datetime) -> float:
    """The other way round."""
    return (at - BEGIN).total_seconds()
