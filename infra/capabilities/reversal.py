"""The reversal: a Step Functions Standard workflow that calls one function step by step and goes where its answer says.

In comes `{"order_id"}`; every step answers `{"order_id", "next", "wait_s"}`. Whatever goes wrong on the way leads to Abort.
"""

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra.capabilities.acknowledged import acknowledge
from infra.capabilities.log_groups import LogGroup
from infra.settings import Settings

TIMEOUT = Duration.seconds(120)
# Lambda's own troubles: the step may or may not have run, and every step may run twice.
SERVICE_ERRORS = [
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
]
# A step takes up to 30 s: a second time-out would eat what Abort needs of the 120 s.
TIMEOUTS = ["States.Timeout", "Sandbox.Timedout"]


class ReversalStateMachine(Construct):
    """`Prepare, ClosePosition, PollFill, OpenPosition, Abort`; executions are named by the order id."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, function: lambda_.IFunction) -> None:
        super().__init__(scope, construct_id)
        name = f"{settings.prefix}-reversal"
        self._function = function
        # The stack grants, not the constructs: they would add the invocation of every version of the function.
        self.role = iam.Role(self, "Role", role_name=f"{name}-workflow", assumed_by=iam.ServicePrincipal("states.amazonaws.com"))
        self.machine = sfn.StateMachine(
            self,
            "StateMachine",
            state_machine_name=name,
            state_machine_type=sfn.StateMachineType.STANDARD,
            definition_body=sfn.DefinitionBody.from_chainable(self._definition()),
            timeout=TIMEOUT,
            role=self.role.without_policy_updates(),
            tracing_enabled=True,
            logs=sfn.LogOptions(
                destination=LogGroup(self, "Logs", settings=settings, name=f"/aws/vendedlogs/states/{name}").group,
                level=sfn.LogLevel.ALL,
                include_execution_data=True,
            ),
        )
        acknowledge(self.role, "AwsSolutions-IAM5[Resource::*]", "Log delivery and X-Ray have no resources to name")

    def _definition(self) -> sfn.IChainable:
        abort = self._step("Abort", "abort")
        abort.add_retry(errors=["States.ALL"], interval=Duration.seconds(1), backoff_rate=2, max_attempts=5)
        steps = {
            "prepare": self._step("Prepare", "prepare"),
            "close": self._step("ClosePosition", "close"),
            "poll_fill": self._step("PollFill", "poll_fill"),
            "open": self._step("OpenPosition", "open"),
        }
        for step in steps.values():
            step.add_retry(errors=SERVICE_ERRORS, interval=Duration.seconds(1), backoff_rate=1.5, max_attempts=3)
            step.add_retry(errors=TIMEOUTS, interval=Duration.seconds(1), max_attempts=1)
            step.add_catch(abort, errors=["States.ALL"], result_path="$.error")
        targets: dict[str, sfn.IChainable] = {**steps, "abort": abort, "end": sfn.Succeed(self, "Ended")}
        self._follow(steps["prepare"], targets, "close", "open", "end")
        self._follow(steps["close"], targets, "poll_fill", "end", "wait")
        self._follow(steps["poll_fill"], targets, "open", "end")
        self._follow(steps["open"], targets, "end", "wait")
        return steps["prepare"]

    def _step(self, state: str, step: str) -> tasks.LambdaInvoke:
        return tasks.LambdaInvoke(
            self,
            state,
            state_name=state,
            lambda_function=self._function,
            payload=sfn.TaskInput.from_object({"step": step, "order_id": sfn.JsonPath.string_at("$.order_id")}),
            payload_response_only=True,
            retry_on_service_exceptions=False,
        )

    def _follow(self, step: tasks.LambdaInvoke, targets: dict[str, sfn.IChainable], *answers: str) -> None:
        """After `step`: Wait and the same step again, another state, or (any other answer) Abort."""
        choice = sfn.Choice(self, f"After{step.id}")
        for answer in answers:
            target = self._again(step) if answer == "wait" else targets[answer]
            choice.when(sfn.Condition.string_equals("$.next", answer), target)
        step.next(choice.otherwise(targets["abort"]))

    def _again(self, step: tasks.LambdaInvoke) -> sfn.IChainable:
        """The broker limits the rate: wait as long as it asks for."""
        wait = sfn.Wait(self, f"WaitFor{step.id}", time=sfn.WaitTime.seconds_path("$.wait_s"))
        wait.next(step)
        return wait
