"""Planting: puts another function in place of one of the product's, wherever it is imported, and takes it out again."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import NamedTuple

_PLACES = ("fillpath.", "tests.fakes.", "tests.simulation.")


class Soil:
    """Where bugs are planted; knows how to undo each of them."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def put(self, owner: object, name: str, value: object) -> None:
        """Give one attribute of a class or module another value."""
        before = getattr(owner, name)
        self._undo.append(lambda: setattr(owner, name, before))
        setattr(owner, name, value)

    def replace(self, original: Callable[..., object], other: Callable[..., object]) -> None:
        """Have every module that knows `original` by its name call `other`."""
        name = original.__name__
        owners = [module for module in _modules() if vars(module).get(name) is original]
        for owner in owners:
            self.put(owner, name, other)

    def set_item(self, table: dict[object, object], key: object, value: object) -> None:
        """Give one entry of a table another value."""
        before = table[key]
        self._undo.append(lambda: table.__setitem__(key, before))
        table[key] = value

    def clear(self) -> None:
        """Take everything out again, the last first."""
        while self._undo:
            self._undo.pop()()


class Bug(NamedTuple):
    """One mistake: what it is, and how it comes into the product."""

    name: str
    text: str
    plant: Callable[[Soil], None]


@contextmanager
def planted(plant: Callable[[Soil], None]) -> Iterator[None]:
    """The product with a bug, for as long as this lasts."""
    soil = Soil()
    try:
        plant(soil)
        yield
    finally:
        soil.clear()


def _modules() -> list[ModuleType]:
    return [module for name, module in list(sys.modules.items()) if name.startswith(_PLACES)]
