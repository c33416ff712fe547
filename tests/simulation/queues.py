"""SQS FIFO queues as they behave: order and one message in flight per group, visibility, receive counts, deduplication."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.simulation.faults import Faults, MessageFault
from tests.simulation.virtual import VirtualTime

REMEMBERED_S = 300.0


@dataclass(slots=True, eq=False)
class Message:
    """One message; `receipt` grows with each delivery, and only the newest one may delete or return it."""

    group: str
    body: Any
    visible_at: float
    receipt: int = 0


Deliver = Callable[[Message, int], None]


class FifoQueue:
    """One queue with its dead letters; `deliver` gets each message with the receipt of that delivery."""

    def __init__(
        self, name: str, time: VirtualTime, faults: Faults, random: Random, *, visibility: float, most: int, delay: float = 0.0
    ) -> None:
        self.name = name
        self.deliver: Deliver = lambda _message, _receipt: None
        self.dead: list[Message] = []
        self._time = time
        self._faults = faults
        self._random = random
        self._visibility = visibility
        self._most = most
        self._delay = delay
        self._groups: dict[str, list[Message]] = {}
        self._sent: dict[tuple[str, str], float] = {}

    def send(self, group: str, dedup_id: str, body: Any) -> None:
        """Take a message, unless its id was sent to the group in the last five minutes."""
        now = self._time.now
        before = self._sent.get((group, dedup_id))
        if before is not None and now - before < REMEMBERED_S:
            return
        self._sent[group, dedup_id] = now
        self._take(Message(group, body, now + self._delay), self._faults.meet_message(now, self.name))

    def delete(self, message: Message, receipt: int) -> None:
        """The message is used up."""
        messages = self._groups[message.group]
        if message.receipt == receipt and message in messages:
            messages.remove(message)
            self._poll(message.group)

    def come_back(self, message: Message, receipt: int, seconds: float) -> None:
        """Have the message delivered again after so many seconds."""
        if message.receipt == receipt:
            self._show(message, self._time.now + seconds)

    def _take(self, message: Message, fault: MessageFault | None) -> None:
        if fault is MessageFault.LOST:
            return
        if fault is MessageFault.DELAYED:
            message.visible_at += self._random.uniform(1, 45)
        messages = self._groups.setdefault(message.group, [])
        messages.insert(0 if fault is MessageFault.REORDERED and len(messages) > 1 else len(messages), message)
        if fault is MessageFault.DUPLICATED:
            self._time.at(message.visible_at + self._random.uniform(0.01, 12), lambda: self._again(message))
        self._show(message, message.visible_at)

    def _show(self, message: Message, at: float) -> None:
        message.visible_at = at
        self._time.at(at + self._random.uniform(0.001, 0.02), lambda: self._poll(message.group))

    def _again(self, message: Message) -> None:
        """At least once means: now and then a second time, even while the first delivery is being worked on."""
        if message in self._groups[message.group]:
            self.deliver(message, message.receipt)

    def _poll(self, group: str) -> None:
        messages = self._groups[group]
        if not messages or messages[0].visible_at > self._time.now:
            return
        head = messages[0]
        if head.receipt >= self._most:
            self.dead.append(messages.pop(0))
            self._poll(group)
            return
        head.receipt += 1
        self._show(head, self._time.now + self._visibility)
        self.deliver(head, head.receipt)
