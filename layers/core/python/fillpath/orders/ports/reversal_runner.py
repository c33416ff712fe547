"""ReversalRunner: starts and observes the orchestration of a reversal."""

from enum import StrEnum
from typing import Protocol


class ExecutionStatus(StrEnum):
    """Where the execution of a reversal is."""

    NONE = "none"
    RUNNING = "running"
    ENDED = "ended"


class ReversalRunner(Protocol):
    """Executions are named by the order id. Raises StorageUnavailable."""

    def start(self, order_id: str) -> None:
        """Start the execution; one that exists already means started."""
        ...

    def status(self, order_id: str) -> ExecutionStatus:
        """Whether the execution exists and runs."""
        ...
