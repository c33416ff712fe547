"""Each minute -> everything that has not ended is looked after."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from fillpath.orders.sweep import sweep
from functions.sweep.env import env
from functions.sweep.wiring import floor
from functions.telling import logger_of


@cache
def _logger() -> Logger:
    return logger_of(env().log_level)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:  # noqa: ARG001  Lambda's signature
    """Sweep once; answers how many orders could not be looked after."""
    _logger()
    return {"failures": sweep(floor())}
