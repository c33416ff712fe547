"""A floor of fakes on which the use cases of the order path run, and orders to put on it."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from fillpath.accounts.capabilities import Capabilities
from fillpath.ids import new_id
from fillpath.orders.act import ComeBack
from fillpath.orders.execute import execute
from fillpath.orders.floor import Floor
from fillpath.orders.messages import CheckRequest, Step
from fillpath.orders.model import Lane, Listing, Operation, Order, OrderState, OrderType
from fillpath.orders.outcomes import Position
from fillpath.orders.ports.desk import AccountRef
from fillpath.orders.ports.order_store import LaneView
from fillpath.orders.reverse import reverse
from fillpath.orders.sweep import sweep
from fillpath.orders.verify import verify
from tests.fakes.clock import FakeClock
from tests.fakes.controls import FakeControls
from tests.fakes.lane_queue import FakeLaneQueue
from tests.fakes.order_store import FakeOrderStore
from tests.fakes.reversal_runner import FakeReversalRunner
from tests.fakes.tables import FakeTables
from tests.fakes.telemetry import FakeTelemetry
from tests.fakes.verification_queue import FakeVerificationQueue
from tests.orders.faults import Fuse, ProcessDied, fused
from tests.orders.venue import DEDUPLICATES, Venue

ACCOUNT = "A1"
LANE = Lane(ACCOUNT, "ES")
CONTRACT = "ESZ6"


@dataclass(frozen=True, slots=True)
class Fakes:
    """The fakes behind a floor."""

    tables: FakeTables
    clock: FakeClock
    orders: FakeOrderStore
    lanes: FakeLaneQueue
    checks: FakeVerificationQueue
    reversals: FakeReversalRunner
    controls: FakeControls
    desk: Venue
    telemetry: FakeTelemetry

    @property
    def floor(self) -> Floor:
        """The floor they make."""
        return Floor(self.orders, self.lanes, self.checks, self.reversals, self.controls, self.desk, self.telemetry, self.clock)

    def run(self, lane: Lane = LANE) -> ComeBack | None:
        """Wake the lane once."""
        return execute(lane, self.floor, self.clock.now() + timedelta(seconds=25))

    def run_and_die(self, call: str, *, after: bool, lane: Lane = LANE) -> None:
        """Wake the lane in a process that ends before or after this call; the wake-up comes back when its run is over."""
        with suppress(ProcessDied):
            execute(lane, fused(self.floor, Fuse(only=call, after=after)), self.clock.now() + timedelta(seconds=25))
        self.clock.sleep(30)

    def reverse(self, order: Order, first: Step = Step.PREPARE) -> list[str]:
        """Run the order's reversal as its state machine does; returns the steps it took."""
        step, steps = first, []
        while step != "end":
            steps.append(str(step))
            result = reverse(Step(step), order.order_id, self.floor, self.clock.now() + timedelta(seconds=30))
            step = step if result.next == "wait" else result.next  # type: ignore[assignment]  # `end` ends the loop
            self.clock.sleep(result.wait_s)
        self.reversals.end(order.order_id)
        return steps

    def step(self, order: Order, step: Step) -> str:
        """Run one step of the order's reversal; the name of the next one."""
        return reverse(step, order.order_id, self.floor, self.clock.now() + timedelta(seconds=30)).next

    def verify(self, order: Order, leg: str = "main", after_s: float = 2) -> float | None:
        """Check a leg once, so many seconds from now."""
        self.clock.sleep(after_s)
        sent = self.get(order).leg(leg)
        attempt = max(1, sent.attempts if sent else 1)
        return verify(CheckRequest(order_id=order.order_id, leg=leg, fence=order.fence, attempt=attempt), self.floor)

    def sweep(self, after_s: float = 60) -> int:
        """Sweep once, so many seconds from now."""
        self.clock.sleep(after_s)
        return sweep(self.floor)

    def settle(self, turns: int = 12) -> None:
        """Run the lane and sweep, a minute apart, until nothing more should change."""
        for _ in range(turns):
            self.run()
            self.sweep()

    def lane(self, lane: Lane = LANE) -> LaneView:
        """The lane as it is now."""
        return self.orders.lane(lane)

    def state(self, order: Order) -> tuple[OrderState, str | None]:
        """The order's state and reason."""
        now = self.get(order)
        return now.state, now.reason

    def counted(self, name: str) -> int:
        """How often this was counted."""
        return sum(counted == name for counted, _ in self.telemetry.counts)

    def step_and_die(self, order: Order, step: Step, call: str, *, after: bool) -> None:
        """Run one step in a process that ends before or after this call."""
        with suppress(ProcessDied):
            floor = fused(self.floor, Fuse(only=call, after=after))
            reverse(step, order.order_id, floor, self.clock.now() + timedelta(seconds=30))

    def held(self) -> Decimal:
        """The position in the lane's root."""
        positions: tuple[Position, ...] = self.desk.positions(AccountRef(ACCOUNT, "fake"), "ES")
        return sum((p.quantity for p in positions), Decimal(0))

    def hold(self, quantity: int, contract: str = CONTRACT) -> None:
        """Have the account hold this much."""
        self.desk.held[ACCOUNT, contract] = Decimal(quantity)

    def get(self, order: Order) -> Order:
        """The order as it is now."""
        return self.orders.get(order.order_id)

    def exits(self, order: Order) -> Order:
        """The order that keeps the exits of a bracket."""
        assert order.protection_id is not None
        return self.orders.get(order.protection_id)


