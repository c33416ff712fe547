"""account sign-in, check and remove: getting into a venue, and out again."""

from typing import Annotated

import typer
from rich.markup import escape

from cli import terminal
from cli.commands.options import Env, Json, target_of
from cli.means import means_of
from cli.problem import NOTHING_KEPT

Meant = Annotated[str, typer.Argument(metavar="ID", help="Id, end of id or label.")]
Endpoint = Annotated[
    str | None,
    typer.Option(
        metavar="URL", help="Where its venue is reached instead: a simulator, a gateway of your own.", show_default=False
    ),
]
CredentialsFrom = Annotated[
    str | None,
    typer.Option(
        "--credentials",
        metavar="-|FILE",
        help="One JSON object with the venue's fields, from a file or standard input; you are asked for them without it.",
        show_default=False,
    ),
]

Force = Annotated[
    bool, typer.Option("--force", help="Let it lead to another account of the venue, whatever is open or held where it is now.")
]


def register(group: typer.Typer) -> None:
    """Adds the commands."""
    group.command("sign-in")(sign_in)
    group.command()(check)
    group.command()(remove)


def sign_in(
    context: typer.Context,
    account: Meant,
    *,
    credentials: CredentialsFrom = None,
    live: Annotated[bool, typer.Option("--live", help="Yes, it may trade real money; without it you are asked.")] = False,
    force: Force = False,
    env: Env = None,
    as_json: Json = False,
) -> None:
    """Enter an account's credentials again, in place of those that are stored."""
    from cli.account_view import tell
    from cli.admission import Typed, keep, signed_in_again
    from cli.directory import Directory

    means, target = means_of(context), target_of(context, env)
    found = Directory(target.accounts).account(account)
    typed = Typed(None, (), credentials, live=live, outside_hours_told=True, force=force)
    with terminal.unless_left(NOTHING_KEPT):
        proven = signed_in_again(found, typed, target, means.person)
    signed_in = keep(proven, target, new=False)
    tell(signed_in, "signed in", means.venues, as_json=as_json)


def check(context: typer.Context, account: Meant, *, env: Env = None, as_json: Json = False) -> None:
    """Ask an account's venue, with what is stored, which accounts that reaches and what this one is worth."""
    from cli.account_check import as_document, look, view
    from cli.directory import Directory

    target = target_of(context, env)
    seen = look(Directory(target.accounts).account(account), target)
    if as_json:
        terminal.print_json(as_document(seen))
    else:
        terminal.out.print(view(seen))


def remove(
    context: typer.Context,
    account: Meant,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    env: Env = None,
    as_json: Json = False,
) -> None:
    """Remove an account, and forget what lets it in. Its past orders stay listed; what it holds at its venue is left as it is."""
    from cli.account_view import needs_credentials
    from cli.confirmation import confirm
    from cli.directory import Directory
    from cli.place_at_venue import require_no_open_orders
    from fillpath.ids import new_id

    means, target = means_of(context), target_of(context, env)
    directory = Directory(target.accounts)
    found = directory.account(account)
    require_no_open_orders(found, target)
    if not yes:
        question = f"This removes account {escape(found.label)}. Type its label to go on: "
        confirm(means.person, question, found.label, "nothing was removed")
    if needs_credentials(found, means.venues):
        target.tokens.forget(found.account_id, new_id(target.clock.now()))
    target.accounts.remove_account(found.account_id)
    led = [hook.label for hook in directory.webhooks() if found.account_id in {route.account_id for route in hook.routes}]
    if as_json:
        terminal.print_json({"account_id": found.account_id, "removed": True, "webhooks": led})
        return
    terminal.out.print(f"Account {escape(found.label)} was removed: {found.account_id}")
    if led:
        names = escape(", ".join(led))
        terminal.err.print(f"[yellow]These webhooks still lead to it, and their alerts for it are refused:[/] {names}")
        terminal.hint("To lead one elsewhere:", "./fillpath webhook set LABEL --route ACCOUNT")
