"""publish_hours' adapters."""

from functools import cache

from fillpath.clock import Clock, SystemClock
from fillpath.market.ports.trading_hours import HoursPublisher
from fillpath_aws.clients import service
from fillpath_aws.trading_hours import DynamoTradingHours
from functions.publish_hours.env import env


@cache
def clock() -> Clock:
    """The machine's clock."""
    return SystemClock()


@cache
def publisher() -> HoursPublisher:
    """Where the hours are published."""
    return DynamoTradingHours(service("dynamodb"), env().market_table, clock())
