"""Many hands on one account, and a store that loses writes or answers."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from fillpath.clock import SystemClock
from fillpath.errors import BrokerUnavailable, Conflict, StorageUnavailable
from fillpath.orders.model import LegStatus
from fillpath.orders.outcomes import Accepted, RateLimited, Unknown
from fillpath_brokers.facade import OrderRef
from fillpath_brokers.paper.book_store import Document
from fillpath_brokers.paper.venue import PaperBroker
from tests.brokers.paper.exchange import ACCOUNT, ES, PaperExchange, leg, ref
from tests.brokers.services import services_on
from tests.fakes.paper_book_store import FakePaperBookStore


class FaultyBookStore(FakePaperBookStore):
    """Raises what it is told, `before` or `after` it has written, or when it is read."""

    def __init__(self) -> None:
        super().__init__()
        self.before: list[Exception] = []
        self.after: list[Exception] = []
        self.reading: list[Exception] = []

    def load(self, account_id: str, client_order_id: str | None = None) -> tuple[Document | None, Document | None]:
        if self.reading:
            raise self.reading.pop(0)
        return super().load(account_id, client_order_id)

    def save(
        self, account_id: str, account: Document, orders: Sequence[Document], fills: Sequence[Document], placed: str | None = None
    ) -> None:
        if self.before:
            raise self.before.pop(0)
        super().save(account_id, account, orders, fills, placed)
        if self.after:
            raise self.after.pop(0)


@pytest.fixture
def books() -> FaultyBookStore:
    return FaultyBookStore()


@pytest.fixture
def exchange(books: FaultyBookStore) -> PaperExchange:
    return PaperExchange(books)


def test_a_lost_race_is_run_again(exchange: PaperExchange, books: FaultyBookStore) -> None:
    books.before = [Conflict("faster")] * 5

    assert exchange.accepted(leg("buy", "1")).status is LegStatus.FILLED
    assert exchange.held() == 1


def test_who_loses_for_too_long_was_certainly_not_placed(exchange: PaperExchange, books: FaultyBookStore) -> None:
    books.before = [Conflict("faster")] * 1000
    started, sent = exchange.clock.now(), leg("buy", "1")

    outcome = exchange.broker.submit(sent)

    books.before = []
    assert outcome == RateLimited(1.0, "Not placed: the account is too busy")
    assert 3 <= (exchange.clock.now() - started).total_seconds() < 4
    assert exchange.broker.order(ref(sent)) is None


def test_no_write_begins_long_after_the_submit_did(exchange: PaperExchange, books: FaultyBookStore) -> None:
    sent, load = leg("buy", "1"), books.load
    books.load = lambda *ids: (exchange.wait(3), load(*ids))[1]  # type: ignore[method-assign]  the store of this test alone is slow

    assert isinstance(exchange.broker.submit(sent), RateLimited)
    assert books.orders == {}


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_write_without_an_answer_is_unknown(exchange: PaperExchange, books: FaultyBookStore, when: str) -> None:
    getattr(books, when).append(StorageUnavailable("no answer"))
    sent = leg("buy", "1")

    assert exchange.broker.submit(sent) == Unknown("the exchange's store did not answer: no answer")
    assert exchange.held() == (when == "after")
    assert isinstance(exchange.broker.submit(sent), Accepted)
    assert exchange.held() == 1


def test_a_book_that_cannot_be_read_has_taken_nothing(exchange: PaperExchange, books: FaultyBookStore) -> None:
    books.reading = [StorageUnavailable("no answer")]

    assert exchange.broker.submit(leg("buy", "1")) == RateLimited(
        1.0, "Not placed: the book or a price could not be read: no answer"
    )
    assert exchange.held() == 0


def test_reads_say_so_when_the_store_does_not_answer(exchange: PaperExchange, books: FaultyBookStore) -> None:
    for ask in (
        exchange.broker.positions,
        exchange.broker.orders,
        exchange.broker.balances,
        lambda: exchange.broker.order(OrderRef("01ANY-main")),
        lambda: exchange.broker.cancel(OrderRef("01ANY-main")),
        lambda: exchange.broker.precheck(leg("buy", "1"), Decimal(0)),
    ):
        books.reading = [StorageUnavailable("no answer")]
        with pytest.raises(BrokerUnavailable):
            ask()


def test_an_order_that_appeared_between_two_reads_is_not_placed_twice(exchange: PaperExchange, books: FaultyBookStore) -> None:
    """A store may read account and order a moment apart: the account with, the order without what came between."""
    sent = leg("buy", "1")
    exchange.accepted(sent)
    torn = (books.accounts[ACCOUNT], None)
    whole, reads = books.load, [torn]
    books.load = lambda *ids: reads.pop() if reads else whole(*ids)  # type: ignore[method-assign]  the store of this test alone is slow

    assert isinstance(exchange.broker.submit(sent), Accepted)
    assert reads == []
    assert exchange.held() == 1


def test_ten_lanes_trade_on_one_account_at_once() -> None:
    services = services_on(SystemClock())
    services.last_prices.put(ES, Decimal(5900), services.clock.now())
    legs = [leg("buy" if number % 5 else "sell", "1") for number in range(50)]

    def send(number: int) -> object:
        broker = PaperBroker(ACCOUNT, services)
        return broker.submit(legs[number])

    with ThreadPoolExecutor(10) as lanes:
        outcomes = list(lanes.map(send, range(len(legs))))

    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    assert PaperBroker(ACCOUNT, services).positions()[0].quantity == 30


def test_of_the_same_order_sent_ten_times_at_once_one_is_placed() -> None:
    services = services_on(SystemClock())
    sent = leg("buy", "1")

    with ThreadPoolExecutor(10) as lanes:
        outcomes = list(lanes.map(lambda _: PaperBroker(ACCOUNT, services).submit(sent), range(10)))

    assert len({outcome.view.average_price for outcome in outcomes if isinstance(outcome, Accepted)}) == 1
    assert PaperBroker(ACCOUNT, services).positions()[0].quantity == 1
