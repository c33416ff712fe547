"""Halting trading: the flag first, then one sweep, which cancels the resting entries that the flag blocks."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cli.problem import Problem
from fillpath.accounts.ports.controls import Controls
from fillpath.orders.model import Order
from fillpath.orders.ports.order_store import OrderStore

ENVIRONMENT = "environment"


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


def halt(scope: str, reason: str, at: datetime, controls: Controls, orders: OrderStore, sweep: Callable[[], object]) -> Halted:
    """Blocks entries of the scope at once and cancels those that rest; raises Problem if the latter failed."""
    controls.halt(scope, at, reason)
    resting = [order.order_id for order in orders.open_orders() if _rests(order) and _in_scope(order, scope)]
    _sweep(sweep)
    left = [order_id for order_id in resting if not orders.get(order_id).state.ended]
    return Halted(scope, reason, tuple(order_id for order_id in resting if order_id not in left), tuple(left))


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
