"""simulator: a venue on this machine, to try an account there without one."""

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from cli import terminal
from cli.commands.options import Json
from cli.places import ROOT
from cli.problem import Problem

FOLDER = ROOT / "tests" / "simulators"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel="Development")(simulator)


def simulator(
    venue: Annotated[str, typer.Argument(help="Which venue, e.g. alpaca.", show_default=False)],
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; a free one without it.")] = 0,
    as_json: Json = False,
) -> None:
    """Run a simulated venue on this machine until Ctrl-C: it speaks the venue's own protocol."""
    there_are = known(FOLDER)
    if venue not in there_are:
        raise Problem(f"there is no simulator of {venue}; there are: {', '.join(there_are) or 'none'}")
    _require_free(port)
    # Without -P: the checkout comes first, before the tests that an installed package has brought along.
    command = [sys.executable, "-m", "tests.simulators", venue, "--port", str(port), "--json"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        started = process.stdout.readline() if process.stdout else ""
        if started:
            _show(json.loads(started), as_json=as_json)
        try:
            code = process.wait()
        except KeyboardInterrupt:
            code = process.wait()  # Ctrl-C has reached it, too
    if code:
        raise Problem(f"the simulator of {venue} ended with exit code {code}")


def _require_free(port: int) -> None:
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError as error:
            raise Problem(
                f"port {port} of 127.0.0.1 cannot be used: {error.strerror}", hint="another --port, or none: a free one is found"
            ) from error


def known(folder: Path) -> list[str]:
    """The venues that have a simulator there, sorted."""
    return sorted(each.parent.name for each in folder.glob("*/__init__.py"))


def _show(started: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        terminal.print_line(started)
        return
    table = terminal.facts()
    table.add_row("Venue", escape(started["venue"]))
    table.add_row("Address", escape(started["url"]))
    for name, value in started["credentials"].items():
        table.add_row(escape(name), escape(str(value)))
    table.add_row(
        "Control", f"{escape(started['url'])}/_sim/state shows what it holds; what else it takes: docs/accounts.md, Simulators"
    )
    terminal.out.print(table)
    line = f"./fillpath account add {started['venue']} --endpoint {started['url']} --terms"
    terminal.out.print(escape(terminal.pasteable(line)))
    terminal.err.print(
        "It forgets everything when it ends: orders, positions and sign-ins. Fillpath's accounts there do not know that; "
        "end what is open before."
    )
    terminal.err.print("Running. [bold]Ctrl-C[/bold] ends it.")
