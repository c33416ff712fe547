"""Flatten and cancel a whole account, through its lanes: an account and what it holds come in, one order per lane goes out.

Each waits in its lane like any other order; the table's stream wakes the lane. What only reduces is held back by nothing.
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta

from fillpath.accounts.model import Account
from fillpath.errors import Conflict
from fillpath.ids import new_id
from fillpath.orders.model import Event, Listing, Operation, Order, OrderState, Source
from fillpath.orders.outcomes import Position
from fillpath.orders.ports.order_store import OrderStore
from fillpath.orders.sizing import placed_before
from fillpath.orders.transitions import ended

DEADLINE = timedelta(seconds=300)


def flatten_account(account: Account, held: Iterable[Position], store: OrderStore, now: datetime) -> tuple[Order, ...]:
    """One close per root in which something is held or may still be filled; what rests there it cancels first."""
    roots = {position.root: position.contract for position in held} | _open(account, store)
    _call_off(account, store, now)
    return _ordered(account, Operation.CLOSE, "flatten", roots, store, now)


def cancel_account(account: Account, store: OrderStore, now: datetime) -> tuple[Order, ...]:
    """One cancellation per lane in which orders rest, or protection waits to be placed again."""
    return _ordered(account, Operation.CANCEL, "cancel", _resting(account, store), store, now)


def _resting(account: Account, store: OrderStore) -> dict[str, str]:
    mine = (order for order in store.open_orders() if order.account_id == account.account_id)
    return {order.root: order.contract for order in mine if order.listing is Listing.WORKING or placed_before(order)}


def _open(account: Account, store: OrderStore) -> dict[str, str]:
    """Wherever something may still be filled."""
    return {order.root: order.contract for order in store.open_orders() if order.account_id == account.account_id}


def _call_off(account: Account, store: OrderStore, now: datetime) -> None:
    """End entries that have not been sent. One that is being sent just now is closed by the close behind it."""
    for listed in store.open_orders():
        if listed.account_id != account.account_id or listed.listing is not Listing.WAITING:
            continue
        order = store.get(listed.order_id)
        if order.listing is Listing.WAITING and not order.reduces:
            with suppress(Conflict):
                store.save(order, ended(order, OrderState.CANCELLED, now, "flatten", "the account was flattened"))


def _ordered(
    account: Account, operation: Operation, action: str, roots: dict[str, str], store: OrderStore, now: datetime
) -> tuple[Order, ...]:
    orders = tuple(_order(account, operation, action, root, contract, now) for root, contract in sorted(roots.items()))
    for order in orders:
        store.add(order)
    return orders


def _order(account: Account, operation: Operation, action: str, root: str, contract: str, now: datetime) -> Order:
    order_id = new_id(now)
    return Order(
        order_id=order_id,
        alert_id=order_id,
        user_id=account.user_id,
        account_id=account.account_id,
        venue=account.venue,
        simulation=account.simulation,
        source=Source.API,
        symbol=root,
        root=root,
        contract=contract,
        action=action,
        order_type="exit",
        operation=operation,
        alert_time=now,
        received_at=now,
        deadline=now + DEADLINE,
        reduces=True,
        listing=Listing.WAITING,
        events=(Event(at=now, to_state=OrderState.QUEUED),),
    )
