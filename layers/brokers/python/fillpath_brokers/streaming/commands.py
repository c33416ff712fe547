"""Commands of a connection whose answers say nothing of what they answer: sent one at a time, the next once one is answered."""

from collections import deque
from collections.abc import Iterable
from typing import Generic, TypeVar

Command = TypeVar("Command")

_BEATS_TO_ANSWER = 3


class Commands(Generic[Command]):
    """For one connection: what waits, and the one that is on its way."""

    def __init__(self) -> None:
        self._waiting: deque[Command] = deque()
        self._beats = 0
        self.asked: Command | None = None

    def add(self, commands: Iterable[Command]) -> None:
        """Behind those that wait."""
        self._waiting.extend(commands)

    def again(self, commands: Iterable[Command]) -> None:
        """Ahead of those that wait: in place of the one that was answered last."""
        self._waiting.extendleft(reversed(list(commands)))

    def next(self) -> Command | None:
        """What is to be sent now; None while one is on its way, and when nothing waits."""
        if self.asked is not None or not self._waiting:
            return None
        self.asked, self._beats = self._waiting.popleft(), 0
        return self.asked

    def answered(self) -> Command | None:
        """The one that was on its way; it is not any more."""
        asked, self.asked = self.asked, None
        return asked

    def overdue(self) -> bool:
        """To be asked on each beat: whether the one on its way will never be answered."""
        self._beats += 1
        return self.asked is not None and self._beats > _BEATS_TO_ANSWER
