"""History: what the venue and the tables saw, in true time. Only facts; the checker draws the conclusions."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from fillpath.accounts.capabilities import Capabilities
from fillpath.orders.model import Lane, Leg, LegStatus, Order

Holding = tuple[str, str]
"""Account and contract."""


class Fill(NamedTuple):
    """One fill at the venue; `before` is the position in the contract just before it."""

    at: float
    quantity: Decimal
    before: Decimal


class ByHand(NamedTuple):
    """What a person traded at the broker, past everything: the change of the position in a contract."""

    at: float
    holding: Holding
    quantity: Decimal


@dataclass(slots=True)
class VenueOrder:
    """One order as the venue has it. The exits of a bracket are one order here, with the number of their `entry`."""

    number: int
    account_id: str
    leg: Leg
    root: str
    placed_at: float
    status: LegStatus = LegStatus.WORKING
    ended_at: float | None = None
    reason: str | None = None
    price: Decimal = Decimal(0)
    fills: list[Fill] = field(default_factory=list)
    entry: int | None = None
    halved_at: float | None = None
    """When a pair lost one half; the other one works on."""

    @property
    def name(self) -> str:
        """What a person reads of it."""
        return f"{self.leg.client_order_id} ({self.leg.side} {self.leg.quantity} {self.leg.type})"

    @property
    def filled(self) -> Decimal:
        """What is filled of it."""
        return sum((fill.quantity for fill in self.fills), Decimal(0))

    @property
    def order_id(self) -> str:
        """The order behind it (of exits, behind their entry): its client id begins with it."""
        return self.leg.client_order_id[:26]


class Send(NamedTuple):
    """One submit call, at the moment it left for the venue."""

    at: float
    order_id: str
    lane: Lane
    leg: Leg


class Write(NamedTuple):
    """One state of an order record, when it was stored."""

    at: float
    order: Order


class Owner(NamedTuple):
    """Who owned a lane from a moment on."""

    at: float
    order_id: str | None


class Asked(NamedTuple):
    """The check of a submit attempt came into the verification queue."""

    at: float
    order_id: str
    leg: str
    attempt: int


class Pick(NamedTuple):
    """A lane was taken for an order; `passed_over` stood before it in the queue of waiting orders that the run had read."""

    at: float
    order_id: str
    passed_over: tuple[str, ...]
    unknown: tuple[str, ...]


@dataclass(slots=True)
class HaltSpan:
    """A halt from its flag on."""

    scope: str
    since: float
    until: float | None = None


class Reply(NamedTuple):
    """What the sender of an alert was told; the code of what the gateway answers with 5xx is `failed`."""

    at: float
    alert_key: str
    code: str
    order_ids: tuple[str, ...] = ()
    since: float = 0.0


@dataclass(slots=True)
class History:
    """Everything that can be judged."""

    capabilities: Capabilities
    started_with: dict[Holding, Decimal]
    placed: list[VenueOrder] = field(default_factory=list)
    sends: list[Send] = field(default_factory=list)
    checks: list[Asked] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    owners: dict[Lane, list[Owner]] = field(default_factory=dict)
    picks: list[Pick] = field(default_factory=list)
    halts: list[HaltSpan] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    counts: list[tuple[str, str | None]] = field(default_factory=list)
    dead_letters: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    held: dict[Holding, Decimal] = field(default_factory=dict)
    by_hand: list[ByHand] = field(default_factory=list)
    waiting: dict[Lane, tuple[str, ...]] = field(default_factory=dict)
    unknown: dict[Lane, tuple[str, ...]] = field(default_factory=dict)
    faults: list[float] = field(default_factory=list)
    ended_at: float = 0.0
