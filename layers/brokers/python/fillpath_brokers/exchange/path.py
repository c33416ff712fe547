"""What a price did: steps in the order in which they happened, each one price or the range inside a candle.

A candle is taken apart so that nobody profits from what it does not tell: its open first (what it jumped over fills there), then
the stops in its range, then the limits, then its close, at which trailing stops move.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from enum import IntEnum
from heapq import merge
from typing import NamedTuple, Protocol

_INSTANT = timedelta(microseconds=1)


class Kind(IntEnum):
    """What a step is. Of those at the same instant the lower one comes first."""

    POINT = 0
    OPEN = 1
    STOPS = 2
    LIMITS = 3
    CLOSE = 4


class Step(NamedTuple):
    """One step; `low` and `high` are the same but for STOPS and LIMITS.

    `standing`: the last price that is known. It counts however old it says it is: it may have become known only now.
    """

    at: datetime
    kind: Kind
    low: Decimal
    high: Decimal
    standing: bool = False

    @property
    def has_one_price(self) -> bool:
        """Whether something that takes any price would trade here."""
        return self.kind is not Kind.STOPS and self.kind is not Kind.LIMITS


class Market(Protocol):
    """Prices as one look at the exchange finds them. Raises StorageUnavailable."""

    @property
    def now(self) -> datetime:
        """The instant of the look."""
        ...

    def price(self, contract: str) -> Decimal:
        """The price of a contract now."""
        ...

    def steps(self, contract: str, since: datetime, instants: Iterable[datetime] = ()) -> Sequence[Step]:
        """What it did in (since, now], and, where that is known, what it stood at at each of `instants`."""
        ...


def point(at: datetime, price: Decimal, *, standing: bool = False) -> Step:
    """One price at one instant."""
    return Step(at, Kind.POINT, price, price, standing)


def candle(start: datetime, end: datetime, prices: tuple[Decimal, Decimal, Decimal, Decimal]) -> tuple[Step, ...]:
    """The steps of a candle over [start, end); `prices` are its open, high, low and close."""
    opened, high, low, closed = prices
    last = end - _INSTANT
    return (
        Step(start, Kind.OPEN, opened, opened),
        Step(last, Kind.STOPS, low, high),
        Step(last, Kind.LIMITS, low, high),
        Step(last, Kind.CLOSE, closed, closed),
    )


def with_instants(steps: Iterable[Step], instants: Iterable[datetime], price_at: Callable[[datetime], Decimal]) -> list[Step]:
    """The steps with a point at each of the instants, where the price stood then."""
    return list(merge(steps, [point(at, price_at(at)) for at in sorted(set(instants))], key=lambda step: step.at))
