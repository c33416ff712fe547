"""webhook add, set, list, show, rotate and revoke."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from cli import terminal
from cli.commands import webhook_options as options
from cli.commands.options import Env, Json, target_of
from cli.problem import Problem
from cli.welcome import section

if TYPE_CHECKING:
    from cli.tables import Listing
    from cli.webhooks import Sender
    from fillpath.accounts.model import Account, Webhook

group = typer.Typer(name="webhook", help="Where alerts are sent to, and where they lead.", no_args_is_help=True)

# What lets a sender in: null for programs that did not ask for it.
HIDDEN = ("url", "secret", "message")

Meant = Annotated[str, typer.Argument(metavar="ID", help="Id, end of id or label.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(group, rich_help_panel="Accounts")


@group.command()
def add(
    context: typer.Context,
    *,
    routes: options.Routes = None,
    gate: options.Gate = None,
    label: options.Label = None,
    secret_in: options.SecretIn = None,
    time: options.Time = None,
    quantity_is: options.QuantityIs = None,
    symbol_map: options.SymbolMap = None,
    mapping: options.Map = None,
    sample: options.Sample = None,
    daily_limit: options.Limit = None,
    symbols: options.Symbols = None,
    windows: options.Windows = None,
    cooldown: options.Cooldown = None,
    entry_staleness: options.EntryStaleness = None,
    reduction_staleness: options.ReductionStaleness = None,
    wait_s: options.Wait = None,
    user: Annotated[str | None, typer.Option(help="Whose it is; the owner of its accounts.", show_default=False)] = None,
    env: Env = None,
    as_json: Json = False,
) -> None:
    """Add a webhook; without a route its orders go to the user's first account."""
    from cli.directory import Directory
    from cli.labels import free_label, require_free_label
    from cli.webhook_settings import parse_settings
    from cli.webhooks import Sender, parse_routes
    from fillpath.accounts.manage import save_webhook
    from fillpath.accounts.model import Webhook
    from fillpath.ids import new_id

    typed: dict[str, str | Sequence[str] | None] = {"gate": gate, "label": label, "secret_in": secret_in, "time": time}
    typed |= {"quantity_is": quantity_is, "symbol_map": symbol_map, "map": mapping, "sample": sample}
    typed |= {"daily_limit": daily_limit, "symbols": symbols, "windows": windows, "cooldown": cooldown, "wait_s": wait_s}
    typed |= {"entry_staleness": entry_staleness, "reduction_staleness": reduction_staleness}
    update = parse_settings(typed)
    target = target_of(context, env)
    directory = Directory(target.accounts)
    require_free_label("a webhook", update.get("label"), directory.webhooks())
    owner, parsed = parse_routes(routes or (), directory, directory.user(user) if user else None)
    now, name = datetime.now(UTC), free_label("webhook", [each.label for each in directory.webhooks()])
    webhook = Webhook(webhook_id=new_id(now), user_id=owner.user_id, label=name, routes=parsed, created_at=now).model_copy(
        update=update
    )
    access = save_webhook(webhook, target.accounts, target.master_key.read())
    _show_sender(f"Added a webhook, called {webhook.label}", Sender.with_access(webhook, access, target), as_json=as_json)
    if not as_json:
        terminal.err.print()
        terminal.hint("An alert by hand:", f"./fillpath alert buy SYMBOL 1 --webhook {webhook.typed}")


@group.command("set")
def change(
    context: typer.Context,
    webhook: Meant,
    *,
    routes: options.Routes = None,
    gate: options.Gate = None,
    label: options.Label = None,
    secret_in: options.SecretIn = None,
    time: options.Time = None,
    quantity_is: options.QuantityIs = None,
    symbol_map: options.SymbolMap = None,
    mapping: options.Map = None,
    sample: options.Sample = None,
    daily_limit: options.Limit = None,
    symbols: options.Symbols = None,
    windows: options.Windows = None,
    cooldown: options.Cooldown = None,
    entry_staleness: options.EntryStaleness = None,
    reduction_staleness: options.ReductionStaleness = None,
    wait_s: options.Wait = None,
    env: Env = None,
    as_json: Json = False,
) -> None:
    """Change a webhook; its token and secret stay the same."""
    from cli.directory import Directory
    from cli.labels import require_free_label
    from cli.webhook_settings import parse_settings
    from cli.webhooks import parse_routes
    from fillpath.accounts.manage import save_webhook

    typed: dict[str, str | Sequence[str] | None] = {"gate": gate, "label": label, "secret_in": secret_in, "time": time}
    typed |= {"quantity_is": quantity_is, "symbol_map": symbol_map, "map": mapping, "sample": sample}
    typed |= {"daily_limit": daily_limit, "symbols": symbols, "windows": windows, "cooldown": cooldown, "wait_s": wait_s}
    typed |= {"entry_staleness": entry_staleness, "reduction_staleness": reduction_staleness}
    update = parse_settings(typed)
    if not update and not routes:
        raise Problem("nothing to change was given", hint="--route, --gate, --daily-limit, --secret-in ...: see --help")
    target = target_of(context, env)
    directory = Directory(target.accounts)
    found = directory.webhook(webhook)
    require_free_label(
        "a webhook", update.get("label"), [each for each in directory.webhooks() if each.webhook_id != found.webhook_id]
    )
    if routes:
        update["routes"] = parse_routes(routes, directory, directory.user(found.user_id))[1]
    changed = found.model_copy(update=update)
    save_webhook(changed, target.accounts, target.master_key.read())
    if as_json:
        terminal.print_json(changed.model_dump(mode="json"))
    else:
        terminal.out.print(f"Webhook {escape(changed.label)} changed.")
        if secret_in is not None:
            terminal.hint("The URL and the message to paste now:", f"./fillpath webhook show {changed.typed}")


