"""What a person sees: progress and problems on stderr, results on stdout, colours only on a terminal.

Nothing is cut, however narrow the terminal is, and what is to be copied is not folded. A pipe or a file has no width.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.rule import Rule

from cli import surroundings
from cli.problem import Problem
from cli.tables import COMMAND, Facts, Listing

_COPIED = (COMMAND, "://")
_NO_END = 100_000
_RULE = 80


class Plain(Console):
    """Wraps at blanks only, and not at all where there is a command or an address to copy."""

    def print(self, *objects: Any, **options: Any) -> None:
        """As rich's, with other defaults."""
        copied = any(mark in each for each in objects if isinstance(each, str) for mark in _COPIED)
        super().print(*objects, **{"crop": False, "soft_wrap": copied or None, **options})

    def rule(self, title: Any = "", **options: Any) -> None:
        """As rich's; where there is no width, as long as a line of a terminal."""
        self.print(Rule(title, **options), width=min(self.width, _RULE))


def console(*, stderr: bool) -> Console:
    """The one way to stdout or stderr."""
    made = Plain(stderr=stderr, highlight=False, emoji=False)
    if not made.is_terminal and not surroundings.columns():
        made.width = _NO_END
    return made


out = console(stderr=False)
err = console(stderr=True)


class _Name:
    """How the command was called, so that a hint can be pasted: with the option that names another local stack."""

    typed = "./fillpath"


def call_me(typed: str) -> None:
    """From now on hints call the command so."""
    _Name.typed = typed


def pasteable(hint: str) -> str:
    """The hint with the command as it was called."""
    return hint.replace("./fillpath ", f"{_Name.typed} ")


@contextmanager
def working(title: str) -> Iterator[None]:
    """Shows that something is being done, then that it is done and how long it took."""
    begun = time.monotonic()
    try:
        with err.status(f"{title} ..."):
            yield
    except BaseException:
        err.print(f"[red]✗[/red] {title}")
        raise
    err.print(f"[green]✓[/green] {title} [dim]{time.monotonic() - begun:.1f} s[/dim]")


def problem(occurred: Problem) -> None:
    """Tells what is wrong and what to do about it."""
    if occurred.output:
        err.print(occurred.output.rstrip(), style="dim", markup=False, soft_wrap=True)
    err.print(f"[bold red]fillpath:[/bold red] {escape(occurred.reason)}", soft_wrap=True)
    if occurred.hint:
        err.print(f"  [dim]→[/dim] {escape(pasteable(occurred.hint))}", soft_wrap=True)


def hint(words: str, command: str) -> None:
    """What may be done next: on stderr, the command as it can be pasted."""
    err.print(f"[dim]{escape(words)}[/] {escape(pasteable(command))}", soft_wrap=True)


def listing(*columns: str, numbers: Iterable[str] = (), whole: Iterable[str] = ()) -> Listing:
    """An empty table with a heading; the columns in `numbers` come last, flush right. Those in `whole` are never wrapped."""
    return Listing(columns, numbers, whole)


def facts() -> Facts:
    """An empty table of names and values."""
    return Facts()


def print_json(value: Any) -> None:
    """For programs: plain JSON on stdout, whatever the terminal."""
    out.file.write(json.dumps(value, indent=2, default=str) + "\n")


def print_line(value: Any) -> None:
    """For programs that read as it comes: one JSON object a line."""
    out.file.write(json.dumps(value, default=str) + "\n")
    out.file.flush()


def ask(question: str, read: Callable[[], str] = input) -> str:
    """What the person types; EOFError where the input ends (Ctrl-D)."""
    err.print(question, end="", soft_wrap=True)
    try:
        return read()
    except (EOFError, KeyboardInterrupt):
        err.print()
        raise


@contextmanager
def unless_left(outcome: str) -> Iterator[None]:
    """Tells who ends a command while it asks or tries (Ctrl-D: Problem, Ctrl-C) what has become of it."""
    try:
        yield
    except EOFError:
        raise Problem(outcome) from None
    except KeyboardInterrupt:
        problem(Problem(outcome))
        raise
