"""One account at the simulated exchange: what is asked of it becomes a turn at the exchange, and what came of it an answer.

Every look moves the exchange first: it takes in what prices did by then. Raises what `Exchange.turn` raises.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeVar

from fillpath.clock import Clock
from fillpath.orders.model import Leg, OrderType, Side
from fillpath.orders.outcomes import Accepted, LegView, Outcome, Rejected, Unknown
from fillpath_brokers.exchange import margin, matching
from fillpath_brokers.exchange.book import Book
from fillpath_brokers.exchange.changing import changed
from fillpath_brokers.exchange.orders import ExchangeOrder
from fillpath_brokers.exchange.path import Market
from fillpath_brokers.exchange.placing import Role, new_orders
from fillpath_brokers.exchange.prices import Prices
from fillpath_brokers.exchange.scenario import NORMAL, Scenario
from fillpath_brokers.exchange.touch import instrument_behind
from fillpath_brokers.exchange.turn import Turn
from fillpath_brokers.facade import Change
from fillpath_brokers.paper import views
from fillpath_brokers.paper.malformed import malformed, misplaced
from fillpath_brokers.paper.refusals import scripted
from fillpath_brokers.paper.transaction import Exchange, Stored

Seen = TypeVar("Seen")


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a submit; `crash`: the process that asked is to end."""

    outcome: Outcome
    crash: bool = False


