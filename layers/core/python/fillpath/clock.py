"""Time as a dependency: aware UTC instants and waiting, so that tests and simulations own both."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where use cases get the time from and wait."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait that long."""
        ...


class SystemClock:
    """The machine's clock, in whole milliseconds: what a table keeps of an instant is then the instant itself."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        now = datetime.now(UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def sleep(self, seconds: float) -> None:
        """Wait that long."""
        time.sleep(seconds)


def from_epoch_ms(epoch_ms: int) -> datetime:
    """The instant of a Unix time in milliseconds."""
    return datetime.fromtimestamp(epoch_ms / 1000, UTC)
