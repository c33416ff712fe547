"""alerts: what came in, how far it got and why, and what became of it."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli import terminal
from cli.commands.options import Env, Json, target_of

if TYPE_CHECKING:
    from cli.target import Target
    from fillpath.alerts.ports.alert_store import InboxEntry
    from fillpath.orders.model import Order

MOST_ALERTS = 500

group = typer.Typer(name="alerts", help="Show the alerts that came in, the newest first, and what became of each.")


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(group, rich_help_panel="Trading")


@group.callback(invoke_without_command=True)
def alerts(
    context: typer.Context,
    *,
    limit: Annotated[int, typer.Option(min=1, max=MOST_ALERTS, help="How many of the newest.")] = 20,
    refused: Annotated[bool, typer.Option("--refused", help="Only those that were refused.")] = False,
    env: Env = None,
    as_json: Json = False,
) -> None:
    """Show the alerts that came in, the newest first."""
    from cli.alert_view import alert_record, alert_table
    from cli.directory import Directory
    from cli.inbox import newest_alerts

    if context.invoked_subcommand is not None:
        return
    target = target_of(context, env)
    directory = Directory(target.accounts)
    found = newest_alerts(target.inbox, directory.users(), limit, refused_only=refused)
    if as_json:
        terminal.print_json([alert_record(entry) for entry in found])
    elif found:
        labels = {webhook.webhook_id: webhook.label for webhook in directory.webhooks()}
        terminal.out.print(alert_table(found, labels))
        terminal.hint("Everything about one:", "./fillpath alerts show ID")
    else:
        first = terminal.pasteable("No alerts yet. Send one: ./fillpath alert buy ES1! 1")
        terminal.out.print("No alert was refused." if refused else first)


@group.command()
def show(
    context: typer.Context,
    alert: Annotated[str, typer.Argument(metavar="ID", help="Its id or the end of it.")],
    *,
    env: Env = None,
    as_json: Json = False,
) -> None:
    """Show one alert: the message (secret masked), what each check said, how it was understood, and its orders."""
    from cli.alert_view import alert_detail, detail_record
    from cli.directory import Directory
    from cli.inbox import find_alert

    target = target_of(context, env)
    directory = Directory(target.accounts)
    entry = find_alert(target.inbox, directory.users(), alert)
    record = detail_record(entry, _orders(entry, target))
    if as_json:
        terminal.print_json(record)
        return
    accounts = {account.account_id: account for account in directory.accounts()}
    labels = {webhook.webhook_id: webhook.label for webhook in directory.webhooks()}
    terminal.out.print(alert_detail(record, labels, accounts))


def _orders(entry: "InboxEntry", target: "Target") -> "tuple[Order, ...]":
    return tuple(target.orders.get(order_id) for order_id in entry.order_ids)
