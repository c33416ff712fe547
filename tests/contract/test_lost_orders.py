"""Orders whose answer was lost, at venues that know an order only by what was sent and when: found if there, absent if not."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fillpath.orders.model import OrderType
from tests.contract.broker_bench import Bench, bench
from tests.fakes.clock import FakeClock

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]

LOST: dict[str, Any] = {"drop": True, "when": "after", "times": 1, "match": {"method": "POST", "path": "order"}}
LONG_AFTER_S = 400


@pytest.fixture(params=["schwab", "tradestation"])
def key(request: pytest.FixtureRequest) -> str:
    """Of such a venue."""
    return str(request.param)


@pytest.fixture
def clock() -> FakeClock:
    """Ours."""
    return FakeClock(datetime.now(UTC).replace(microsecond=0))


@pytest.fixture
def at(key: str, clock: FakeClock) -> Iterator[Bench]:
    """One whose clock is right."""
    with bench(key, clock) as found:
        yield found


@pytest.mark.parametrize("ahead_s", [-120, -30, -6, 0, 6, 30, 120, 300])
def test_clocks_that_differ_neither_hide_an_order_nor_show_another_one(key: str, clock: FakeClock, ahead_s: int) -> None:
    with bench(key, clock, timedelta(seconds=ahead_s)) as at:
        resting = {"type": OrderType.LIMIT, "limit_price": at.away(-40)}
        before, there, never = at.leg("buy", **resting), at.leg("buy", "3", **resting), at.leg("buy", "4", **resting)
        at.simulator.faults.add({**LOST, "times": 2})
        at.desk.submit(at.account, before)
        at.desk.submit(at.account, there)
        at.simulator.faults.add({**LOST, "when": "before"})
        at.desk.submit(at.account, never)
        clock.sleep(LONG_AFTER_S)
        again = at.leg("buy", **resting)
        assert at.desk.look_up(at.account, before) is not None
        assert at.desk.look_up(at.account, there) is not None
        assert at.desk.look_up(at.account, never) is None
        assert at.desk.look_up(at.account, again) is None


def test_a_reduction_that_was_cut_before_it_was_lost_is_found(at: Bench, clock: FakeClock) -> None:
    at.hold(2)
    clock.sleep(30)
    leg = at.leg("sell", "3", reduce_only=True)
    at.simulator.faults.add(LOST)
    at.desk.submit(at.account, leg)
    assert at.held() == 0
    clock.sleep(LONG_AFTER_S)
    view = at.desk.look_up(at.account, leg)
    assert view is not None
    assert view.filled_quantity == 2


def test_a_pair_is_not_taken_for_one_of_another_size(at: Bench, clock: FakeClock) -> None:
    at.hold(3)
    clock.sleep(30)
    pair = {"type": OrderType.OCO, "limit_price": at.away(40), "stop_price": at.away(-40), "reduce_only": True}
    never, there = at.leg("sell", "2", **pair), at.leg("sell", "1", **pair)
    at.simulator.faults.add(LOST)
    at.desk.submit(at.account, there)
    clock.sleep(LONG_AFTER_S)
    assert at.desk.look_up(at.account, never) is None
    assert at.desk.look_up(at.account, there) is not None
