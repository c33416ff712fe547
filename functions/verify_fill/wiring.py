"""verify_fill's adapters."""

from functools import cache

from fillpath.orders.floor import Floor
from fillpath_aws.clients import Sqs, service
from functions.floor import trading_floor
from functions.verify_fill.env import env


@cache
def floor() -> Floor:
    """The order path, with the right to give up checks."""
    return trading_floor(env(), dead_letter_url=env().verification_dlq_url)


@cache
def queue() -> tuple[Sqs, str]:
    """The queue that the messages come from."""
    return service("sqs"), env().verification_queue_url
