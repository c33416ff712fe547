"""The broker facade: one protocol with a venue's data and behaviour together. Callers see nothing of a venue but this.

`Broker` is composed of small protocols, so that it can be widened by one concern at a time. All calls are synchronous.
`submit` answers with an outcome; everything else raises BrokerUnavailable when the venue gave no readable answer, and
Unsupported when it cannot do it.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, Protocol

from fillpath.accounts.capabilities import Capabilities
from fillpath.market.instruments import Resolved
from fillpath.orders.model import Leg, OrderType, Side
from fillpath.orders.outcomes import LegView, Outcome, Position, Rejected


class OrderRef(NamedTuple):
    """How an order at the venue is named: by its own id where it is known, else by the client order id."""

    client_order_id: str
    broker_order_id: str | None = None


@dataclass(frozen=True, slots=True)
class BrokerOrder:
    """A working order as the venue lists it."""

    client_order_id: str
    contract: str
    side: Side
    quantity: Decimal
    type: OrderType
    limit_price: Decimal | None
    stop_price: Decimal | None
    reduce_only: bool
    view: LegView


@dataclass(frozen=True, slots=True)
class Balances:
    """What the account is worth, in its currency: `equity` is cash and open positions at the present price."""

    currency: str
    cash: Decimal
    equity: Decimal
    margin_used: Decimal
    realised_pnl: Decimal
    unrealised_pnl: Decimal
    commission: Decimal


class Symbols(Protocol):
    """What the venue trades."""

    def supports(self, symbol: str) -> bool:
        """Whether the symbol, in any spelling, can be traded here."""
        ...

    def contract(self, symbol: str) -> Resolved:
        """The instrument and contract that a symbol means today; Unsupported if it cannot be traded here."""
        ...


class Orders(Protocol):
    """Orders at the venue."""

    def precheck(self, leg: Leg, after_closing: Decimal) -> Rejected | None:
        """Whether the leg would be refused now, once `after_closing` (signed) of its root is closed."""
        ...

    def submit(self, leg: Leg) -> Outcome:
        """Send it once, with a time-out of 8 s. Rejected and RateLimited are positive evidence that it was not placed."""
        ...

    def cancel(self, ref: OrderRef) -> None:
        """Ask for the cancellation; only a look at the order tells whether it happened."""
        ...

    def order(self, ref: OrderRef) -> LegView | None:
        """The order as the venue shows it; None: it shows no such order."""
        ...

    def orders(self) -> tuple[BrokerOrder, ...]:
        """Every working order, the oldest first."""
        ...


class Holdings(Protocol):
    """What the account holds."""

    def positions(self) -> tuple[Position, ...]:
        """Every held contract, without flat ones."""
        ...

    def balances(self) -> Balances:
        """Cash, equity and results."""
        ...


class Broker(Symbols, Orders, Holdings, Protocol):
    """One account at one venue."""

    @property
    def key(self) -> str:
        """The venue's key: the name of its folder."""
        ...

    @property
    def name(self) -> str:
        """The venue's name for people."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What the venue can do."""
        ...

    def close(self) -> None:
        """Give back what the account's connection holds."""
        ...
