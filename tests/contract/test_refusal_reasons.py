"""Each refusal at every venue that declares what it is about: the venue's own words, the same reason code of ours everywhere."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from fillpath.accounts.model import OutsideHours
from fillpath.orders.model import Leg, LegStatus, OrderType
from fillpath.orders.outcomes import LegView, Outcome, Rejected
from fillpath_brokers import registry
from fillpath_brokers.facade import Change, OrderRef
from tests.contract.broker_bench import Bench, bench, traders
from tests.contract.venues import at_venues

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]


def refused(at: Bench, leg: Leg) -> Rejected:
    """Submit a leg that must be refused: nothing comes of it, and a person is told why."""
    outcome = at.desk.submit(at.account, leg)
    assert isinstance(outcome, Rejected), outcome
    assert outcome.text
    assert (at.held(), at.broker.orders()) == (0, ())
    return outcome


def not_changed(outcome: Outcome) -> Rejected:
    assert isinstance(outcome, Rejected), outcome
    assert outcome.text
    return outcome


def another(broker_order_id: str | None) -> str:
    """An id like that one, of an order that is not there."""
    assert broker_order_id
    return broker_order_id[:-1] + ("0" if broker_order_id[-1] != "0" else "1")


# --- market closed --------------------------------------------------------------------------------------------------------------


@at_venues(lambda known: known.queues_when_closed or known.refuses_when_closed)
def test_while_the_market_is_closed_a_market_order_is_refused_with_when_it_opens(at: Bench) -> None:
    at.close_market(OutsideHours.REFUSE)
    told = refused(at, at.leg())
    assert told.reason == "market_closed"
    assert "it opens again" in told.text
    assert at.simulator.placing_requests == (0 if registry.capabilities(at.key).queues_when_closed else 1)


@pytest.mark.parametrize("at", ["schwab", "tradestation", "tradovate"], indirect=True)  # Alpaca refuses nothing for it
def test_a_venue_that_refuses_it_itself_is_quoted(at: Bench) -> None:
    at.close_market(OutsideHours.QUEUE)
    told = refused(at, at.leg())
    assert told.reason == "market_closed"
    assert "market is closed" in told.text
    assert "it opens again" in told.text
    assert at.simulator.placing_requests == 1


# --- what is ordered ------------------------------------------------------------------------------------------------------------


@at_venues()
def test_a_symbol_that_the_venue_does_not_know(at: Bench) -> None:
    at.simulator.exchange.refuse("invalid_symbol")
    assert refused(at, at.leg()).reason == "invalid_symbol"


@at_venues()
@pytest.mark.parametrize("price", ["limit_price", "stop_price"])
def test_a_price_between_ticks(at: Bench, price: str) -> None:
    kind = OrderType.LIMIT if price == "limit_price" else OrderType.STOP
    between = at.away(-8 if kind is OrderType.LIMIT else 8) + at.tick / 2
    assert refused(at, at.leg(type=kind, **{price: between})).reason == "invalid_price"


@at_venues()
def test_a_time_in_force_that_the_venue_does_not_declare(at: Bench) -> None:
    leg = at.leg(type=OrderType.LIMIT, limit_price=at.away(-8), time_in_force="gtd")
    assert leg.time_in_force not in at.broker.capabilities.time_in_force
    assert refused(at, leg).reason == "unsupported"
    assert at.simulator.placing_requests == 0


@pytest.fixture
def shares(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A venue whose account trades shares."""
    with bench(request.param, shares=True) as made:
        yield made


@pytest.mark.parametrize(
    "shares", [key for key in traders() if "equity" in registry.capabilities(key).asset_classes], indirect=True
)
def test_a_share_that_must_not_be_sold_short(shares: Bench) -> None:
    shares.simulator.exchange.refuse("short_not_allowed")
    assert refused(shares, shares.leg("sell")).reason == "short_not_allowed"


def ended(at: Bench, end: LegStatus) -> tuple[OrderRef, LegView]:
    """A limit order that has come to this end, and how it shows."""
    leg = at.leg(type=OrderType.LIMIT, limit_price=at.away(-4))
    ref = OrderRef(leg.client_order_id, at.accepted(leg).broker_order_id, leg)
    if end is LegStatus.CANCELLED:
        at.broker.cancel(ref)
    else:
        at.trades_at(at.away(-5))
    return ref, at.becomes(leg, end)


# --- too late, and nowhere ------------------------------------------------------------------------------------------------------


@at_venues(lambda known: known.replace)
@pytest.mark.parametrize("end", [LegStatus.FILLED, LegStatus.CANCELLED])
def test_a_change_of_an_order_that_has_ended(at: Bench, end: LegStatus) -> None:
    ref, before = ended(at, end)
    assert not_changed(at.broker.replace(ref, Change(limit_price=at.away(-8)))).reason == "not_working"
    assert at.broker.order(ref) == before


@at_venues()
@pytest.mark.parametrize("end", [LegStatus.FILLED, LegStatus.CANCELLED])
def test_a_cancellation_that_comes_too_late_is_no_error_and_changes_nothing(at: Bench, end: LegStatus) -> None:
    ref, before = ended(at, end)
    at.broker.cancel(ref)
    assert at.broker.order(ref) == before


@at_venues(lambda known: known.replace)
def test_an_order_that_the_venue_does_not_know_cannot_be_changed(at: Bench) -> None:
    known, unknown = (at.leg(type=OrderType.LIMIT, limit_price=at.away(-each)) for each in (40, 41))
    broker_order_id = at.accepted(known).broker_order_id
    for ref in (
        OrderRef(unknown.client_order_id, None, unknown),
        OrderRef(unknown.client_order_id, another(broker_order_id), unknown),
    ):
        assert not_changed(at.broker.replace(ref, Change(limit_price=at.away(-42)))).reason == "not_found"
        at.broker.cancel(ref)
    [left] = at.broker.orders()
    assert (left.limit_price, left.quantity) == (at.away(-40), Decimal(2))
