"""What a person sees: progress and problems on stderr, results on stdout, colours only on a terminal."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape

from cli.problem import Problem

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


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
        err.print(f"  [dim]→[/dim] {escape(occurred.hint)}", soft_wrap=True)


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
