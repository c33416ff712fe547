"""Each minute -> tokens that end soon are renewed, and who must sign in again is told."""

from datetime import timedelta
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from fillpath.ids import new_id
from fillpath_brokers.renewing import renew_all
from functions.refresh_tokens.env import env
from functions.refresh_tokens.wiring import clock, office
from functions.telling import logger_of

_LONGEST_MS = 45_000
"""What a renewal may take: a venue that makes one wait, time-outs, and storing the token that came of it."""


@cache
def _logger() -> Logger:
    return logger_of(env().log_level)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:  # noqa: ARG001  Lambda's signature
    """Look after all accounts once; answers how many were renewed, failed, were left and need a person."""
    _logger()
    now = clock().now()
    finish_by = now + timedelta(milliseconds=context.get_remaining_time_in_millis() - _LONGEST_MS)
    return renew_all(office(new_id(now)), finish_by)._asdict()
