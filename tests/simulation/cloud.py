"""The simulated cloud: functions with what wakes them, around the use cases. It knows what AWS does, not what orders are."""

from collections.abc import Callable
from random import Random
from typing import NamedTuple, Protocol

from fillpath.errors import FillpathError
from fillpath.orders import execute as executing
from fillpath.orders import reverse as reversing
from fillpath.orders import sweep as sweeping
from fillpath.orders import verify as verifying
from fillpath.orders.act import ComeBack
from fillpath.orders.floor import Floor
from fillpath.orders.messages import CheckRequest, Step, StepResult
from fillpath.orders.model import Lane, Order
from tests.fakes.alert_store import FakeAlertStore
from tests.fakes.controls import FakeControls
from tests.fakes.tables import FakeTables
from tests.simulation import ports
from tests.simulation.faults import Faults, MessageFault
from tests.simulation.history import HaltSpan, History
from tests.simulation.host import AWS, Host, Surroundings
from tests.simulation.queues import FifoQueue, Message
from tests.simulation.scenario import Scenario
from tests.simulation.tables import RecordedOrders
from tests.simulation.venue import Venue
from tests.simulation.virtual import Killed, VirtualTime, instant
from tests.simulation.workflow import Done, Workflows

EXECUTE_TIMEOUT_S, STEP_TIMEOUT_S, VERIFY_TIMEOUT_S, SWEEP_TIMEOUT_S, WAKE_TIMEOUT_S = 25, 30, 30, 55, 30
_WAKE_TRIES = 5


class Result(NamedTuple):
    """How an invocation ended: with an answer, an error, or, with neither, by the end of its process."""

    answer: object = None
    failure: FillpathError | None = None
    killed: bool = False

    @property
    def failed(self) -> bool:
        """Whether there is no answer."""
        return self.killed or self.failure is not None


class Worker(Protocol):
    """What a wake-up of a lane runs: the use case, or the control that it is compared with."""

    def __call__(self, lane: Lane, host: Host, cloud: "Cloud") -> ComeBack | None: ...


def real_worker(lane: Lane, host: Host, cloud: "Cloud") -> ComeBack | None:
    """The use case."""
    return executing.execute(lane, cloud.floor(host), host.finish_by)


