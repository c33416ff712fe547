"""Out of everything by the venue's own means, while the venue refuses one of the cancellations."""

from collections.abc import Iterator
from typing import Any

import pytest

from cli.flattening import flatten_at_venue
from fillpath.orders.model import Operation, OrderState, OrderType
from tests.contract.broker_bench import Bench, bench, traders
from tests.contract.order_path import levels, order_path, wished, working
from tests.fakes.clock import FakeClock

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]

NOT_NOW: dict[str, Any] = {
    "status": 400,
    "body": {"message": "Order cannot be canceled in its present state", "Error": "FAILED", "Message": "Order is pending"},
}


@pytest.fixture(params=traders())
def at(request: pytest.FixtureRequest, clock: FakeClock) -> Iterator[Bench]:
    """Each venue that is reached over HTTP, with a position that has a take profit and a stop loss."""
    with bench(str(request.param), clock) as found:
        on = order_path(found, clock)
        entry = wished(found, on, Operation.ENTER_LONG, 2, **levels(found, on))
        assert entry.state is OrderState.FILLED
        yield found


def refuse(at: Bench, **more: Any) -> None:
    """The venue refuses cancellations."""
    match = {"method": "POST", "path": "order/cancelorder"} if at.key == "tradovate" else {"method": "DELETE", "path": "/orders"}
    at.simulator.faults.add({**NOT_NOW, "match": match, **more})


def test_one_refused_cancellation_keeps_nothing_open(at: Bench, clock: FakeClock) -> None:
    refuse(at, times=1)
    left = flatten_at_venue(at.broker, clock, 10)
    assert left.done
    assert len(left.troubles) == 1
    assert (at.held(), working(at)) == (0, [])


def test_exits_that_cannot_be_cancelled_keep_their_position_and_are_named(at: Bench, clock: FakeClock) -> None:
    refuse(at)
    left = flatten_at_venue(at.broker, clock, 10)
    assert not left.done
    assert sorted(order.type for order in left.working or ()) == [OrderType.LIMIT, OrderType.STOP]
    if at.key == "schwab":  # where no sale that closes can open a short
        assert (left.asked, at.held()) == ((at.contract,), 0)
    else:
        assert (list(left.failed), at.held(), len(working(at))) == ([at.contract], 2, 2)
