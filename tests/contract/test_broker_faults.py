"""The order path over every venue while answers are lost, requests vanish or come late, servers fail and venues do not listen:
no order twice, none without a trace.

In virtual time: the venue's simulator, the adapter and the order path share one clock, so that quarantines pass at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from fillpath.ids import new_id
from fillpath.orders.model import Leg, LegStatus, Operation, Order, OrderState
from fillpath_brokers import registry
from tests.contract.broker_bench import Bench, bench, traders
from tests.contract.order_path import order_path
from tests.contract.venue_time import VenueTime
from tests.orders.floor import Fakes, signal
from tests.orders.house import House
from tests.simulators.events import SimOrder
from tests.simulators.server import venue

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]

SEEDS = range(12)
FAULTS: list[dict[str, Any]] = [
    {"drop": True, "when": "after"},
    {"drop": True, "when": "before"},
    {"status": 500, "when": "after"},
    {"status": 503, "when": "before"},
    {"status": 504, "when": "after"},
    {"status": 429, "when": "before", "headers": {"Retry-After": "2"}},
    {"status": 429, "when": "before"},
    {"overdue_ms": 9_000},
    {"overdue_ms": 60_000},
]
"""Of requests. Those that are overdue are carried out after we gave up, and before an absence proves anything."""
OF_TOKENS: dict[str, Any] = {"expire_tokens": True}
BEGINS = datetime(2026, 11, 25, 10, tzinfo=UTC)
LONGEST_SILENCE_S = 3_660
"""A bit more than a venue wants after a 429."""
WISHES = (
    Operation.ENTER_LONG,
    Operation.ENTER_SHORT,
    Operation.EXIT_LONG,
    Operation.CLOSE,
)


@dataclass(frozen=True)
class Run:
    """One account at one venue, and the order path on fakes over it."""

    at: Bench
    on: Fakes
    random: Random

    @property
    def orders(self) -> list[Order]:
        """Every order that was made."""
        return list(self.on.tables.orders.values())

    @property
    def legs(self) -> list[Leg]:
        """Everything that was sent, but for what a venue placed by itself with a bracket."""
        return [leg for order in self.orders for leg in order.legs if leg.attempts and leg.leg != "exits"]

    @property
    def placed(self) -> list[SimOrder]:
        """Every order at the venue, but for what it placed by itself: exits of brackets, and the second of a pair."""
        orders = self.at.simulator.exchange.orders()
        pairs = {order.state.other for order in orders if order.state.other and order.state.limit_price is not None}
        return [order for order in orders if not order.state.parent and order.id not in pairs]

    @property
    def of_the_venue(self) -> list[dict[str, Any]]:
        """What can go wrong at this one besides."""
        with_tokens = registry.sign_in(self.at.key).renew_before is not None
        return [*((OF_TOKENS,) if with_tokens else ()), *getattr(venue(self.at.key), "TROUBLES", ())]

    def wish(self, operation: Operation, quantity: int) -> None:
        """One signal, carried out while something goes wrong; then everything has time to be found out."""
        instrument = self.at.broker.contract(self.at.contract).instrument
        up = 1 if operation is Operation.ENTER_LONG else -1
        levels = {"take_profit": self.at.away(40 * up), "stop_loss": self.at.away(-40 * up)}
        bracket = operation in {Operation.ENTER_LONG, Operation.ENTER_SHORT} and self.random.random() < 0.5
        fields: dict[str, Any] = {
            "account_id": self.at.account.account_id,
            "venue": self.at.key,
            "symbol": self.at.contract,
            "root": instrument.root,
            "contract": self.at.contract,
        }
        fields |= (
            {**levels, "protection_id": f"{new_id(self.on.clock.now())[:10]}{len(self.on.tables.orders):016}"} if bracket else {}
        )
        order = signal(self.on, operation, quantity, **fields)
        self.go_wrong()
        House(self.on, lane=order.lane).settle()
        self.at.simulator.faults.clear()
        self.on.clock.sleep(LONGEST_SILENCE_S)
        self.at.renew()
        House(self.on, lane=order.lane).settle()

    def go_wrong(self) -> None:
        """Some of the next requests, those that place orders more often than others."""
        for _ in range(self.random.randint(1, 3)):
            fault = self.random.choice([*FAULTS, *self.of_the_venue])
            if not fault.keys() & {"status", "drop", "overdue_ms"}:
                self.at.simulator.faults.add(fault)
                continue
            fault = {**fault, "times": self.random.randint(1, 2)}
            method, path = self.random.choice(self.at.simulator.placing)
            match = {"method": method, "path": path} if self.random.random() < 0.7 else {}
            self.at.simulator.faults.add({**fault, "match": match})


@pytest.fixture
def run(request: pytest.FixtureRequest) -> Iterator[Run]:
    key, seed = request.param
    clock = VenueTime(BEGINS)
    with bench(key, clock) as at:
        clock.faults = at.simulator.faults
        yield Run(at, order_path(at, clock), Random(seed))


@pytest.mark.parametrize(
    "run", [(key, seed) for key in traders() for seed in SEEDS], indirect=True, ids=lambda each: f"{each[0]}-{each[1]}"
)
def test_no_order_is_placed_twice_and_none_is_lost(run: Run) -> None:
    for _ in range(4):
        run.wish(run.random.choice(WISHES), run.random.randint(1, 3))

    run.at.renew()
    in_doubt = [leg for leg in run.legs if leg.status in {LegStatus.UNKNOWN, LegStatus.SUBMITTING}]
    seen = [leg for leg in run.legs if leg.broker_order_id]
    assert len(run.placed) <= len(seen) + len(in_doubt), "an order stands at the venue that nobody knows of"
    assert len({leg.broker_order_id for leg in seen}) == len(seen), "two legs believe in one order"
    stuck = [o for o in run.orders if not o.state.ended and o.state not in {OrderState.UNKNOWN, OrderState.WORKING}]
    assert stuck == []
    if not in_doubt:
        believed = sum((leg.side.sign * leg.filled_quantity for order in run.orders for leg in order.legs), Decimal(0))
        assert believed == run.at.held(), "what was filled is not what is recorded"
