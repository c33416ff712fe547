"""When an order whose answer was lost can have been placed: a leg comes in, a stretch of the venue's time goes out.

For venues that keep no ids of ours, or may not show them: an order is known there by what was sent, and when. What the venue's
clock says is measured by the `Date` of its own answers, for an order that is there must not seem absent because clocks differ.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Self

from fillpath.clock import Clock
from fillpath.errors import BrokerUnavailable
from fillpath.orders.model import Leg
from fillpath_brokers.web import Reply

MOST_APART = timedelta(minutes=15)
"""How far two clocks are taken to be apart at most, as long as nothing was measured."""
_SLOWEST = timedelta(seconds=20)
"""An answer that took longer says too little of the time."""
_SECOND = timedelta(seconds=1) - datetime.resolution
"""A header tells whole seconds, without what has passed of the last."""


@dataclass(frozen=True, slots=True)
class Apart:
    """How far the venue's clock is ahead of ours: something between the two."""

    least: timedelta
    most: timedelta


class VenueClock:
    """The venue's clock as its last answer showed it; `apart` is None where that did not tell."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.apart: Apart | None = None

    def measured(self, ask: Callable[[], Reply]) -> Reply:
        """The answer, and the time by it: it was written between the question and now."""
        asked = self._clock.now()
        reply = ask()
        answered = self._clock.now()
        told = _date_of(reply)
        timely = timedelta() <= answered - asked <= _SLOWEST
        self.apart = Apart(told - answered, told + _SECOND - asked) if told and timely else None
        return reply


@dataclass(frozen=True, slots=True)
class Window:
    """From `opens` to `closes`, both included. `certain`: whether it is known what the clock says that it is told by."""

    opens: datetime
    closes: datetime
    certain: bool = True

    @classmethod
    def of(cls, leg: Leg, skew_s: float, quarantine_s: int) -> Self:
        """From when it was prepared until nothing of it can appear any more; BrokerUnavailable if it was never prepared.

        `skew_s`: how far the two clocks may be apart or, once that is measured, from what was measured.
        """
        if leg.prepared_at is None or leg.submit_by is None:
            raise BrokerUnavailable(f"when {leg.client_order_id} was sent is not known, so it cannot be found by its time")
        skew = timedelta(seconds=skew_s)
        # Some venues tell whole seconds: what was placed within this one may be told as before it.
        return cls((leg.prepared_at - skew).replace(microsecond=0), leg.submit_by + timedelta(seconds=quarantine_s) + skew)

    def by(self, apart: Apart | None) -> Self:
        """The same by the venue's clock; as it is, and uncertain, where that is not known."""
        if apart is None:
            return replace(self, certain=False)
        opens = (self.opens + apart.least).replace(microsecond=0)
        return replace(self, opens=opens, closes=self.closes + apart.most, certain=True)

    def widened(self) -> Self:
        """With all that a clock that nobody has measured yet may call inside."""
        return replace(self, opens=self.opens - MOST_APART, closes=self.closes + MOST_APART)

    def within(self, other: "Window") -> bool:
        """Whether the other one holds all of it."""
        return other.opens <= self.opens and self.closes <= other.closes

    def holds(self, at: datetime | None) -> bool:
        """Whether that moment is inside."""
        return at is not None and self.opens <= at <= self.closes

    def may_hold(self, at: datetime | None) -> bool:
        """Whether it is inside, or would be if the clocks were apart in a way that nobody could measure."""
        return self.holds(at) if self.certain else self.widened().holds(at)


def quantity_fits(leg: Leg, ordered: Decimal) -> bool:
    """Whether an order may be the leg by its size: what only reduces at the market is cut to what is held before it is sent."""
    if leg.reduce_only and not leg.resting:
        return 0 < ordered <= leg.quantity
    return ordered == leg.quantity


def _date_of(reply: Reply) -> datetime | None:
    try:
        told = parsedate_to_datetime(reply.headers["Date"])
    except (KeyError, ValueError):
        return None
    return told if told.tzinfo else told.replace(tzinfo=UTC)
