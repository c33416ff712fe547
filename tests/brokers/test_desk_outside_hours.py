"""A market order while its market is closed, at a venue that would keep it until the open."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from fillpath.accounts.model import OutsideHours
from fillpath.market.ports.trading_hours import Session
from fillpath.orders.model import Leg, LegStatus
from fillpath.orders.outcomes import Accepted, LegView, Outcome, Position, Rejected
from fillpath.orders.ports.desk import AccountRef
from fillpath_brokers.desk import BrokerDesk
from fillpath_brokers.services import Services
from tests.brokers.paper.exchange import leg
from tests.contract.records import an_account
from tests.fakes.account_store import FakeAccountStore
from tests.fakes.clock import FakeClock
from tests.fakes.last_prices import FakeLastPrices
from tests.fakes.paper_book_store import FakePaperBookStore
from tests.fakes.trading_hours import FakeTradingHours

KEEPS = AccountRef("acc-1", "alpaca")
THANKSGIVING = datetime(2026, 11, 26, 16, tzinfo=UTC)
FRIDAY = datetime(2026, 11, 27, 14, 30, tzinfo=UTC)
ACCEPTED = Accepted(LegView(LegStatus.WORKING, "B-1"))
CLOSED = Rejected(
    "market_closed",
    "Market closed: AAPL trades Mon-Fri 09:30-16:00 America/New_York; it opens again 2026-11-27 14:30 UTC (09:30 New York)",
)
NO_VENUE_IS_REACHED: Any = None


class Taking:
    """A broker that takes every order and holds 5 AAPL."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def precheck(self, sent: Leg, after_closing: Decimal) -> Rejected | None:
        self.asked.append("precheck")
        return None

    def submit(self, sent: Leg) -> Outcome:
        self.asked.append("submit")
        return ACCEPTED

    def positions(self) -> tuple[Position, ...]:
        self.asked.append("positions")
        return (Position("AAPL", "AAPL", Decimal(5)),)


class Market:
    """An account of that broker on Thanksgiving 2026."""

    def __init__(self) -> None:
        self.clock = FakeClock(THANKSGIVING)
        self.accounts = FakeAccountStore()
        self.hours = FakeTradingHours()
        self.hours.publish("XNYS", (Session(FRIDAY, FRIDAY.replace(hour=18)),), THANKSGIVING)
        services = Services(
            self.clock,
            FakeLastPrices(),
            FakePaperBookStore(),
            self.accounts,
            tokens=NO_VENUE_IS_REACHED,
            web=NO_VENUE_IS_REACHED,
            hours=self.hours,
        )
        self.broker = Taking()
        self.desk = BrokerDesk(services, lambda *_: self.broker)  # type: ignore[arg-type,return-value]  a broker as far as it is asked
        self.wants(OutsideHours.REFUSE)

    def wants(self, outside_hours: OutsideHours) -> None:
        self.accounts.save(an_account(KEEPS.account_id, venue=KEEPS.venue, outside_hours=outside_hours))


@pytest.fixture
def market() -> Market:
    return Market()


def test_it_is_refused_and_told_when_the_market_opens(market: Market) -> None:
    sent = leg("buy", "1", "AAPL")
    assert market.desk.precheck(KEEPS, sent, Decimal(0)) == CLOSED
    assert market.desk.submit(KEEPS, sent) == CLOSED
    assert market.broker.asked == []


def test_one_that_only_reduces_is_refused_as_well(market: Market) -> None:
    assert market.desk.submit(KEEPS, leg("sell", "1", "AAPL", reduce_only=True)) == CLOSED
    assert market.broker.asked == []


def test_it_goes_through_once_the_market_is_open(market: Market) -> None:
    market.clock.set(FRIDAY)
    sent = leg("buy", "1", "AAPL")
    assert market.desk.precheck(KEEPS, sent, Decimal(0)) is None
    assert market.desk.submit(KEEPS, sent) == ACCEPTED
    assert market.broker.asked == ["precheck", "submit"]


def test_an_account_may_want_it_kept_until_the_open(market: Market) -> None:
    market.wants(OutsideHours.QUEUE)
    assert market.desk.precheck(KEEPS, leg("buy", "1", "AAPL"), Decimal(0)) is None
    assert market.desk.submit(KEEPS, leg("buy", "1", "AAPL")) == ACCEPTED
    assert market.desk.submit(KEEPS, leg("sell", "1", "AAPL", reduce_only=True)) == ACCEPTED


@pytest.mark.parametrize("prices", [{"limit": "200"}, {"stop": "200"}])
def test_what_waits_for_its_price_may_wait_for_the_open(market: Market, prices: dict[str, str]) -> None:
    sent = leg("buy", "1", "AAPL", **prices)  # type: ignore[arg-type]  the names of prices
    assert market.desk.submit(KEEPS, sent) == ACCEPTED


@pytest.mark.parametrize("contract", ["BTCUSD", "FDAXH6", "NOBODY KNOWS"])
def test_what_never_closes_or_is_not_known_goes_through(market: Market, contract: str) -> None:
    assert market.desk.submit(KEEPS, leg("buy", "1", contract)) == ACCEPTED


def test_hours_that_cannot_be_read_never_hold_an_order_back(market: Market) -> None:
    market.hours.fails = True
    sent = leg("buy", "1", "AAPL")
    assert market.desk.precheck(KEEPS, sent, Decimal(0)) is None
    assert market.desk.submit(KEEPS, sent) == ACCEPTED


def test_a_venue_that_keeps_none_decides_for_itself(market: Market) -> None:
    paper = AccountRef("01PAPER", "paper")
    assert market.desk.submit(paper, leg("buy", "1", "AAPL")) == ACCEPTED


def test_whether_the_market_is_closed_is_told_without_a_word_to_the_venue(market: Market) -> None:
    assert market.desk.closed(KEEPS, "AAPL") == CLOSED.text
    assert market.desk.closed(AccountRef("01PAPER", "paper"), "AAPL") is None
    market.clock.set(FRIDAY)
    assert market.desk.closed(KEEPS, "AAPL") is None
    assert market.broker.asked == []


def test_for_an_account_that_wants_orders_kept_no_market_is_closed(market: Market) -> None:
    market.wants(OutsideHours.QUEUE)
    assert market.desk.closed(KEEPS, "AAPL") is None


def test_where_a_venue_refuses_orders_no_setting_of_the_account_opens_it(market: Market) -> None:
    refuses = AccountRef("acc-2", "tradovate")
    market.accounts.save(an_account(refuses.account_id, venue=refuses.venue, outside_hours=OutsideHours.QUEUE))
    market.hours.publish("CMES", (Session(FRIDAY, FRIDAY.replace(hour=18)),), THANKSGIVING)
    assert "Market closed: ESZ6" in str(market.desk.closed(refuses, "ESZ6"))
    assert market.desk.submit(refuses, leg("buy", "1", "ESZ6")) == ACCEPTED
