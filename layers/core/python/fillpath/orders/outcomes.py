"""What a broker can answer: to a submit an outcome, to a look-up a view of the leg."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from fillpath.orders.model import LegStatus


@dataclass(frozen=True, slots=True)
class LegView:
    """A leg as the broker shows it. Quantity filled is cumulative, commission too.

    `exits` is the pair (or the one) that the broker placed with a bracket; a view of an accepted bracket always has it. Its
    `broker_order_id` names all of the exits at once, in the venue's own way. It works while its entry does, and has ended once
    nothing more will fill of either of them. `reason` is our code for its end, `text` the venue's own words.

    `open_quantity` is what may still fill of it by the venue's own figures, of a pair the larger of both: a person may have
    changed it, or the venue has not taken off one half what filled of the other. None: not known. `halved`: one half of a pair
    has ended without being filled while the other one works.
    """

    status: LegStatus
    broker_order_id: str | None = None
    filled_quantity: Decimal = Decimal(0)
    average_price: Decimal | None = None
    commission: Decimal = Decimal(0)
    filled_at: datetime | None = None
    reason: str | None = None
    text: str | None = None
    exits: "LegView | None" = None
    open_quantity: Decimal | None = None
    halved: bool = False


@dataclass(frozen=True, slots=True)
class Accepted:
    """The broker has it; `view` is what it already said about it."""

    view: LegView


@dataclass(frozen=True, slots=True)
class Rejected:
    """Positive evidence that the order was not placed: `reason` is our code, `text` the venue's own words."""

    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class RateLimited:
    """Not placed; may be sent again after `delay_s` seconds. `reason` is our code for what keeps it."""

    delay_s: float
    text: str
    reason: str = "rate_limited"


@dataclass(frozen=True, slots=True)
class Unknown:
    """Time-out, 5xx, dropped line or unreadable reply: it may be at the broker or not."""

    text: str


Outcome = Accepted | Rejected | RateLimited | Unknown


@dataclass(frozen=True, slots=True)
class Position:
    """What is held of one contract; `quantity` is signed, long positive."""

    contract: str
    root: str
    quantity: Decimal
    average_price: Decimal | None = None
