"""user add, set and list."""

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from cli import terminal
from cli.commands.options import Env, Json, target_of
from cli.problem import Problem

if TYPE_CHECKING:
    from fillpath.accounts.model import User

_ADDRESS = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")

group = typer.Typer(name="user", help="Who owns accounts and webhooks.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(group, rich_help_panel="Accounts")


@group.command()
def add(
    context: typer.Context,
    email: Annotated[str, typer.Argument(help="The address; one user has it.")],
    *,
    plan: Annotated[str, typer.Option(help="Name of the plan.")] = "free",
    env: Env = None,
    as_json: Json = False,
) -> None:
    """Add a user."""
    from cli.directory import Directory
    from fillpath.accounts.model import User
    from fillpath.ids import new_id

    if not _ADDRESS.fullmatch(email):
        raise Problem(f"EMAIL: {email!r} is not an address", hint="such as name@example.com")
    target = target_of(context, env)
    if any(user.email.casefold() == email.casefold() for user in Directory(target.accounts).users()):
        raise Problem(f"EMAIL: there is a user {email} already", hint="./fillpath user list")
    now = datetime.now(UTC)
    user = User(user_id=new_id(now), email=email, plan=plan, created_at=now)
    target.accounts.save(user)
    _tell(user, f"User {user.email} added: {user.user_id}", as_json=as_json)


@group.command("set")
def change(
    context: typer.Context,
    user: Annotated[str, typer.Argument(metavar="ID", help="Id, end of id or email address.")],
    *,
    plan: Annotated[str | None, typer.Option(help="Name of the plan.", show_default=False)] = None,
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="Whether the plan allows entries.", show_default=False)
    ] = None,
    env: Env = None,
    as_json: Json = False,
) -> None:
    """Change a user's plan. An inactive plan blocks entries; exits still work."""
    from cli.directory import Directory

    given = {"plan": plan, "plan_active": active}
    update = {name: value for name, value in given.items() if value is not None}
    if not update:
        raise Problem("nothing to change was given", hint="--plan NAME, --active or --inactive")
    target = target_of(context, env)
    changed = Directory(target.accounts).user(user).model_copy(update=update)
    target.accounts.save(changed)
    _tell(changed, f"User {changed.email}: plan {changed.plan}, {_activity(changed)}", as_json=as_json)


@group.command("list")
def show(context: typer.Context, *, env: Env = None, as_json: Json = False) -> None:
    """Show all users."""
    from cli.directory import Directory, short

    users = Directory(target_of(context, env).accounts).users()
    if as_json:
        terminal.print_json([user.model_dump(mode="json") for user in users])
        return
    table = terminal.listing("User", "Email", "Plan", "Since")
    for user in users:
        table.add_row(
            short(user.user_id), escape(user.email), f"{user.plan} [dim]{_activity(user)}[/]", f"{user.created_at:%Y-%m-%d}"
        )
    terminal.out.print(table)


def _activity(user: "User") -> str:
    return "active" if user.plan_active else "inactive"


def _tell(user: "User", said: str, *, as_json: bool) -> None:
    record: dict[str, Any] = user.model_dump(mode="json")
    terminal.print_json(record) if as_json else terminal.out.print(escape(said))
