"""Halting trading: the flag first, then one sweep, which cancels the resting entries that the flag blocks."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cli.directory import Directory
from cli.problem import Problem
from fillpath.accounts.ports.controls import Controls, Halt
from fillpath.orders.model import Order
from fillpath.orders.ports.order_store import OrderStore

ENVIRONMENT = "environment"
BY_HAND = "by hand"


@dataclass(frozen=True)
class Halted:
    """What became of the resting entries of the scope."""

    scope: str
    reason: str
    cancelled: tuple[str, ...]
    still_open: tuple[str, ...]


def scope_of(account_id: str | None, user_id: str | None) -> str:
    """The scope of an account, a user or, without either, of everything."""
    if account_id is not None:
        return f"account:{account_id}"
    return ENVIRONMENT if user_id is None else f"user:{user_id}"


def ids_of(scope: str) -> tuple[str, str]:
    """The user id and account id under which a scope's flag is found; empty where the scope names none."""
    kind, _, its_id = scope.partition(":")
    return its_id if kind == "user" else "", its_id if kind == "account" else ""


def named(scope: str, directory: Directory) -> str:
    """The scope in words: `account tv`, `user ann@example.com`, `everything`."""
    kind, _, its_id = scope.partition(":")
    if kind == ENVIRONMENT:
        return "everything"
    if kind == "account":
        return next((f"account {each.label}" for each in directory.accounts() if each.account_id == its_id), f"account {its_id}")
    return next((f"user {each.email}" for each in directory.users() if each.user_id == its_id), f"user {its_id}")


def halts(directory: Directory, controls: Controls) -> tuple[Halt, ...]:
    """The halts that hold entries back, the widest of each account, sorted by scope."""
    owners = [(each.user_id, "") for each in directory.users()]
    accounts = [(each.user_id, each.account_id) for each in directory.accounts()]
    found = [controls.halted(*ids) for ids in [("", ""), *owners, *accounts]]
    return tuple(sorted({each.scope: each for each in found if each is not None}.values(), key=lambda each: each.scope))


def halt(
    scope: str, reason: str | None, at: datetime, controls: Controls, orders: OrderStore, sweep: Callable[[], object]
) -> Halted:
    """Blocks entries of the scope at once and cancels those that rest; raises Problem if the latter failed.

    Where the scope is halted already, and no new reason is given, the first one stays.
    """
    reason = reason or _first_reason(scope, controls)
    controls.halt(scope, at, reason)
    resting = [order.order_id for order in orders.open_orders() if _rests(order) and _in_scope(order, scope)]
    _sweep(sweep)
    left = [order_id for order_id in resting if not orders.get(order_id).state.ended]
    return Halted(scope, reason, tuple(order_id for order_id in resting if order_id not in left), tuple(left))


def _first_reason(scope: str, controls: Controls) -> str:
    before = controls.halted(*ids_of(scope))
    return before.reason if before is not None and before.scope == scope else BY_HAND


def _rests(order: Order) -> bool:
    return order.resting and not order.reduces and not order.state.ended and bool(order.legs)


def _in_scope(order: Order, scope: str) -> bool:
    return scope in {ENVIRONMENT, f"user:{order.user_id}", f"account:{order.account_id}"}


def _sweep(sweep: Callable[[], object]) -> None:
    try:
        sweep()
    except Problem as error:
        raise Problem(
            f"entries are blocked, but resting entries could not be cancelled at once: {error.reason}",
            hint="the sweeper cancels them within a minute; ./fillpath orders shows them",
        ) from error
