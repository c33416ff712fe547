"""Every few hours and after each deployment -> when exchanges trade is known for the days to come."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from fillpath.market.calendars import EXCHANGES
from functions.publish_hours.env import env
from functions.publish_hours.sessions import sessions_of
from functions.publish_hours.wiring import clock, publisher
from functions.telling import logger_of


@cache
def _logger() -> Logger:
    return logger_of(env().log_level)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:  # noqa: ARG001  Lambda's signature
    """Publish the sessions of every calendar that the catalogue's exchanges follow; answers their number by calendar."""
    now = clock().now()
    published = {}
    for code, calendar in {calendar.code: calendar for calendar in EXCHANGES.values()}.items():
        sessions = sessions_of(calendar, now.date())
        publisher().publish(code, sessions, now)
        published[code] = len(sessions)
    _logger().info("published", extra={"sessions": published})
    return published
