"""Faults: what goes wrong at which call. A scenario's plan comes in; each call asks whether it is struck."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import NamedTuple


class Phase(StrEnum):
    """Before or after the call has had its effect."""

    BEFORE = "before"
    AFTER = "after"


class Kind(StrEnum):
    """What happens to the call, or to the process that makes it."""

    CRASH = "crash"
    REFUSED = "refused"  # an error at once, no effect: throttled, or the connection failed
    LATE = "late"  # no answer within the time-out; the effect happens, some seconds afterwards
    CONFLICT = "conflict"  # another transaction got in between
    RATE_LIMITED = "rate_limited"
    UNANSWERED = "unanswered"  # the effect happened, its answer never came
    SLOW = "slow"  # seconds instead of milliseconds


class Point(NamedTuple):
    """Where a process can end: a use case, the call it makes, before or after the effect of it."""

    use_case: str
    method: str
    phase: Phase

    def __str__(self) -> str:
        return f"{self.use_case} {self.method} {self.phase}"


class Strike(NamedTuple):
    """One fault at one point: the how-manieth time it is reached. `variant` is another course of things from there on."""

    point: Point
    occurrence: int
    kind: Kind
    variant: int = 0

    def __str__(self) -> str:
        return f"{self.point} {self.kind} {self.occurrence} {self.variant}"

    @classmethod
    def parse(cls, text: str) -> "Strike":
        """The strike of its own text; ValueError if it is none."""
        use_case, method, phase, kind, occurrence, variant = text.split()
        return cls(Point(use_case, method, Phase(phase)), int(occurrence), Kind(kind), int(variant))


class Struck(NamedTuple):
    """A fault that happened."""

    at: float
    what: str


class MessageFault(StrEnum):
    """What happens to a message after it was sent."""

    LOST = "lost"
    DELAYED = "delayed"
    DUPLICATED = "duplicated"
    REORDERED = "reordered"


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """The faults of a scenario. `steps`: at the n-th call of the whole run, with a number that chooses the kind."""

    strikes: tuple[Strike, ...] = ()
    steps: dict[int, int] = field(default_factory=dict)
    messages: dict[tuple[str, int], MessageFault] = field(default_factory=dict)
    outages: tuple[tuple[float, float], ...] = ()
    until: float = 0.0


_WRITES = {"orders.save", "orders.take", "alerts.accept"}


def kinds(method: str, phase: Phase) -> tuple[Kind, ...]:
    """What can go wrong with a call, the process' own end first."""
    if method == "clock.sleep":
        return (Kind.CRASH, Kind.SLOW)
    if phase is Phase.AFTER:
        return (Kind.CRASH, Kind.UNANSWERED, Kind.SLOW)
    usual = (Kind.CRASH, Kind.REFUSED, Kind.LATE, Kind.SLOW)
    if method in _WRITES - {"alerts.accept"}:
        return (*usual, Kind.CONFLICT)
    return (*usual, Kind.RATE_LIMITED) if method == "desk.submit" else usual


@dataclass(slots=True)
class _Seen:
    """A point that was reached, and the strikes planned at it by occurrence."""

    point: Point
    strikes: dict[int, Strike]
    times: int = 0


class Faults:
    """Counts the points that are reached and strikes where the plan says so. After `until` nothing goes wrong any more."""

    def __init__(self, plan: FaultPlan, random: Random) -> None:
        self.plan = plan
        self._seen: dict[tuple[str, str, bool], _Seen] = {}
        self.struck: list[Struck] = []
        self.diverge: Callable[[int], None] = lambda _variant: None
        self._random = random
        self._step = 0
        self._sent: Counter[str] = Counter()

    def meet(self, now: float, use_case: str, method: str, phase: Phase) -> Kind | None:
        """What strikes the call that is at this point now."""
        if now > self.plan.until:
            return None
        key = (use_case, method, phase is Phase.BEFORE)
        seen = self._seen.get(key)
        if seen is None:
            seen = self._seen[key] = self._first_seen(Point(use_case, method, phase))
        self._step += 1
        seen.times += 1
        kind = self._kind(now, seen)
        if kind is not None:
            self.struck.append(Struck(now, f"{seen.point} {kind}"))
        return kind

    def meet_message(self, now: float, queue: str) -> MessageFault | None:
        """What strikes the message that is sent to the queue now."""
        if now > self.plan.until:
            return None
        self._sent[queue] += 1
        fault = self.plan.messages.get((queue, self._sent[queue]))
        if fault is not None:
            self.struck.append(Struck(now, f"message {self._sent[queue]} of {queue} {fault}"))
        return fault

    @property
    def reached(self) -> dict[Point, int]:
        """How often each point was reached."""
        return {seen.point: seen.times for seen in self._seen.values()}

    def _first_seen(self, point: Point) -> "_Seen":
        return _Seen(point, {strike.occurrence: strike for strike in self.plan.strikes if strike.point == point})

    def _kind(self, now: float, seen: "_Seen") -> Kind | None:
        point, strike = seen.point, seen.strikes.get(seen.times) if seen.strikes else None
        if strike is not None:
            if strike.variant:
                self.diverge(strike.variant)
            return strike.kind
        if self._step in self.plan.steps:
            possible = kinds(point.method, point.phase)
            return possible[self.plan.steps[self._step] % len(possible)]
        if not self.plan.outages or point.phase is Phase.AFTER or not point.method.startswith("desk."):
            return None
        return Kind.REFUSED if self._is_down(now) else None

    def _is_down(self, now: float) -> bool:
        return any(start <= now < end for start, end in self.plan.outages) and self._random.random() < 0.9
