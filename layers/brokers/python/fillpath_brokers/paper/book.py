"""The book of one paper account: cash, holdings, working orders and its scenario. Values only: no clock, no prices.

Cash changes by realised results and commission for futures, by the whole amount for shares and coins. Amounts in other
currencies than the account's are added one to one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from fillpath.market.instruments import Instrument
from fillpath.orders.model import LegStatus, OrderType, Side
from fillpath.orders.outcomes import LegView
from fillpath_brokers.paper.scenario import NORMAL, Scenario

STARTING_CASH = Decimal(1_000_000)
CURRENCY = "USD"
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Holding:
    """What is held of a contract: signed quantity, never zero, and the average price it was opened at."""

    quantity: Decimal
    average_price: Decimal


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution, the `n`-th of its order; `price` per unit, `commission` and `realised_pnl` in money."""

    client_order_id: str
    n: int
    contract: str
    side: Side
    quantity: Decimal
    price: Decimal
    commission: Decimal
    realised_pnl: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class PaperOrder:
    """One order at the exchange. `fills_from`, `fill_cap` and `cap_until` come from the account's scenario at placing.

    Nothing fills before `fills_from`, and no more than `fill_cap` in all before `cap_until` (for ever where that is not set).
    """

    client_order_id: str
    contract: str
    side: Side
    quantity: Decimal
    type: OrderType
    placed_at: datetime
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    time_in_force: str = "day"
    expires_at: datetime | None = None
    reduce_only: bool = False
    triggered: bool = False
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
    def broker_order_id(self) -> str:
        """The exchange's own id."""
        return broker_order_id(self.client_order_id)

    @property
    def remaining(self) -> Decimal:
        """What is not filled yet."""
        return self.quantity - self.filled_quantity

    @property
    def view(self) -> LegView:
        """The order as the exchange shows it."""
        return LegView(
            status=self.status,
            broker_order_id=self.broker_order_id,
            filled_quantity=self.filled_quantity,
            average_price=self.fill_value / self.filled_quantity if self.filled_quantity else None,
            commission=self.commission,
            filled_at=self.filled_at,
            reason=self.reason,
        )

    def ended(self, status: LegStatus, reason: str) -> "PaperOrder":
        """The order with nothing more to come."""
        return replace(self, status=status, reason=reason)

    def filled(self, fill: Fill) -> "PaperOrder":
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
        )


def broker_order_id(client_order_id: str) -> str:
    """The exchange's id of an order: derived, so that either id finds it."""
    return f"PAPER-{client_order_id}"


@dataclass(frozen=True, slots=True)
class Book:
    """One account as one read shows it; `version` is the stored one (0: nothing is stored yet)."""

    cash: Decimal = STARTING_CASH
    realised_pnl: Decimal = ZERO
    commission: Decimal = ZERO
    holdings: Mapping[str, Holding] = field(default_factory=dict)
    working: Mapping[str, PaperOrder] = field(default_factory=dict)
    scenario: Scenario = NORMAL
    version: int = 0

    def held(self, contract: str) -> Decimal:
        """The signed position in a contract."""
        holding = self.holdings.get(contract)
        return holding.quantity if holding else ZERO

    def reducible(self, contract: str, side: Side) -> Decimal:
        """How much an order of that side can bring the position nearer to zero."""
        return max(ZERO, -side.sign * self.held(contract))

    def with_order(self, order: PaperOrder) -> "Book":
        """The book with this order among the working ones, or taken out if it has ended."""
        working = {key: value for key, value in self.working.items() if key != order.client_order_id}
        if not order.status.ended:
            working[order.client_order_id] = order
        return replace(self, working=working)

    def traded(self, instrument: Instrument, contract: str, signed: Decimal, price: Decimal) -> tuple["Book", Decimal, Decimal]:
        """The book after buying (or, negative, selling) so much, with the realised result and the commission."""
        holding, points = traded(self.holdings.get(contract), signed, price)
        realised = points * instrument.multiplier
        commission = instrument.commission * abs(signed)
        paid = -realised if instrument.kind == "future" else signed * price * instrument.multiplier
        holdings = {key: value for key, value in self.holdings.items() if key != contract}
        if holding:
            holdings[contract] = holding
        book = replace(
            self,
            cash=self.cash - paid - commission,
            realised_pnl=self.realised_pnl + realised,
            commission=self.commission + commission,
            holdings=holdings,
        )
        return book, realised, commission


def traded(holding: Holding | None, signed: Decimal, price: Decimal) -> tuple[Holding | None, Decimal]:
    """What is held after a trade, and the result it realised in price points x quantity.

    Adding averages the price, reducing keeps it, crossing zero realises all and opens the rest at `price`.
    """
    if holding is None:
        return Holding(signed, price), ZERO
    quantity = holding.quantity + signed
    if holding.quantity * signed > 0:
        value = holding.quantity * holding.average_price + signed * price
        return Holding(quantity, value / quantity), ZERO
    closed = min(abs(signed), abs(holding.quantity)).copy_sign(holding.quantity)
    points = closed * (price - holding.average_price)
    if not quantity:
        return None, points
    return Holding(quantity, holding.average_price if quantity * holding.quantity > 0 else price), points
