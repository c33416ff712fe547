"""Wake-ups of lanes on a FIFO queue whose groups are the lanes."""

from fillpath.orders.messages import WakeUp
from fillpath.orders.model import Lane
from fillpath_aws.clients import Sqs


class SqsLaneQueue:
    """LaneQueue on SQS, which remembers a deduplication id for five minutes."""

    def __init__(self, sqs: Sqs, queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    def wake(self, lane: Lane, wake_id: str) -> None:
        """Wake the lane; within five minutes the same `wake_id` is sent once."""
        self._sqs.send_message(
            QueueUrl=self._queue_url,
            MessageBody=WakeUp(account_id=lane.account_id, root=lane.root).model_dump_json(),
            MessageGroupId=str(lane),
            MessageDeduplicationId=wake_id,
        )
