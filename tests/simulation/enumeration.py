"""Enumeration: every reached crash point, with every kind of fault, in as many scenarios as asked for."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from tests.simulation.faults import Point, Strike, kinds
from tests.simulation.task import Found, Task

_DEEPEST = 4


def seeds_for(per_point: int) -> range:
    """The random scenarios that come first: they show which crash points there are, and which seed reaches which."""
    return range(max(400, 10 * per_point))


class Reached:
    """Which seeds reach a crash point, and how often each of them does."""

    def __init__(self) -> None:
        self._seeds: dict[Point, list[tuple[int, int]]] = defaultdict(list)

    def note(self, found: Found) -> None:
        """Take in what a random scenario reached."""
        for point, times in found.reached.items():
            self._seeds[point].append((found.task.seed, times))

    @property
    def points(self) -> tuple[Point, ...]:
        """Every crash point there is."""
        return tuple(sorted(self._seeds))

    def tasks(self, per_point: int) -> Iterator[Task]:
        """`per_point` scenarios that strike each point.

        A scenario runs as it did before until the strike, so each of them hits. Each point begins with other seeds. Where fewer
        of them than asked for reach a point, each is used again in another variant: from the strike on, the same situation takes
        another course.
        """
        for number, point in enumerate(self.points):
            seeds = sorted(self._seeds[point])
            start = number * per_point % len(seeds)
            yield from _strikes(point, seeds[start:] + seeds[:start], per_point)


def _strikes(point: Point, seeds: list[tuple[int, int]], count: int) -> Iterable[Task]:
    possible = kinds(point.method, point.phase)
    for number in range(count):
        variant, place = divmod(number, len(seeds))
        seed, times = seeds[place]
        occurrence = 1 + (number * 7 + variant) % min(times, _DEEPEST)
        yield Task(seed, Strike(point, occurrence, possible[(number + variant) % len(possible)], variant))
