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
    # Without -P: the checkout comes first, before the tests that an installed package has brought along.
    completed = subprocess.run([sys.executable, "-m", "tests.simulation", *context.args], cwd=ROOT, check=False)
    raise typer.Exit(completed.returncode)