def fakes(capabilities: Capabilities = DEDUPLICATES) -> Fakes:
    """A floor with nothing on it, over a venue that can do this."""
    tables, clock = FakeTables(), FakeClock()
    return Fakes(
        tables,
        clock,
        FakeOrderStore(tables),
        FakeLaneQueue(clock),
        FakeVerificationQueue(clock),
        FakeReversalRunner(),
        FakeControls(tables),
        Venue(clock, capabilities),
        FakeTelemetry(),
    )


def signal(on: Fakes, operation: Operation, quantity: int | None = 1, **more: Any) -> Order:
    """Accept a signal into the lane."""
    now: datetime = on.clock.now()
    reduces = operation not in {Operation.ENTER_LONG, Operation.ENTER_SHORT, Operation.TARGET}
    fields: dict[str, Any] = {
        "order_id": new_id(now),
        "alert_id": new_id(now),
        "user_id": "U1",
        "account_id": ACCOUNT,
        "venue": "fake",
        "webhook_id": "W1",
        "symbol": "ES1!",
        "root": "ES",
        "contract": CONTRACT,
        "action": "buy",
        "operation": operation,
        "quantity": None if quantity is None else Decimal(quantity),
        "alert_time": now,
        "received_at": now,
        "deadline": now + timedelta(seconds=300 if reduces else 60),
        "reduces": reduces,
        "listing": Listing.WAITING,
    }
    on.clock.sleep(0.002)
    order = Order(**fields | more)
    on.orders.add(order)
    return order


def bracket(on: Fakes, operation: Operation = Operation.ENTER_LONG, quantity: int = 2, **more: Any) -> Order:
    """Accept an entry with a take profit and a stop loss, or those that `more` says."""
    up = operation is Operation.ENTER_LONG
    levels: dict[str, Any] = {"take_profit": Decimal(110 if up else 90), "stop_loss": Decimal(90 if up else 110)}
    return signal(on, operation, quantity, **levels | {"protection_id": new_id(on.clock.now())} | more)


def at_rest(on: Fakes, operation: Operation, quantity: int | None = 1, price: int = 90, **more: Any) -> Order:
    """Have a limit (or stop) order rest at the venue."""
    prices: dict[str, Any] = {"type": OrderType.LIMIT, "limit_price": Decimal(price), "stop_price": Decimal(price)}
    order = signal(on, operation, quantity, **prices | more)
    on.run()
    resting = on.get(order)
    assert resting.state is OrderState.WORKING, resting
    return resting


def to_target(on: Fakes, target: int, prev: int | None = None, **more: Any) -> Order:
    """Accept the signal of a strategy whose position goes from `prev` to `target`."""
    decided = {"target": Decimal(target), "prev": None if prev is None else Decimal(prev)}
    return signal(on, Operation.TARGET, None, **decided | {"reduces": target == 0} | more)


def reversing(on: Fakes, held: int = 2, **more: Any) -> Order:
    """A long position and an order to go short, handed over to its execution."""
    on.hold(held)
    order = signal(on, Operation.ENTER_SHORT, **more)
    on.run()
    assert on.get(order).state is OrderState.CLOSING
    return order
