"""Checks of submitted legs on a FIFO queue whose groups are the legs, and its dead-letter queue for those given up."""

from fillpath.errors import StorageUnavailable
from fillpath.orders.messages import CheckRequest
from fillpath.orders.ports.verification_queue import Check
from fillpath_aws.clients import Sqs


class SqsVerificationQueue:
    """VerificationQueue on SQS; the first delay of 2 s is the queue's own."""

    def __init__(self, sqs: Sqs, queue_url: str, dead_letter_url: str | None = None) -> None:
        self._sqs = sqs
        self._queue_url = queue_url
        self._dead_letter_url = dead_letter_url

    def check(self, check: Check) -> None:
        """Have the leg checked, once per submit attempt."""
        self._send(self._queue_url, check)

    def give_up(self, check: Check, reason: str) -> None:
        """Put the check with its reason into the dead-letter queue, which only the verifier has."""
        if self._dead_letter_url is None:
            raise StorageUnavailable("there is no dead-letter queue here to give up a check to")
        self._send(self._dead_letter_url, check, reason)

    def _send(self, queue_url: str, check: Check, reason: str | None = None) -> None:
        self._sqs.send_message(
            QueueUrl=queue_url,
            MessageBody=CheckRequest(**check._asdict(), reason=reason).model_dump_json(exclude_none=True),
            MessageGroupId=check.group,
            MessageDeduplicationId=check.check_id,
        )
