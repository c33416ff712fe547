"""Where commands act: what an environment's stacks gave out and where AWS is come in, stores, brokers and functions come out."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from cli.means import Venues
from cli.problem import Problem
from fillpath.accounts.model import Account
from fillpath.accounts.ports.account_store import AccountStore
from fillpath.accounts.ports.controls import Controls
from fillpath.accounts.ports.master_key import MasterKey
from fillpath.alerts.ports.alert_store import AlertStore
from fillpath.alerts.ports.inbox import Inbox
from fillpath.clock import Clock, SystemClock
from fillpath.market.ports.last_prices import LastPrices
from fillpath.orders.ports.order_store import OrderStore
from fillpath_aws.access_vault import SecretsManagerAccessVault
from fillpath_aws.account_store import DynamoAccountStore
from fillpath_aws.alert_store import DynamoAlertStore, Tables
from fillpath_aws.clients import DynamoDb, SecretsManager, service
from fillpath_aws.controls import DynamoControls
from fillpath_aws.inbox import DynamoInbox
from fillpath_aws.json_rpc import Connection, Keys
from fillpath_aws.last_prices import DynamoLastPrices
from fillpath_aws.master_key import SecretsManagerMasterKey
from fillpath_aws.order_store import DynamoOrderStore
from fillpath_aws.paper_book_store import DynamoPaperBookStore
from fillpath_aws.rate_limits import DynamoRateLimits
from fillpath_aws.token_ledger import DynamoTokenLedger
from fillpath_aws.trading_hours import DynamoTradingHours
from fillpath_brokers import registry
from fillpath_brokers.facade import Broker
from fillpath_brokers.services import Services
from fillpath_brokers.token_store import TokenStore
from fillpath_brokers.web import Web

# Longer than the longest function may run.
INVOKE_PATIENCE_S = 70


@dataclass(frozen=True)
class Place:
    """Where AWS is; without an endpoint it is AWS itself."""

    region: str
    keys: Callable[[], Keys]
    endpoint_url: str | None = None

    def connection(self, host: Literal["dynamodb", "secretsmanager"]) -> Connection:
        """The way to one service."""
        return Connection(self.region, f"{self.endpoint_url or f'https://{host}.{self.region}.amazonaws.com'}/", self.keys)


class Target:
    """One environment. `outputs` are those of all its stacks by name; `api_url` is where its webhook API answers."""

    def __init__(self, outputs: Mapping[str, str], api_url: str, place: Place, venues: Venues = registry) -> None:
        self.venues = venues
        self.clock: Clock = SystemClock()
        self._outputs = outputs
        self._tables = named(outputs, "TableName")
        self._place = place
        self._api_url = api_url.rstrip("/")

    @cached_property
    def accounts(self) -> AccountStore:
        """Users, accounts and webhooks."""
        return DynamoAccountStore(self._dynamodb, self._tables["accounts"])

    @cached_property
    def orders(self) -> OrderStore:
        """Orders and lanes."""
        return DynamoOrderStore(self._dynamodb, self._tables["orders"])

    @cached_property
    def alerts(self) -> AlertStore:
        """What decides about an alert."""
        tables = Tables(self._tables["orders"], self._tables["accounts"], self._tables["guards"])
        return DynamoAlertStore(self._dynamodb, tables)

    @cached_property
    def inbox(self) -> Inbox:
        """The alerts that came in."""
        return DynamoInbox(self._dynamodb, self._tables["guards"])

    @cached_property
    def controls(self) -> Controls:
        """Halt flags."""
        return DynamoControls(self._dynamodb, self._tables["accounts"])

    @cached_property
    def prices(self) -> LastPrices:
        """Last trades."""
        return DynamoLastPrices(self._dynamodb, self._tables["market"])

    @cached_property
    def master_key(self) -> MasterKey:
        """What tokens and secrets of webhooks are derived from."""
        return SecretsManagerMasterKey(self._secrets_manager, self._outputs["MasterKeySecretId"])

    @cached_property
    def tokens(self) -> TokenStore:
        """What lets accounts in at their venues."""
        prefix, key = self._newer("BrokerSecretPrefix"), self._newer("KeyArn")
        vault = SecretsManagerAccessVault(self._secrets_manager, prefix, key)
        return TokenStore(vault, DynamoTokenLedger(self._dynamodb, self._newer("FleetTableName")), self.clock)

    @cached_property
    def services(self) -> Services:
        """What venues may use, within the limits that all processes share."""
        limits = DynamoRateLimits(self._dynamodb, self._newer("FleetTableName"), self.clock)
        return Services(
            clock=self.clock,
            last_prices=self.prices,
            paper_books=DynamoPaperBookStore(self._dynamodb, self._tables["paper"]),
            accounts=self.accounts,
            tokens=self.tokens,
            web=Web(limits, self.clock),
            hours=DynamoTradingHours(self._dynamodb, self._tables["market"], self.clock),
        )

    def broker(self, account: Account) -> Broker:
        """The account at its venue."""
        return self.venues.open_account(account.venue, account.account_id, self.services)

    def close(self) -> None:
        """Close the connections to venues, if there are any."""
        if "services" in vars(self):
            self.services.web.close()

    def webhook_url(self, token: str) -> str:
        """Where the alerts of a webhook are posted to."""
        return f"{self._api_url}/webhook/tradingview/{token}"

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        """What the function, named as its folder, answers to the event; raises Problem if it failed."""
        answer = self._invoke(function, event, "RequestResponse")
        payload = json.loads(answer["Payload"].read() or b"null")
        if "FunctionError" in answer:
            raise Problem(
                f"function {function} failed: {payload.get('errorMessage', payload)}", hint="./fillpath logs " + function
            )
        return payload

    def start(self, function: str, event: Mapping[str, Any]) -> None:
        """Have the function work on the event, without waiting for it; raises Problem if it was not reached."""
        self._invoke(function, event, "Event")

    def _invoke(self, function: str, event: Mapping[str, Any], how: str) -> Mapping[str, Any]:
        name = self._outputs[f"{function.title().replace('_', '')}FunctionName"]
        try:
            answer: Mapping[str, Any] = self._functions.invoke(
                FunctionName=name, InvocationType=how, Payload=json.dumps(event).encode()
            )
        except (BotoCoreError, ClientError) as error:
            raise Problem(f"function {function} was not reached: {error}") from error
        return answer

    def _newer(self, output: str) -> str:
        """An output that environments have only since accounts can be at real venues."""
        if output not in self._outputs:
            raise Problem(
                "this environment was deployed by an older version",
                hint="./fillpath up, or ./fillpath deploy ENV, brings it up to date",
            )
        return self._outputs[output]

    @cached_property
    def _secrets_manager(self) -> SecretsManager:
        return service("secretsmanager", self._place.connection("secretsmanager"))

    @cached_property
    def _dynamodb(self) -> DynamoDb:
        return service("dynamodb", self._place.connection("dynamodb"))

    @cached_property
    def _functions(self) -> Any:
        # boto3: most commands do without it, and it takes longer to load than they to run.
        from cli.sessions import emulator_client, own_session  # noqa: PLC0415  loads botocore, which most commands do without

        settings: dict[str, Any] = {"read_timeout": INVOKE_PATIENCE_S, "retries": {"total_max_attempts": 1}}
        if self._place.endpoint_url is not None:
            return emulator_client("lambda", self._place.endpoint_url, **settings)
        return own_session().client("lambda", config=Config(**settings))


def local_target(description: Mapping[str, Any], outputs: Mapping[str, str], venues: Venues = registry) -> Target:
    """The local stack, as stack.json describes it."""
    aws = description["aws"]
    keys = Keys(aws["access_key_id"], aws["secret_access_key"])
    return Target(outputs, description["api_url"], Place(aws["region"], lambda: keys, aws["endpoint_url"]), venues)


def deployed_target(environment: str, venues: Venues = registry) -> Target:
    """An environment on AWS, found with the person's own credentials; raises Problem."""
    from cli.environments import account_of, require_environment, stack_outputs  # noqa: PLC0415  the same
    from cli.sessions import own_session  # noqa: PLC0415  the same

    require_environment(environment)
    session = own_session()
    account = account_of(session)
    outputs: dict[str, str] = {}
    for part in ("State", "Orders", "Edge"):
        outputs |= stack_outputs(session, f"Fillpath-{environment}-{part}")
    if "WebhookApiUrl" not in outputs:
        raise Problem(
            f"{environment} is not deployed in account {account.account_id}, {account.region}",
            hint=f"./fillpath deploy {environment}, or choose another region or profile",
        )

    def keys() -> Keys:
        credentials = session.get_credentials()
        frozen = credentials.get_frozen_credentials() if credentials else None
        if frozen is None or not frozen.access_key or not frozen.secret_key:
            raise Problem("no AWS credentials were found", hint="sign in, e.g. aws sso login")
        return Keys(frozen.access_key, frozen.secret_key, frozen.token)

    return Target(outputs, outputs["WebhookApiUrl"], Place(account.region, keys), venues)


def named(outputs: Mapping[str, str], kind: str) -> dict[str, str]:
    """The outputs of one kind: `{"OrdersTableName": "x"}` becomes `{"orders": "x"}`."""
    found = {name.removesuffix(kind): value for name, value in outputs.items() if name.endswith(kind)}
    return {re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): value for name, value in found.items()}
