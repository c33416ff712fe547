"""The commands of ./fillpath in one tree, and the one place where a failure becomes a message and an exit code."""

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError

from cli import terminal
from cli.commands import (
    accounts,
    alert,
    alerts,
    environments,
    gate,
    measure,
    simulation,
    simulators,
    trading,
    users,
    venues,
    webhooks,
    whole_account,
)
from cli.commands import local as local_commands
from cli.means import Means, keep_means
from cli.places import LOCAL, Local
from cli.problem import Problem
from fillpath.errors import FillpathError

_HINTS = {"AwsError": "./fillpath status tells whether the local stack answers; for --env, whether you are signed in"}

app = typer.Typer(
    name="fillpath",
    help="From a trading signal to a [bold]verified fill[/bold], on your own AWS account.",
    epilog="Try it without AWS: ./fillpath up",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


@app.callback()
def main(
    context: typer.Context,
    local: Annotated[
        Path,
        typer.Option(
            envvar="FILLPATH_LOCAL", help="Folder of the local stack: its state, logs and stack.json.", show_default=False
        ),
    ] = LOCAL,
) -> None:
    """What all commands share."""
    keep_means(context)
    context.obj = Local(local.resolve())
    source = context.get_parameter_source("local")
    typed = source is not None and source.name == "COMMANDLINE"
    terminal.call_me(f"./fillpath --local {shlex.quote(str(local))}" if typed else "./fillpath")


local_commands.register(app)
alert.register(app)
alerts.register(app)
trading.register(app)
whole_account.register(app)
users.register(app)
accounts.register(app)
venues.register(app)
webhooks.register(app)
gate.register(app)
measure.register(app)
simulation.register(app)
simulators.register(app)
environments.register(app)


def run(arguments: Sequence[str], means: Means | None = None) -> int:
    """Runs one command and answers its exit code; problems go to stderr in a line or two."""
    try:
        app(list(arguments), prog_name="./fillpath", obj=means or Means())
    except Problem as problem:
        terminal.problem(problem)
        return 1
    except FillpathError as error:
        terminal.problem(Problem(str(error), hint=_HINTS.get(type(error).__name__, "")))
        return 1
    except (BotoCoreError, ClientError) as error:
        terminal.problem(Problem(f"AWS refused: {error}"))
        return 1
    except BrokenPipeError:
        # Whoever read has had enough; nothing may be written to it at the end, either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        terminal.problem(Problem(f"{error.filename or 'the system'}: {error.strerror or error}"))
        return 1
    except KeyboardInterrupt:
        return 130
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0
