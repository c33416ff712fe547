"""The paper venue: a simulated exchange behind the broker facade, its state in a store that all processes share.

A look at the exchange (at an order, the positions, ...) is what moves it: it takes in all that prices did by then.
A second submit under a known client order id answers with the first order. Nothing was placed if the answer is RateLimited.
"""

import os
import random
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from datetime import datetime
from decimal import Decimal
from typing import NoReturn, Protocol, TypeVar

from fillpath.clock import Clock
from fillpath.errors import BrokerUnavailable, StorageUnavailable, Unsupported
from fillpath.market.bars import Gap, History, Interval
from fillpath.market.instruments import Resolved, instrument_of
from fillpath.market.ports.last_prices import LastPrices
from fillpath.orders.model import Leg
from fillpath.orders.outcomes import LegView, Outcome, Position, RateLimited, Rejected, Unknown
from fillpath_brokers.canonical import root_of, understood
from fillpath_brokers.exchange import margin
from fillpath_brokers.exchange.book import CURRENCY
from fillpath_brokers.exchange.prices import Prices
from fillpath_brokers.exchange.scenario import Scenario
from fillpath_brokers.facade import (
    Balances,
    BrokerOrder,
    Change,
    Execution,
    Feed,
    MarketEvent,
    OrderRef,
    OrderUpdate,
    VenueAccount,
)
from fillpath_brokers.paper import views
from fillpath_brokers.paper.account import PaperAccount
from fillpath_brokers.paper.book_store import PaperBookStore
from fillpath_brokers.paper.capabilities import CAPABILITIES, KEY, NAME
from fillpath_brokers.paper.documents import read_fill, stored_time
from fillpath_brokers.paper.transaction import Exchange, NothingWritten

Answer = TypeVar("Answer")

BUSY_DELAY_S = 1.0


class PaperServices(Protocol):
    """What the paper venue takes of the outside."""

    @property
    def clock(self) -> Clock:
        """The time."""
        ...

    @property
    def last_prices(self) -> LastPrices:
        """The last trades that are known."""
        ...

    @property
    def paper_books(self) -> PaperBookStore:
        """Where accounts, orders and fills are kept."""
        ...


