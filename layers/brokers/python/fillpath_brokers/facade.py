"""The broker facade: one protocol with a venue's data and behaviour together. Callers see nothing of a venue but this.

`Broker` is composed of small protocols, one per concern. What a venue cannot do is a capability that is false and raises
Unsupported here. Orders and reads are synchronous, streams are async iterators.

How calls end: `submit` and `replace` answer with an outcome, or raise NotSent, NeedsReauth or Unsupported, which are evidence
that nothing was placed; whatever else they raise means that it may have been. All others raise BrokerUnavailable when the venue
gave no readable answer (NotSent where it certainly was not asked), NeedsReauth, and Unsupported.
"""

from collections.abc import AsyncIterator, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, Protocol

from fillpath.accounts.capabilities import Capabilities
from fillpath.market.bars import Bar, Gap, History, Interval, Quote, Trade
from fillpath.market.instruments import Resolved
from fillpath.orders.model import Leg, OrderType, Side
from fillpath.orders.outcomes import LegView, Outcome, Position, Rejected


class OrderRef(NamedTuple):
    """How an order at the venue is named: by its own id where it is known, else by the client order id.

    `leg` is the leg itself where the caller has it: a venue that keeps no client order ids finds the order by what was sent, and
    when, and takes none of `others` for it, ids of orders that are known to be somebody else's.
    """

    client_order_id: str
    broker_order_id: str | None = None
    leg: Leg | None = None
    others: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class BrokerOrder:
    """A working order as the venue lists it. `client_order_id` is empty where the venue keeps none, or knows none of ours."""

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
class Change:
    """What is to be different about a working order; None leaves it as it is. `quantity` is the whole, filled part included."""

    quantity: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Execution:
    """One fill as the venue tells it; where it has no fill ids, one fill is the difference of two cumulative figures."""

    execution_id: str
    broker_order_id: str
    contract: str
    side: Side
    quantity: Decimal
    price: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class VenueAccount:
    """One account that the credentials reach. `trades`: the asset classes that it may trade."""

    account_id: str
    name: str
    currency: str
    trades: frozenset[str]


@dataclass(frozen=True, slots=True)
class Balances:
    """What the account is worth, in its currency: `equity` is cash and open positions at the present price.

    Results and `commission` are None where the venue does not tell them: nobody may take that for nothing.
    """

    currency: str
    cash: Decimal
    equity: Decimal
    margin_used: Decimal
    realised_pnl: Decimal | None
    unrealised_pnl: Decimal | None
    commission: Decimal | None


@dataclass(frozen=True, slots=True)
class OrderUpdate:
    """One order as its venue's stream tells it now: cumulative figures, so that a repeated or late one does no harm."""

    client_order_id: str
    contract: str
    side: Side
    view: LegView


class Feed(StrEnum):
    """What a market data stream carries."""

    TICKS = "ticks"
    QUOTES = "quotes"
    BARS = "bars"


@dataclass(frozen=True, slots=True)
class NoData:
    """The venue refuses a symbol (in our spelling): it has left the stream, and why."""

    symbol: str
    text: str


MarketEvent = Trade | Quote | Bar | Gap | NoData
"""What a market data stream gives. A Gap comes after every reconnect: what happened inside it must be read by `history`."""


class Symbols(Protocol):
    """What the venue trades, and how it spells it. Ours are roots and contracts of the catalogue: `ES`, `ESZ6`, `AAPL`."""

    def supports(self, symbol: str) -> bool:
        """Whether the symbol, in any spelling, can be traded here."""
        ...

    def contract(self, symbol: str) -> Resolved:
        """The instrument and contract that a symbol means today; Unsupported if it cannot be traded here."""
        ...

    def to_venue(self, symbol: str) -> str:
        """The venue's spelling of a root (as a continuous symbol, where it has one) or contract of ours; Unsupported."""
        ...

    def to_canonical(self, symbol: str) -> str:
        """Our spelling of the venue's symbol: `to_canonical(to_venue(x)) == x`. Unsupported if the catalogue does not know it."""
        ...

    def front_month(self, root: str) -> str:
        """The contract that the venue holds for the front month; Unsupported where it does not say."""
        ...


class Orders(Protocol):
    """Orders at the venue."""

    def precheck(self, leg: Leg, after_closing: Decimal) -> Rejected | None:
        """Whether the leg would be refused now, once `after_closing` (signed) of its root is closed."""
        ...

    def submit(self, leg: Leg) -> Outcome:
        """Send it once, with a time-out of 8 s. Rejected and RateLimited are positive evidence that it was not placed.

        A leg with `take_profit` or `stop_loss` is placed as a bracket, in one request; the view of it has its `exits`.
        """
        ...

    def replace(self, ref: OrderRef, change: Change) -> Outcome:
        """Change a working order in one request. Accepted has the order's new id, where the venue gives it one."""
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

    def fills(self, since: datetime) -> tuple[Execution, ...]:
        """What was filled since then, the oldest first."""
        ...


class Holdings(Protocol):
    """What the account holds."""

    def accounts(self) -> tuple[VenueAccount, ...]:
        """The accounts that the credentials reach: a harmless call that proves them."""
        ...

    def positions(self) -> tuple[Position, ...]:
        """Every held contract, without flat ones."""
        ...

    def balances(self) -> Balances:
        """Cash, equity and results."""
        ...


class Emergency(Protocol):
    """Whole-account operations by the venue's own means, past the lanes: for when Fillpath's own path cannot be used."""

    def cancel_all(self) -> None:
        """Ask for the cancellation of every working order."""
        ...

    def liquidate(self, contract: str) -> None:
        """Ask the venue to close the position in a contract, at the market; nothing happens where nothing is held."""
        ...


class MarketData(Protocol):
    """Prices."""

    def history(self, symbol: str, start: datetime, end: datetime, interval: Interval) -> History:
        """The bars that begin in [start, end), read page by page, and where bars are missing though the market was open."""
        ...

    def stream(self, symbols: Collection[str], feed: Feed) -> AsyncIterator[MarketEvent]:
        """Live market data, over as many connections in a row as it takes; ends with `close` or when the iterator is closed.

        A symbol that the venue refuses leaves the stream: NoData tells it, once, and the others go on. `update_subscription` asks
        for it again. StreamEnded once every symbol was refused, NeedsReauth when a person must sign in.
        """
        ...

    def update_subscription(self, feed: Feed, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        """Change what the running streams of this feed carry; Unsupported for a symbol the venue has no data of."""
        ...


class OrderStream(Protocol):
    """The venue's own word on orders."""

    def order_updates(self) -> AsyncIterator[OrderUpdate | Gap]:
        """Every change of an order from now on; after a Gap the orders must be read by `order` or `orders`."""
        ...


class Broker(Symbols, Orders, Holdings, Emergency, MarketData, OrderStream, Protocol):
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
        """End the account's streams and give back what its connection holds."""
        ...
