"""Orders whose answer was lost, at venues that know an order only by what was sent and when: found if there, absent if not."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from fillpath.orders.model import Leg, Operation, OrderState, OrderType
from fillpath.orders.outcomes import Outcome
from fillpath.orders.ports.desk import AccountRef
from fillpath_brokers.desk import BrokerDesk
from tests.contract.broker_bench import Bench, bench
from tests.contract.order_path import levels, order_path, wished, working
from tests.fakes.clock import FakeClock
from tests.orders.floor import Fakes
from tests.orders.house import House

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]

LOST: dict[str, Any] = {"drop": True, "when": "after", "times": 1, "match": {"method": "POST", "path": "order"}}
LONG_AFTER_S = 400


@pytest.fixture(params=["schwab", "tradestation"])
def key(request: pytest.FixtureRequest) -> str:
    """Of such a venue."""
    return str(request.param)


@pytest.fixture
def at(key: str, clock: FakeClock) -> Iterator[Bench]:
    """One whose clock is right."""
    with bench(key, clock) as found:
        yield found


@pytest.mark.parametrize("ahead_s", [-120, -30, -6, 0, 6, 30, 120, 300])
def test_clocks_that_differ_neither_hide_an_order_nor_show_another_one(key: str, clock: FakeClock, ahead_s: int) -> None:
    with bench(key, clock, timedelta(seconds=ahead_s)) as at:
        resting: dict[str, Any] = {"type": OrderType.LIMIT, "limit_price": at.away(-40)}
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
    pair: dict[str, Any] = {"type": OrderType.OCO, "limit_price": at.away(40), "stop_price": at.away(-40), "reduce_only": True}
    never, there = at.leg("sell", "2", **pair), at.leg("sell", "1", **pair)
    at.simulator.faults.add(LOST)
    at.desk.submit(at.account, there)
    clock.sleep(LONG_AFTER_S)
    assert at.desk.look_up(at.account, never) is None
    assert at.desk.look_up(at.account, there) is not None


# --- in the order path ----------------------------------------------------------------------------------------------------------


class Meddled(BrokerDesk):
    """The account's desk, which tells what it is about to send."""

    def __init__(self, at: Bench, about_to: Callable[[Leg], None]) -> None:
        super().__init__(at.services)
        self._about_to = about_to

    def submit(self, account: AccountRef, leg: Leg) -> Outcome:
        """Tell first."""
        self._about_to(leg)
        return super().submit(account, leg)


def path(at: Bench, clock: FakeClock, about_to: Callable[[Leg], None]) -> Fakes:
    return order_path(replace(at, desk=Meddled(at, about_to)), clock)


@pytest.mark.parametrize("ahead_s", [-30, 30])
def test_protection_is_not_placed_twice_because_clocks_differ(key: str, clock: FakeClock, ahead_s: int) -> None:
    with bench(key, clock, timedelta(seconds=ahead_s)) as at:

        def about_to(leg: Leg) -> None:
            if leg.leg == "protect-1":
                at.simulator.faults.add({**LOST, "match": {"method": "POST", "path": "order"}})

        on = path(at, clock, about_to)
        wished(at, on, Operation.ENTER_LONG, 3, **levels(at, on))
        wished(at, on, Operation.EXIT_LONG, 1)
        assert at.held() == 2
        stops = sum((order.state.remaining for order in working(at) if order.state.type is OrderType.STOP), Decimal(0))
        assert stops == 2


def test_an_exit_that_was_cut_and_lost_is_recorded_as_filled(at: Bench, clock: FakeClock) -> None:
    closing = False

    def about_to(_: Leg) -> None:
        if closing:
            at.simulator.exchange.set_position(at.contract, Decimal(2), at.price)
            at.simulator.faults.add(LOST)

    on = path(at, clock, about_to)
    wished(at, on, Operation.ENTER_LONG, 3)
    closing = True
    order = wished(at, on, Operation.CLOSE, None)
    assert at.held() == 0
    assert order.state is not OrderState.REJECTED


def test_protection_outlives_an_account_that_cannot_be_read(at: Bench, clock: FakeClock) -> None:
    on = path(at, clock, lambda _: None)
    wished(at, on, Operation.ENTER_LONG, 2, **levels(at, on))
    at.simulator.faults.add({"status": 200, "body": {"errors": ["later"]}, "match": {"path": "fields=positions|/positions"}})
    on.sweep()
    assert len(working(at)) == 2
    order = wished(at, on, Operation.CLOSE, None)
    at.simulator.faults.clear()
    assert order.state is not OrderState.SKIPPED
    assert len(working(at)) == 2 or at.held() == 0


NOT_FOUND: list[dict[str, Any]] = [
    {"status": 404, "body": {"Error": "NotFound", "Message": "Account not found"}},
    {"status": 404, "body": {"Error": "Not Found", "Message": "HTTP 404 Not Found"}},
    {"status": 200, "body": {"Orders": [], "Errors": [{"AccountID": "SIM1", "Message": "Account SIM1 not found"}]}},
]


@pytest.mark.parametrize("answer", NOT_FOUND)
def test_an_account_that_is_not_found_proves_nothing_of_its_orders(clock: FakeClock, answer: dict[str, Any]) -> None:
    with bench("tradestation", clock) as at:
        on = path(at, clock, lambda _: None)
        at.simulator.faults.add(LOST)
        at.simulator.faults.add({**answer, "match": {"method": "GET", "path": "orders"}})
        order = wished(at, on, Operation.ENTER_LONG, 2)
        assert order.state is OrderState.UNKNOWN
        at.simulator.faults.clear()
        House(on, lane=order.lane).settle()
        assert on.get(order).state is OrderState.FILLED
