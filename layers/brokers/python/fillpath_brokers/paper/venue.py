"""The paper venue: a simulated exchange behind the broker facade, its state in a store that all processes share.

A look at the exchange (at an order, the positions, ...) is what moves it: it fills what the price has gone through by then.
A second submit under a known client order id answers with the first order. Nothing was placed if the answer is RateLimited.
"""

import os
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Protocol, TypeVar

from fillpath.clock import Clock
from fillpath.errors import BrokerUnavailable, Refused, StorageUnavailable, Unsupported
from fillpath.market.instruments import Resolved, resolve
from fillpath.market.ports.last_prices import LastPrices
from fillpath.orders.model import Leg
from fillpath.orders.outcomes import Accepted, LegView, Outcome, Position, RateLimited, Rejected, Unknown
from fillpath_brokers.facade import Balances, BrokerOrder, OrderRef
from fillpath_brokers.paper import margin, matching
from fillpath_brokers.paper.book import Book, PaperOrder
from fillpath_brokers.paper.book_store import PaperBookStore
from fillpath_brokers.paper.capabilities import CAPABILITIES, KEY, NAME
from fillpath_brokers.paper.matching import PriceAt, Turn, instrument_behind
from fillpath_brokers.paper.placing import new_order
from fillpath_brokers.paper.prices import Prices
from fillpath_brokers.paper.refusals import malformed, scripted
from fillpath_brokers.paper.scenario import NORMAL, Scenario
from fillpath_brokers.paper.transaction import Exchange, NothingWritten

Seen = TypeVar("Seen")

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


