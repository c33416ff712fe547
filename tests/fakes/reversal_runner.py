"""Executions of reversals that a test starts and ends."""

from fillpath.orders.ports.reversal_runner import ExecutionStatus


class FakeReversalRunner:
    """ReversalRunner that only notes what was started; `end` says that an execution is over."""

    def __init__(self) -> None:
        self.executions: dict[str, ExecutionStatus] = {}

    def start(self, order_id: str) -> None:
        """Note the start; one that exists already means started."""
        self.executions.setdefault(order_id, ExecutionStatus.RUNNING)

    def status(self, order_id: str) -> ExecutionStatus:
        """Whether the execution exists and runs."""
        return self.executions.get(order_id, ExecutionStatus.NONE)

    def end(self, order_id: str) -> None:
        """Have the execution be over, however it ended."""
        self.executions[order_id] = ExecutionStatus.ENDED
