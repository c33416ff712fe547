"""Request limits at every venue: our own keep a busy account below the venue's, and what a venue says all the same is heeded."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from fillpath.errors import NotSent
from fillpath.orders.model import Operation, OrderState
from fillpath_brokers import registry
from fillpath_brokers.facade import Broker
from tests.contract.broker_bench import Bench, bench, traders
from tests.contract.order_path import order_path, wished
from tests.fakes.clock import FakeClock
from tests.simulators.options import LIMITS, REQUESTS

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]

LONGEST_WINDOW_MIN = {"tradestation": 5, "tradovate": 60}
"""Over which a venue counts; a minute where it is not named here."""
QUESTIONS: tuple[Callable[[Broker], Any], ...] = (
    lambda broker: broker.positions(),
    lambda broker: broker.orders(),
    lambda broker: broker.balances(),
)
"""For exits and for others."""
WAITS_S = {"alpaca": [40], "schwab": [60], "tradestation": [60] * 5, "tradovate": [3600]}
"""What an account waits that has used up all it may ask 20 s before: Alpaca tells how long, of the others it is known."""


def keep_asking(at: Bench, clock: FakeClock, minutes: int) -> None:
    """Ask all the time, and of what has to wait later."""
    broker, end = at.broker, clock.now() + timedelta(minutes=minutes)
    while clock.now() < end:
        waits = []
        for question in QUESTIONS:
            try:
                question(broker)
            except NotSent as exc:
                waits.append(exc.delay_s)
        if len(waits) == len(QUESTIONS):
            clock.sleep(min(waits))


@pytest.mark.parametrize("key", traders())
def test_a_busy_account_never_hears_that_it_asks_too_often(key: str) -> None:
    clock, minutes = FakeClock(), LONGEST_WINDOW_MIN.get(key, 1) + 1
    with bench(key, clock, hurried=False) as at:
        keep_asking(at, clock, minutes)
        asked = sum(at.simulator.application[REQUESTS].values())
        assert asked > minutes * (registry.capabilities(key).requests_per_minute or 0), "it was not busy"
        assert at.simulator.application[LIMITS].refused == 0


@pytest.mark.parametrize("key", traders())
def test_an_account_that_hears_it_all_the_same_waits_as_long_as_it_takes(key: str) -> None:
    clock, waited = FakeClock(), list[float]()
    with bench(key, clock, hurried=False) as at:
        at.simulator.faults.add({"rate_limits": "used up"})
        clock.sleep(20)
        while len(waited) < 9:
            try:
                at.broker.positions()
                break
            except NotSent as exc:
                waited.append(exc.delay_s)
                clock.sleep(exc.delay_s)
        assert waited == WAITS_S[key]


@pytest.mark.parametrize("key", traders())
def test_a_close_goes_out_though_others_have_used_up_what_may_be_asked(key: str) -> None:
    clock = FakeClock()
    with bench(key, clock, hurried=False) as at:
        on = order_path(at, clock)
        wished(at, on, Operation.ENTER_LONG, 2)
        keep_asking(at, clock, 1)
        closed = wished(at, on, Operation.CLOSE, None)
        assert (closed.state, at.held()) == (OrderState.FILLED, 0)
