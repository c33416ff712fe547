"""How the local stack is: whether it runs, what waits in its queues, what is halted, and what needs a person."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from cli.deployment import read_outputs
from cli.directory import Directory, short
from cli.emulator import Emulator
from cli.halting import halts, named
from cli.places import Local
from cli.sessions import emulator_client
from cli.stack import is_being_brought_up, read_description
from cli.target import local_target
from fillpath.orders.model import Listing, Order

# As the alarms of an environment on AWS have it.
WAITS_LONG = timedelta(minutes=1)
UNKNOWN_LONG = timedelta(minutes=5)
DEAD_LETTERS = "_dlq"


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
class Trouble:
    """What a person should look at, and the page that says how."""

    text: str
    runbook: str


@dataclass(frozen=True)
class Stopped:
    """A halt: its scope as it is stored and in words, and why."""

    scope: str
    what: str
    reason: str


@dataclass(frozen=True)
class Health:
    """What `./fillpath status` tells."""

    running: bool
    state: State
    pid: int | None = None
    endpoint_url: str | None = None
    queues: dict[str, Queue] = field(default_factory=dict)
    halts: tuple[Stopped, ...] = ()
    troubles: tuple[Trouble, ...] = ()

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
    description, queues = read_description(local), _queues(local, emulator)
    target = local_target(description, read_outputs(local))
    directory = Directory(target.accounts)
    halted = tuple(Stopped(each.scope, named(each.scope, directory), each.reason) for each in halts(directory, target.controls))
    found = troubles(queues, target.orders.open_orders(), target.clock.now())
    return Health(True, state, pid, emulator.endpoint, queues, halted, found)


def troubles(queues: Mapping[str, Queue], orders: Iterable[Order], now: datetime) -> tuple[Trouble, ...]:
    """What a person should look at: work that was given up, and open orders that are stuck."""
    return (*_dead_letters(queues), *_late(orders, now))


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


def _dead_letters(queues: Mapping[str, Queue]) -> Iterator[Trouble]:
    for name, queue in queues.items():
        count = queue.waiting + queue.in_flight
        if name.endswith(DEAD_LETTERS) and count:
            yield Trouble(f"{_counted(count, 'message')} in {name}: that work was given up", "docs/runbooks/dead-letters.md")


def _late(orders: Iterable[Order], now: datetime) -> Iterator[Trouble]:
    """Orders whose wake-up or whose check must have got stuck."""
    waiting, unknown = [], []
    for order in orders:
        age = now - order.received_at
        if order.listing is Listing.WAITING and age > WAITS_LONG:
            waiting.append(short(order.order_id))
        elif order.listing is Listing.UNKNOWN and age > UNKNOWN_LONG:
            unknown.append(short(order.order_id))
    if waiting:
        text = f"{_counted(len(waiting), 'order')} waiting for more than a minute: {', '.join(waiting)}"
        yield Trouble(text, "docs/runbooks/queue-age.md")
    if unknown:
        text = f"{_counted(len(unknown), 'order')} unknown for more than five minutes: {', '.join(unknown)}"
        yield Trouble(text, "docs/runbooks/oldest-unknown.md")


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
