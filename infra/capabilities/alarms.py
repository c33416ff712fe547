"""Alarms: each one tells the environment's topic, and its description leads to a page of docs/runbooks/."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.capabilities.acknowledged import acknowledge
from infra.settings import METRICS_NAMESPACE, Settings

MINUTE = Duration.minutes(1)


class AlarmTopic(Construct):
    """Where alarms arrive; subscribed by the addresses of the settings."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, key: kms.IKey) -> None:
        super().__init__(scope, construct_id)
        self.topic = sns.Topic(self, "Topic", topic_name=f"{settings.prefix}-alarms", master_key=key, enforce_ssl=settings.tls)
        if not settings.tls:
            acknowledge(self.topic, "AwsSolutions-SNS3", "The emulator listens on this machine and speaks plain HTTP")
        for address in settings.alarm_emails:
            self.topic.add_subscription(subscriptions.EmailSubscription(address))


class Alarms(Construct):
    """Adds alarms that are quiet while there is no data, since an idle environment has none."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, topic: sns.ITopic) -> None:
        super().__init__(scope, construct_id)
        self._prefix = settings.prefix
        self._action = actions.SnsAction(topic)

    def add(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        meaning: str,
        *,
        runbook: str | None = None,
        above: float = 0,
        minutes: int = 1,
    ) -> None:
        """Alarm when `metric` is over `above` for `minutes`; the runbook is named like the alarm unless given."""
        alarm = cloudwatch.Alarm(
            self,
            "".join(word.title() for word in name.split("-")),
            alarm_name=f"{self._prefix}-{name}",
            alarm_description=f"{meaning}. Runbook: docs/runbooks/{runbook or name}.md",
            metric=metric,
            threshold=above,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=minutes,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(self._action)


def reported(metric: str, service: str, settings: Settings, statistic: str = "Sum") -> cloudwatch.Metric:
    """A metric that function `service` reports itself."""
    return cloudwatch.Metric(
        namespace=METRICS_NAMESPACE,
        metric_name=metric,
        dimensions_map={"environment": settings.environment, "service": service},
        statistic=statistic,
        period=MINUTE,
    )
