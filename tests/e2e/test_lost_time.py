"""What takes its time: runs that are killed, sends that were lost, orders that never fill. All are begun at once."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest

from fillpath.orders.model import LegStatus, Order, OrderState
from tests.e2e.conftest import NewTrader
from tests.e2e.local_stack import LocalStack
from tests.e2e.trader import Trader
from tests.waiting import until

# The queue shows the wake-up of a killed run again after 30 s; the emulator takes 10 s to notice that a process is gone, in
# which no other lane acts.
RESUMED_S = 80.0
# A market order gives up its lane 10 s after it was sent.
TAKEN_OVER_S = 40.0
# How long after `submit_by` the venue may still take an order.
QUARANTINE = timedelta(seconds=10)


class Case(NamedTuple):
    """A trader and his order under one scenario."""

    trader: Trader
    order: Order

    def sent(self) -> bool:
        """Whether the order has come to the broker."""
        return bool(self.trader.look(self.order).legs)


Begun = dict[str, Case]


@pytest.fixture(scope="module")
def begun(traders: NewTrader) -> Begun:
    cases = {
        "never_fill": _begin(traders, "never_fill", times="1"),
        "timeout before": _begin(traders, "timeout", when="before", times="1"),
        "followed": _begin(traders, "partial_fill", fraction="0.5", times="1"),
    }
    for case in cases.values():
        until(case.sent)
    return cases | {f"crash {when}": _begin(traders, "crash", when=when) for when in ("before", "after")}


def _begin(traders: NewTrader, scenario: str, **settings: str) -> Case:
    trader = traders(wait_s=0)
    trader.scenario(scenario, **settings)
    return Case(trader, trader.order("buy", 2))


def test_a_check_that_finds_no_fill_three_times_is_given_up_to_the_dead_letters(begun: Begun, stack: LocalStack) -> None:
    trader, order = begun["never_fill"]
    order = until(lambda: trader.look(order), lambda now: bool(now.legs) and now.legs[0].checks == 1)
    assert stack.dead_checks(order) == []
    assert len(stack.verify(order, "main")) == 1
    assert stack.verify(order, "main") == []
    (dead,) = until(lambda: stack.dead_checks(order))
    assert (dead["leg"], dead["reason"]) == ("main", "WORKING after 3 checks")
    assert trader.look(order).state is OrderState.WORKING


def test_a_market_order_that_does_not_fill_gives_way_to_the_next_one(begun: Begun) -> None:
    trader, order = begun["followed"]
    close = trader.ended(trader.order("close"), TAKEN_OVER_S)
    order = trader.look(order)
    assert (order.state, order.filled_quantity) == (OrderState.CANCELLED, 1)
    assert (close.state, close.filled_quantity, trader.position()) == (OrderState.FILLED, 1, 0)


def test_a_send_that_never_arrived_ends_not_placed_once_that_is_certain(begun: Begun, stack: LocalStack) -> None:
    trader, order = begun["timeout before"]
    order = trader.became(order, OrderState.UNKNOWN)
    submit_by = order.legs[0].submit_by
    assert submit_by is not None
    until(lambda: datetime.now(UTC) > submit_by + QUARANTINE, patience_s=25)
    assert stack.verify(order, "main") == []
    order = trader.look(order)
    assert (order.state, order.reason, order.legs[0].status) == (OrderState.REJECTED, "not_placed", LegStatus.REJECTED)
    assert trader.broker_orders() == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_that_is_killed_at_the_broker_leaves_one_order_with_a_known_end(begun: Begun, when: str) -> None:
    trader, order = begun[f"crash {when}"]
    order = trader.ended(order, RESUMED_S)
    assert (order.state, order.filled_quantity, trader.position()) == (OrderState.FILLED, 2, 2)
    assert trader.broker_orders() == [order.legs[0].client_order_id]
