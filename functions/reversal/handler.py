"""One step of a reversal, called by the state machine: which step comes next is the answer."""

from datetime import timedelta
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from fillpath.orders.messages import StepRequest
from fillpath.orders.reverse import reverse
from functions.reversal.env import env
from functions.reversal.wiring import floor
from functions.telling import logger_of

_MARGIN_MS = 500


@cache
def _logger() -> Logger:
    return logger_of(env().log_level)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Run the step; what raises here is retried by the state machine and ends in the abort."""
    request = StepRequest.model_validate(event)
    _logger().set_correlation_id(request.order_id)
    on = floor()
    finish_by = on.clock.now() + timedelta(milliseconds=context.get_remaining_time_in_millis() - _MARGIN_MS)
    return reverse(request.step, request.order_id, on, finish_by).model_dump(mode="json")
