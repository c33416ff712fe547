"""flatten and cancel: end what an account holds or has resting, through its lanes, or at its venue itself."""

import time
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from cli import terminal
from cli.commands.options import Env, Json, target_of
from cli.patience import patiently
from fillpath.errors import BrokerError

if TYPE_CHECKING:
    from cli.target import Target
    from fillpath.accounts.model import Account
    from fillpath.orders.model import Order
    from fillpath.orders.outcomes import Position

LOOK_EVERY_S = 0.5
# How many of the owner's newest orders tell what may be held, where its venue cannot.
ORDERS_SEARCHED = 200

Meant = Annotated[str, typer.Argument(metavar="ACCOUNT", help="Id, end of id or label.")]
Wait = Annotated[float, typer.Option(min=0, metavar="SECONDS", help="How long to wait until all has ended.")]
AtVenue = Annotated[
    bool, typer.Option("--at-venue", help="Past Fillpath's own path, by the venue's own means: for when that path is down.")
]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    for command in (flatten, cancel):
        app.command(rich_help_panel="Trading")(command)


def flatten(
    context: typer.Context, account: Meant, *, at_venue: AtVenue = False, wait: Wait = 30, env: Env = None, as_json: Json = False
) -> None:
    """Cancel everything that rests in an account and close all that it holds. It may trade again right after: halt it first."""
    from cli.directory import Directory
    from fillpath.orders.whole_account import flatten_account

    target = target_of(context, env)
    found = Directory(target.accounts).account(account)
    if at_venue:
        _flatten_at_venue(found, target, as_json=as_json)
        return
    held = _held(found, target)
    _tell(found, _ended(flatten_account(found, held, target.orders, datetime.now(UTC)), target, wait), as_json=as_json)


def cancel(
    context: typer.Context, account: Meant, *, at_venue: AtVenue = False, wait: Wait = 30, env: Env = None, as_json: Json = False
) -> None:
    """Cancel every order that rests in an account, its stops too: what it holds is unprotected then."""
    from cli.directory import Directory
    from fillpath.orders.whole_account import cancel_account

    target = target_of(context, env)
    found = Directory(target.accounts).account(account)
    if at_venue:
        patiently(target.broker(found).cancel_all)
        _tell_venue(found, [], {}, as_json=as_json)
        return
    _tell(found, _ended(cancel_account(found, target.orders, datetime.now(UTC)), target, wait), as_json=as_json)


def _held(account: "Account", target: "Target") -> "tuple[Position, ...]":
    """What the venue shows; where it cannot be asked, all that Fillpath may have traded there lately."""
    from fillpath.orders.outcomes import Position

    try:
        return patiently(lambda: target.broker(account).positions())
    except BrokerError as error:
        mine = [each for each in target.orders.open_orders() if each.account_id == account.account_id]
        mine += [
            each for each in target.orders.of_user(account.user_id, ORDERS_SEARCHED) if each.account_id == account.account_id
        ]
        lately = {order.root: Position(order.contract, order.root, Decimal(0)) for order in mine}
        terminal.err.print(f"[yellow]What is held cannot be read:[/] {escape(str(error))}")
        if lately:
            terminal.err.print(f"A close waits in each lane that was traded lately: {escape(', '.join(sorted(lately)))}")
        return tuple(lately.values())


def _flatten_at_venue(account: "Account", target: "Target", *, as_json: bool) -> None:
    broker = target.broker(account)
    patiently(broker.cancel_all)
    asked: list[str] = []
    failed: dict[str, str] = {}
    for position in patiently(broker.positions):
        try:
            patiently(partial(broker.liquidate, position.contract))
        except BrokerError as error:
            failed[position.contract] = str(error)
        else:
            asked.append(position.contract)
    _tell_venue(account, asked, failed, as_json=as_json)


def _ended(orders: "tuple[Order, ...]", target: "Target", wait_s: float) -> "tuple[Order, ...]":
    """The orders once they have ended, or as they are when patience does."""
    until = time.monotonic() + wait_s
    while True:
        orders = tuple(target.orders.get(order.order_id) for order in orders)
        if all(order.state.ended for order in orders) or time.monotonic() > until:
            return orders
        time.sleep(LOOK_EVERY_S)


def _tell(account: "Account", orders: "tuple[Order, ...]", *, as_json: bool) -> None:
    from cli.order_view import order_table
    from fillpath.orders.result import order_record

    records = [order_record(order) for order in orders]
    if as_json:
        terminal.print_json(records)
    elif not records:
        terminal.out.print(f"Account {escape(account.label)}: there was nothing to do.")
    else:
        terminal.out.print(order_table(records, {account.account_id: account}))
    if not all(order.state.ended for order in orders):
        terminal.err.print("[yellow]Not all of it has ended yet:[/] ./fillpath orders shows how it goes on")
        raise typer.Exit(1)


def _tell_venue(account: "Account", contracts: list[str], failed: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        terminal.print_json({"account_id": account.account_id, "liquidated": contracts, "failed": failed})
    else:
        what = f", and to close {', '.join(contracts)}" if contracts else ""
        terminal.out.print(f"{account.venue} was asked to cancel everything in {escape(account.label)}{what}.")
        terminal.err.print(terminal.pasteable("[dim]What became of it:[/] ./fillpath positions"))
    for contract, why in failed.items():
        terminal.err.print(f"[bold red]{contract} was not closed:[/] {escape(why)}")
    if failed:
        raise typer.Exit(1)
