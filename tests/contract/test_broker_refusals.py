"""What every venue refuses, and what is made of requests that fail or whose answers are lost: no order twice, none forgotten."""

from decimal import Decimal
from typing import Any

import pytest

from fillpath.orders.model import LegStatus
from fillpath.orders.outcomes import Accepted, RateLimited, Rejected, Unknown
from fillpath_brokers import registry
from fillpath_brokers.facade import OrderRef
from fillpath_brokers.token_store import Renewal
from tests.contract.broker_bench import Bench
from tests.contract.venues import at_venues, submit_with
from tests.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]


# --- refusals -------------------------------------------------------------------------------------------------------------------


@at_venues()
def test_an_order_beyond_the_accounts_means_is_refused(at: Bench) -> None:
    at.simulator.exchange.set_cash(Decimal(100))
    leg = at.leg(quantity="10")
    outcome = at.desk.submit(at.account, leg)
    if isinstance(outcome, Accepted):  # a venue may take it and reject it then
        view = at.becomes(leg, LegStatus.REJECTED)
        assert (view.reason, bool(view.text)) == ("insufficient_margin", True)
    else:
        assert isinstance(outcome, Rejected)
        assert outcome.reason == "insufficient_margin"
        assert outcome.text
    assert at.held() == 0


@at_venues()
def test_what_would_be_refused_is_told_before(at: Bench) -> None:
    at.simulator.exchange.set_cash(Decimal(100))
    refusal = at.desk.precheck(at.account, at.leg(quantity="10"), Decimal(0))
    assert refusal is not None
    assert refusal.reason == "insufficient_margin"


@at_venues()
def test_what_would_be_taken_is_not_objected_to(at: Bench) -> None:
    assert at.desk.precheck(at.account, at.leg(), Decimal(0)) is None
    assert at.simulator.placing_requests == 0


@at_venues(lambda known: known.asset_classes < {"future", "equity", "crypto"})
def test_a_kind_of_instrument_that_the_venue_does_not_trade_is_refused_here(at: Bench) -> None:
    known = registry.capabilities(at.key).asset_classes
    foreign = next(
        symbol for kind, symbol in {"future": "ESZ6", "equity": "AAPL", "crypto": "BTCUSD"}.items() if kind not in known
    )
    outcome = at.desk.submit(at.account, at.leg(contract=foreign))
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "unsupported"
    assert at.simulator.placing_requests == 0


@at_venues()
@pytest.mark.parametrize("quantity", ["1", "2", "5"])
def test_a_reduce_only_order_never_crosses_zero(at: Bench, quantity: str) -> None:
    at.hold(2)
    leg = at.leg("sell", quantity, reduce_only=True)
    at.desk.submit(at.account, leg)
    until(at.held, lambda held: held == max(0, 2 - int(quantity)))
    assert at.broker.orders() == ()


@at_venues()
def test_a_reduce_only_order_never_opens(at: Bench) -> None:
    outcome = at.desk.submit(at.account, at.leg("sell", "1", reduce_only=True))
    assert not isinstance(outcome, Accepted) or outcome.view.filled_quantity == 0
    assert at.held() == 0
    assert at.broker.orders() == ()


@at_venues(lambda known: known.single_order_flip)
def test_one_order_goes_through_zero_where_that_is_declared(at: Bench) -> None:
    at.hold(-2)
    at.filled(at.leg("buy", "3"))
    assert at.held() == 1


# --- when the answer is lost ----------------------------------------------------------------------------------------------------


LOST: list[dict[str, Any]] = [{"drop": True}, {"status": 500}, {"status": 503}, {"status": 504}]


@at_venues(http=True)
@pytest.mark.parametrize("fault", LOST)
def test_a_lost_answer_is_unknown_and_asking_finds_the_one_order(at: Bench, fault: dict[str, Any]) -> None:
    leg = at.leg()
    assert isinstance(submit_with(at, leg, {**fault, "when": "after"}), Unknown)
    assert at.becomes(leg, LegStatus.FILLED).filled_quantity == 2
    assert at.held() == 2
    assert at.simulator.placing_requests == 1


@at_venues(http=True)
@pytest.mark.parametrize("fault", LOST)
def test_a_request_that_was_lost_on_the_way_is_unknown_too_and_shows_no_order(at: Bench, fault: dict[str, Any]) -> None:
    leg = at.leg()
    assert isinstance(submit_with(at, leg, {**fault, "when": "before"}), Unknown)
    assert at.broker.order(OrderRef(leg.client_order_id, None, leg)) is None
    assert at.held() == 0
    assert at.simulator.placing_requests == 1


