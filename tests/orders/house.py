"""What hosts the use cases, one thing at a time: queues that deliver again, executions of reversals, a sweep each minute."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from fillpath.errors import FillpathError
from fillpath.orders.execute import execute
from fillpath.orders.floor import Floor
from fillpath.orders.messages import CheckRequest, Step
from fillpath.orders.model import Lane
from fillpath.orders.ports.reversal_runner import ExecutionStatus
from fillpath.orders.ports.verification_queue import Check
from fillpath.orders.reverse import reverse
from fillpath.orders.sweep import sweep
from fillpath.orders.verify import verify
from tests.orders.faults import Fuse, ProcessDied, fused
from tests.orders.floor import LANE, Fakes

_HOP_S = 0.1
_QUIET_SWEEPS = 5


@dataclass
class _Message:
    group: str
    at: datetime
    handle: Callable[[], float | None]
    again_s: float


class House:
    """Runs everything that a floor's messages ask for until all is quiet."""

    def __init__(self, on: Fakes, fuse: Fuse | None = None, retries: int = 0, lane: Lane = LANE) -> None:
        self._on, self._retries = on, retries
        self._floor: Floor = fused(on.floor, fuse) if fuse else on.floor
        self._box: list[_Message] = []
        self._lanes = self._checks = 0
        self._executions: set[str] = set()
        for waiting in on.lane(lane).waiting:
            on.lanes.wake(lane, waiting.order_id)

    def settle(self, minutes: int = 12) -> None:
        """Deliver and sweep for so long, or until nothing is left to do, or sweeps change nothing any more."""
        end = self._on.clock.now() + timedelta(minutes=minutes)
        sweep_at = self._on.clock.now() + timedelta(minutes=1)
        quiet, before = 0, 0
        while self._on.clock.now() < end and quiet < _QUIET_SWEEPS:
            self._collect()
            first = min(self._heads(), key=lambda message: message.at, default=None)
            if first is None and not self._on.tables.open:
                return
            now = sum(order.version for order in self._on.tables.orders.values())
            quiet, before = quiet + 1 if first is None and now == before else 0, now
            if first is None or first.at > sweep_at:
                self._move_to(sweep_at)
                self._survive(lambda: float(sweep(self._floor)))
                sweep_at = max(sweep_at, self._on.clock.now()) + timedelta(minutes=1)
            else:
                self._deliver(first)

    def _deliver(self, message: _Message) -> None:
        self._move_to(message.at)
        again_s = self._survive(message.handle, message.again_s)
        if again_s is None:
            self._box.remove(message)
        else:
            message.at = self._on.clock.now() + timedelta(seconds=max(again_s, _HOP_S))

    def _survive(self, work: Callable[[], float | None], again_s: float = 0) -> float | None:
        try:
            return work()
        except (FillpathError, ProcessDied):
            return again_s

    def _heads(self) -> list[_Message]:
        heads: dict[str, _Message] = {}
        for message in self._box:
            heads.setdefault(message.group, message)
        return list(heads.values())

    def _collect(self) -> None:
        for wake_up in self._on.lanes.messages[self._lanes :]:
            self._box.append(_Message(str(wake_up.lane), wake_up.at, self._wake(wake_up.lane), 30))
        for sent in self._on.checks.messages[self._checks :]:
            due = sent.at + timedelta(seconds=2)
            self._box.append(_Message(f"check {sent.check.check_id}", due, self._check(sent.check), 180))
        self._lanes, self._checks = len(self._on.lanes.messages), len(self._on.checks.messages)
        for order_id, status in self._on.reversals.executions.items():
            if status is ExecutionStatus.RUNNING and order_id not in self._executions:
                self._executions.add(order_id)
                run = _Execution(order_id, self._on, self._floor, self._retries)
                self._box.append(_Message(f"execution {order_id}", self._on.clock.now(), run, 1))

    def _wake(self, lane: Lane) -> Callable[[], float | None]:
        def handle() -> float | None:
            step = execute(lane, self._floor, self._on.clock.now() + timedelta(seconds=25))
            return step.delay_s if step else None

        return handle

    def _check(self, check: Check) -> Callable[[], float | None]:
        return lambda: verify(CheckRequest(**check._asdict()), self._floor)

    def _move_to(self, at: datetime) -> None:
        self._on.clock.set(max(at, self._on.clock.now()))


class _Execution:
    """One execution of the state machine: a step that fails is tried again `retries` times, then comes the abort."""

    def __init__(self, order_id: str, on: Fakes, floor: Floor, retries: int) -> None:
        self._order_id, self._on, self._floor, self._retries = order_id, on, floor, retries
        self._step, self._failed = Step.PREPARE, 0
        self._ends_at = on.clock.now() + timedelta(seconds=120)

    def __call__(self) -> float | None:
        if self._on.clock.now() > self._ends_at:
            return self._end()
        try:
            result = reverse(self._step, self._order_id, self._floor, self._on.clock.now() + timedelta(seconds=30))
        except (FillpathError, ProcessDied):
            return self._again()
        if result.next == "end":
            return self._end()
        if result.next != "wait":
            self._step, self._failed = Step(result.next), 0
        return result.wait_s or _HOP_S

    def _again(self) -> float | None:
        self._failed += 1
        if self._failed <= self._retries:
            return 1
        if self._step is Step.ABORT:
            return self._end()
        self._step, self._failed = Step.ABORT, 0
        return _HOP_S

    def _end(self) -> float | None:
        self._on.reversals.end(self._order_id)
        return None
