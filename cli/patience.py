"""Waiting for a venue that takes no request just now: what to ask comes in, its answer goes out once there is one."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import TypeVar

from rich.markup import escape

from cli import terminal
from cli.venue_words import plain
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
    with ExitStack() as stack:
        waiting = _Waiting(stack)
        while True:
            try:
                return ask()
            except NotSent as error:
                delay_s = max(error.delay_s, SHORTEST_S)
                if now() + delay_s > until:
                    raise
                waiting.tell(plain(str(error)), until - now())
                sleep(delay_s)


class _Waiting:
    """One line, which is written anew each time; where there is no terminal, it stands there once."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._status = terminal.err.status("")
        self._told = False

    def tell(self, why: str, left_s: float) -> None:
        self._status.update(f"{escape(why)}; asking again for up to {left_s:.0f} s")
        if not self._told:
            self._told = True
            if terminal.err.is_terminal:
                self._stack.enter_context(self._status)
            else:
                terminal.err.print(f"[dim]{escape(why)}; asking again for up to {left_s:.0f} s[/]")
