"""Waiting for a venue that takes no request just now: what to ask comes in, its answer goes out once there is one."""

import time
from collections.abc import Callable
from typing import TypeVar

from rich.markup import escape

from cli import terminal
from fillpath.errors import NotSent

PATIENCE_S = 20.0
SHORTEST_S = 0.2

Answer = TypeVar("Answer")


def patiently(
    ask: Callable[[], Answer],
    within_s: float = PATIENCE_S,
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.monotonic,
) -> Answer:
    """Ask again while the request did not even leave, after the seconds that are named; NotSent where `within_s` is too short."""
    until = now() + within_s
    while True:
        try:
            return ask()
        except NotSent as error:
            delay_s = max(error.delay_s, SHORTEST_S)
            if now() + delay_s > until:
                raise
            terminal.err.print(f"[dim]{escape(str(error))}; trying again in {delay_s:.1f} s[/]")
            sleep(delay_s)