class PaperBroker:
    """One account at the simulated exchange. `exit_process` is called where a `crash` scenario ends the process."""

    key = KEY
    name = NAME
    capabilities = CAPABILITIES

    def __init__(
        self,
        account_id: str,
        services: PaperServices,
        *,
        exit_process: Callable[[int], object] = os._exit,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._account_id = account_id
        self._clock = services.clock
        self._books = services.paper_books
        exchange = Exchange(account_id, services.paper_books, services.clock, jitter)
        self._account = PaperAccount(exchange, Prices(services.last_prices), services.clock)
        self._exit_process = exit_process

    def supports(self, symbol: str) -> bool:
        """Whether the catalogue knows the symbol, in any spelling."""
        try:
            self.contract(symbol)
        except Unsupported:
            return False
        return True

    def contract(self, symbol: str) -> Resolved:
        """The instrument and contract that a symbol means today; Unsupported if the catalogue does not know it."""
        return understood(symbol, self._clock.now().date(), CAPABILITIES, NAME)

    def to_venue(self, symbol: str) -> str:
        """The symbol itself: the exchange trades the catalogue. Unsupported for any other."""
        if instrument_of(symbol) is None:
            raise Unsupported(f"{symbol} is not in the catalogue")
        return symbol

    def to_canonical(self, symbol: str) -> str:
        """The symbol itself; Unsupported if the catalogue does not know it."""
        return self.to_venue(symbol)

    def front_month(self, root: str) -> str:
        """Unsupported: the exchange trades every contract and prefers none."""
        raise Unsupported(f"{NAME} does not say which contract of {root} is the front month")

    def precheck(self, leg: Leg, after_closing: Decimal) -> Rejected | None:
        """Whether the leg would be refused now, once `after_closing` (signed) of its root is closed; counts no scenario down."""
        return self._ask(lambda: self._account.precheck(leg, after_closing))

    def submit(self, leg: Leg) -> Outcome:
        """Place the leg, once. RateLimited: it certainly was not placed; Unknown: the store did not answer."""
        try:
            reply = self._account.submit(leg)
        except NothingWritten as exc:
            return RateLimited(BUSY_DELAY_S, f"Not placed: {exc}")
        except StorageUnavailable as exc:
            return Unknown(f"the exchange's store did not answer: {exc}")
        if reply.crash:
            self._exit_process(1)
        return reply.outcome

    def replace(self, ref: OrderRef, change: Change) -> Outcome:
        """Change a working order, which keeps its id. RateLimited: it certainly was not changed; Unknown: no answer."""
        try:
            return self._account.replace(views.order_id_of(ref), change)
        except NothingWritten as exc:
            return RateLimited(BUSY_DELAY_S, f"Not changed: {exc}")
        except StorageUnavailable as exc:
            return Unknown(f"the exchange's store did not answer: {exc}")

    def cancel(self, ref: OrderRef) -> None:
        """Cancel the order (or both of a pair) if it still works; what the price has gone through by now fills first."""
        self._ask(lambda: self._account.cancel(views.order_id_of(ref)))

    def order(self, ref: OrderRef) -> LegView | None:
        """The order as it is after a look at the price; None if it was never placed."""
        return self._ask(lambda: self._account.order(views.order_id_of(ref)))

    def orders(self) -> tuple[BrokerOrder, ...]:
        """Every working order, the oldest first; exits that wait for their entry included."""
        working = self._ask(lambda: self._account.look(lambda book, _: book.working.values()))
        return tuple(views.listed(order) for order in sorted(working, key=lambda order: (order.placed_at, order.order_id)))

    def fills(self, since: datetime) -> tuple[Execution, ...]:
        """What was filled since then, the oldest first."""

        def read() -> tuple[Execution, ...]:
            self._account.look(lambda book, _: book)
            stored = self._books.fills_since(self._account_id, stored_time(since))
            fills = sorted(map(read_fill, stored), key=lambda fill: (fill.at, fill.serial, fill.order_id, fill.n))
            return tuple(map(views.execution, fills))

        return self._ask(read)

    def accounts(self) -> tuple[VenueAccount, ...]:
        """The account itself: there are no credentials that could reach others."""
        return (VenueAccount(self._account_id, NAME, CURRENCY, CAPABILITIES.asset_classes),)

    def positions(self) -> tuple[Position, ...]:
        """Every held contract."""
        held = self._ask(lambda: self._account.look(lambda book, _: book.holdings))
        return tuple(
            Position(contract, root_of(contract), holding.quantity, holding.average_price) for contract, holding in held.items()
        )

    def balances(self) -> Balances:
        """Cash, equity, margin and results at the present prices."""
        return self._ask(lambda: self._account.look(lambda book, market: margin.balances(book, market.price)))

    def cancel_all(self) -> None:
        """Cancel every working order."""
        self._ask(self._account.cancel_all)

    def liquidate(self, contract: str) -> None:
        """Close the position in a contract with a market order; its working orders are left as they are."""
        self._ask(lambda: self._account.liquidate(contract))

    def history(self, symbol: str, start: datetime, end: datetime, interval: Interval) -> History:
        """Unsupported: the exchange keeps no bars."""
        _no_data()

    def stream(self, symbols: Collection[str], feed: Feed) -> AsyncIterator[MarketEvent]:
        """Unsupported: the exchange has no market data of its own."""
        _no_data()

    def update_subscription(self, feed: Feed, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        """Unsupported: there are no streams."""
        _no_data()

    def order_updates(self) -> AsyncIterator[OrderUpdate | Gap]:
        """Unsupported: the exchange tells only who looks."""
        raise Unsupported(f"{NAME} has no stream of orders")

    def set_scenario(self, scenario: Scenario) -> None:
        """Put the account under a scenario (made by `scenario.parse`); it touches only orders that are placed from now on."""
        self._ask(lambda: self._account.set_scenario(scenario))

    def close(self) -> None:
        """Nothing is held."""

    def _ask(self, question: Callable[[], Answer]) -> Answer:
        try:
            return question()
        except (NothingWritten, StorageUnavailable) as exc:
            raise BrokerUnavailable(f"the paper exchange: {exc}") from exc


def open_account(account_id: str, services: PaperServices) -> PaperBroker:
    """The account at the simulated exchange; it exists from its first order on."""
    return PaperBroker(account_id, services)


def _no_data() -> NoReturn:
    raise Unsupported(f"{NAME} has no market data of its own")
