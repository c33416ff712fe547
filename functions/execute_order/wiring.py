"""execute_order's adapters."""

from functools import cache

from fillpath.orders.floor import Floor
from fillpath_aws.clients import Sqs, service
from functions.execute_order.env import env
from functions.floor import trading_floor


@cache
def floor() -> Floor:
    """The order path, with the right to start reversals."""
    return trading_floor(env(), state_machine_arn=env().reversal_state_machine_arn)


@cache
def queue() -> tuple[Sqs, str]:
    """The queue that the messages come from."""
    return service("sqs"), env().orders_queue_url