@group.command("list")
def list_all(
    context: typer.Context,
    *,
    show_secrets: Annotated[bool, typer.Option("--show-secrets", help="With address, secret and message.")] = False,
    env: Env = None,
    as_json: Json = False,
) -> None:
    """Show all webhooks; with --show-secrets also what a sender needs."""
    from cli.directory import Directory
    from cli.webhooks import Sender

    target = target_of(context, env)
    directory = Directory(target.accounts)
    webhooks = directory.webhooks()
    if as_json:
        shown = [asdict(Sender.of(webhook, target)) if show_secrets else dict.fromkeys(HIDDEN) for webhook in webhooks]
        terminal.print_json([hook.model_dump(mode="json") | sender for hook, sender in zip(webhooks, shown, strict=True)])
        return
    terminal.out.print(_table(webhooks, {account.account_id: account for account in directory.accounts()}))
    for webhook in webhooks if show_secrets else ():
        _show_sender(f"Webhook {webhook.label}", Sender.of(webhook, target), as_json=False)
    if not show_secrets:
        terminal.hint("Addresses, secrets and messages:", "./fillpath webhook list --show-secrets")


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


@group.command()
def show(context: typer.Context, webhook: Meant, *, env: Env = None, as_json: Json = False) -> None:
    """Show one webhook: its settings, its URL, and the messages to paste into alerts."""
    from cli.directory import Directory
    from cli.webhook_view import settings_table
    from cli.webhooks import Sender
    from fillpath.alerts.message import indicator_message

    target = target_of(context, env)
    directory = Directory(target.accounts)
    found = directory.webhook(webhook)
    sender = Sender.of(found, target)
    for_indicators = indicator_message(sender.secret_in_message)
    if as_json:
        terminal.print_json(found.model_dump(mode="json") | asdict(sender) | {"indicator_message": for_indicators})
        return
    terminal.out.print(settings_table(found, {account.account_id: account for account in directory.accounts()}))
    if found.revoked:
        terminal.out.print("Its address is revoked.")
        terminal.hint("For a new one:", f"./fillpath webhook rotate {found.typed}")
        return
    _show_sender(f"Webhook {found.label}", sender, as_json=False)
    section("Message for an alert of an indicator, one alert for each action", for_indicators)


@group.command()
def revoke(
    context: typer.Context,
    webhook: Meant,
    *,
    generation: Annotated[int | None, typer.Option(help="Only the address of this generation.", show_default=False)] = None,
    env: Env = None,
    as_json: Json = False,
) -> None:
    """End a webhook's addresses at once; rotate gives it a new one."""
    from cli.directory import Directory
    from fillpath.accounts.manage import revoke_webhook

    target = target_of(context, env)
    found = Directory(target.accounts).webhook(webhook)
    revoked = revoke_webhook(found, generation, target.accounts, target.master_key.read())
    if as_json:
        terminal.print_json(revoked.model_dump(mode="json"))
        return
    ended = "all its addresses lead" if generation is None else f"the address of generation {generation} leads"
    terminal.out.print(f"Webhook {escape(revoked.label)}: {ended} nowhere from now on.")
    terminal.hint("For a new address:", f"./fillpath webhook rotate {revoked.typed}")


def _table(webhooks: "tuple[Webhook, ...]", accounts: "dict[str, Account]") -> "Listing":
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
    if as_json:
        terminal.print_json(asdict(sender))
        return
    terminal.out.print(f"[bold]{escape(said)}[/]")
    section("Webhook URL", sender.url)
    section("Secret", sender.secret)
    section("Message for an alert of a TradingView strategy", sender.message)
