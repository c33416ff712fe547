"""What each scenario does to the orders of an account."""

from decimal import Decimal

import pytest

from fillpath.orders.model import LegStatus
from fillpath.orders.outcomes import Accepted, RateLimited, Rejected, Unknown
from tests.brokers.paper.exchange import ES, PaperExchange, leg, ref


def test_delay_fills_only_that_long_after_placing(exchange: PaperExchange) -> None:
    exchange.under("delay", seconds="2")
    sent = leg("buy", "1")
    assert exchange.accepted(sent).status is LegStatus.WORKING

    exchange.wait(1.9)
    assert exchange.seen(sent).status is LegStatus.WORKING
    exchange.wait(0.1)
    exchange.trades_at(ES, "5901")

    view = exchange.seen(sent)
    assert (view.status, view.average_price) == (LegStatus.FILLED, Decimal(5901))


def test_partial_fill_leaves_the_rest_working(exchange: PaperExchange) -> None:
    exchange.under("partial_fill")
    sent = leg("buy", "3")

    view = exchange.accepted(sent)
    exchange.wait(3600)

    assert (view.status, view.filled_quantity) == (LegStatus.PARTIALLY_FILLED, Decimal(1))
    assert exchange.seen(sent) == view
    exchange.broker.cancel(ref(sent))
    ended = exchange.seen(sent)
    assert (ended.status, ended.filled_quantity, ended.average_price) == (LegStatus.CANCELLED, Decimal(1), Decimal(5900))
    assert exchange.held() == 1


def test_partial_fill_can_complete_later(exchange: PaperExchange) -> None:
    exchange.under("partial_fill", fraction="0.75", then="complete", after="5")
    sent = leg("buy", "4")
    assert exchange.accepted(sent).filled_quantity == 3

    exchange.trades_at(ES, "5904")
    exchange.wait(5)

    view = exchange.seen(sent)
    assert (view.status, view.filled_quantity, view.average_price) == (LegStatus.FILLED, Decimal(4), Decimal(5901))
    assert view.commission == Decimal(5)
    assert [fill["n"] for fill in exchange.books.fills("01PAPER", sent.client_order_id)] == [1, 2]


def test_partial_fill_of_a_single_lot_fills_nothing(exchange: PaperExchange) -> None:
    exchange.under("partial_fill")

    assert exchange.accepted(leg("buy", "1")).status is LegStatus.WORKING


def test_never_fill_keeps_the_order_working_until_it_is_cancelled(exchange: PaperExchange) -> None:
    exchange.under("never_fill")
    sent = leg("buy", "1")
    exchange.accepted(sent)
    exchange.under("normal")
    exchange.wait(60)

    assert exchange.seen(sent).status is LegStatus.WORKING
    exchange.broker.cancel(ref(sent))
    assert exchange.seen(sent).status is LegStatus.CANCELLED


def test_a_scenario_touches_only_the_legs_it_names(exchange: PaperExchange) -> None:
    exchange.under("never_fill", leg="close", times="1")

    assert exchange.accepted(leg("buy", "1", name="open")).status is LegStatus.FILLED
    assert exchange.accepted(leg("sell", "1", name="close")).status is LegStatus.WORKING
    assert exchange.accepted(leg("sell", "1", name="close")).status is LegStatus.FILLED


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("insufficient_margin", "Insufficient margin: 26,000.00 USD required, 0.00 USD available"),
        (
            "market_closed",
            "Market closed: ESH6 trades Sunday 18:00 to Friday 17:00 America/New_York, closed daily 17:00-18:00",
        ),
        ("invalid_symbol", "Invalid symbol: ESH6 is not traded here"),
        ("position_mode", "Position mode mismatch: the account is in hedge mode. Switch to one-way mode"),
    ],
)
def test_reject_refuses_with_reason_and_text(exchange: PaperExchange, reason: str, text: str) -> None:
    exchange.under("reject", reason=reason)
    sent = leg("buy", "2")

    assert exchange.broker.submit(sent) == Rejected(reason, text)
    assert exchange.broker.order(ref(sent)) is None


@pytest.mark.parametrize(
    ("contract", "hours"),
    [("AAPL", "09:30-16:00 America/New_York"), ("FDAX", "01:10-22:00 Europe/Berlin"), ("BTCUSD", "around the clock")],
)
def test_market_closed_tells_the_hours_of_each_market(exchange: PaperExchange, contract: str, hours: str) -> None:
    exchange.under("reject=market_closed")
    outcome = exchange.broker.submit(leg("buy", "1", f"{contract}H6" if contract == "FDAX" else contract))

    assert isinstance(outcome, Rejected)
    assert hours in outcome.text


def test_rate_limited_tells_when_to_come_back(exchange: PaperExchange) -> None:
    exchange.under("reject=rate_limited", delay="3", times="1")
    sent = leg("buy", "1")

    assert exchange.broker.submit(sent) == RateLimited(3.0, "Too many requests: send again in 3 s")
    assert isinstance(exchange.broker.submit(sent), Accepted)


def test_timeout_before_leaves_no_order(exchange: PaperExchange) -> None:
    exchange.under("timeout=before", times="1")
    sent = leg("buy", "1")

    assert isinstance(exchange.broker.submit(sent), Unknown)
    assert exchange.broker.order(ref(sent)) is None
    assert isinstance(exchange.broker.submit(sent), Accepted)


def test_timeout_after_leaves_a_filled_order(exchange: PaperExchange) -> None:
    exchange.under("timeout=after")
    sent = leg("buy", "1")

    assert isinstance(exchange.broker.submit(sent), Unknown)
    assert exchange.seen(sent).status is LegStatus.FILLED
    assert isinstance(exchange.broker.submit(sent), Accepted), "a second submit finds the first order"
    assert exchange.held() == 1


def test_crash_before_ends_the_process_once_and_leaves_no_order(exchange: PaperExchange) -> None:
    exchange.under("crash=before")
    sent = leg("buy", "1")
    exchange.broker.submit(sent)

    assert exchange.exits == [1]
    assert exchange.broker.order(ref(sent)) is None
    assert isinstance(exchange.broker.submit(sent), Accepted)
    assert exchange.exits == [1]


def test_crash_after_ends_the_process_once_the_order_is_kept(exchange: PaperExchange) -> None:
    exchange.under("crash=after")
    sent = leg("buy", "1")
    exchange.broker.submit(sent)

    assert exchange.exits == [1]
    assert exchange.seen(sent).status is LegStatus.FILLED
    exchange.broker.submit(sent)
    assert exchange.exits == [1]
    assert exchange.held() == 1


def test_what_is_refused_anyway_is_refused_under_every_scenario(exchange: PaperExchange) -> None:
    exchange.under("timeout=after")

    assert isinstance(exchange.broker.submit(leg("buy", "1000")), Rejected)
    assert exchange.held() == 0
