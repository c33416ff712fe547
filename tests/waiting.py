"""Waiting for what happens elsewhere: a look that is repeated until it shows what is wanted, never a blind sleep."""

import time
from collections.abc import Callable
from typing import TypeVar

Seen = TypeVar("Seen")

PATIENCE_S = 15.0
LOOK_EVERY_S = 0.05


def until(look: Callable[[], Seen], wanted: Callable[[Seen], bool] = bool, patience_s: float = PATIENCE_S) -> Seen:
    """What the look showed as soon as it is as wanted; AssertionError with the last look when patience is over."""
    give_up = time.monotonic() + patience_s
    while True:
        seen = look()
        if wanted(seen):
            return seen
        assert time.monotonic() < give_up, f"after {patience_s:g} s still: {seen!r}"
        time.sleep(LOOK_EVERY_S)
