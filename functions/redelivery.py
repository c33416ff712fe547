"""Queue messages that are to come back: hidden for so long, then reported as failed, so that the queue delivers them again."""

import logging
import math
from collections.abc import Callable
from typing import Any, TypeVar

from aws_lambda_powertools.utilities.batch import SqsFifoPartialProcessor, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from fillpath.errors import FillpathError
from fillpath_aws.clients import Sqs

_log = logging.getLogger("fillpath.redelivery")
Record = TypeVar("Record")
LONGEST_S = 43_200 - 900
"""SQS hides a message for twelve hours at most, counted from when it was received; what the function has run since is in them."""
_SOON, _GROWTH, _PATIENCE_S = 6, 1.5, 30.0
"""From which delivery on a delay grows, how fast, and up to how many seconds."""


class NotYet(Exception):
    """The message is not used up; the queue will show it again."""


def come_back(sqs: Sqs, queue_url: str, record: SQSRecord, delay_s: float) -> None:
    """Hide the message for `delay_s` seconds (whole ones, rounded up, as many as SQS takes) and raise NotYet."""
    seconds = math.ceil(min(max(delay_s, 0.0), LONGEST_S)) if math.isfinite(delay_s) else LONGEST_S
    sqs.change_message_visibility(QueueUrl=queue_url, ReceiptHandle=record.receipt_handle, VisibilityTimeout=seconds)
    raise NotYet(f"again in {delay_s:g} s")


def patiently(delay_s: float, record: SQSRecord) -> float:
    """The delay of a message that has come back often, in seconds: it grows, and the queue's other groups get their time.

    With it a message lasts as long as a reduction waits before the queue gives it up.
    """
    often = int(record.attributes.approximate_receive_count) - _SOON
    return delay_s if often <= 0 else max(delay_s, min(_GROWTH**often, _PATIENCE_S))


def each_message(
    event: dict[str, Any], handle: Callable[[SQSRecord], None], context: LambdaContext
) -> PartialItemFailureResponse:
    """Handle a batch in order; what failed is reported by item, with the rest of its group behind it."""
    processor = SqsFifoPartialProcessor(skip_group_on_error=True)
    processor.raise_on_entire_batch_failure = False  # a batch in which all come back is an answer, no error of the function
    return process_partial_response(event=event, record_handler=told(handle), processor=processor, context=context)


def told(handle: Callable[[Record], None]) -> Callable[[Record], None]:
    """`handle`, whose failures are logged: the batch processor reports them to the queue and to nobody else."""

    def run(record: Record) -> None:
        try:
            handle(record)
        except NotYet:
            raise
        except FillpathError as exc:
            _log.warning("a message will be shown again: %r", exc)
            raise
        except Exception:
            _log.exception("a message met an error and will be shown again")
            raise

    return run
