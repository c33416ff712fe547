"""How the local stack is: whether it runs, and what waits in its queues."""

from dataclasses import asdict, dataclass, field
from typing import Any

from cli.deployment import aws_session
from cli.emulator import Emulator
from cli.places import Local
from cli.stack import read_description


@dataclass(frozen=True)
class Queue:
    """How many messages wait, and how many somebody works on."""

    waiting: int
    in_flight: int


@dataclass(frozen=True)
class Health:
    """What `./fillpath status` tells."""

    running: bool
    pid: int | None = None
    endpoint_url: str | None = None
    queues: dict[str, Queue] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def look(local: Local) -> Health:
    """Asks the emulator."""
    emulator = Emulator(local.emulator)
    pid = emulator.pid
    if pid is None or not local.stack.exists():
        return Health(running=False)
    return Health(True, pid, emulator.endpoint, _queues(local, emulator))


def _queues(local: Local, emulator: Emulator) -> dict[str, Queue]:
    client = aws_session().client("sqs", endpoint_url=emulator.endpoint)
    return {name: _queue(client, url) for name, url in read_description(local)["queues"].items()}


def _queue(client: Any, url: str) -> Queue:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    counts = client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return Queue(*(int(counts[name]) for name in names))
