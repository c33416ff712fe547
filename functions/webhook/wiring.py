"""webhook's adapters."""

from functools import cache

from fillpath.alerts.accept import Desks
from fillpath.clock import Clock, SystemClock
from fillpath.orders.ports.order_store import OrderStore
from fillpath_aws.alert_store import DynamoAlertStore, Tables
from fillpath_aws.clients import service
from fillpath_aws.lane_queue import SqsLaneQueue
from fillpath_aws.master_key import SecretsManagerMasterKey
from fillpath_aws.order_store import DynamoOrderStore
from fillpath_brokers import registry
from functions.webhook.env import env


@cache
def desks() -> Desks:
    """What accepting an alert needs."""
    tables = Tables(orders=env().orders_table, accounts=env().accounts_table, guards=env().guards_table)
    return Desks(
        alerts=DynamoAlertStore(service("dynamodb"), tables),
        lanes=SqsLaneQueue(service("sqs"), env().orders_queue_url),
        master_key=SecretsManagerMasterKey(service("secretsmanager"), env().master_key_secret_id),
        venues=registry,
    )


@cache
def orders() -> OrderStore:
    """Where the result shows."""
    return DynamoOrderStore(service("dynamodb"), env().orders_table)


@cache
def clock() -> Clock:
    """The machine's clock."""
    return SystemClock()