class Cloud:
    """One environment. What happens in it stands in `history`."""

    def __init__(self, scenario: Scenario, worker: Worker = real_worker, trace: Callable[[str], None] | None = None) -> None:
        self.random = Random(f"cloud {scenario.seed}")
        self.time = VirtualTime()
        self.history = History(scenario.capabilities, scenario.holdings)
        self.faults = Faults(scenario.faults, Random(f"faults {scenario.seed}"))
        self.faults.diverge = lambda variant: self.random.seed(f"cloud {scenario.seed} {variant}")
        self.tables = FakeTables()
        self.alerts = FakeAlertStore(self.tables)
        self.flags = FakeControls(self.tables)
        self.orders = RecordedOrders(self.tables, self.time, self.history, self._stream)
        self.venue = Venue(self.time, Random(f"venue {scenario.seed}"), self.history)
        self.orders_queue = self._queue("orders", visibility=30, most=20)
        self.verification_queue = self._queue("verification", visibility=180, most=100, delay=2)
        self.workflows = Workflows(self.time, self.random)
        self._worker = worker
        self._trace = trace
        self._around = Surroundings(self.time, self.faults, self.random, self._say if trace else None)
        self._invocations = 0
        self._connect()

    def floor(self, host: Host) -> Floor:
        """The ports of the order path, as a host reaches them."""
        return Floor(
            orders=ports.Orders(host, self.orders),
            lanes=self.lanes(host),
            checks=ports.Checks(host, self.verification_queue, self.history),
            reversals=ports.Reversals(host, self.workflows),
            controls=ports.Controls(host, self.flags),
            desk=ports.Desk(host, self.venue, self.history),
            telemetry=Telemetry(self.history),
            clock=host,
        )

    def lanes(self, host: Host) -> ports.Lanes:
        """The lane queue, as a host reaches it."""
        return ports.Lanes(host, self.orders_queue)

    def invoke(self, name: str, timeout: float, body: Callable[[Host], object], done: Callable[[Result], None]) -> None:
        """Run a function in a process of its own; `done` hears how it ended."""
        self._invocations += 1
        number = self._invocations
        start = self.random.uniform(0.003, 0.03) if self.random.random() < 0.95 else self.random.uniform(0.2, 1.0)

        def run() -> None:
            done(self._run(Host(self._around, name, number, timeout), body))

        self.time.after(start, lambda: self.time.start(run))

    def sweep_each_minute(self, until: float) -> None:
        """The schedule."""
        for minute in range(1, int(until // 60) + 1):
            self.time.at(minute * 60 + self.random.uniform(0, 3), self._sweep)

    def set_halt(self, scope: str, on: bool) -> None:
        """A person halts or resumes, and tries again until it is done."""

        def body(host: Host) -> None:
            if on:
                host.call("controls.halt", AWS, lambda: self._note_halt(scope, host))
            else:
                host.call("controls.resume", AWS, lambda: self._note_resume(scope))

        def done(result: Result) -> None:
            if result.failed:
                self.time.after(1.0, lambda: self.set_halt(scope, on))

        self.invoke("halt", 10, body, done)

    def _note_halt(self, scope: str, host: Host) -> None:
        self.flags.halt(scope, host.now(), "simulated")
        if all(span.scope != scope or span.until is not None for span in self.history.halts):
            self.history.halts.append(HaltSpan(scope, self.time.now))

    def _note_resume(self, scope: str) -> None:
        self.flags.resume(scope)
        for span in self.history.halts:
            if span.scope == scope and span.until is None:
                span.until = self.time.now

    def _connect(self) -> None:
        self.orders_queue.deliver = self._execute
        self.verification_queue.deliver = self._verify
        self.workflows.invoke = self._reverse

    def _execute(self, message: Message, receipt: int) -> None:
        lane: Lane = message.body

        def body(host: Host) -> object:
            answer = self._worker(lane, host, self)
            if answer is not None:
                queue = self.orders_queue
                host.call("queue.come_back", AWS, lambda: queue.come_back(message, receipt, answer.delay_s))
            return answer

        self.invoke("execute", EXECUTE_TIMEOUT_S, body, lambda result: self._used_up(self.orders_queue, message, receipt, result))

    def _verify(self, message: Message, receipt: int) -> None:
        request = CheckRequest(**message.body._asdict())

        def body(host: Host) -> object:
            seconds = verifying.verify(request, self.floor(host))
            if seconds is not None:
                queue = self.verification_queue
                host.call("queue.come_back", AWS, lambda: queue.come_back(message, receipt, seconds))
            return seconds

        self.invoke(
            "verify", VERIFY_TIMEOUT_S, body, lambda result: self._used_up(self.verification_queue, message, receipt, result)
        )

    def _used_up(self, queue: FifoQueue, message: Message, receipt: int, result: Result) -> None:
        if not result.failed and result.answer is None:
            queue.delete(message, receipt)

    def _reverse(self, step: Step, order_id: str, done: Done) -> None:
        def ended(result: Result) -> None:
            """A process that ended is Lambda's trouble now and then; what a step raises never is."""
            answer = result.answer if isinstance(result.answer, StepResult) else None
            done(answer, result.killed and self.random.random() < 0.5)

        self.invoke(
            str(step),
            STEP_TIMEOUT_S,
            lambda host: reversing.reverse(step, order_id, self.floor(host), host.finish_by),
            ended,
        )

    def _sweep(self) -> None:
        self.invoke("sweep", SWEEP_TIMEOUT_S, lambda host: sweeping.sweep(self.floor(host)), lambda _result: None)

    def _stream(self, lane: Lane, wake_id: str) -> None:
        """A change of the table that the wake function is shown, once or twice, soon or late."""
        fault = self.faults.meet_message(self.time.now, "stream")
        if fault is MessageFault.LOST:
            return
        late = self.random.uniform(5, 90) if fault in {MessageFault.DELAYED, MessageFault.REORDERED} else 0.0
        self.time.after(self.random.uniform(0.1, 0.8) + late, lambda: self._wake(lane, wake_id, 1))
        if fault is MessageFault.DUPLICATED:
            self.time.after(self.random.uniform(0.1, 20), lambda: self._wake(lane, wake_id, 1))

    def _wake(self, lane: Lane, wake_id: str, attempt: int) -> None:
        def done(result: Result) -> None:
            if result.failed and attempt < _WAKE_TRIES:
                self._wake(lane, wake_id, attempt + 1)

        self.invoke("wake", WAKE_TIMEOUT_S, lambda host: self.lanes(host).wake(lane, wake_id), done)

    def _run(self, host: Host, body: Callable[[Host], object]) -> Result:
        try:
            result = Result(body(host))
        except FillpathError as exc:
            result = Result(failure=exc)
        except Killed:
            result = Result(killed=True)
        except Exception as exc:  # noqa: BLE001  a defect in the code under test: told, and the function fails
            self.history.errors.append(f"{host.name}: {exc!r}")
            result = Result(killed=True)
        host.say(f"ends: {'killed' if result.killed else result.failure or result.answer}")
        return result

    def _queue(self, name: str, *, visibility: float, most: int, delay: float = 0.0) -> FifoQueue:
        return FifoQueue(name, self.time, self.faults, self.random, visibility=visibility, most=most, delay=delay)

    def _say(self, who: str, text: str) -> None:
        if self._trace:
            self._trace(f"{instant(self.time.now):%H:%M:%S.%f} {self.time.now:8.3f} {who:<14} {text}")


class Telemetry:
    """Figures go into the function's log: they cost nothing and do not fail."""

    def __init__(self, history: History) -> None:
        self._history = history

    def count(self, name: str, order: Order | None = None) -> None:
        """Note an event."""
        self._history.counts.append((name, order.order_id if order else None))

    def measure(self, name: str, value: float) -> None:
        """Figures are not judged."""
