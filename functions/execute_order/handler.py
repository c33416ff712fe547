"""orders.fifo -> the woken lane's orders act."""

from datetime import timedelta
from functools import cache, partial
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from fillpath.orders.execute import execute
from fillpath.orders.messages import WakeUp
from fillpath.orders.model import Lane
from functions.execute_order.env import env
from functions.execute_order.wiring import floor, queue
from functions.redelivery import come_back, each_message, patiently
from functions.telling import logger_of

_MARGIN_MS = 500
"""Kept of the function's time for recording what was answered last."""


@cache
def _logger() -> Logger:
    return logger_of(env().log_level)


def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Let each woken lane act; a message whose lane is not through comes back."""
    _logger()
    return each_message(event, partial(_wake, context=context), context)


def _wake(record: SQSRecord, context: LambdaContext) -> None:
    message = WakeUp.model_validate_json(record.body)
    on = floor()
    finish_by = on.clock.now() + timedelta(milliseconds=context.get_remaining_time_in_millis() - _MARGIN_MS)
    again = execute(Lane(message.account_id, message.root), on, finish_by)
    if again is not None:
        come_back(*queue(), record, patiently(again.delay_s, record))
