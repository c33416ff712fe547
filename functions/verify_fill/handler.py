"""verification.fifo -> what became of a submitted leg."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from fillpath.orders.messages import CheckRequest
from fillpath.orders.verify import verify
from functions.redelivery import come_back, each_message
from functions.telling import logger_of
from functions.verify_fill.env import env
from functions.verify_fill.wiring import floor, queue


@cache
def _logger() -> Logger:
    return logger_of(env().log_level)


def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Check each leg; one that is not final comes back."""
    _logger()
    return each_message(event, _check, context)


def _check(record: SQSRecord) -> None:
    message = CheckRequest.model_validate_json(record.body)
    _logger().set_correlation_id(message.order_id)
    again_s = verify(message, floor())
    if again_s is not None:
        come_back(*queue(), record, again_s)
