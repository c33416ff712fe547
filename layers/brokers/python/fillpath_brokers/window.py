"""When an order whose answer was lost can have been placed: a leg comes in, a stretch of the venue's time goes out.

For venues that keep no ids of ours, or may not show them: an order is known there by what was sent, and when.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from fillpath.errors import BrokerUnavailable
from fillpath.orders.model import Leg


@dataclass(frozen=True, slots=True)
class Window:
    """From `opens` to `closes`, both included."""

    opens: datetime
    closes: datetime

    @classmethod
    def of(cls, leg: Leg, skew_s: float, quarantine_s: int) -> Self:
        """From when it was prepared until nothing of it can appear any more; BrokerUnavailable if it was never prepared.

        `skew_s`: how far the two clocks may be apart.
        """
        if leg.prepared_at is None or leg.submit_by is None:
            raise BrokerUnavailable(f"when {leg.client_order_id} was sent is not known, so it cannot be found by its time")
        skew = timedelta(seconds=skew_s)
        # Some venues tell whole seconds: what was placed within this one may be told as before it.
        return cls((leg.prepared_at - skew).replace(microsecond=0), leg.submit_by + timedelta(seconds=quarantine_s) + skew)

    def holds(self, at: datetime | None) -> bool:
        """Whether that moment is inside."""
        return at is not None and self.opens <= at <= self.closes
