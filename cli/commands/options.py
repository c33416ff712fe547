"""What the commands that trade or administer share: their options, and the environment that these lead to."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.means import means_of

if TYPE_CHECKING:
    from cli.target import Target

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Env = Annotated[
    str | None,
    typer.Option("--env", metavar="ENV", help="An environment on AWS; the local stack without it.", show_default=False),
]


def target_of(context: typer.Context, environment: str | None) -> "Target":
    """The environment that was named, else the local stack; raises Problem if it is not there. Closed when the command ends."""
    target = _target(context, environment)
    context.call_on_close(target.close)
    return target


def _target(context: typer.Context, environment: str | None) -> "Target":
    from cli.target import deployed_target, local_target

    venues = means_of(context).venues
    if environment is not None:
        return deployed_target(environment, venues)
    from cli.deployment import read_outputs
    from cli.stack import read_description

    return local_target(read_description(context.obj), read_outputs(context.obj), venues)
