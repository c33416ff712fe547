"""The order path: its functions and the reversal workflow, what wakes them, and what each of their roles may do.

Every permission of the order path stands in `_grant` and below: nothing else in these stacks gives a role anything,
except Lambda's X-Ray writes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import ArnFormat
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.assets import Assets
from infra.capabilities.acknowledged import acknowledge
from infra.capabilities.event_sources import QueueSource, StreamSource
from infra.capabilities.functions import FunctionSpec, Layers, PythonFunction
from infra.capabilities.reversal import ReversalStateMachine
from infra.capabilities.schedules import EachMinute, EverySixHours
from infra.settings import Settings
from infra.stacks.environment import EnvironmentStack
from infra.stacks.state import StateStack

GET, QUERY = ["dynamodb:GetItem", "dynamodb:BatchGetItem"], ["dynamodb:Query"]
READ_OR_CHANGE = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
PUT, UPDATE, DELETE = ["dynamodb:PutItem"], ["dynamodb:UpdateItem"], ["dynamodb:DeleteItem"]
READ_STREAM = ["dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream"]
FIND_STREAM = ["dynamodb:ListStreams"]
SEND = ["sqs:SendMessage"]
CONSUME = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"]
LOG = ["logs:CreateLogStream", "logs:PutLogEvents"]
TRACE = ["xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets"]
DELIVER_LOGS = [
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
]
USE_KEY_ON_TABLES = [
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
]
USE_KEY_ON_QUEUES = ["kms:Decrypt", "kms:GenerateDataKey"]

# Secrets Manager adds a hyphen and six characters to the name of a secret.
RANDOM_SUFFIX = "??????"

# A new order in a lane, or a lane that had an owner before the change (whether it lost it, the function sees).
WAKE_FILTERS: Sequence[Mapping[str, Any]] = (
    {"eventName": ["INSERT"], "dynamodb": {"Keys": {"sk": {"S": [{"prefix": "WAIT#"}]}}}},
    {
        "eventName": ["MODIFY"],
        "dynamodb": {"Keys": {"sk": {"S": ["LANE"]}}, "OldImage": {"order_id": {"S": [{"exists": True}]}}},
    },
)


class OrdersStack(EnvironmentStack):
    """From the accepted alert to the verified fill."""

    def __init__(self, scope: Construct, *, settings: Settings, state: StateStack, assets: Assets) -> None:
        super().__init__(scope, "Orders", settings=settings)
        self._state = state
        self._assets = assets
        self._layers = Layers(self, "Layers", settings=settings, assets=assets)
        self._orders_queue = state.orders_queue.queue
        self._verification_queue = state.verification_queue.queue

        self.webhook = self._webhook()
        self.reversal = self._executor("Reversal", "reversal", timeout_s=30)
        self.workflow = ReversalStateMachine(self, "ReversalWorkflow", settings=settings, function=self.reversal.function)
        runs_reversals = {"REVERSAL_STATE_MACHINE_ARN": self.workflow.machine.state_machine_arn}
        self.execute_order = self._executor("ExecuteOrder", "execute_order", timeout_s=25, more=runs_reversals)
        gives_up = {"VERIFICATION_DLQ_URL": state.verification_queue.dead_letters.queue_url}
        self.verify_fill = self._executor("VerifyFill", "verify_fill", timeout_s=30, more=gives_up)
        # It ends before the next one begins.
        self.sweep = self._executor("Sweep", "sweep", timeout_s=55, more=runs_reversals)
        self.wake = self._wake()
        self.publish_hours = self._publish_hours()
        self.refresh_tokens = self._refresh_tokens()
        on_the_path = [self.webhook, self.execute_order, self.reversal, self.verify_fill, self.wake, self.sweep]
        self.functions = [*on_the_path, self.publish_hours, self.refresh_tokens]

        self._grant()
        self._connect()
        names = {f"{function.node.id}FunctionName": function.function.function_name for function in self.functions}
        self.publish({"ReversalStateMachineArn": self.workflow.machine.state_machine_arn, **names})

    def _webhook(self) -> PythonFunction:
        spec = FunctionSpec(
            name="webhook",
            environment={
                "ORDERS_TABLE": self._state.orders.table_name,
                "ACCOUNTS_TABLE": self._state.accounts.table_name,
                "GUARDS_TABLE": self._state.guards.table_name,
                "ORDERS_QUEUE_URL": self._orders_queue.queue_url,
                "MASTER_KEY_SECRET_ID": self._state.master_key_name,
                "WAIT_S": f"{self.settings.wait_s:g}",
            },
            # Under the gateway's 29 s, so that the gateway is never the one that times out.
            timeout_s=28,
            # TradingView hangs up after 3 s: a larger share of a CPU shortens cold starts and what a call computes.
            memory_mb=1024,
            reserved_concurrency=self.settings.webhook_reserved_concurrency,
        )
        return self._function("Webhook", spec)

    def _executor(self, construct_id: str, name: str, *, timeout_s: int, more: Mapping[str, str] | None = None) -> PythonFunction:
        """A function that acts at brokers."""
        environment = {
            "ORDERS_TABLE": self._state.orders.table_name,
            "ACCOUNTS_TABLE": self._state.accounts.table_name,
            "MARKET_TABLE": self._state.market.table_name,
            "PAPER_TABLE": self._state.paper.table_name,
            **self._access,
            "ORDERS_QUEUE_URL": self._orders_queue.queue_url,
            "VERIFICATION_QUEUE_URL": self._verification_queue.queue_url,
            **(more or {}),
        }
        # A busy lane hands itself from run to run, and a leg from check to check, until nothing is left.
        spec = FunctionSpec(name=name, environment=environment, timeout_s=timeout_s, wakes_itself=True)
        return self._function(construct_id, spec)

    def _wake(self) -> PythonFunction:
        environment = {"ORDERS_QUEUE_URL": self._orders_queue.queue_url}
        return self._function("Wake", FunctionSpec(name="wake", environment=environment, timeout_s=30, memory_mb=256))

    def _publish_hours(self) -> PythonFunction:
        spec = FunctionSpec(
            name="publish_hours",
            environment={"MARKET_TABLE": self._state.market.table_name},
            timeout_s=60,
            # It loads pandas, and a larger share of a CPU does that for the same price sooner.
            memory_mb=1024,
            extra_layers=("calendars",),
        )
        return self._function("PublishHours", spec)

    def _refresh_tokens(self) -> PythonFunction:
        # It begins no renewal in the second half of its time, so that none is cut off; the next run goes on beside it.
        environment = {"ACCOUNTS_TABLE": self._state.accounts.table_name, **self._access}
        return self._function("RefreshTokens", FunctionSpec(name="refresh_tokens", environment=environment, timeout_s=90))

    @property
    def _access(self) -> dict[str, str]:
        """What lets accounts in, and the buckets of their requests."""
        return {"FLEET_TABLE": self._state.fleet.table_name, "BROKER_SECRET_PREFIX": self.settings.broker_secret_prefix}

    def _function(self, construct_id: str, spec: FunctionSpec) -> PythonFunction:
        return PythonFunction(self, construct_id, spec=spec, settings=self.settings, assets=self._assets, layers=self._layers)

    def _connect(self) -> None:
        """What wakes each function."""
        QueueSource(self, "OrdersSource", function=self.execute_order.function, queue=self._orders_queue)
        QueueSource(self, "VerificationSource", function=self.verify_fill.function, queue=self._verification_queue)
        StreamSource(
            self,
            "StreamSource",
            function=self.wake.function,
            table=self._state.orders,
            filters=WAKE_FILTERS,
            failed_events=self._state.wake_failures,
        )
        EachMinute(self, "SweepSchedule", settings=self.settings, function=self.sweep.function)
        EachMinute(
            self,
            "RefreshTokensSchedule",
            settings=self.settings,
            function=self.refresh_tokens.function,
            name="each-minute-refresh-tokens",
        )
        EverySixHours(self, "HoursSchedule", settings=self.settings, function=self.publish_hours.function)

    def _grant(self) -> None:
        """Who may touch what."""
        for function in self.functions:
            _allow(function.role, LOG, function.log_group.log_group_arn)
        self._grant_webhook()
        for executor in (self.execute_order, self.reversal, self.verify_fill, self.sweep):
            self._grant_executor(executor)
        _allow(self.execute_order.role, CONSUME, self._orders_queue.queue_arn)
        _allow(self.verify_fill.role, CONSUME, self._verification_queue.queue_arn)
        _allow(self.verify_fill.role, SEND, self._state.verification_queue.dead_letters.queue_arn)
        _allow(self.sweep.role, QUERY, f"{self._state.orders.table_arn}/index/open")
        self._grant_starting_reversals()
        self._grant_wake()
        self._grant_publish_hours()
        self._grant_refresh_tokens()
        self._grant_workflow()

    def _grant_webhook(self) -> None:
        role = self.webhook.role
        _allow(role, GET, self._state.accounts.table_arn)
        _allow(role, [*GET, *PUT], self._state.orders.table_arn)
        _allow(role, [*GET, *PUT, *UPDATE], self._state.guards.table_arn)
        _allow(role, SEND, self._orders_queue.queue_arn)
        self._allow_secret(role, self._secret(f"{self._state.master_key_name}-{RANDOM_SUFFIX}"))
        self._allow_key(role, USE_KEY_ON_TABLES, "dynamodb")
        self._allow_key(role, USE_KEY_ON_QUEUES, "sqs")

    def _grant_executor(self, executor: PythonFunction) -> None:
        role = executor.role
        _allow(role, [*GET, *QUERY, *PUT, *UPDATE, *DELETE], self._state.orders.table_arn)
        _allow(role, QUERY, f"{self._state.orders.table_arn}/index/by_user")
        _allow(role, [*GET, *QUERY, *PUT], self._state.paper.table_arn)
        _allow(role, GET, self._state.accounts.table_arn, self._state.market.table_arn)
        _allow(role, READ_OR_CHANGE, self._state.fleet.table_arn)
        _allow(role, SEND, self._orders_queue.queue_arn, self._verification_queue.queue_arn)
        self._allow_broker_secrets(role)
        self._allow_key(role, USE_KEY_ON_TABLES, "dynamodb")
        self._allow_key(role, USE_KEY_ON_QUEUES, "sqs")

    def _grant_starting_reversals(self) -> None:
        workflow = self.workflow.machine
        _allow(self.execute_order.role, ["states:StartExecution"], workflow.state_machine_arn)
        _allow(self.sweep.role, ["states:StartExecution"], workflow.state_machine_arn)
        executions = self.format_arn(
            service="states",
            resource="execution",
            resource_name=f"{self.settings.prefix}-reversal:*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        _allow(self.sweep.role, ["states:DescribeExecution"], executions)
        acknowledge(self.sweep.role, f"AwsSolutions-IAM5[Resource::{executions}]", "An execution's name is its order's id")

    def _grant_wake(self) -> None:
        role = self.wake.role
        _allow(role, READ_STREAM, self._state.orders.table_stream_arn or "")
        _allow(role, FIND_STREAM, "*")
        _allow(role, SEND, self._orders_queue.queue_arn, self._state.wake_failures.queue_arn)
        self._allow_key(role, ["kms:Decrypt"], "dynamodb")
        self._allow_key(role, USE_KEY_ON_QUEUES, "sqs")

    def _grant_publish_hours(self) -> None:
        _allow(self.publish_hours.role, PUT, self._state.market.table_arn)
        self._allow_key(self.publish_hours.role, USE_KEY_ON_TABLES, "dynamodb")

    def _grant_refresh_tokens(self) -> None:
        role = self.refresh_tokens.role
        _allow(role, [*READ_OR_CHANGE, *QUERY], self._state.accounts.table_arn)
        _allow(role, QUERY, f"{self._state.accounts.table_arn}/index/by_user")
        _allow(role, READ_OR_CHANGE, self._state.fleet.table_arn)
        self._allow_broker_secrets(role, writes=True)
        self._allow_key(role, USE_KEY_ON_TABLES, "dynamodb")

    def _grant_workflow(self) -> None:
        role = self.workflow.role
        _allow(role, ["lambda:InvokeFunction"], self.reversal.function.function_arn)
        _allow(role, [*DELIVER_LOGS, *TRACE], "*")

    def _secret(self, name: str) -> str:
        return self.format_arn(
            service="secretsmanager", resource="secret", resource_name=name, arn_format=ArnFormat.COLON_RESOURCE_NAME
        )

    def _allow_broker_secrets(self, role: iam.Role, *, writes: bool = False) -> None:
        secrets = self._secret(f"{self.settings.broker_secret_prefix}/*")
        self._allow_secret(role, secrets, writes=writes)
        acknowledge(role, f"AwsSolutions-IAM5[Resource::{secrets}]", "Accounts come and go; their secrets share this prefix")

    def _allow_secret(self, role: iam.Role, secret_arn: str, *, writes: bool = False) -> None:
        """Read a secret, or write it as well; the key opens nothing else of Secrets Manager for this role."""
        _allow(role, ["secretsmanager:GetSecretValue", *(["secretsmanager:PutSecretValue"] if writes else [])], secret_arn)
        context = {"StringLike": {"kms:EncryptionContext:SecretARN": secret_arn}}
        key_use = ["kms:Decrypt", *(["kms:GenerateDataKey"] if writes else [])]
        self._allow_key(role, key_use, "secretsmanager", context)

    def _allow_key(
        self, role: iam.Role, actions: Sequence[str], service: str, conditions: Mapping[str, Any] | None = None
    ) -> None:
        """Use the key through one service only."""
        via = {"StringEquals": {"kms:ViaService": f"{service}.{self.region}.amazonaws.com"}}
        statement = iam.PolicyStatement(
            actions=list(actions), resources=[self._state.key.key_arn], conditions={**via, **(conditions or {})}
        )
        role.add_to_policy(statement)


def _allow(role: iam.Role, actions: Sequence[str], *resources: str) -> None:
    role.add_to_policy(iam.PolicyStatement(actions=list(actions), resources=list(resources)))
