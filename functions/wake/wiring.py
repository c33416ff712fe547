"""wake's adapters."""

from functools import cache

from fillpath.orders.ports.lane_queue import LaneQueue
from fillpath_aws.clients import service
from fillpath_aws.lane_queue import SqsLaneQueue
from functions.wake.env import env


@cache
def lanes() -> LaneQueue:
    """Where wake-ups are sent."""
    return SqsLaneQueue(service("sqs"), env().orders_queue_url)
