"""Where the ports of one environment come from: all fakes over the same dictionaries, or all adapters over the same tables."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from fillpath.accounts.ports.access_vault import AccessVault
from fillpath.accounts.ports.account_store import AccountStore
from fillpath.accounts.ports.controls import Controls
from fillpath.accounts.ports.master_key import MasterKey
from fillpath.accounts.ports.rate_limits import RateLimits
from fillpath.accounts.ports.token_ledger import TokenLedger
from fillpath.alerts.ports.alert_store import AlertStore
from fillpath.alerts.ports.inbox import Inbox as AlertInbox
from fillpath.clock import Clock
from fillpath.market.ports.last_prices import LastPrices
from fillpath.market.ports.trading_hours import HoursPublisher, TradingHours
from fillpath.orders.ports.lane_queue import LaneQueue
from fillpath.orders.ports.order_store import OrderStore
from fillpath.orders.ports.reversal_runner import ReversalRunner
from fillpath.orders.ports.verification_queue import VerificationQueue
from fillpath_aws.access_vault import SecretsManagerAccessVault
from fillpath_aws.account_store import DynamoAccountStore
from fillpath_aws.alert_store import DynamoAlertStore, Tables
from fillpath_aws.controls import DynamoControls
from fillpath_aws.inbox import DynamoInbox
from fillpath_aws.lane_queue import SqsLaneQueue
from fillpath_aws.last_prices import DynamoLastPrices
from fillpath_aws.master_key import SecretsManagerMasterKey
from fillpath_aws.order_store import DynamoOrderStore
from fillpath_aws.rate_limits import DynamoRateLimits
from fillpath_aws.reversal_runner import StepFunctionsReversalRunner
from fillpath_aws.token_ledger import DynamoTokenLedger
from fillpath_aws.trading_hours import DynamoTradingHours
from fillpath_aws.verification_queue import SqsVerificationQueue
from tests.contract.moto import Moto
from tests.fakes.access_vault import FakeAccessVault
from tests.fakes.account_store import FakeAccountStore
from tests.fakes.alert_store import FakeAlertStore
from tests.fakes.clock import FakeClock
from tests.fakes.controls import FakeControls
from tests.fakes.inbox import FakeInbox
from tests.fakes.lane_queue import FakeLaneQueue
from tests.fakes.last_prices import FakeLastPrices
from tests.fakes.master_key import FakeMasterKey
from tests.fakes.order_store import FakeOrderStore
from tests.fakes.rate_limits import Buckets, FakeRateLimits
from tests.fakes.reversal_runner import FakeReversalRunner
from tests.fakes.tables import FakeTables
from tests.fakes.token_ledger import FakeTokenLedger
from tests.fakes.trading_hours import FakeTradingHours
from tests.fakes.verification_queue import FakeVerificationQueue


class Message(NamedTuple):
    """One message of a FIFO queue."""

    group: str
    dedup_id: str
    body: dict[str, Any]


Inbox = Callable[[], list[Message]]


class Hours(TradingHours, HoursPublisher, Protocol):
    """Both sides of the hours, as one adapter has them."""


class Host(Protocol):
    """The ports of one empty environment, and what its queues hold."""

    orders: OrderStore
    alerts: AlertStore
    inbox: AlertInbox
    accounts: AccountStore
    controls: Controls
    prices: LastPrices
    hours: Hours
    vault: AccessVault
    tokens: TokenLedger

    def limits(self, clock: Clock) -> RateLimits: ...

    def lanes(self) -> tuple[LaneQueue, Inbox]: ...

    def checks(self) -> tuple[VerificationQueue, Inbox, Inbox]: ...

    def reversals(self) -> ReversalRunner: ...

    def end_reversal(self, order_id: str) -> None: ...

    def master_key(self) -> MasterKey: ...


class FakeHost:
    """Everything in memory."""

    def __init__(self) -> None:
        tables = FakeTables()
        self.orders: OrderStore = FakeOrderStore(tables)
        self.alerts: AlertStore = FakeAlertStore(tables)
        self.inbox: AlertInbox = FakeInbox(tables)
        self.accounts: AccountStore = FakeAccountStore(tables)
        self.controls: Controls = FakeControls(tables)
        self.prices: LastPrices = FakeLastPrices()
        self.hours: Hours = FakeTradingHours()
        self.vault: AccessVault = FakeAccessVault()
        self.tokens: TokenLedger = FakeTokenLedger()
        self._buckets = Buckets()
        self._clock = FakeClock()
        self._reversals = FakeReversalRunner()

    def limits(self, clock: Clock) -> RateLimits:
        return FakeRateLimits(clock, self._buckets)

    def lanes(self) -> tuple[LaneQueue, Inbox]:
        queue = FakeLaneQueue(self._clock)
        return queue, lambda: [Message(str(lane), wake_id, lane._asdict()) for lane, wake_id, _ in queue.messages]

    def checks(self) -> tuple[VerificationQueue, Inbox, Inbox]:
        queue = FakeVerificationQueue(self._clock)
        return (
            queue,
            lambda: [Message(sent.check.group, sent.check.check_id, sent.check._asdict()) for sent in queue.messages],
            lambda: [
                Message(dead.check.group, dead.check.check_id, dead.check._asdict() | {"reason": dead.reason})
                for dead in queue.dead_letters
            ],
        )

    def reversals(self) -> ReversalRunner:
        return self._reversals

    def end_reversal(self, order_id: str) -> None:
        self._reversals.end(order_id)

    def master_key(self) -> MasterKey:
        return FakeMasterKey()


class AwsHost:
    """Everything on moto."""

    def __init__(self, moto: Moto) -> None:
        self._moto = moto
        moto.reset()
        moto.create_tables()
        self.orders: OrderStore = DynamoOrderStore(moto.dynamodb, "orders")
        self.alerts: AlertStore = DynamoAlertStore(moto.dynamodb, Tables("orders", "accounts", "guards"))
        self.inbox: AlertInbox = DynamoInbox(moto.dynamodb, "guards")
        self.accounts: AccountStore = DynamoAccountStore(moto.dynamodb, "accounts")
        self.controls: Controls = DynamoControls(moto.dynamodb, "accounts")
        self.prices: LastPrices = DynamoLastPrices(moto.dynamodb, "market")
        self.hours: Hours = DynamoTradingHours(moto.dynamodb, "market", FakeClock())
        self.vault: AccessVault = SecretsManagerAccessVault(moto.secrets_manager, "fillpath/test/broker")
        self.tokens: TokenLedger = DynamoTokenLedger(moto.dynamodb, "fleet")
        self._state_machine = ""

    def limits(self, clock: Clock) -> RateLimits:
        return DynamoRateLimits(self._moto.dynamodb, "fleet", clock)

    def lanes(self) -> tuple[LaneQueue, Inbox]:
        url = self._moto.create_queue("orders")
        return SqsLaneQueue(self._moto.sqs, url), lambda: self._received(url)

    def checks(self) -> tuple[VerificationQueue, Inbox, Inbox]:
        url, dead_url = self._moto.create_queue("verification"), self._moto.create_queue("verification-dead")
        queue = SqsVerificationQueue(self._moto.sqs, url, dead_url)
        return queue, lambda: self._received(url), lambda: self._received(dead_url)

    def reversals(self) -> ReversalRunner:
        self._state_machine = self._moto.create_state_machine()
        return StepFunctionsReversalRunner(self._moto.step_functions, self._state_machine)

    def end_reversal(self, order_id: str) -> None:
        arn = f"{self._state_machine.replace('stateMachine', 'execution')}:{order_id}"
        self._moto.step_functions.call("StopExecution", {"executionArn": arn})

    def master_key(self) -> MasterKey:
        return SecretsManagerMasterKey(self._moto.secrets_manager, self._moto.create_secret())

    def _received(self, url: str) -> list[Message]:
        asked = {"QueueUrl": url, "MaxNumberOfMessages": 10, "AttributeNames": ["All"]}
        messages = self._moto.sqs.call("ReceiveMessage", asked).get("Messages", [])
        return [
            Message(
                message["Attributes"]["MessageGroupId"],
                message["Attributes"]["MessageDeduplicationId"],
                json.loads(message["Body"]),
            )
            for message in messages
        ]
