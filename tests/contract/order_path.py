"""The order path on fakes over one account at a venue. In: a bench and its clock; out: the parts of the path."""

from typing import cast

from tests.contract.broker_bench import Bench
from tests.fakes.clock import FakeClock
from tests.fakes.controls import FakeControls
from tests.fakes.lane_queue import FakeLaneQueue
from tests.fakes.order_store import FakeOrderStore
from tests.fakes.reversal_runner import FakeReversalRunner
from tests.fakes.tables import FakeTables
from tests.fakes.telemetry import FakeTelemetry
from tests.fakes.verification_queue import FakeVerificationQueue
from tests.orders.floor import Fakes
from tests.orders.venue import Venue


def order_path(at: Bench, clock: FakeClock) -> Fakes:
    """All that it works with; its desk is the bench's."""
    tables = FakeTables()
    lanes, checks = FakeLaneQueue(clock), FakeVerificationQueue(clock)
    controls, telemetry = FakeControls(tables), FakeTelemetry()
    orders, reversals = FakeOrderStore(tables), FakeReversalRunner()
    return Fakes(tables, clock, orders, lanes, checks, reversals, controls, cast(Venue, at.desk), telemetry)
