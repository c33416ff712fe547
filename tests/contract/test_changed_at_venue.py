"""Exits that a venue, or a person there, makes into something else: the position stays protected, and nothing more."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from fillpath.orders.model import LegStatus, Operation, Order, OrderState, OrderType
from fillpath_brokers.facade import Change, OrderRef
from tests.contract.broker_bench import Bench, bench, traders
from tests.contract.order_path import levels, order_path, wished, working
from tests.fakes.clock import FakeClock
from tests.orders.floor import Fakes
from tests.orders.house import House

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]


@pytest.fixture(params=traders())
def at(request: pytest.FixtureRequest, clock: FakeClock) -> Iterator[Bench]:
    """Each venue that is reached over HTTP."""
    with bench(str(request.param), clock) as found:
        yield found


@pytest.fixture
def on(at: Bench, clock: FakeClock) -> Fakes:
    """The order path over it."""
    return order_path(at, clock)


def sizes(at: Bench) -> dict[OrderType, Decimal]:
    """How much of each kind may still fill."""
    return {order.state.type: order.state.remaining for order in working(at)}


def minutes_pass(at: Bench, on: Fakes, entry: Order, minutes: int = 5) -> None:
    """Sweeps look, and lanes act."""
    for _ in range(minutes):
        on.sweep()
        at.renew()
    House(on, lane=entry.lane).settle()


def unlink(at: Bench) -> None:
    """From now on the venue does not take off one exit what fills of another."""
    for order in working(at):
        at.simulator.exchange.meddle(order.id, other=None, parent=None, reduce_only=False, withheld=Decimal(0))


def test_an_order_that_was_enlarged_there_is_closed_wholly(at: Bench, on: Fakes) -> None:
    entry = wished(at, on, Operation.ENTER_LONG, 2, type=OrderType.LIMIT, limit_price=at.away(-10))
    (leg,) = entry.legs
    at.broker.replace(OrderRef(leg.client_order_id, leg.broker_order_id, leg), Change(quantity=Decimal(3)))
    at.trades_at(at.away(-12))
    minutes_pass(at, on, entry, 1)
    assert on.state(entry) == (OrderState.FILLED, "overfilled")
    assert (on.get(entry).filled_quantity, on.counted("Overfilled")) == (3, 1)
    close = wished(at, on, Operation.CLOSE, None)
    assert (close.state, at.held()) == (OrderState.FILLED, 0)


def test_a_stop_that_stays_whole_when_the_target_took_a_part_cannot_cross_zero(at: Bench, on: Fakes) -> None:
    entry = wished(at, on, Operation.ENTER_LONG, 2, **levels(at, on))
    unlink(at)
    target = next(order for order in working(at) if order.state.type is OrderType.LIMIT)
    at.simulator.exchange.meddle(target.id, fill_cap=Decimal(1))
    at.trades_at(at.away(45))
    at.trades_at(at.away(0))
    assert sizes(at) == {OrderType.LIMIT: 1, OrderType.STOP: 2}
    minutes_pass(at, on, entry)
    assert sizes(at) == {OrderType.LIMIT: 1, OrderType.STOP: 1}
    at.trades_at(at.away(-45))
    assert at.held() == 0


def test_exits_that_stay_whole_over_a_half_filled_entry_cannot_cross_zero(at: Bench, on: Fakes) -> None:
    at.simulator.exchange.set_fill_mode("partial_fill", fraction="0.5", then="never")
    entry = wished(at, on, Operation.ENTER_LONG, 2, type=OrderType.LIMIT, limit_price=at.away(5), **levels(at, on))
    at.simulator.exchange.set_fill_mode("normal")
    assert at.held() == 1
    resting = next(order for order in working(at) if order.state.side == "buy")
    at.simulator.exchange.end_alone(resting.id, LegStatus.CANCELLED, "by hand")
    for order in working(at):
        at.simulator.exchange.meddle(order.id, withheld=Decimal(0), reduce_only=False)
    minutes_pass(at, on, entry)
    assert on.get(entry).filled_quantity == 1
    assert sizes(at) == {OrderType.LIMIT: 1, OrderType.STOP: 1}
    at.trades_at(at.away(-45))
    assert at.held() == 0


@pytest.mark.parametrize("dies", [OrderType.STOP, OrderType.LIMIT])
def test_an_exit_that_ends_alone_is_placed_again_with_its_other_half(at: Bench, on: Fakes, dies: OrderType) -> None:
    entry = wished(at, on, Operation.ENTER_LONG, 2, **levels(at, on))
    exit_ = next(order for order in working(at) if order.state.type is dies)
    at.simulator.exchange.end_alone(exit_.id, LegStatus.REJECTED, "risk")
    assert list(sizes(at)) != [OrderType.LIMIT, OrderType.STOP]
    minutes_pass(at, on, entry)
    assert sizes(at) == {OrderType.LIMIT: 2, OrderType.STOP: 2}
    assert on.exits(entry).state is OrderState.WORKING
    at.trades_at(at.away(-45))
    assert (at.held(), working(at)) == (0, [])


def test_both_exits_that_fill_are_told_and_what_they_opened_can_be_closed(at: Bench, on: Fakes) -> None:
    entry = wished(at, on, Operation.ENTER_LONG, 2, **levels(at, on))
    unlink(at)
    at.trades_at(at.away(45))
    at.trades_at(at.away(-45))
    assert at.held() == -2
    minutes_pass(at, on, entry)
    assert on.state(on.exits(entry)) == (OrderState.FILLED, "overfilled")
    assert on.counted("Overfilled") == 1
    close = wished(at, on, Operation.CLOSE, None)
    assert (close.state, at.held()) == (OrderState.FILLED, 0)


def test_an_exit_that_outlives_the_one_that_filled_is_cancelled(at: Bench, on: Fakes) -> None:
    entry = wished(at, on, Operation.ENTER_LONG, 2, **levels(at, on))
    unlink(at)
    at.trades_at(at.away(45))
    assert at.held() == 0
    minutes_pass(at, on, entry)
    assert working(at) == []
    assert on.exits(entry).filled_quantity == 2
    assert on.exits(entry).state.ended
