"""bench: print figures of this machine."""

import subprocess
import sys
from enum import StrEnum
from typing import Annotated

import typer

from cli import surroundings, terminal
from cli.places import ROOT, Local


class Benchmark(StrEnum):
    """webhook-*: the function alone. stream-decode: a venue's messages. broker-order: an order at simulated venues.

    alert-to-fill: through the running local stack.
    """

    WEBHOOK_COLD = "webhook-cold"
    WEBHOOK_WARM = "webhook-warm"
    STREAM_DECODE = "stream-decode"
    BROKER_ORDER = "broker-order"
    ALERT_TO_FILL = "alert-to-fill"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel="Development")(bench)


def bench(
    context: typer.Context,
    name: Annotated[Benchmark, typer.Argument(help="What to measure.", show_default=False)],
    *,
    times: Annotated[int | None, typer.Option("-n", min=1, help="How many times.", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Measure and print median and tail; nothing is judged."""
    from cli.stack import read_description

    local: Local = context.obj
    arguments = ["-n", str(times)] if times else []
    if name is Benchmark.ALERT_TO_FILL:
        read_description(local)
        arguments += ["--stack", str(local.stack)]
    # Without -P: the checkout comes first, before the tests that an installed package has brought along.
    command = [sys.executable, "-m", "tests.benchmarks", name, *arguments, *(["--json"] if as_json else [])]
    terminal.err.print(f"[dim]measuring {name} ...[/dim]")
    if subprocess.run(command, cwd=ROOT, env=surroundings.for_the_local_stack(), check=False).returncode:
        raise typer.Exit(1)
