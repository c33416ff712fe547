"""What lets functions into brokers: the variables come in, tokens and the way to venues go out."""

from fillpath.clock import Clock
from fillpath_aws.access_vault import SecretsManagerAccessVault
from fillpath_aws.clients import DynamoDb, service
from fillpath_aws.rate_limits import DynamoRateLimits
from fillpath_aws.token_ledger import DynamoTokenLedger
from fillpath_brokers.token_store import TokenStore
from fillpath_brokers.web import Web
from functions.environment import SignsIn


def token_store(env: SignsIn, dynamodb: DynamoDb, clock: Clock) -> TokenStore:
    """What lets each account in. No function makes a secret, so none needs to name the key."""
    vault = SecretsManagerAccessVault(service("secretsmanager"), env.broker_secret_prefix)
    return TokenStore(vault, DynamoTokenLedger(dynamodb, env.fleet_table), clock)


def web(env: SignsIn, dynamodb: DynamoDb, clock: Clock) -> Web:
    """The way to venues, within the limits that all processes share."""
    return Web(DynamoRateLimits(dynamodb, env.fleet_table, clock), clock)
