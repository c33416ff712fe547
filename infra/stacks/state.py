"""State of one environment: key, tables, queues, master key. Protected outside `local`; everything else can be rebuilt."""

from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.capabilities.encryption import EncryptionKey
from infra.capabilities.queues import FailedEvents, FifoQueue, QueueSpec
from infra.capabilities.secrets import MasterKey
from infra.capabilities.tables import Table
from infra.settings import Settings
from infra.stacks.environment import EnvironmentStack


class StateStack(EnvironmentStack):
    """What must survive a deployment."""

    def __init__(self, scope: Construct, *, settings: Settings) -> None:
        super().__init__(scope, "State", settings=settings, protect=True)
        self.key = key = EncryptionKey(self, "Encryption", settings=settings).key
        self._let_alarms_use_the_key()

        orders = Table(self, "Orders", settings=settings, key=key, stream=True)
        orders.add_index("by_user", "user", "order_id")
        orders.add_index("open", "open", "order_id")
        accounts = Table(self, "Accounts", settings=settings, key=key)
        accounts.add_index("by_user", "user", "sk_user")
        self.orders, self.accounts = orders.table, accounts.table
        self.guards = Table(self, "Guards", settings=settings, key=key, ttl=True).table
        self.market = Table(self, "Market", settings=settings, key=key, ttl=True).table
        self.paper = Table(self, "Paper", settings=settings, key=key).table
        self.fleet = Table(self, "Fleet", settings=settings, key=key, ttl=True).table

        # Visibility longer than a run of execute_order (25 s): while it acts, nobody else gets the lane's wake-ups.
        orders_queue = QueueSpec(name="orders", visibility_s=30, max_receive_count=20)
        self.orders_queue = FifoQueue(self, "OrdersQueue", spec=orders_queue, settings=settings, key=key)
        # The count is for crashes only: the function counts its checks and gives up by itself.
        verification = QueueSpec(name="verification", visibility_s=180, max_receive_count=100, delay_s=2)
        self.verification_queue = FifoQueue(self, "VerificationQueue", spec=verification, settings=settings, key=key)
        self.wake_failures = FailedEvents(self, "WakeFailures", name="wake-dlq", settings=settings, key=key).queue
        self.master_key_name = MasterKey(self, "MasterKey", settings=settings, key=key).name
        self.publish(
            {
                "OrdersTableName": self.orders.table_name,
                "AccountsTableName": self.accounts.table_name,
                "GuardsTableName": self.guards.table_name,
                "MarketTableName": self.market.table_name,
                "PaperTableName": self.paper.table_name,
                "FleetTableName": self.fleet.table_name,
                "OrdersQueueUrl": self.orders_queue.queue.queue_url,
                "OrdersDlqUrl": self.orders_queue.dead_letters.queue_url,
                "VerificationQueueUrl": self.verification_queue.queue.queue_url,
                "VerificationDlqUrl": self.verification_queue.dead_letters.queue_url,
                "WakeDlqUrl": self.wake_failures.queue_url,
                "MasterKeySecretId": self.master_key_name,
                "BrokerSecretPrefix": settings.broker_secret_prefix,
                "KeyArn": key.key_arn,
            }
        )

    def _let_alarms_use_the_key(self) -> None:
        """CloudWatch has no role of its own: an alarm reaches an encrypted topic only if the key's policy says so."""
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )
