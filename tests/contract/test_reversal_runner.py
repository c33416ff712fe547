"""ReversalRunner: executions named by their order."""

from fillpath.orders.ports.reversal_runner import ExecutionStatus
from tests.contract.hosts import Host

ORDER, OTHER = "01HZZZZZZZZZZZZZZZZZZZZZZZ", "01HZZZZZZZZZZZZZZZZZZZZZZY"


def test_a_reversal_that_was_not_started_has_no_execution(host: Host) -> None:
    assert host.reversals().status(ORDER) is ExecutionStatus.NONE


def test_a_started_reversal_runs(host: Host) -> None:
    reversals = host.reversals()
    reversals.start(ORDER)
    assert reversals.status(ORDER) is ExecutionStatus.RUNNING
    assert reversals.status(OTHER) is ExecutionStatus.NONE


def test_starting_again_means_started(host: Host) -> None:
    reversals = host.reversals()
    reversals.start(ORDER)
    reversals.start(ORDER)
    assert reversals.status(ORDER) is ExecutionStatus.RUNNING


def test_an_execution_that_is_over_is_ended_and_not_started_again(host: Host) -> None:
    reversals = host.reversals()
    reversals.start(ORDER)
    host.end_reversal(ORDER)
    reversals.start(ORDER)
    assert reversals.status(ORDER) is ExecutionStatus.ENDED
