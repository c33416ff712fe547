"""Reversals as executions of a Step Functions state machine, named by their order."""

import json

from fillpath.errors import StorageUnavailable
from fillpath.orders.ports.reversal_runner import ExecutionStatus
from fillpath_aws.clients import StepFunctions
from fillpath_aws.json_rpc import AwsError


class StepFunctionsReversalRunner:
    """ReversalRunner on a Standard state machine."""

    def __init__(self, step_functions: StepFunctions, state_machine_arn: str) -> None:
        self._step_functions = step_functions
        self._state_machine_arn = state_machine_arn

    def start(self, order_id: str) -> None:
        """Start the execution with `{"order_id": ...}`; one that exists already means started."""
        try:
            self._step_functions.start_execution(
                stateMachineArn=self._state_machine_arn, name=order_id, input=json.dumps({"order_id": order_id})
            )
        except AwsError as error:
            if error.code != "ExecutionAlreadyExists":
                raise

    def status(self, order_id: str) -> ExecutionStatus:
        """Whether the execution exists and runs."""
        arn = f"{self._state_machine_arn.replace(':stateMachine:', ':execution:', 1)}:{order_id}"
        try:
            status = self._step_functions.describe_execution(executionArn=arn)["status"]
        except AwsError as error:
            if error.code == "ExecutionDoesNotExist":
                return ExecutionStatus.NONE
            raise
        return ExecutionStatus.RUNNING if status in {"RUNNING", "PENDING_REDRIVE"} else ExecutionStatus.ENDED


class NoReversalRunner:
    """ReversalRunner of functions that may neither start reversals nor look at them."""

    def start(self, order_id: str) -> None:
        """Refuse."""
        raise StorageUnavailable(f"this function has no state machine to start the reversal of {order_id} with")

    def status(self, order_id: str) -> ExecutionStatus:
        """Refuse."""
        raise StorageUnavailable(f"this function has no state machine to look for {order_id} at")