@at_venues(http=True)
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_answer_that_takes_too_long_is_unknown_and_asking_finds_the_order(at: Bench, when: str) -> None:
    leg, desk = at.leg(), at.impatient(0.5)
    assert isinstance(submit_with(at, leg, {"latency_ms": 1_000, "when": when}, desk), Unknown)
    until(lambda: at.broker.order(OrderRef(leg.client_order_id, None, leg)) is not None)
    assert at.becomes(leg, LegStatus.FILLED).filled_quantity == 2
    assert (at.held(), at.simulator.placing_requests) == (2, 1)
    desk.close()


@at_venues(lambda known: known.deduplicates_s > 0, http=True)
def test_the_same_leg_again_makes_one_order_where_the_venue_deduplicates(at: Bench) -> None:
    leg = at.leg()
    submit_with(at, leg, {"drop": True, "when": "after"})
    again = at.desk.submit(at.account, leg)
    assert isinstance(again, Accepted)
    assert at.becomes(leg, LegStatus.FILLED).broker_order_id == again.view.broker_order_id
    assert at.held() == 2


@at_venues(lambda known: not known.client_order_ids, http=True)
def test_of_two_equal_orders_the_lost_one_is_not_taken_for_the_known_one(at: Bench) -> None:
    first, second = at.leg(), at.leg()
    known = at.filled(first).broker_order_id
    assert known
    assert isinstance(submit_with(at, second, {"drop": True, "when": "before"}), Unknown)
    others = frozenset({known})
    assert at.desk.look_up(at.account, second, others) is None
    third = at.leg()
    assert isinstance(submit_with(at, third, {"drop": True, "when": "after"}), Unknown)
    view = until(lambda: at.desk.look_up(at.account, third, others))
    assert view is not None
    assert view.broker_order_id not in {known, None}


@at_venues(http=True)
def test_too_many_requests_places_nothing_and_says_when_to_come_back(at: Bench) -> None:
    leg = at.leg()
    outcome = submit_with(at, leg, {"status": 429, "when": "before"})
    assert isinstance(outcome, RateLimited)
    assert outcome.delay_s > 0
    assert at.simulator.exchange.log == []


AFTERWARDS: list[dict[str, Any]] = [{"drop": True}, *({"status": status} for status in (401, 403, 404, 429, 500))]


def submit_and_then(at: Bench, leg: Any, fault: dict[str, Any]) -> Any:
    """Submit while every question goes wrong; what has to be asked before was asked for an order before."""
    at.simulator.faults.add({**fault, "match": {"method": "GET"}})
    try:
        return at.desk.submit(at.account, leg)
    finally:
        at.simulator.faults.clear()


@at_venues(lambda known: known.bracket, http=True)
@pytest.mark.parametrize("fault", AFTERWARDS)
def test_trouble_with_the_questions_after_an_order_is_no_evidence_against_it(at: Bench, fault: dict[str, Any]) -> None:
    at.accepted(at.entry())
    before = at.simulator.placing_requests
    outcome = submit_and_then(at, at.entry(), fault)
    assert at.simulator.placing_requests == before + 1
    assert isinstance(outcome, Accepted | Unknown), outcome


@at_venues(lambda known: known.deduplicates_s > 0, http=True)
@pytest.mark.parametrize("fault", AFTERWARDS)
def test_a_duplicate_that_cannot_be_looked_up_is_in_doubt(at: Bench, fault: dict[str, Any]) -> None:
    leg = at.leg()
    at.accepted(leg)
    assert isinstance(submit_and_then(at, leg, fault), Unknown)


@at_venues(http=True)
def test_a_venue_that_is_not_there_was_not_asked(at: Bench) -> None:
    gone = at.elsewhere("http://127.0.0.1:9")
    assert isinstance(gone.submit(at.account, at.leg()), RateLimited)


@at_venues(http=True)
def test_a_refused_token_is_told_to_everybody_and_places_nothing(at: Bench) -> None:
    at.expire_tokens()
    outcome = at.desk.submit(at.account, at.leg())
    status = at.services.tokens.status(at.account.account_id)
    assert status is not None
    assert status.refused_version == status.version
    assert isinstance(outcome, RateLimited | Rejected)
    assert at.simulator.exchange.log == []


@at_venues(tokens=True)
def test_a_renewed_token_lets_the_account_in_again(at: Bench) -> None:
    at.expire_tokens()
    at.desk.submit(at.account, at.leg())
    assert at.renew() is Renewal.RENEWED
    assert at.filled(at.leg()).filled_quantity == 2
