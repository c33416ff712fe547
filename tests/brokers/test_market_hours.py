"""Whether a market is open, and what is told while it is not; Thanksgiving 2026 and the days around it."""

import logging
from datetime import UTC, datetime

import pytest

from fillpath.market.instruments import instruments
from fillpath.market.ports.trading_hours import Session
from fillpath.orders.outcomes import Rejected, Unknown
from fillpath_brokers.market_hours import MarketHours
from tests.fakes.clock import FakeClock
from tests.fakes.trading_hours import FakeTradingHours

AAPL, ES, CL, FDAX, BTC = (instruments()[root] for root in ("AAPL", "ES", "CL", "FDAX", "BTCUSD"))


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of November 2026 in UTC."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


XNYS = (Session(at(25, 14, 30), at(25, 21)), Session(at(27, 14, 30), at(27, 18)), Session(at(30, 14, 30), at(30, 21)))
CMES = (
    Session(at(24, 23), at(25, 22)),
    Session(at(25, 23), at(26, 18)),
    Session(at(26, 23), at(27, 18)),
    Session(at(29, 23), at(30, 22)),
)


@pytest.fixture
def hours() -> FakeTradingHours:
    known = FakeTradingHours()
    known.publish("XNYS", XNYS, at(26, 0))
    known.publish("CMES", CMES, at(26, 0))
    return known


def market(hours: FakeTradingHours, now: datetime) -> MarketHours:
    return MarketHours(hours, FakeClock(now))


@pytest.mark.parametrize(
    ("now", "opened"),
    [
        (at(25, 14, 29), False),
        (at(25, 14, 30), True),
        (at(25, 20, 59), True),
        (at(25, 21), False),
        (at(26, 16), False),
        (at(27, 17, 59), True),
        (at(27, 18), False),
        (at(28, 16), False),
        (at(30, 15), True),
    ],
)
def test_shares_trade_in_their_sessions_from_the_open_until_before_the_close(
    hours: FakeTradingHours, now: datetime, opened: bool
) -> None:
    assert market(hours, now).is_open(AAPL) is opened


@pytest.mark.parametrize(
    ("now", "of_indices", "of_energy"),
    [
        (at(25, 21, 59), True, True),
        (at(25, 22), False, False),
        (at(25, 23), True, True),
        (at(26, 18), True, True),
        (at(26, 18, 15), False, True),
        (at(26, 19, 44), False, True),
        (at(26, 19, 45), False, False),
        (at(26, 22, 59), False, False),
        (at(26, 23), True, True),
        (at(28, 12), False, False),
    ],
)
def test_futures_pause_daily_and_count_as_closed_on_a_short_day_once_all_of_them_are(
    hours: FakeTradingHours, now: datetime, of_indices: bool, of_energy: bool
) -> None:
    assert (market(hours, now).is_open(ES), market(hours, now).is_open(CL)) == (of_indices, of_energy)


@pytest.mark.parametrize("now", [at(26, 16), at(28, 3)])
def test_coins_trade_always(hours: FakeTradingHours, now: datetime) -> None:
    assert market(hours, now).is_open(BTC)
    assert market(hours, now).closed_text(BTC, "BTCUSD") is None


def test_where_nothing_is_known_a_market_is_open(hours: FakeTradingHours) -> None:
    assert market(hours, at(26, 3)).is_open(FDAX)
    assert market(hours, at(26, 3)).closed_text(FDAX, "FDAXZ6") is None


def test_after_the_last_session_that_is_known_a_market_is_open(hours: FakeTradingHours) -> None:
    assert market(hours, at(30, 21)).is_open(AAPL)
    assert market(hours, at(30, 21)).closed_text(AAPL, "AAPL") is None


def test_hours_that_cannot_be_read_keep_nobody_from_trading(hours: FakeTradingHours, caplog: pytest.LogCaptureFixture) -> None:
    hours.fails = True
    with caplog.at_level(logging.WARNING):
        assert market(hours, at(26, 16)).is_open(AAPL)
    (record,) = caplog.records
    assert "XNYS" in record.getMessage()
    assert market(hours, at(26, 16)).closed_text(AAPL, "AAPL") is None


SHARES = "Market closed: AAPL trades Mon-Fri 09:30-16:00 America/New_York"
FUTURES = "Market closed: ESZ6 trades Sunday 18:00 to Friday 17:00 America/New_York, closed daily 17:00-18:00"


@pytest.mark.parametrize(
    ("contract", "now", "usual", "again"),
    [
        ("AAPL", at(26, 16), SHARES, "2026-11-27 14:30 UTC (09:30 New York)"),
        ("AAPL", at(27, 18), SHARES, "2026-11-30 14:30 UTC (09:30 New York)"),
        ("ESZ6", at(26, 20), FUTURES, "2026-11-26 23:00 UTC (18:00 New York)"),
    ],
)
def test_who_comes_too_late_is_told_when_it_opens_again(
    hours: FakeTradingHours, contract: str, now: datetime, usual: str, again: str
) -> None:
    instrument = AAPL if contract == "AAPL" else ES
    assert market(hours, now).closed_text(instrument, contract) == f"{usual}; it opens again {again}"


def test_an_open_market_has_no_such_text(hours: FakeTradingHours) -> None:
    assert market(hours, at(27, 15)).closed_text(AAPL, "AAPL") is None


@pytest.mark.parametrize("reason", ["market_closed", "insufficient_margin"])
def test_only_a_refusal_because_of_the_hours_is_explained(hours: FakeTradingHours, reason: str) -> None:
    refused = Rejected(reason, "no")
    told = market(hours, at(26, 16)).explained(refused, "AAPL")
    assert told.reason == reason
    assert ("it opens again" in told.text) is (reason == "market_closed")
    assert market(hours, at(26, 16)).explained(Unknown("late"), "AAPL") == Unknown("late")
    assert market(hours, at(25, 15)).explained(refused, "AAPL") == refused
