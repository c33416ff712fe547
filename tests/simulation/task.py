"""Tasks: a seed and, where a crash point is tried, the fault at it. A task comes in, what was found goes out."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from tests.simulation.checker import judge
from tests.simulation.cloud import Worker, real_worker
from tests.simulation.faults import Faults, Point, Strike
from tests.simulation.history import History
from tests.simulation.run import run
from tests.simulation.scenario import Scenario, draw
from tests.simulation.violation import Violation

_SENDERS = {"halt", "signal"}
"""Callers that belong to the simulation: a person, and a source that asks again until it is heard."""


class Task(NamedTuple):
    """One scenario to judge."""

    seed: int
    strike: Strike | None = None

    def scenario(self) -> Scenario:
        """Everything that it depends on."""
        drawn = draw(self.seed)
        if self.strike is None:
            return drawn
        return replace(drawn, faults=replace(drawn.faults, strikes=(*drawn.faults.strikes, self.strike)))

    def replay(self) -> str:
        """The command that shows it again."""
        strike = f' --strike "{self.strike}"' if self.strike else ""
        return f"./fillpath simulate --seed {self.seed}{strike} --trace"


class Found(NamedTuple):
    """What came of a task; `reached` holds the crash points of the product, and how often. `missed`: its strike did not hit."""

    task: Task
    violations: tuple[Violation, ...]
    reached: dict[Point, int]
    struck: int
    missed: bool


def carry_out(task: Task, worker: Worker = real_worker) -> Found:
    """Run and judge one scenario. What the product logs about its faults is of no interest here."""
    history, faults = _happen(task, worker)
    reached = {point: times for point, times in faults.reached.items() if point.use_case not in _SENDERS}
    missed = task.strike is not None and faults.reached.get(task.strike.point, 0) < task.strike.occurrence
    return Found(task, judge(history), reached, len(faults.struck), missed)


def show(task: Task, tell: Callable[[str], None]) -> tuple[Violation, ...]:
    """Run one scenario again, with every call of it told."""
    return judge(_happen(task, real_worker, tell)[0])


def history_of(task: Task) -> History:
    """What happens in it."""
    return _happen(task, real_worker)[0]


def _happen(task: Task, worker: Worker, tell: Callable[[str], None] | None = None) -> tuple[History, Faults]:
    logging.disable(logging.CRITICAL)
    try:
        return run(task.scenario(), worker, tell)
    finally:
        logging.disable(logging.NOTSET)
