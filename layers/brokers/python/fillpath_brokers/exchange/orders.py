"""Orders and fills at the simulated exchange. Values only: no clock, no prices, no names that a venue gives them.

Exits are linked: `other` is the second of a pair (a limit and a stop, of which either takes what it fills off the other),
`parent` the entry that they wait for, whose `exits` is the first of them. What the entry has not filled yet is `withheld`.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from fillpath.orders.model import LegStatus, OrderType, Side

ZERO = Decimal(0)
STOPS = frozenset({OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP})


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution, the `n`-th of its order; `price` per unit, `commission` and `realised_pnl` in money.

    `serial` numbers the executions of an account as they happened: several may have one `at`. 0 where it was not kept yet.
    """

    order_id: str
    n: int
    contract: str
    side: Side
    quantity: Decimal
    price: Decimal
    commission: Decimal
    realised_pnl: Decimal
    at: datetime
    serial: int = 0


@dataclass(frozen=True, slots=True)
class ExchangeOrder:
    """One order at the exchange; never of type OCO, which is two orders here.

    `seen_at`: what the price did until then has been taken in. `high_water` is the best price since a trailing stop was placed;
    its `stop_price` follows it. `fills_from`, `fill_cap` and `cap_until` come from the account's scenario at placing: nothing
    fills before `fills_from`, and no more than `fill_cap` in all before `cap_until` (for ever where that is not set).
    """

    order_id: str
    contract: str
    side: Side
    quantity: Decimal
    type: OrderType
    placed_at: datetime
    seen_at: datetime | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_amount: Decimal | None = None
    trail_percent: Decimal | None = None
    high_water: Decimal | None = None
    time_in_force: str = "day"
    expires_at: datetime | None = None
    reduce_only: bool = False
    triggered: bool = False
    parent: str | None = None
    exits: str | None = None
    other: str | None = None
    withheld: Decimal = ZERO
    fills_from: datetime | None = None
    fill_cap: Decimal | None = None
    cap_until: datetime | None = None
    status: LegStatus = LegStatus.WORKING
    filled_quantity: Decimal = ZERO
    fill_value: Decimal = ZERO
    fill_count: int = 0
    commission: Decimal = ZERO
    filled_at: datetime | None = None
    reason: str | None = None

    @property
    def since(self) -> datetime:
        """From when on the price has still to be looked at."""
        return self.seen_at or self.placed_at

    @property
    def remaining(self) -> Decimal:
        """What is not filled yet."""
        return self.quantity - self.filled_quantity

    @property
    def average_price(self) -> Decimal | None:
        """Of what is filled."""
        return self.fill_value / self.filled_quantity if self.filled_quantity else None

    @property
    def waits_for_trigger(self) -> bool:
        """Whether it does nothing until its stop is touched."""
        return self.type in STOPS and not self.triggered

    def fillable(self, at: datetime) -> Decimal:
        """How much of it may fill at that instant."""
        if self.fills_from and at < self.fills_from:
            return ZERO
        free = self.remaining - self.withheld
        if self.fill_cap is not None and not (self.cap_until and at >= self.cap_until):
            free = min(free, self.fill_cap - self.filled_quantity)
        return max(ZERO, free)

    def ended(self, status: LegStatus, reason: str) -> "ExchangeOrder":
        """The order with nothing more to come."""
        return replace(self, status=status, reason=reason)

    def filled(self, fill: Fill) -> "ExchangeOrder":
        """The order with one more fill."""
        done = self.filled_quantity + fill.quantity
        return replace(
            self,
            status=LegStatus.FILLED if done == self.quantity else LegStatus.PARTIALLY_FILLED,
            filled_quantity=done,
            fill_value=self.fill_value + fill.quantity * fill.price,
            fill_count=fill.n,
            commission=self.commission + fill.commission,
            filled_at=fill.at,
            seen_at=fill.at,
        )
