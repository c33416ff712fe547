"""Functions that run by the clock."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.settings import Settings


class EachMinute(Construct):
    """A run that fails or comes late is not repeated: the next minute does the same work."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, function: lambda_.IFunction, name: str = "each-minute"
    ) -> None:
        super().__init__(scope, construct_id)
        events.Rule(
            self,
            "Rule",
            rule_name=f"{settings.prefix}-{name}",
            schedule=events.Schedule.rate(Duration.minutes(1)),
            targets=[targets.LambdaFunction(function, retry_attempts=0, max_event_age=Duration.minutes(1))],
        )


class EverySixHours(Construct):
    """Also whenever a stack of the environment was deployed: a new environment does not wait six hours for the first run.

    CloudFormation tells so itself, once per stack; the runs too many do the same work again. One that fails is tried twice more.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, function: lambda_.IFunction) -> None:
        super().__init__(scope, construct_id)
        target = targets.LambdaFunction(function, retry_attempts=2, max_event_age=Duration.hours(1))
        name = f"{settings.prefix}-every-six-hours"
        events.Rule(self, "Rule", rule_name=name, schedule=events.Schedule.rate(Duration.hours(6)), targets=[target])
        deployed = events.EventPattern(
            source=["aws.cloudformation"],
            detail_type=["CloudFormation Stack Status Change"],
            detail={
                "stack-id": events.Match.prefix(_stacks_of(settings, Stack.of(self))),
                "status-details": {"status": ["CREATE_COMPLETE", "UPDATE_COMPLETE"]},
            },
        )
        events.Rule(self, "Deployed", rule_name=f"{settings.prefix}-deployed", event_pattern=deployed, targets=[target])


def _stacks_of(settings: Settings, stack: Stack) -> str:
    """How the ids of the environment's stacks begin."""
    return stack.format_arn(service="cloudformation", resource="stack", resource_name=f"Fillpath-{settings.environment}-")
