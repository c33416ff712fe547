"""webhook add, set, list and rotate."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from cli import terminal
from cli.commands.options import Env, Json, target_of
from cli.problem import Problem

if TYPE_CHECKING:
    from cli.webhooks import Sender
    from fillpath.accounts.model import Account, Webhook

group = typer.Typer(name="webhook", help="Where alerts are sent to, and where they lead.", no_args_is_help=True)

Meant = Annotated[str, typer.Argument(metavar="ID", help="Id, end of id or label.")]
Label = Annotated[str | None, typer.Option(help="A name to call it by.", show_default=False)]
Gate = Annotated[
    str | None,
    typer.Option(metavar="ignore|reject|resync", help="If the strategy's position is not the account's.", show_default=False),
]
Routes = Annotated[
    list[str] | None,
    typer.Option("--route", metavar="ACCOUNT[:MULTIPLIER]", help="Where orders go; may be repeated.", show_default=False),
]
Limit = Annotated[str | None, typer.Option("--daily-limit", metavar="N|none", help="Entries a day.", show_default=False)]
Wait = Annotated[
    str | None,
    typer.Option("--wait-s", metavar="SECONDS", help="How long a sender waits for the result, at most.", show_default=False),
]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(group, rich_help_panel="Accounts")


@group.command()
def add(
    context: typer.Context,
    *,
    routes: Routes = None,
    gate: Gate = None,
    label: Label = None,
    daily_limit: Limit = None,
    wait_s: Wait = None,
    user: Annotated[str | None, typer.Option(help="Whose it is; the owner of its accounts.", show_default=False)] = None,
    env: Env = None,
    as_json: Json = False,
) -> None:
    """Add a webhook; without a route its orders go to the user's first account."""
    from cli.directory import Directory, free_label
    from cli.webhooks import Sender, parse_routes
    from fillpath.accounts.manage import save_webhook
    from fillpath.accounts.model import Webhook
    from fillpath.ids import new_id

    update = _update(gate, label, daily_limit, wait_s)
    target = target_of(context, env)
    directory = Directory(target.accounts)
    owner, parsed = parse_routes(routes or (), directory, directory.user(user) if user else None)
    now, name = datetime.now(UTC), free_label("webhook", [each.label for each in directory.webhooks()])
    webhook = Webhook(webhook_id=new_id(now), user_id=owner.user_id, label=name, routes=parsed, created_at=now).model_copy(
        update=update
    )
    access = save_webhook(webhook, target.accounts, target.master_key.read())
    _show_sender(f"Added a webhook, called {webhook.label}", Sender.with_access(webhook, access, target), as_json=as_json)


@group.command("set")
def change(
    context: typer.Context,
    webhook: Meant,
    *,
    routes: Routes = None,
    gate: Gate = None,
    label: Label = None,
    daily_limit: Limit = None,
    wait_s: Wait = None,
    env: Env = None,
    as_json: Json = False,
) -> None:
    """Change a webhook; its address and secret stay the same."""
    from cli.directory import Directory
    from cli.webhooks import parse_routes
    from fillpath.accounts.manage import save_webhook

    update = _update(gate, label, daily_limit, wait_s)
    if not update and not routes:
        raise Problem("nothing to change was given", hint="--route, --gate, --daily-limit, --wait-s or --label")
    target = target_of(context, env)
    directory = Directory(target.accounts)
    found = directory.webhook(webhook)
    if routes:
        update["routes"] = parse_routes(routes, directory, directory.user(found.user_id))[1]
    changed = found.model_copy(update=update)
    save_webhook(changed, target.accounts, target.master_key.read())
    if as_json:
        terminal.print_json(changed.model_dump(mode="json"))
    else:
        terminal.out.print(f"Webhook {escape(changed.label)} changed.")


@group.command("list")
def show(
    context: typer.Context,
    *,
    show_secrets: Annotated[bool, typer.Option("--show-secrets", help="With address, secret and message.")] = False,
    env: Env = None,
    as_json: Json = False,
) -> None:
    """Show all webhooks; with --show-secrets or --json also what a sender needs."""
    from cli.directory import Directory
    from cli.webhooks import Sender

    target = target_of(context, env)
    directory = Directory(target.accounts)
    webhooks = directory.webhooks()
    if as_json:
        terminal.print_json([webhook.model_dump(mode="json") | asdict(Sender.of(webhook, target)) for webhook in webhooks])
        return
    terminal.out.print(_table(webhooks, {account.account_id: account for account in directory.accounts()}))
    for webhook in webhooks if show_secrets else ():
        _show_sender(f"Webhook {webhook.label}", Sender.of(webhook, target), as_json=False)
    if not show_secrets:
        terminal.err.print(terminal.pasteable("[dim]Addresses, secrets and messages:[/] ./fillpath webhook list --show-secrets"))


@group.command()
def rotate(
    context: typer.Context,
    webhook: Meant,
    *,
    overlap: Annotated[str, typer.Option(metavar="TIME", help="How long the present address stays valid: 24h, 30m, 0.")] = "24h",
    env: Env = None,
    as_json: Json = False,
) -> None:
    """Give a webhook a new address and secret; the present ones stay valid for a while."""
    from cli.directory import Directory
    from cli.webhooks import Sender, parse_overlap
    from fillpath.accounts.manage import rotate_webhook

    still = parse_overlap(overlap)
    target = target_of(context, env)
    found = Directory(target.accounts).webhook(webhook)
    now = datetime.now(UTC)
    access = rotate_webhook(found, target.accounts, target.master_key.read(), now, still)
    said = f"Webhook {found.label} has a new address; the one before is valid until {now + still:%Y-%m-%d %H:%M:%S} UTC"
    _show_sender(said, Sender.with_access(found, access, target), as_json=as_json)


def _update(gate: str | None, label: str | None, daily_limit: str | None, wait_s: str | None) -> dict[str, Any]:
    from cli.webhooks import parse_gate, parse_limit, parse_wait

    update: dict[str, Any] = {} if label is None else {"label": label}
    if gate is not None:
        update["gate"] = parse_gate(gate)
    if daily_limit is not None:
        update["daily_limit"] = parse_limit(daily_limit)
    return update if wait_s is None else update | {"wait_s": parse_wait(wait_s)}


def _table(webhooks: "tuple[Webhook, ...]", accounts: "dict[str, Account]") -> Table:
    from cli.directory import short
    from cli.order_view import account_name, number

    table = terminal.listing("Webhook", "Label", "Orders go to", "Gate", "Daily limit")
    for webhook in webhooks:
        routes = [
            account_name(route.account_id, accounts) + (f" x{number(route.multiplier)}" if route.multiplier != 1 else "")
            for route in webhook.routes
        ]
        limit = "none" if webhook.daily_limit is None else str(webhook.daily_limit)
        table.add_row(short(webhook.webhook_id), escape(webhook.label), ", ".join(routes), webhook.gate, limit)
    return table


def _show_sender(said: str, sender: "Sender", *, as_json: bool) -> None:
    from cli.welcome import section

    if as_json:
        terminal.print_json(asdict(sender))
        return
    terminal.out.print(f"[bold]{escape(said)}[/]")
    section("Webhook URL", sender.url)
    section("Secret", sender.secret)
    section("Message for an alert of a TradingView strategy", sender.message)
