"""How the local stack is: whether it runs, and what waits in its queues."""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from cli.emulator import Emulator
from cli.places import Local
from cli.sessions import emulator_client
from cli.stack import is_being_brought_up, read_description


@dataclass(frozen=True)
class Queue:
    """How many messages wait, and how many somebody works on."""

    waiting: int
    in_flight: int


class State(StrEnum):
    """Running: ready for alerts. Starting: an `up` is at work. Unfinished: an `up` was killed, the emulator runs on."""

    RUNNING = "running"
    STARTING = "starting"
    UNFINISHED = "unfinished"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Health:
    """What `./fillpath status` tells."""

    running: bool
    state: State
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
    state = _state(local, pid)
    if state is not State.RUNNING:
        return Health(False, state, pid)
    return Health(True, state, pid, emulator.endpoint, _queues(local, emulator))


def _state(local: Local, pid: int | None) -> State:
    if pid is not None and local.stack.exists():
        return State.RUNNING
    if is_being_brought_up(local):
        return State.STARTING
    return State.STOPPED if pid is None else State.UNFINISHED


def _queues(local: Local, emulator: Emulator) -> dict[str, Queue]:
    client = emulator_client("sqs", emulator.endpoint)
    return {name: _queue(client, url) for name, url in read_description(local)["queues"].items()}


def _queue(client: Any, url: str) -> Queue:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    counts = client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return Queue(*(int(counts[name]) for name in names))
