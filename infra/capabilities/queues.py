"""Queues: a FIFO queue always comes with its dead-letter queue; both refuse plain HTTP and are encrypted."""

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.capabilities.acknowledged import acknowledge
from infra.settings import Settings

# A day before SQS asks KMS again: an idle queue costs next to nothing.
DATA_KEY_REUSE = Duration.hours(24)
RETENTION = Duration.days(14)


@dataclass(frozen=True)
class QueueSpec:
    """What distinguishes one queue; a message received `max_receive_count` times goes to its dead-letter queue."""

    name: str
    visibility_s: int
    max_receive_count: int
    delay_s: int = 0


class FifoQueue(Construct):
    """A queue in high-throughput mode: ids are given by the sender, and count per message group."""

    def __init__(self, scope: Construct, construct_id: str, *, spec: QueueSpec, settings: Settings, key: kms.IKey) -> None:
        super().__init__(scope, construct_id)
        self._settings, self._key = settings, key
        self.dead_letters = self._queue("DeadLetters", f"{spec.name}-dlq")
        self.queue = self._queue(
            "Queue",
            spec.name,
            visibility=Duration.seconds(spec.visibility_s),
            delay=Duration.seconds(spec.delay_s),
            dead_letters=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=spec.max_receive_count),
        )

    def _queue(
        self,
        construct_id: str,
        name: str,
        visibility: Duration | None = None,
        delay: Duration | None = None,
        dead_letters: sqs.DeadLetterQueue | None = None,
    ) -> sqs.Queue:
        queue = sqs.Queue(
            self,
            construct_id,
            queue_name=f"{self._settings.prefix}-{name}.fifo",
            fifo=True,
            content_based_deduplication=False,
            deduplication_scope=sqs.DeduplicationScope.MESSAGE_GROUP,
            fifo_throughput_limit=sqs.FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
            visibility_timeout=visibility,
            delivery_delay=delay,
            dead_letter_queue=dead_letters,
            retention_period=RETENTION,
            encryption_master_key=self._key,
            data_key_reuse=DATA_KEY_REUSE,
            enforce_ssl=self._settings.tls,
            removal_policy=self._settings.removal_policy,
        )
        _acknowledge_plain_http(queue, self._settings)
        return queue


class FailedEvents(Construct):
    """Where events end that a function could not process: a standard queue, the only kind a stream can send to."""

    def __init__(self, scope: Construct, construct_id: str, *, name: str, settings: Settings, key: kms.IKey) -> None:
        super().__init__(scope, construct_id)
        self.queue = sqs.Queue(
            self,
            "Queue",
            queue_name=f"{settings.prefix}-{name}",
            retention_period=RETENTION,
            encryption_master_key=key,
            data_key_reuse=DATA_KEY_REUSE,
            enforce_ssl=settings.tls,
            removal_policy=settings.removal_policy,
        )
        acknowledge(self.queue, "AwsSolutions-SQS3", "It is a dead-letter queue itself, of a stream and not of a queue")
        _acknowledge_plain_http(self.queue, settings)


def _acknowledge_plain_http(queue: sqs.Queue, settings: Settings) -> None:
    if not settings.tls:
        acknowledge(queue, "AwsSolutions-SQS4", "The emulator listens on this machine and speaks plain HTTP")
