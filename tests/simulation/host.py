"""Hosts: one invocation of one function, with its own clock, its own end, and calls that take time and go wrong."""

from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import NamedTuple, NoReturn, TypeVar, cast

from fillpath.errors import BrokerUnavailable, Conflict, StorageUnavailable
from fillpath.orders.model import Leg, Order
from fillpath.orders.ports.order_store import LaneView
from tests.simulation.faults import Faults, Kind, Phase
from tests.simulation.virtual import Killed, VirtualTime, instant

Answer = TypeVar("Answer")


class RateLimitStruck(Exception):
    """The venue turns the submit away for now."""


class Line(NamedTuple):
    """How long a call takes one way (seconds, from and to), when the caller gives up, and what it raises then.

    `late_s`: how long after that a request may still have its effect.
    """

    name: str
    least: float
    most: float
    gives_up: float
    error: type[Exception]
    late_s: float = 10.0


AWS = Line("aws", 0.001, 0.012, 4.0, StorageUnavailable)
BROKER = Line("broker", 0.01, 0.18, 8.0, BrokerUnavailable)


class Surroundings(NamedTuple):
    """What all hosts share."""

    time: VirtualTime
    faults: Faults
    random: Random
    trace: Callable[[str, str], None] | None


class Host:
    """One process. It is its own clock; every call of it goes through `call`."""

    __slots__ = ("_around", "_time", "dies_at", "name", "number", "skew", "started")

    def __init__(self, around: Surroundings, name: str, number: int, timeout: float) -> None:
        self._around = around
        self._time = around.time
        self.name = name
        self.number = number
        self.started = around.time.now
        self.dies_at = self.started + timeout
        self.skew = around.random.uniform(-1.0, 1.0)

    @property
    def finish_by(self) -> datetime:
        """When its time is over, by its own clock."""
        return instant(self.dies_at + self.skew)

    @property
    def true_now(self) -> float:
        """The true time, which only the history may know."""
        return self._time.now

    def now(self) -> datetime:
        """Its clock."""
        return instant(self._time.now + self.skew)

    def sleep(self, seconds: float) -> None:
        """Wait; the process can end meanwhile."""
        if self._strikes("clock.sleep", Phase.BEFORE) is Kind.SLOW:
            seconds += self._around.random.uniform(1, 8)
        self.pause(seconds)
        if self._strikes("clock.sleep", Phase.AFTER) is Kind.SLOW:
            self.pause(self._around.random.uniform(1, 8))

    def pause(self, seconds: float) -> None:
        """Let time pass, at most to the end of the process."""
        if self._time.now + seconds >= self.dies_at:
            self._time.pause(max(0.0, self.dies_at - self._time.now))
            self.say("is cut off: its time is over")
            raise Killed
        self._time.pause(seconds)

    def say(self, text: str) -> None:
        """A line of the trace."""
        if self._around.trace:
            self._around.trace(f"{self.name}:{self.number}", text)

    def call(self, method: str, line: Line, effect: Callable[..., Answer], *arguments: object) -> Answer:
        """Have `effect` happen far away, and its answer or error come back."""
        random = self._around.random
        kind = self._strikes(method, Phase.BEFORE)
        if kind is not None and kind is not Kind.SLOW:
            self._fail_before(kind, method, line, lambda: effect(*arguments))
        way = line.least + random.random() * (line.most - line.least)
        self._send(random.uniform(0.5, line.gives_up - 0.5) if kind is Kind.SLOW else way, method, lambda: effect(*arguments))
        answer, failure = _tried(effect, *arguments)
        self.pause(way)
        kind = self._strikes(method, Phase.AFTER)
        if kind is not None:
            self._fail_after(kind, method, line)
        if failure is not None:
            self.say(f"{method} raises {failure!r}")
            raise failure
        if self._around.trace:
            self.say(f"{method}{_shown(arguments)} -> {_short(answer)}")
        return cast("Answer", answer)

    def _send(self, way: float, method: str, effect: Callable[[], object]) -> None:
        """The way there; a request that is under way when the process ends may still arrive."""
        arrives = self._time.now + way
        try:
            self.pause(way)
        except Killed:
            if self._around.random.random() < 0.5:
                self.say(f"{method} arrives after the end of its process")
                self._time.at(arrives, lambda: _alone(effect))
            raise

    def _strikes(self, method: str, phase: Phase) -> Kind | None:
        kind = self._around.faults.meet(self._time.now, self.name, method, phase)
        if kind is not None:
            self.say(f"!! {method} {phase}: {kind}")
        if kind is Kind.CRASH:
            raise Killed
        return kind

    def _fail_before(self, kind: Kind, method: str, line: Line, effect: Callable[[], object]) -> NoReturn:
        if kind is Kind.CONFLICT:
            raise Conflict(f"{method}: another transaction got in between")
        if kind is Kind.RATE_LIMITED:
            raise RateLimitStruck
        if kind is Kind.LATE:
            self._time.after(self._around.random.uniform(0.1, line.late_s), lambda: _alone(effect))
            self.pause(line.gives_up)
        self.pause(line.least)
        raise line.error(f"{method}: {kind}")

    def _fail_after(self, kind: Kind, method: str, line: Line) -> None:
        slow = self._around.random.uniform(0.5, line.gives_up)
        self.pause(slow)
        if kind is Kind.UNANSWERED:
            raise line.error(f"{method}: {kind}")


def _tried(effect: Callable[..., Answer], *arguments: object) -> tuple[Answer | None, Exception | None]:
    try:
        return effect(*arguments), None
    except Exception as exc:  # noqa: BLE001  whatever it is, the caller hears of it after the way back
        return None, exc


def _alone(effect: Callable[[], object]) -> None:
    """A request whose caller is gone: nobody hears how it ended."""
    try:
        effect()
    except Exception:  # noqa: BLE001  whatever it was, there is nobody to tell
        return


def _shown(arguments: tuple[object, ...]) -> str:
    return f"({', '.join(_short(argument) for argument in arguments)})"


def _short(value: object) -> str:
    match value:
        case Order():
            legs = ", ".join(f"{leg.leg}={leg.status}/{leg.filled_quantity}" for leg in value.legs)
            return f"<{value.order_id[-4:]} {value.operation} {value.state} v{value.version} [{legs}]>"
        case Leg():
            return f"<{value.client_order_id[22:]} {value.side} {value.quantity} {value.type} {value.contract} #{value.attempts}>"
        case LaneView():
            lists = {
                "waiting": [each.order_id[-4:] for each in value.waiting],
                "working": [each.order_id[-4:] for each in value.working],
                "unknown": [each.order_id[-4:] for each in value.unknown],
            }
            shown = " ".join(f"{name}={listed}" for name, listed in lists.items() if listed)
            return f"<{value.lane} fence {value.fence} owner {(value.owner or 'none')[-4:]} {shown}>"
        case tuple() if not hasattr(value, "_fields"):
            return f"[{', '.join(map(_short, value))}]"
    text = str(value)
    return text if len(text) <= 140 else f"{text[:137]}..."
