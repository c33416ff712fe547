"""LaneQueue: wake-ups of lanes."""

from typing import Protocol

from fillpath.orders.model import Lane


class LaneQueue(Protocol):
    """A message is only a wake-up: what is to be done stands in the table."""

    def wake(self, lane: Lane, wake_id: str) -> None:
        """Wake the lane; within five minutes the same `wake_id` is sent once. Raises StorageUnavailable."""
        ...
