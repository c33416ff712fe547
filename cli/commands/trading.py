"""orders, positions, price, halt and resume: what became of signals, what is held, and how to stop."""

import shlex
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.live import Live
from rich.markup import escape

from cli import terminal
from cli.commands.options import Env, Json, target_of
from cli.problem import Problem

if TYPE_CHECKING:
    from cli.directory import Directory
    from cli.tables import Listing

MOST_ORDERS = 500
WATCH_EVERY_S = 1.0

OfAccount = Annotated[str | None, typer.Option("--account", help="Id, end of id or label.", show_default=False)]
OfUser = Annotated[str | None, typer.Option("--user", help="Id, end of id or email address.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    for command in (orders, positions, price, halt, resume):
        app.command(rich_help_panel="Trading")(command)


def orders(
    context: typer.Context,
    order: Annotated[
        str | None, typer.Argument(metavar="ID", help="One order: its id or the end of it.", show_default=False)
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

    def newest() -> list[dict[str, Any]]:
        return [order_record(each) for each in newest_orders(target.orders, users, limit)]

    if order is not None:
        found = order_record(find_order(target.orders, users, order))
        terminal.print_json(found) if as_json else terminal.out.print(order_detail(found, labels))
    elif as_json:
        terminal.print_json(newest())
    elif watch:
        _watch(lambda: order_table(newest(), labels))
    else:
        records = newest()
        first = terminal.pasteable("No orders yet. Send one: ./fillpath alert buy ES1! 1")
        terminal.out.print(order_table(records, labels) if records else first)


def positions(context: typer.Context, *, account: OfAccount = None, env: Env = None, as_json: Json = False) -> None:
    """Show what every account holds, as its venue tells it, and what it is worth."""
    from cli.directory import Directory
    from cli.holdings import holdings, holdings_view, position_records

    target = target_of(context, env)
    directory = Directory(target.accounts)
    wanted = directory.accounts() if account is None else (directory.account(account),)
    found = [holdings(each, target.broker) for each in wanted]
    if as_json:
        terminal.print_json(position_records(found))
    else:
        terminal.out.print(holdings_view(found))
    if any(each.trouble for each in found):
        raise typer.Exit(1)


def price(
    context: typer.Context,
    symbol: Annotated[str, typer.Argument(help="ES1!, ESZ6, AAPL ...")],
    value: Annotated[str, typer.Argument(metavar="PRICE", help="On the instrument's tick.")],
    *,
    env: Env = None,
    as_json: Json = False,
) -> None:
    """Set a last trade by hand, and let resting paper orders see it."""
    from cli.holdings import parse_price

    contract, at_price = parse_price(symbol, value)
    target = target_of(context, env)
    target.prices.put(contract, at_price, datetime.now(UTC))
    target.invoke("sweep", {})
    if as_json:
        terminal.print_json({"contract": contract, "price": f"{at_price:f}"})
    else:
        terminal.out.print(f"{contract} is at [bold]{at_price:f}[/]; open orders have been looked at.")


def halt(
    context: typer.Context,
    *,
    account: OfAccount = None,
    user: OfUser = None,
    reason: Annotated[
        str | None, typer.Option(help='Shown with each refused entry; "by hand" unless told.', show_default=False)
    ] = None,
    env: Env = None,
    as_json: Json = False,
) -> None:
    """Block entries and cancel those that rest: everywhere, or of one account or user. What reduces still works."""
    from cli.directory import Directory
    from cli.halting import halt as halt_scope
    from cli.halting import named

    target = target_of(context, env)
    directory = Directory(target.accounts)
    scope = _scope(directory, account, user)
    done = halt_scope(scope, reason, datetime.now(UTC), target.controls, target.orders, lambda: target.invoke("sweep", {}))
    if as_json:
        terminal.print_json(
            {"scope": scope, "halted": True, "reason": done.reason, "cancelled": done.cancelled, "still_open": done.still_open}
        )
        return
    what = escape(f"{named(scope, directory)} ({done.reason})")
    terminal.out.print(f"[bold red]Halted[/] {what}: entries are refused, exits still work.")
    terminal.out.print(_cancelled(len(done.cancelled)))
    if done.still_open:
        terminal.out.print(f"[yellow]Still open, the sweeper tries again each minute:[/] {', '.join(done.still_open)}")
    terminal.hint("Go on:", f"./fillpath resume{_options(account, user)}")


def resume(
    context: typer.Context, *, account: OfAccount = None, user: OfUser = None, env: Env = None, as_json: Json = False
) -> None:
    """Let entries through again: everywhere, or of one account or user. Each scope is halted and resumed by itself."""
    from cli.directory import Directory
    from cli.halting import halts, ids_of, named

    target = target_of(context, env)
    directory = Directory(target.accounts)
    scope = _scope(directory, account, user)
    halted = target.controls.halted(*ids_of(scope))
    target.controls.resume(scope)
    left = halts(directory, target.controls)
    if as_json:
        terminal.print_json({"scope": scope, "halted": False, "still_halted": [each.scope for each in left]})
        return
    what = escape(named(scope, directory))
    terminal.out.print(f"[bold green]Resumed[/] {what}." if halted else f"There was no halt of {what}.")
    for other in left:
        terminal.out.print(f"[yellow]Still halted:[/] {escape(f'{named(other.scope, directory)} ({other.reason})')}")


def _scope(directory: "Directory", account: str | None, user: str | None) -> str:
    from cli.halting import scope_of

    if account is not None and user is not None:
        raise Problem("--account and --user exclude each other", hint="one scope at a time; without either everything is meant")
    account_id = None if account is None else directory.account(account).account_id
    return scope_of(account_id, None if user is None else directory.user(user).user_id)


def _cancelled(count: int) -> str:
    match count:
        case 0:
            return "No entry was resting."
        case 1:
            return "1 resting entry cancelled."
    return f"{count} resting entries cancelled."


def _options(account: str | None, user: str | None) -> str:
    given = {"--account": account, "--user": user}
    return "".join(f" {name} {shlex.quote(value)}" for name, value in given.items() if value is not None)


def _watch(table: "Callable[[], Listing]") -> None:
    with Live(table(), console=terminal.out, auto_refresh=False) as live:
        while True:
            time.sleep(WATCH_EVERY_S)
            live.update(table(), refresh=True)
