"""A log group with the environment's retention. It holds no secret, so CloudWatch's own encryption is enough."""

from typing import cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.settings import Settings


class LogGroup(Construct):
    """Logs are not kept beyond their environment's retention, nor when their stack is deleted."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, name: str) -> None:
        super().__init__(scope, construct_id)
        self.group = logs.LogGroup(self, "Group", log_group_name=name, removal_policy=RemovalPolicy.DESTROY)
        # The construct takes an enum of names only; the settings have the number of days.
        cast(logs.CfnLogGroup, self.group.node.default_child).retention_in_days = settings.log_retention_days
