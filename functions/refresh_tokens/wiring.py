"""refresh_tokens' adapters."""

from functools import cache

from fillpath.clock import Clock, SystemClock
from fillpath_aws.account_store import DynamoAccountStore
from fillpath_aws.clients import DynamoDb, service
from fillpath_aws.telemetry import EmfTelemetry
from fillpath_brokers import registry
from fillpath_brokers.renewing import Office
from fillpath_brokers.token_store import TokenStore
from fillpath_brokers.web import Web
from functions import access
from functions.refresh_tokens.env import env


@cache
def clock() -> Clock:
    """The machine's clock."""
    return SystemClock()


@cache
def _dynamodb() -> DynamoDb:
    return service("dynamodb")


@cache
def _tokens() -> TokenStore:
    return access.token_store(env(), _dynamodb(), clock())


@cache
def _web() -> Web:
    return access.web(env(), _dynamodb(), clock())


def office(owner: str) -> Office:
    """What one run, named `owner`, works with; tokens that an earlier run could not store are still known."""
    return Office(
        accounts=DynamoAccountStore(_dynamodb(), env().accounts_table),
        tokens=_tokens(),
        venues=registry,
        web=_web(),
        clock=clock(),
        telemetry=EmfTelemetry(env().fillpath_env),
        owner=owner,
    )