class PaperAccount:
    """The account behind its store."""

    def __init__(self, exchange: Exchange, prices: Prices, clock: Clock) -> None:
        self._exchange = exchange
        self._prices = prices
        self._clock = clock

    def submit(self, leg: Leg) -> Reply:
        """Place the leg; one that is known answers with the first order."""

        def step(book: Book, stored: Stored) -> tuple[Turn, Reply | None]:
            if found := stored(leg.client_order_id):
                return self._advanced(book, found.contract, lambda turn, _: (turn, _accepted(turn, found, stored)))
            return self._take(book, leg, stored)

        return self._repeated(step, leg.client_order_id)

    def precheck(self, leg: Leg, after_closing: Decimal) -> Rejected | None:
        """Whether the leg would be refused; counts no scenario down."""

        def step(book: Book, _: Stored) -> tuple[Turn, Rejected | None]:
            return Turn(book), _would_refuse(book, leg, after_closing, self._market())

        return self._exchange.turn(step)

    def replace(self, order_id: str, change: Change) -> Outcome:
        """Change a working order."""

        def step(book: Book, stored: Stored) -> tuple[Turn, Reply | None]:
            found = stored(order_id)
            if found is None:
                return Turn(book), Reply(Rejected("not_found", f"there is no order {order_id}"))

            def rest(turn: Turn, market: Market) -> tuple[Turn, Reply]:
                after = changed(turn, order_id, change, market)
                return (turn, Reply(after)) if isinstance(after, Rejected) else (after, _accepted(after, found, stored))

            return self._advanced(book, found.contract, rest)

        return self._repeated(step, order_id).outcome

    def cancel(self, order_id: str) -> None:
        """Cancel an order that works; what the price has gone through by now fills first."""

        def step(book: Book, _: Stored) -> tuple[Turn, bool | None]:
            order = book.working.get(order_id)
            if order is None:
                return Turn(book), True
            return self._advanced(book, order.contract, lambda turn, _: (matching.cancel(turn, order_id), True))

        self._repeated(step)

    def cancel_all(self) -> None:
        """Cancel every working order."""

        def step(book: Book, _: Stored) -> tuple[Turn, bool | None]:
            turn = matching.advance(Turn(book), book.working.values(), self._market())
            for order_id in book.working:
                if turn.full:
                    return turn, None
                turn = matching.cancel(turn, order_id)
            return turn, True

        self._repeated(step)

    def liquidate(self, contract: str) -> None:
        """Sell or buy back at the market what is held of a contract."""

        def step(book: Book, _: Stored) -> tuple[Turn, bool | None]:
            return self._advanced(book, contract, lambda turn, market: (_closed(turn, contract, market), True))

        self._repeated(step)

    def order(self, order_id: str) -> LegView | None:
        """The order as it is after a look at its price; None if it was never placed."""

        def step(book: Book, stored: Stored) -> tuple[Turn, LegView | None]:
            found = stored(order_id)
            if found is None:
                return Turn(book), None
            turn = Turn(book)
            if _works(book, found):
                turn = matching.advance(turn, _working(book, found.contract), self._market())
            return turn, _view(turn, found, stored)

        return self._exchange.turn(step, order_id)

    def look(self, seen: Callable[[Book, Market], Seen]) -> Seen:
        """What is seen of the book once all that prices did is taken in."""

        def step(book: Book, _: Stored) -> tuple[Turn, tuple[bool, Seen]]:
            market = self._market()
            turn = matching.advance(Turn(book), book.working.values(), market)
            return turn, (turn.full, seen(turn.book, market))

        while True:
            more, result = self._exchange.turn(step)
            if not more:
                return result

    def set_scenario(self, scenario: Scenario) -> None:
        """Put the account under a scenario."""
        self._exchange.turn(lambda book, _: (Turn(replace(book, scenario=scenario)), None))

    def _take(self, book: Book, leg: Leg, stored: Stored) -> tuple[Turn, Reply | None]:
        if wrong := malformed(leg):
            return Turn(book), Reply(wrong)
        scenario = book.scenario if book.scenario.applies(leg, instrument_behind(leg.contract).root) else NORMAL

        def rest(turn: Turn, market: Market) -> tuple[Turn, Reply]:
            if scenario is not NORMAL:
                turn = replace(turn, book=replace(turn.book, scenario=scenario.used()))
            return _placed(turn, leg, scenario, market, stored)

        if scenario is not NORMAL and (stopped := _stopped_before(scenario, leg)):
            return Turn(replace(book, scenario=scenario.used())), stopped
        return self._advanced(book, leg.contract, rest)

    def _advanced(self, book: Book, contract: str, rest: Callable[[Turn, Market], tuple[Turn, Seen]]) -> tuple[Turn, Seen | None]:
        """Take in what the price did, then do the rest; None if that must wait for another turn."""
        market = self._market()
        turn = matching.advance(Turn(book), _working(book, contract), market)
        return (turn, None) if turn.full else rest(turn, market)

    def _repeated(self, step: Callable[[Book, Stored], tuple[Turn, Seen | None]], order_id: str | None = None) -> Seen:
        while (reply := self._exchange.turn(step, order_id)) is None:
            pass
        return reply

    def _market(self) -> Market:
        now = self._clock.now()
        return self._prices.look(now.replace(microsecond=now.microsecond // 1_000 * 1_000))


def _placed(turn: Turn, leg: Leg, scenario: Scenario, market: Market, stored: Stored) -> tuple[Turn, Reply]:
    wrong = misplaced(leg, market.price(leg.contract)) or margin.short_of_margin(turn.book, leg, market.price)
    if wrong:
        return turn, Reply(wrong)
    bracket = leg.take_profit is not None or leg.stop_loss is not None

    def ids(role: Role) -> str:
        return views.order_id(leg.client_order_id, role, bracket=bracket)

    orders = new_orders(leg, instrument_behind(leg.contract), scenario, market.now, ids)
    turn = matching.place(turn, orders, market)
    if scenario.name == "timeout":
        return turn, Reply(Unknown("no answer within the time (scenario)"))
    accepted = _accepted(turn, orders[0], stored)
    return turn, replace(accepted, crash=scenario.name == "crash")


def _accepted(turn: Turn, order: ExchangeOrder, stored: Stored) -> Reply:
    return Reply(Accepted(_view(turn, order, stored)))


def _view(turn: Turn, order: ExchangeOrder, stored: Stored) -> LegView:
    def find(order_id: str) -> ExchangeOrder | None:
        return turn.orders.get(order_id) or turn.working(order_id) or stored(order_id)

    return views.view_of(find(order.order_id) or order, find)


def _closed(turn: Turn, contract: str, market: Market) -> Turn:
    held = turn.book.held(contract)
    if not held:
        return turn
    order = ExchangeOrder(
        order_id=f"liquidate-{contract}-{market.now:%Y%m%dT%H%M%S%f}",
        contract=contract,
        side=Side.of(-held),
        quantity=abs(held),
        type=OrderType.MARKET,
        placed_at=market.now,
        reduce_only=True,
    )
    return matching.place(turn, (order,), market)


def _working(book: Book, contract: str) -> Iterable[ExchangeOrder]:
    return [order for order in book.working.values() if order.contract == contract]


def _works(book: Book, found: ExchangeOrder) -> bool:
    """Whether a look may change what is seen of it: itself, or the exits that it placed."""
    return not found.status.ended or found.exits in book.working


def _stopped_before(scenario: Scenario, leg: Leg) -> Reply | None:
    if scenario.name == "reject":
        return Reply(scripted(scenario, leg))
    if scenario.settings.get("when") != "before":
        return None
    return Reply(Unknown("no answer within the time (scenario)"), crash=scenario.name == "crash")


def _would_refuse(book: Book, leg: Leg, after_closing: Decimal, market: Market) -> Rejected | None:
    if wrong := malformed(leg) or misplaced(leg, market.price(leg.contract)):
        return wrong
    root = instrument_behind(leg.contract).root
    if book.scenario.name == "reject" and book.scenario.settings["precheck"] == "true" and book.scenario.applies(leg, root):
        refusal = scripted(book.scenario, leg)
        return refusal if isinstance(refusal, Rejected) else None
    return margin.short_of_margin(margin.after_closing(book, root, after_closing, market.price), leg, market.price)
