"""Campaign: everything that one run of the simulation tries, on all processors; figures come out."""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from multiprocessing import get_context

from tests.simulation.bugs import BUGS
from tests.simulation.enumeration import Reached, seeds_for
from tests.simulation.naive import naive_worker
from tests.simulation.planting import planted
from tests.simulation.task import Found, Task, carry_out

HUNT_SEEDS = 4000
NAIVE_SEEDS = 200
_CHUNK = 25
_KEPT = 20
_HEADLINES = {
    "lost": {"lost"},
    "doubled": {"doubled", "resend"},
    "stuck": {"stuck", "idle"},
    "wrong_position": {"wrong_position", "reduction", "crossing", "reversal", "protection"},
}

Step = Callable[[str, int, int], None]
"""Told what is going on, how much of it is done, and how much there is."""


@dataclass(slots=True)
class Figures:
    """What came out. `violations` counts by kind, `failed` keeps the first scenarios that showed one."""

    crash_points: int = 0
    scenarios: int = 0
    strikes: int = 0
    missed: int = 0
    seconds: float = 0.0
    violations: Counter[str] = field(default_factory=Counter)
    failed: list[Found] = field(default_factory=list)
    hunts: dict[str, Task | None] = field(default_factory=dict)
    naive: list[bool] = field(default_factory=list)

    def note(self, found: Found) -> None:
        """Count one scenario."""
        self.scenarios += 1
        self.strikes += found.task.strike is not None
        self.missed += found.missed
        self.violations.update(violation.kind for violation in found.violations)
        if found.violations and len(self.failed) < _KEPT:
            self.failed.append(found)

    def headline(self, name: str) -> int:
        """How many violations stand under `lost`, `doubled`, `stuck` or `wrong_position`."""
        return sum(self.violations[kind] for kind in _HEADLINES[name])

    @property
    def caught(self) -> int:
        """How many of the planted bugs were caught."""
        return sum(task is not None for task in self.hunts.values())

    @property
    def passed(self) -> bool:
        """Nothing is wrong with the product, and the simulation would have noticed it."""
        return (
            not self.violations and not self.missed and self.caught == len(self.hunts) and 2 * sum(self.naive) > len(self.naive)
        )

    def as_json(self) -> dict[str, object]:
        """The figures for programs."""
        return {
            "crash_points": self.crash_points,
            "scenarios": self.scenarios,
            "seconds": round(self.seconds, 1),
            **{name: self.headline(name) for name in _HEADLINES},
            "planted_bugs": len(self.hunts),
            "planted_bugs_caught": self.caught,
            "naive_control_failures": sum(self.naive),
            "naive_control_scenarios": len(self.naive),
            "crash_point_scenarios": self.strikes,
            "missed_strikes": self.missed,
            "violations": dict(self.violations),
            "failed": [{"replay": f.task.replay(), "violations": [v.text for v in f.violations]} for f in self.failed],
            "bugs_not_caught": [name for name, task in self.hunts.items() if task is None],
        }


def campaign(per_point: int, step: Step = lambda *_: None) -> Figures:
    """Random scenarios, then `per_point` strikes at each crash point they reached, the planted bugs, the naive control."""
    figures, began = Figures(), time.monotonic()
    with processes() as pool:
        enumerate_points(per_point, pool, figures, step)
        figures.seconds = time.monotonic() - began
        hunt_all(pool, figures, step)
        try_naive(pool, figures, step)
    return figures


@contextmanager
def processes() -> Iterator[Executor]:
    """One process per processor. What waits is dropped where the run is broken off."""
    pool = ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn"))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def enumerate_points(per_point: int, pool: Executor, figures: Figures, step: Step) -> None:
    """The product under faults: at random, then at every crash point in turn."""
    reached, seeds = Reached(), seeds_for(per_point)
    for done, found in enumerate(_judged(map(Task, seeds), pool), start=1):
        reached.note(found)
        figures.note(found)
        step("random faults", done, len(seeds))
    figures.crash_points = len(reached.points)
    total = figures.crash_points * per_point
    for done, found in enumerate(_judged(reached.tasks(per_point), pool), start=1):
        figures.note(found)
        step("crash points", done, total)


def hunt_all(pool: Executor, figures: Figures, step: Step) -> None:
    """Whether each planted bug is caught."""
    hunts = {pool.submit(hunt, bug.name): bug.name for bug in BUGS}
    for done, future in enumerate(as_completed(hunts), start=1):
        figures.hunts[hunts[future]] = future.result()
        step("planted bugs", done, len(BUGS))


def hunt(name: str) -> Task | None:
    """The first task that catches the bug."""
    bug = next(bug for bug in BUGS if bug.name == name)
    with planted(bug.plant):
        return next((task for task in map(Task, range(HUNT_SEEDS)) if carry_out(task).violations), None)


def try_naive(pool: Executor, figures: Figures, step: Step) -> None:
    """How often the naive control loses, doubles or strands an order, or leaves a position that the records do not explain."""
    chunks = _chunks(map(Task, range(NAIVE_SEEDS)))
    for results in pool.map(naive_fails, chunks):
        figures.naive += results
        step("naive control", len(figures.naive), NAIVE_SEEDS)


def naive_fails(tasks: tuple[Task, ...]) -> list[bool]:
    """For each task whether the control fails in what a user would see."""
    seen = set().union(*_HEADLINES.values()) - {"idle"}
    return [any(v.kind in seen for v in carry_out(task, naive_worker).violations) for task in tasks]


def judge_all(tasks: tuple[Task, ...]) -> list[Found]:
    """Carry out several tasks in one go; what a strike reached is not asked for."""
    found = map(carry_out, tasks)
    return [each if each.task.strike is None else each._replace(reached={}) for each in found]


def _judged(tasks: Iterable[Task], pool: Executor) -> Iterator[Found]:
    for results in pool.map(judge_all, _chunks(tasks)):
        yield from results


def _chunks(tasks: Iterable[Task]) -> Iterator[tuple[Task, ...]]:
    return iter(partial(_next_chunk, iter(tasks)), ())


def _next_chunk(tasks: Iterator[Task]) -> tuple[Task, ...]:
    return tuple(islice(tasks, _CHUNK))
