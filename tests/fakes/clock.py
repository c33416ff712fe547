"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta


class FakeClock:
    """Sleeping moves it on at once."""

    def __init__(self, at: datetime = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)) -> None:
        self._at = at

    def now(self) -> datetime:
        """The instant it stands at."""
        return self._at

    def sleep(self, seconds: float) -> None:
        """Move on by `seconds`."""
        self._at += timedelta(seconds=seconds)

    def set(self, at: datetime) -> None:
        """Stand at `at`, which may lie in the past."""
        self._at = at