@dataclass(frozen=True, slots=True)
class _Reply:
    outcome: Outcome
    crash: bool = False


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
        self._clock = services.clock
        self._prices = Prices(services.last_prices)
        self._exchange = Exchange(account_id, services.paper_books, services.clock, jitter)
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
        try:
            return resolve(symbol, self._now().date())
        except Refused as exc:
            raise Unsupported(exc.message) from exc

    def precheck(self, leg: Leg, after_closing: Decimal) -> Rejected | None:
        """Whether the leg would be refused now, once `after_closing` (signed) of its root is closed; counts no scenario down."""

        def step(book: Book, _: PaperOrder | None) -> tuple[Turn, Rejected | None]:
            price_at = self._price_at(self._now())
            return Turn(book), _would_refuse(book, leg, after_closing, price_at)

        return self._seen(step)

    def submit(self, leg: Leg) -> Outcome:
        """Place the leg, once. RateLimited: it certainly was not placed; Unknown: the store did not answer."""
        try:
            reply = self._exchange.turn(lambda book, found: self._take(book, found, leg), leg.client_order_id)
        except NothingWritten as exc:
            return RateLimited(BUSY_DELAY_S, f"Not placed: {exc}")
        except StorageUnavailable as exc:
            return Unknown(f"the exchange's store did not answer: {exc}")
        if reply.crash:
            self._exit_process(1)
        return reply.outcome

    def cancel(self, ref: OrderRef) -> None:
        """Cancel the order if it still works; what the price has gone through by now fills first."""

        def step(book: Book, _: PaperOrder | None) -> tuple[Turn, None]:
            order = book.working.get(ref.client_order_id)
            return (matching.cancel(self._advanced(book, order.contract), ref.client_order_id) if order else Turn(book)), None

        self._seen(step)

    def order(self, ref: OrderRef) -> LegView | None:
        """The order as it is after a look at the price; None if it was never placed."""

        def step(book: Book, found: PaperOrder | None) -> tuple[Turn, LegView | None]:
            if found is None or found.status.ended:
                return Turn(book), found.view if found else None
            turn = self._advanced(book, found.contract)
            return turn, turn.orders.get(ref.client_order_id, found).view

        return self._seen(step, ref.client_order_id)

    def orders(self) -> tuple[BrokerOrder, ...]:
        """Every working order, the oldest first."""
        working = self._look(lambda book: book.working.values())
        return tuple(_listed(order) for order in sorted(working, key=lambda order: (order.placed_at, order.client_order_id)))

    def positions(self) -> tuple[Position, ...]:
        """Every held contract."""
        held = self._look(lambda book: book.holdings)
        return tuple(
            Position(contract, instrument_behind(contract).root, holding.quantity, holding.average_price)
            for contract, holding in held.items()
        )

    def balances(self) -> Balances:
        """Cash, equity, margin and results at the present prices."""

        def step(book: Book, _: PaperOrder | None) -> tuple[Turn, Balances]:
            now = self._now()
            turn = matching.advance(Turn(book), book.working.values(), self._price_at(now), now)
            return turn, margin.balances(turn.book, self._price_at(now))

        return self._seen(step)

    def set_scenario(self, scenario: Scenario) -> None:
        """Put the account under a scenario (made by `scenario.parse`); it touches only orders that are placed from now on."""
        self._seen(lambda book, _: (Turn(replace(book, scenario=scenario)), None))

    def close(self) -> None:
        """Nothing is held."""

    def _take(self, book: Book, found: PaperOrder | None, leg: Leg) -> tuple[Turn, _Reply]:
        if found:
            return Turn(book), _Reply(Accepted(found.view))
        if wrong := malformed(leg):
            return Turn(book), _Reply(wrong)
        scenario = book.scenario if book.scenario.applies(leg, instrument_behind(leg.contract).root) else NORMAL
        if scenario is not NORMAL:
            book = replace(book, scenario=book.scenario.used())
        if stopped := _stopped_before(scenario, leg):
            return Turn(book), stopped
        return self._place(book, leg, scenario)

    def _place(self, book: Book, leg: Leg, scenario: Scenario) -> tuple[Turn, _Reply]:
        now = self._now()
        price_at = self._price_at(now)
        turn = self._advanced(book, leg.contract)
        if refused := margin.short_of_margin(turn.book, leg, price_at):
            return turn, _Reply(refused)
        order = new_order(leg, instrument_behind(leg.contract), scenario, now)
        turn = matching.place(turn, order, price_at(leg.contract), now)
        if scenario.name == "timeout":
            return turn, _Reply(Unknown("no answer within the time (scenario)"))
        return turn, _Reply(Accepted(turn.orders[order.client_order_id].view), crash=scenario.name == "crash")

    def _advanced(self, book: Book, contract: str) -> Turn:
        now = self._now()
        orders = [order for order in book.working.values() if order.contract == contract]
        return matching.advance(Turn(book), orders, self._price_at(now), now)

    def _look(self, seen: Callable[[Book], Seen]) -> Seen:
        def step(book: Book, _: PaperOrder | None) -> tuple[Turn, tuple[bool, Seen]]:
            now = self._now()
            turn = matching.advance(Turn(book), book.working.values(), self._price_at(now), now)
            return turn, (turn.full, seen(turn.book))

        while True:
            more, result = self._seen(step)
            if not more:
                return result

    def _seen(self, step: Callable[[Book, PaperOrder | None], tuple[Turn, Seen]], client_order_id: str | None = None) -> Seen:
        try:
            return self._exchange.turn(step, client_order_id)
        except (NothingWritten, StorageUnavailable) as exc:
            raise BrokerUnavailable(f"the paper exchange: {exc}") from exc

    def _price_at(self, now: datetime) -> PriceAt:
        return cache(lambda contract: self._prices.at(contract, now))

    def _now(self) -> datetime:
        now = self._clock.now()
        return now.replace(microsecond=now.microsecond // 1_000 * 1_000)


def open_account(account_id: str, services: PaperServices) -> PaperBroker:
    """The account at the simulated exchange; it exists from its first order on."""
    return PaperBroker(account_id, services)


def _stopped_before(scenario: Scenario, leg: Leg) -> _Reply | None:
    if scenario.name == "reject":
        return _Reply(scripted(scenario, leg))
    if scenario.settings.get("when") != "before":
        return None
    return _Reply(Unknown("no answer within the time (scenario)"), crash=scenario.name == "crash")


def _would_refuse(book: Book, leg: Leg, after_closing: Decimal, price_at: PriceAt) -> Rejected | None:
    if wrong := malformed(leg):
        return wrong
    root = instrument_behind(leg.contract).root
    if book.scenario.name == "reject" and book.scenario.settings["precheck"] == "true" and book.scenario.applies(leg, root):
        refusal = scripted(book.scenario, leg)
        return refusal if isinstance(refusal, Rejected) else None
    return margin.short_of_margin(margin.after_closing(book, root, after_closing, price_at), leg, price_at)


def _listed(order: PaperOrder) -> BrokerOrder:
    return BrokerOrder(
        client_order_id=order.client_order_id,
        contract=order.contract,
        side=order.side,
        quantity=order.quantity,
        type=order.type,
        limit_price=order.limit_price,
        stop_price=order.stop_price,
        reduce_only=order.reduce_only,
        view=order.view,
    )
