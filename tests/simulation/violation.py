"""Violations: what a rule finds in a history."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from tests.simulation.evidence import Evidence


class Violation(NamedTuple):
    """An invariant that did not hold: its kind, and what shows it."""

    kind: str
    text: str


Judgement = Iterator[Violation]
Rule = Callable[[Evidence], Judgement]
