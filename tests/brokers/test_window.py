"""When a lost order can have been placed, by the clock of its venue."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime

import pytest

from fillpath.errors import BrokerUnavailable
from fillpath.orders.model import Leg, OrderType, Side
from fillpath_brokers.web import Reply
from fillpath_brokers.window import Apart, VenueClock, Window, quantity_fits
from tests.fakes.clock import FakeClock

NOW = datetime(2026, 11, 25, 15, 4, 5, tzinfo=UTC)
SECOND = timedelta(seconds=1)
WINDOW = Window(NOW, NOW + 10 * SECOND)


def leg(**fields: object) -> Leg:
    known = {"leg": "main", "client_order_id": "c", "contract": "ESZ6", "side": Side.SELL, "quantity": Decimal(3)}
    return Leg.model_validate({**known, **fields})


def measured(date: str | None, answer_takes_s: float = 0) -> Apart | None:
    clock = FakeClock(NOW)
    of_venue = VenueClock(clock)

    def ask() -> Reply:
        clock.sleep(answer_takes_s)
        return Reply(200, {} if date is None else {"Date": date}, b"")

    of_venue.measured(ask)
    return of_venue.apart


@pytest.mark.parametrize("ahead_s", [-7200, -30, 0, 30, 7200])
@pytest.mark.parametrize("answer_takes_s", [0, 0.5, 3, 20])
def test_how_far_the_clocks_are_apart_lies_between_what_an_answer_can_mean(ahead_s: int, answer_takes_s: float) -> None:
    for told_after_s in (0, answer_takes_s):
        at = NOW + timedelta(seconds=ahead_s + told_after_s)
        apart = measured(format_datetime(at, usegmt=True), answer_takes_s)
        assert apart is not None
        assert apart.least <= timedelta(seconds=ahead_s) <= apart.most
        assert apart.most - apart.least <= timedelta(seconds=1 + answer_takes_s)


@pytest.mark.parametrize("date", [None, "", "yesterday", "2026-11-25T15:04:05Z"])
def test_an_answer_without_a_readable_date_says_nothing_of_the_clock(date: str | None) -> None:
    assert measured(date) is None


def test_an_answer_that_came_too_late_says_nothing_of_the_clock() -> None:
    assert measured(format_datetime(NOW, usegmt=True), 21) is None


def test_the_window_moves_with_the_clock_it_is_told_by() -> None:
    moved = WINDOW.by(Apart(29 * SECOND, 31 * SECOND))
    assert (moved.opens, moved.closes, moved.certain) == (NOW + 29 * SECOND, NOW + 41 * SECOND, True)
    assert not moved.may_hold(NOW)


def test_by_a_clock_that_nobody_knows_it_may_hold_what_is_a_quarter_of_an_hour_away() -> None:
    unsure = WINDOW.by(None)
    assert unsure.holds(NOW)
    assert not unsure.holds(NOW - SECOND)
    assert unsure.may_hold(NOW - timedelta(minutes=15))
    assert not unsure.may_hold(NOW - timedelta(minutes=15, seconds=1))
    assert not unsure.may_hold(None)


def test_a_leg_that_was_never_prepared_has_no_window() -> None:
    with pytest.raises(BrokerUnavailable):
        Window.of(leg(), 5, 180)


@pytest.mark.parametrize(
    ("fields", "fitting"),
    [
        ({"type": OrderType.MARKET, "reduce_only": True}, [1, 2, 3]),
        ({"type": OrderType.MARKET}, [3]),
        ({"type": OrderType.LIMIT, "limit_price": Decimal(1), "reduce_only": True}, [3]),
    ],
)
def test_only_what_reduces_at_the_market_may_be_smaller_than_its_leg(fields: dict[str, object], fitting: list[int]) -> None:
    assert [each for each in range(5) if quantity_fits(leg(**fields), Decimal(each))] == fitting
