"""simulate: the order path under injected faults."""

import subprocess
import sys

import typer

from cli.places import ROOT

ANY_ARGUMENTS = {"allow_extra_args": True, "ignore_unknown_options": True}


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel="Development", context_settings=ANY_ARGUMENTS, add_help_option=False)(simulate)


def simulate(context: typer.Context) -> None:
    """Run the order path under injected faults, in virtual time: --seeds N, --json; --help shows all options."""
    completed = subprocess.run([sys.executable, "-P", "-m", "tests.simulation", *context.args], cwd=ROOT, check=False)
    raise typer.Exit(completed.returncode)
