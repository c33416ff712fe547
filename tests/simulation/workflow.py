"""Step Functions as it runs the reversal: steps with their retries, Catch to Abort, 120 s for the whole execution."""

from collections.abc import Callable
from random import Random

from fillpath.orders.messages import Step, StepResult
from fillpath.orders.ports.reversal_runner import ExecutionStatus
from tests.simulation.virtual import VirtualTime

TIMEOUT_S = 120.0
_ABORT_RETRIES = 5

Done = Callable[[StepResult | None, bool], None]
"""Called with the step's answer, or None; the flag says that it was Lambda's own trouble, which is tried again."""
InvokeStep = Callable[[Step, str, Done], None]


class Workflows:
    """Executions by order id. `invoke` runs one step."""

    def __init__(self, time: VirtualTime, random: Random) -> None:
        self.invoke: InvokeStep = lambda _step, _order_id, _done: None
        self._time = time
        self._random = random
        self._executions: dict[str, Execution] = {}

    def start(self, order_id: str) -> None:
        """Start the execution; one of this name exists only once."""
        if order_id in self._executions:
            return
        execution = self._executions[order_id] = Execution(order_id, self)
        self.later(self._random.uniform(0.02, 0.2), lambda: execution.enter(Step.PREPARE))
        self.later(TIMEOUT_S, execution.end)

    def status(self, order_id: str) -> ExecutionStatus:
        """Whether it exists and runs."""
        found = self._executions.get(order_id)
        if found is None:
            return ExecutionStatus.NONE
        return ExecutionStatus.ENDED if found.ended else ExecutionStatus.RUNNING

    def later(self, seconds: float, action: Callable[[], object]) -> None:
        """What an execution does next."""
        self._time.after(seconds, action)


class Execution:
    """One execution: where it is and how often it has tried that."""

    def __init__(self, order_id: str, workflows: Workflows) -> None:
        self.ended = False
        self._order_id = order_id
        self._workflows = workflows
        self._tries = 0

    def enter(self, step: Step) -> None:
        """Go to a step."""
        self._tries = 0
        self._try(step)

    def end(self) -> None:
        """It is over, however it went; a step that still runs goes on, but nobody listens."""
        self.ended = True

    def _try(self, step: Step) -> None:
        if not self.ended:
            self._tries += 1
            self._workflows.invoke(step, self._order_id, lambda result, again: self._answered(step, result, again))

    def _answered(self, step: Step, result: StepResult | None, again: bool) -> None:
        if self.ended:
            return
        if result is None:
            self._failed(step, again)
        elif result.next == "end":
            self.end()
        elif result.next == "wait":
            self._workflows.later(result.wait_s, lambda: self.enter(step))
        else:
            self._workflows.later(0.02, lambda: self.enter(Step(result.next)))

    def _failed(self, step: Step, again: bool) -> None:
        if step is Step.ABORT:
            if self._tries > _ABORT_RETRIES:
                self.end()
            else:
                self._workflows.later(2.0 ** (self._tries - 1), lambda: self._try(step))
        elif again and self._tries <= 3:
            self._workflows.later(1.5 ** (self._tries - 1), lambda: self._try(step))
        else:
            self._workflows.later(0.02, lambda: self.enter(Step.ABORT))
