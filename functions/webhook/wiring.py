"""webhook's adapters."""

from functools import cache

from fillpath.alerts.accept import Desks
from fillpath.clock import Clock, SystemClock
from fillpath.orders.ports.order_store import OrderStore
from fillpath_aws.alert_store import DynamoAlertStore, Tables
from fillpath_aws.clients import DynamoDb, service
from fillpath_aws.lane_queue import SqsLaneQueue
from fillpath_aws.master_key import SecretsManagerMasterKey
from fillpath_aws.order_store import DynamoOrderStore
from fillpath_brokers import registry
from functions.webhook.env import env

READ_S = 0.8
"""TradingView hangs up after 3 s: a call that stalls must leave time for the answer that asks for a resend."""


@cache
def _dynamodb() -> DynamoDb:
    return service("dynamodb", read_s=READ_S)


@cache
def desks() -> Desks:
    """What accepting an alert needs."""
    tables = Tables(orders=env().orders_table, accounts=env().accounts_table, guards=env().guards_table)
    return Desks(
        alerts=DynamoAlertStore(_dynamodb(), tables),
        lanes=SqsLaneQueue(service("sqs", read_s=READ_S), env().orders_queue_url),
        master_key=SecretsManagerMasterKey(service("secretsmanager", read_s=READ_S), env().master_key_secret_id),
        venues=registry,
    )


@cache
def orders() -> OrderStore:
    """Where the result shows."""
    return DynamoOrderStore(_dynamodb(), env().orders_table)


@cache
def clock() -> Clock:
    """The machine's clock."""
    return SystemClock()
