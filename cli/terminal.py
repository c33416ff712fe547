"""What a person sees: progress and problems on stderr, results on stdout, colours only on a terminal."""

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.problem import Problem

out = Console(highlight=False, emoji=False)
err = Console(stderr=True, highlight=False, emoji=False)


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


def listing(*columns: str, numbers: Iterable[str] = ()) -> Table:
    """An empty table with a heading; the columns named in `numbers` come last, flush right."""
    table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    for column in table.columns:
        column.overflow = "fold"
    return table


def facts() -> Table:
    """An empty table of names and values."""
    table = Table(box=box.SIMPLE, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    return table


def print_json(value: Any) -> None:
    """For programs: plain JSON on stdout, whatever the terminal."""
    out.file.write(json.dumps(value, indent=2, default=str) + "\n")


def print_line(value: Any) -> None:
    """For programs that read as it comes: one JSON object a line."""
    out.file.write(json.dumps(value, default=str) + "\n")
    out.file.flush()


def ask(question: str) -> str:
    """What the person types; empty where there is nobody to ask."""
    try:
        return err.input(question)
    except EOFError:
        return ""
