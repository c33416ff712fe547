"""alert, orders, positions, price, halt and resume: trading by hand, and stopping it."""

import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import terminal
from cli.commands.options import Env, Json, target_of
from cli.problem import Problem

if TYPE_CHECKING:
    from cli.alert_sender import Answer
    from cli.directory import Directory

MOST_ORDERS = 500
WATCH_EVERY_S = 1.0


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    for command in (alert, orders, positions, price, halt, resume):
        app.command(rich_help_panel="Trading")(command)


def alert(  # noqa: PLR0913  one option per field that people type
    context: typer.Context,
    action: Annotated[
        str | None, typer.Argument(help="buy, sell, close, close_long, close_short or target.", show_default=False)
    ] = None,
    symbol: Annotated[str | None, typer.Argument(help="ES1!, ESZ6, CME_MINI:ES1!, AAPL ...", show_default=False)] = None,
    quantity: Annotated[str | None, typer.Argument(help="Contracts, shares or coins.", show_default=False)] = None,
    *,
    order_type: Annotated[str | None, typer.Option(help="entry or exit.", show_default="entry")] = None,
    kind: Annotated[str | None, typer.Option("--type", help="market, limit or stop.", show_default="market")] = None,
    limit_price: Annotated[str | None, typer.Option(show_default=False)] = None,
    stop_price: Annotated[str | None, typer.Option(show_default=False)] = None,
    time_in_force: Annotated[str | None, typer.Option(help="day, gtc or ioc.", show_default="day")] = None,
    field: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Any other field, e.g. market_position=long.", show_default=False),
    ] = None,
    file: Annotated[
        str | None, typer.Option(metavar="FILE|-", help="The alert as JSON, from a file or stdin.", show_default=False)
    ] = None,
    webhook: Annotated[str | None, typer.Option(help="Id or label; the first one without it.", show_default=False)] = None,
    env: Env = None,
    as_json: Json = False,
) -> None:
    """Send an alert through the webhook, as TradingView would; time and secret are added. Example: alert buy ES1! 1."""
    from cli.alert_sender import complete, post, read_fields
    from cli.directory import Directory
    from cli.webhooks import Sender

    typed = {"action": action, "symbol": symbol, "quantity": quantity, "order_type": order_type, "type": kind}
    typed |= {"limit_price": limit_price, "stop_price": stop_price, "time_in_force": time_in_force}
    fields: dict[str, Any] = {name: value for name, value in typed.items() if value is not None} | read_fields(field or ())
    if file is None and action is None:
        raise Problem("ACTION is missing", hint="./fillpath alert buy ES1! 1, or --file FILE")
    target = target_of(context, env)
    directory = Directory(target.accounts)
    sender = Sender.of(directory.webhook(webhook), target)
    answer = post(sender.url, complete(_of_file(file) | fields, sender.secret))
    _show_answer(answer, directory, as_json=as_json)
    if not answer.accepted:
        raise _refusal(answer)


def orders(
    context: typer.Context,
    order: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="One order, by id or the end of it.", show_default=False)
    ] = None,
    *,
    limit: Annotated[int, typer.Option(min=1, max=MOST_ORDERS, help="How many of the newest.")] = 20,
    watch: Annotated[bool, typer.Option("--watch", help="Go on showing them until Ctrl-C.")] = False,
    env: Env = None,
    as_json: Json = False,
) -> None:
    """Show the newest orders; with ID everything about one: its legs at the broker, and each step with its time."""
    from cli.directory import Directory, find_order, newest_orders
    from cli.order_view import order_detail, order_table
    from fillpath.orders.result import order_record

    target = target_of(context, env)
    directory = Directory(target.accounts)
    users = directory.users()
    labels = {account.account_id: account for account in directory.accounts()}
    if order is not None:
        found = find_order(target.orders, users, order)
        terminal.print_json(order_record(found)) if as_json else terminal.out.print(order_detail(found, labels))
    elif as_json:
        terminal.print_json([order_record(each) for each in newest_orders(target.orders, users, limit)])
    elif watch:
        _watch(lambda: order_table(newest_orders(target.orders, users, limit), labels))
    else:
        newest = newest_orders(target.orders, users, limit)
        terminal.out.print(order_table(newest, labels) if newest else "No orders yet. Send one: ./fillpath alert buy ES1! 1")
