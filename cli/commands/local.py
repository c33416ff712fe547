"""up, down, status and logs: the local stack by hand."""

import os
import signal
import sys
import time
from collections.abc import Mapping
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer
from rich.markup import escape

from cli import terminal
from cli.commands.options import Json
from cli.emulator import Emulator
from cli.places import Local
from cli.problem import Problem


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    for command in (up, down, status, logs):
        app.command(rich_help_panel="Local stack")(command)


def up(
    context: typer.Context,
    *,
    detach: Annotated[bool, typer.Option("--detach", help="Return when all is ready; stop it with ./fillpath down.")] = False,
    reset: Annotated[bool, typer.Option("--reset", help="Forget all orders, positions and accounts first.")] = False,
    port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65535,
            help="Port of the emulator; unless told, the one that this stack was made with, at first 4566.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Start Fillpath on this machine: an AWS emulator with the same stacks that deploy to AWS."""
    from cli.stack import bring_up
    from cli.welcome import welcome

    local: Local = context.obj
    _heed_signals()
    description = bring_up(local, port=port, reset=reset)
    if as_json:
        terminal.print_json(description)
    else:
        welcome(description)
    if not detach:
        _stay(Emulator(local.emulator))


def down(context: typer.Context) -> None:
    """Stop the local stack; orders and positions are kept for the next start."""
    emulator = Emulator(context.obj.emulator)
    if not emulator.runs():
        terminal.err.print("The local stack is not running.")
        return
    with terminal.working("Stopping the local stack"):
        emulator.stop()


def status(context: typer.Context, *, as_json: Json = False) -> None:
    """Show whether the local stack runs, what waits in its queues, and what is halted. Exit code 1 if it does not run."""
    from cli.health import look

    health = look(context.obj)
    if as_json:
        terminal.print_json(health.as_dict())
    else:
        show_health(health.as_dict())
    if not health.running:
        raise typer.Exit(1)


def logs(
    context: typer.Context,
    function: Annotated[
        str | None, typer.Argument(help="One function, e.g. execute_order; all without it.", show_default=False)
    ] = None,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    since: Annotated[int, typer.Option(min=1, help="How far to look back, in minutes.")] = 10,
    as_json: Json = False,
) -> None:
    """Show what the functions logged."""
    from cli.function_logs import FunctionLogs, render

    reader = FunctionLogs(context.obj, function)
    begin = int((time.time() - since * 60) * 1000)
    for event in reader.events(begin, follow=follow):
        if as_json:
            terminal.print_line(event.as_dict())
        else:
            terminal.out.print(render(event), soft_wrap=True)


def show_health(health: Mapping[str, Any]) -> None:
    """For a person, from its document."""
    table = terminal.facts()
    running = health["running"]
    process = f"[dim], process {health['pid']}[/dim]" if health["pid"] else ""
    table.add_row("State", terminal.pasteable(_STATES[health["state"]]) + process)
    if running:
        table.add_row("Address", health["endpoint_url"])
        for name, queue in health["queues"].items():
            table.add_row(f"Queue {name}", f"{queue['waiting']} waiting, {queue['in_flight']} in flight")
    for halt in health["halts"]:
        table.add_row("Halted", f"[red]{escape(halt['what'])}[/]: {escape(halt['reason'])}")
    for trouble in health["troubles"]:
        table.add_row("Look at", f"[yellow]{escape(trouble['text'])}[/]\n{trouble['runbook']}")
    terminal.out.print(table)


def _stay(emulator: Emulator) -> None:
    """Until Ctrl-C stops everything, or the emulator dies."""
    follow = terminal.pasteable("./fillpath logs --follow")
    terminal.err.print(f"Running. [bold]Ctrl-C[/bold] stops it; [bold]{follow}[/bold] in another terminal shows what it does.")
    try:
        while emulator.runs():
            time.sleep(0.5)
    except KeyboardInterrupt:
        terminal.err.print()
        with terminal.working("Stopping the local stack"):
            emulator.stop()
        return
    if not emulator.stopped_in_order:
        raise Problem("the emulator ended by itself", output=emulator.log_tail())


def _heed_signals() -> None:
    """A request to end and a closed terminal stop everything as Ctrl-C does; under nohup the latter does not."""
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _hang_up)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _hang_up(_number: int, _frame: FrameType | None) -> NoReturn:
    # The terminal is gone: whoever wrote to it would fail, in the middle of stopping.
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    raise KeyboardInterrupt


_STATES = {
    "running": "[green]running[/green]",
    "starting": "[yellow]starting[/yellow]: ./fillpath up is at work",
    "unfinished": "[yellow]unfinished: ./fillpath up was cut off; run it again, or ./fillpath down[/yellow]",
    "stopped": "[red]stopped[/red]",
}
