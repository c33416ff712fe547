"""A paper account on fakes, and legs to send to it."""

from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from fillpath.ids import client_order_id
from fillpath.orders.model import Leg, OrderType, Side
from fillpath.orders.outcomes import Accepted, LegView
from fillpath_brokers.exchange import scenario
from fillpath_brokers.facade import OrderRef
from fillpath_brokers.paper.book_store import PaperBookStore
from fillpath_brokers.paper.venue import PaperBroker
from tests.brokers.services import services_on
from tests.fakes.clock import FakeClock
from tests.fakes.last_prices import FakeLastPrices
from tests.fakes.paper_book_store import FakePaperBookStore

ACCOUNT = "01PAPER"
ES = "ESH6"
AAPL = "AAPL"
_numbers = count(1)


def leg(
    side: str,
    quantity: str,
    contract: str = ES,
    *,
    name: str = "main",
    limit: str | None = None,
    stop: str | None = None,
    tif: str = "day",
    reduce_only: bool = False,
    **more: Any,
) -> Leg:
    """A leg of an order of its own: at market, unless a limit or a stop price is given; `more` are fields of Leg, as text."""
    kind = OrderType.LIMIT if limit else OrderType.STOP if stop else OrderType.MARKET
    sent = Leg(
        leg=name,
        client_order_id=client_order_id(f"01ORDER{next(_numbers):06}", name),
        contract=contract,
        side=Side(side),
        quantity=Decimal(quantity),
        reduce_only=reduce_only,
        type=kind,
        limit_price=Decimal(limit) if limit else None,
        stop_price=Decimal(stop) if stop else None,
        time_in_force=tif,
    )
    return Leg.model_validate(sent.model_dump() | more)


def trailing(side: str, quantity: str, contract: str = ES, *, amount: str | None = None, percent: str | None = None) -> Leg:
    """A leg that trails the price."""
    return leg(side, quantity, contract, type="trailing_stop", trail_amount=amount, trail_percent=percent)


def pair(side: str, quantity: str, *, limit: str, stop: str, reduce_only: bool = True, tif: str = "day") -> Leg:
    """A pair of exits in one leg."""
    return leg(side, quantity, limit=limit, stop=stop, reduce_only=reduce_only, tif=tif, type="oco")


def ref(sent: Leg, view: LegView | None = None) -> OrderRef:
    """How the venue is asked about a leg; with a view, about what that shows."""
    return OrderRef(sent.client_order_id if view is None else "unknown to the venue", view and view.broker_order_id)


class PaperExchange:
    """One paper account; ES trades at 5900 and AAPL at 200 until a test says otherwise. `exits` are the ends of the process."""

    def __init__(self, books: PaperBookStore | None = None) -> None:
        self.clock = FakeClock()
        self.last_prices = FakeLastPrices()
        self.books = books or FakePaperBookStore()
        self.exits: list[int] = []
        self.services = services_on(self.clock, last_prices=self.last_prices, paper_books=self.books)
        self.broker = PaperBroker(ACCOUNT, self.services, exit_process=self.exits.append, jitter=lambda: 1.0)
        self.trades_at(ES, "5900")
        self.trades_at(AAPL, "200")

    def trades_at(self, contract: str, price: str) -> None:
        """Set the last trade."""
        self.last_prices.put(contract, Decimal(price), self.clock.now())

    def under(self, name: str, **settings: str) -> None:
        """Put the account under a scenario."""
        self.broker.set_scenario(scenario.parse(name, settings))

    def accepted(self, sent: Leg) -> LegView:
        """Submit a leg that must be accepted."""
        outcome = self.broker.submit(sent)
        assert isinstance(outcome, Accepted), outcome
        return outcome.view

    def seen(self, sent: Leg) -> LegView:
        """Look at an order that must be there."""
        view = self.broker.order(ref(sent))
        assert view is not None, "the exchange shows no such order"
        return view

    def shown(self, view: LegView | None) -> LegView:
        """What a view names, looked at again."""
        assert view is not None, "there is no such view"
        again = self.broker.order(OrderRef("unknown to the venue", view.broker_order_id))
        assert again is not None, "the exchange shows no such order"
        return again

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.set(self.clock.now() + timedelta(seconds=seconds))

    def filled(self) -> list[Any]:
        """Every fill, the first one first."""
        assert isinstance(self.books, FakePaperBookStore)
        return self.books.in_order

    def held(self, contract: str = ES) -> Decimal:
        """The signed position."""
        return next((each.quantity for each in self.broker.positions() if each.contract == contract), Decimal(0))
