"""The order path on fakes over one account at a venue. In: a bench and its clock; out: the parts of the path, and signals."""

from typing import Any, cast

from fillpath.ids import new_id
from fillpath.orders.model import Operation, Order
from tests.contract.broker_bench import Bench
from tests.fakes.clock import FakeClock
from tests.fakes.controls import FakeControls
from tests.fakes.lane_queue import FakeLaneQueue
from tests.fakes.order_store import FakeOrderStore
from tests.fakes.reversal_runner import FakeReversalRunner
from tests.fakes.tables import FakeTables
from tests.fakes.telemetry import FakeTelemetry
from tests.fakes.verification_queue import FakeVerificationQueue
from tests.orders.floor import Fakes, signal
from tests.orders.house import House
from tests.orders.venue import Venue
from tests.simulators.events import SimOrder


def order_path(at: Bench, clock: FakeClock) -> Fakes:
    """All that it works with; its desk is the bench's."""
    tables = FakeTables()
    lanes, checks = FakeLaneQueue(clock), FakeVerificationQueue(clock)
    controls, telemetry = FakeControls(tables), FakeTelemetry()
    orders, reversals = FakeOrderStore(tables), FakeReversalRunner()
    return Fakes(tables, clock, orders, lanes, checks, reversals, controls, cast(Venue, at.desk), telemetry)


def wished(at: Bench, on: Fakes, operation: Operation, quantity: int | None, **more: Any) -> Order:
    """A signal that is carried out to its end."""
    root = at.broker.contract(at.contract).instrument.root
    known = {"account_id": at.account.account_id, "venue": at.key, "symbol": at.contract, "root": root, "contract": at.contract}
    order = signal(on, operation, quantity, **known | more)
    for _ in range(2):
        House(on, lane=order.lane).settle(30)
        at.renew()
    return on.orders.get(order.order_id)


def levels(at: Bench, on: Fakes) -> dict[str, Any]:
    """What makes an entry a bracket: exits forty ticks away on either side of it."""
    return {"take_profit": at.away(40), "stop_loss": at.away(-40), "protection_id": new_id(on.clock.now())}


def working(at: Bench) -> list[SimOrder]:
    """What works at the venue."""
    return [order for order in at.simulator.exchange.orders() if not order.status.ended]
