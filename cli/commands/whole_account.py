"""flatten and cancel: end what an account holds or has resting, through its lanes, or at its venue itself."""

import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from cli import terminal
from cli.commands.options import Env, Json, target_of
from cli.patience import patiently
from fillpath.errors import BrokerError

if TYPE_CHECKING:
    from cli.flattening import Flattened
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
        _flatten_at_venue(found, target, wait, as_json=as_json)
        return
    held = _held(found, target)
    _tell(found, _ended(flatten_account(found, held, target.orders, datetime.now(UTC)), target, wait), as_json=as_json)


def cancel(
    context: typer.Context, account: Meant, *, at_venue: AtVenue = False, wait: Wait = 30, env: Env = None, as_json: Json = False
) -> None:
    """Cancel every order that rests in an account, its stops too: what it holds is unprotected then."""
    from cli.directory import Directory
    from fillpath.orders.model import Listing
    from fillpath.orders.whole_account import cancel_account

    target = target_of(context, env)
    found = Directory(target.accounts).account(account)
    if at_venue:
        patiently(target.broker(found).cancel_all)
        _tell_asked(found, {"account_id": found.account_id, "liquidated": [], "failed": {}}, as_json=as_json, see="orders")
        return
    under_way = tuple(order for order in _open(found, target) if order.listing is not Listing.WORKING)
    ended = _ended(cancel_account(found, target.orders, datetime.now(UTC)), target, wait)
    _tell(found, ended, tuple(target.orders.get(order.order_id) for order in under_way), as_json=as_json)


def _open(account: "Account", target: "Target") -> "list[Order]":
    return [order for order in target.orders.open_orders() if order.account_id == account.account_id]


def _may_hold(order: "Order") -> bool:
    """Whether something may be held where it was: not for all that is known of one that was refused, or was never sent."""
    from fillpath.orders.model import OrderState

    if order.filled_quantity or order.exit_quantity or order.position_before or order.held:
        return True
    sent = any(leg.attempts for leg in order.legs)
    return not order.state.ended or (sent and order.state is not OrderState.REJECTED)


def _held(account: "Account", target: "Target") -> "tuple[Position, ...]":
    """What the venue shows; where it cannot be asked, all that Fillpath may have traded there lately."""
    from cli.venue_words import told
    from fillpath.orders.outcomes import Position

    try:
        return patiently(lambda: target.broker(account).positions())
    except BrokerError as error:
        newest = target.orders.of_user(account.user_id, ORDERS_SEARCHED)
        mine = [*_open(account, target), *(each for each in newest if each.account_id == account.account_id)]
        lately = {order.root: Position(order.contract, order.root, Decimal(0)) for order in mine if _may_hold(order)}
        terminal.err.print(f"[yellow]What is held cannot be read:[/] {escape(told(error, account))}")
        if lately:
            terminal.err.print(f"A close waits in each lane that was traded lately: {escape(', '.join(sorted(lately)))}")
        return tuple(lately.values())


def _flatten_at_venue(account: "Account", target: "Target", wait_s: float, *, as_json: bool) -> None:
    from cli.flattening import WAITS, flatten_at_venue, flattened_record

    left = flatten_at_venue(target.broker(account), target.clock, wait_s / WAITS)
    _tell_asked(account, flattened_record(account.account_id, left), as_json=as_json)
    _tell_left(left)
    if not left.done:
        terminal.err.print("What is left is yours to end: at the venue itself, or with the same command once more.")
        raise typer.Exit(1)


def _ended(orders: "tuple[Order, ...]", target: "Target", wait_s: float) -> "tuple[Order, ...]":
    """The orders once they have ended, or as they are when patience does."""
    until = time.monotonic() + wait_s
    while True:
        orders = tuple(target.orders.get(order.order_id) for order in orders)
        if all(order.state.ended for order in orders) or time.monotonic() > until:
            return orders
        time.sleep(LOOK_EVERY_S)


def _tell(account: "Account", orders: "tuple[Order, ...]", others: "tuple[Order, ...]" = (), *, as_json: bool) -> None:
    """What became of these; `others` of the account were left alone, since they do not rest."""
    from cli.directory import short
    from cli.order_view import order_table
    from fillpath.orders.result import order_record

    records, left = [order_record(order) for order in orders], [order for order in others if not order.state.ended]
    if as_json:
        terminal.print_json(records)
    elif records:
        terminal.out.print(order_table(records, {account.account_id: account}))
    elif not left:
        terminal.out.print(f"Account {escape(account.label)}: there was nothing to do.")
    if left:
        what = ", ".join(f"{short(order.order_id)} ({order.state})" for order in left)
        terminal.err.print(f"[yellow]Account {escape(account.label)}: not at rest, so not cancelled:[/] {what}")
        terminal.hint("To call off what has not been sent, and close what is held:", f"./fillpath flatten {account.typed}")
    if not all(order.state.ended for order in orders):
        terminal.err.print("[yellow]Not all of it has ended yet.[/]")
        terminal.hint("How it goes on:", "./fillpath orders")
    if left or not all(order.state.ended for order in orders):
        raise typer.Exit(1)


def _tell_asked(account: "Account", record: dict[str, Any], *, as_json: bool, see: str = "positions") -> None:
    if as_json:
        terminal.print_json(record)
        return
    what = f", and to close {', '.join(record['liquidated'])}" if record["liquidated"] else ""
    terminal.out.print(f"{account.venue} was asked to cancel everything in {escape(account.label)}{what}.")
    terminal.hint("What became of it:", f"./fillpath {see}")


def _tell_left(left: "Flattened") -> None:
    from cli.flattening import in_words

    for trouble in left.troubles:
        terminal.err.print(f"[yellow]On the way:[/] {escape(trouble)}")
    for contract, why in left.failed.items():
        terminal.err.print(f"[bold red]{contract} was not closed:[/] {escape(why)}")
    for order in left.working or ():
        terminal.err.print(f"[bold red]Works still:[/] {escape(in_words(order))}")
    busy = {order.contract for order in left.working or ()}
    for position in left.held or ():
        bare = "" if left.working is None or position.contract in busy else ", and nothing protects it"
        terminal.err.print(f"[bold red]Held still:[/] {position.quantity.normalize():+f} {position.contract}{bare}")
    for what, seen in (("What works", left.working), ("What is held", left.held)):
        if seen is None:
            terminal.err.print(f"[bold red]{what} cannot be read.[/]")
