"""OrderStore: order records and the lanes they stand in."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from fillpath.ids import is_older
from fillpath.orders.model import Lane, Order, Side


@dataclass(frozen=True, slots=True)
class Waiting:
    """An order that waits in a lane."""

    order_id: str
    deadline: datetime | None


@dataclass(frozen=True, slots=True)
class Working:
    """A resting order in a lane."""

    order_id: str
    side: Side
    reduces: bool


@dataclass(frozen=True, slots=True)
class InDoubt:
    """An order of a lane whose outcome is unknown."""

    order_id: str
    reduces: bool


RECENT, RECENT_MINUTES = 100, 30
"""More than can act in a lane while the outcome of one of them is looked for, and longer than that takes."""


@dataclass(frozen=True, slots=True)
class LaneView:
    """A lane as one consistent read shows it; `waiting` lowest order id first.

    `reduced_at`: webhook id -> alert time of the newest reduction or target that was executed. `recent`: the last orders that
    took the lane, the newest last; at most RECENT.
    """

    lane: Lane
    fence: int = 0
    owner: str | None = None
    run_until: datetime | None = None
    reduced_at: dict[str, datetime] = field(default_factory=dict)
    waiting: tuple[Waiting, ...] = ()
    working: tuple[Working, ...] = ()
    unknown: tuple[InDoubt, ...] = ()
    recent: tuple[str, ...] = ()

    def recent_with(self, order_id: str) -> tuple[str, ...]:
        """The last orders once this one takes the lane, too."""
        known = (each for each in self.recent if each != order_id and not is_older(each, order_id, RECENT_MINUTES))
        return (*known, order_id)[-RECENT:]


class OrderStore(Protocol):
    """Reads are consistent except listings. Writes raise Conflict when what they were based on has changed.

    All raise StorageUnavailable when the table did not answer; the write may then have happened or not.
    """

    def get(self, order_id: str) -> Order:
        """The order; NotFound if there is none."""
        ...

    def lane(self, lane: Lane) -> LaneView:
        """The lane with all that stands in it."""
        ...

    def take(self, view: LaneView, order: Order, run_until: datetime) -> Order:
        """Make `order` the lane's owner until `run_until` and raise the fence on both, in one transaction.

        Also makes it the last of the lane's recent orders. Succeeds only if the lane is as `view` shows it (fence and owner) and
        the order as given (version). The order leaves the waiting list (`listing` none: from here on the lane's owner attribute
        is what finds it again); returns it as stored, with `owns_lane` set.
        """
        ...

    def save(self, old: Order, new: Order, *, reduced_at: datetime | None = None) -> Order:
        """Write `new` over `old` (same version), moving it within its lane, in one transaction.

        A changed `listing` moves its item among waiting, working and unknown; `owns_lane` turned off frees the lane if
        its owner and fence are the order's (Conflict if they are not); `reduced_at` raises the lane's mark for the order's
        webhook, on a release only. Returns the order as stored (`version` + 1).
        """
        ...

    def add(self, order: Order) -> None:
        """Put a new order there with its place in its lane; one of that id that is there already stays as it is."""
        ...

    def open_orders(self) -> Iterable[Order]:
        """Every order without an end state, or that still owns or stands in its lane; may lag a little."""
        ...

    def of_user(self, user_id: str, limit: int) -> tuple[Order, ...]:
        """The newest orders of a user first; may lag a little."""
        ...
