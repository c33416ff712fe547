"""A clock for a test and the venue that it trades at: quarantines pass at once, and a late request still comes in between."""

from datetime import datetime, timedelta

from tests.fakes.clock import FakeClock
from tests.simulators.faults import Faults, Overdue
from tests.waiting import PATIENCE_S


class VenueTime(FakeClock):
    """Moves on in steps: what the venue holds back is dealt with when it is due, before it is any later."""

    faults: Faults | None = None

    def sleep(self, seconds: float) -> None:
        """Move on by `seconds`."""
        self.set(self.now() + timedelta(seconds=seconds))

    def set(self, at: datetime) -> None:
        """Stand at `at`, after all that was due until then."""
        while held := min((each for each in self._overdue() if each.due <= at), key=lambda each: each.due, default=None):
            super().set(max(held.due, self.now()))
            assert held.done.wait(PATIENCE_S), "the venue does not deal with a request that is due"
        super().set(at)

    def _overdue(self) -> tuple[Overdue, ...]:
        return tuple(self.faults.overdue) if self.faults else ()
