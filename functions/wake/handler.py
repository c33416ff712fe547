"""The orders table's stream -> wake-ups that may have been lost: the queue drops those that were not."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from fillpath_aws.lane_changes import wake_up_for
from functions.redelivery import told
from functions.telling import logger_of
from functions.wake.env import env
from functions.wake.wiring import lanes


@cache
def _logger() -> Logger:
    return logger_of(env().log_level)


def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Wake the lane of each new waiting order, and each lane that lost its owner."""
    _logger()
    processor = BatchProcessor(event_type=EventType.DynamoDBStreams, raise_on_entire_batch_failure=False)
    return process_partial_response(event=event, record_handler=told(_wake), processor=processor, context=context)


def _wake(record: DynamoDBRecord) -> None:
    wake_up = wake_up_for(record.raw_event["dynamodb"])
    if wake_up is not None:
        lanes().wake(*wake_up)
