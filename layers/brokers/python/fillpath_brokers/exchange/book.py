"""The book of one account at the exchange: cash, holdings, working orders and its scenario. Values only: no clock, no prices.

Cash changes by realised results and commission for futures, by the whole amount for shares and coins. Amounts in other
currencies than the account's are added one to one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from fillpath.market.instruments import Instrument
from fillpath.orders.model import Side
from fillpath_brokers.exchange.orders import ZERO, ExchangeOrder
from fillpath_brokers.exchange.scenario import NORMAL, Scenario

STARTING_CASH = Decimal(1_000_000)
CURRENCY = "USD"


@dataclass(frozen=True, slots=True)
class Holding:
    """What is held of a contract: signed quantity, never zero, and the average price it was opened at."""

    quantity: Decimal
    average_price: Decimal


@dataclass(frozen=True, slots=True)
class Book:
    """One account as one read shows it; `version` is the stored one (0: nothing stored yet), `fill_count` that of its fills."""

    cash: Decimal = STARTING_CASH
    realised_pnl: Decimal = ZERO
    commission: Decimal = ZERO
    holdings: Mapping[str, Holding] = field(default_factory=dict)
    working: Mapping[str, ExchangeOrder] = field(default_factory=dict)
    scenario: Scenario = NORMAL
    version: int = 0
    fill_count: int = 0

    def held(self, contract: str) -> Decimal:
        """The signed position in a contract."""
        holding = self.holdings.get(contract)
        return holding.quantity if holding else ZERO

    def reducible(self, contract: str, side: Side) -> Decimal:
        """How much an order of that side can bring the position nearer to zero."""
        return max(ZERO, -side.sign * self.held(contract))

    def with_order(self, order: ExchangeOrder) -> "Book":
        """The book with this order among the working ones, or taken out if it has ended."""
        working = {key: value for key, value in self.working.items() if key != order.order_id}
        if not order.status.ended:
            working[order.order_id] = order
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
            fill_count=self.fill_count + 1,
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
