"""One account of a simulated exchange: its book, every order and fill, and what is told about each step of a turn."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from fillpath.orders.model import LegStatus
from fillpath_brokers.exchange.book import Book
from fillpath_brokers.exchange.orders import ExchangeOrder, Fill
from fillpath_brokers.exchange.turn import Became, Turn
from tests.simulators.events import EventKind, SimFill, SimOrder
from tests.simulators.orders import OrderRefused

Tell = Callable[[EventKind, SimOrder, datetime, SimFill | None], None]

_ENDS = {
    LegStatus.CANCELLED: EventKind.CANCELLED,
    LegStatus.EXPIRED: EventKind.EXPIRED,
    LegStatus.REJECTED: EventKind.REJECTED,
}
_KEPT = (
    "contract",
    "side",
    "type",
    "placed_at",
    "limit_price",
    "stop_price",
    "trail_amount",
    "trail_percent",
    "high_water",
    "time_in_force",
    "expires_at",
    "reduce_only",
    "triggered",
    "parent",
    "exits",
    "other",
    "withheld",
)


class Ledger:
    """What the exchange keeps of an account; `tell` is called for each thing that happens to an order."""

    def __init__(self, cash: Decimal, tell: Tell) -> None:
        self.book = Book(cash=cash)
        self.orders: dict[str, SimOrder] = {}
        self.fills: list[SimFill] = []
        self._tell = tell

    def keep(self, turn: Turn, now: datetime) -> None:
        """Make the turn the account's state, and tell what happened in it, step by step."""
        held = {contract: holding.quantity for contract, holding in self.book.holdings.items()}
        self.book = turn.book
        for became in turn.changes:
            self._became(became, held, now)
        self.show_working()

    def renew(self, order_id: str, new_id: str, client_order_id: str, details: Mapping[str, Any] | None, now: datetime) -> None:
        """Put a new order in the place of a working one, for what that had not filled."""
        working = self.book.working.get(order_id)
        if working is None:
            raise OrderRefused("not_working", f"order {order_id} does not work any more")
        kept = {name: getattr(working, name) for name in _KEPT}
        fresh = ExchangeOrder(**kept, order_id=new_id, quantity=working.remaining, seen_at=now)
        gone = working.ended(LegStatus.CANCELLED, "replaced")
        for linked in self.book.working.values():
            self.book = self.book.with_order(_relinked(linked, order_id, new_id))
        self.book = self.book.with_order(gone).with_order(fresh)
        old = self.orders[order_id]
        self.orders[order_id] = replace(old, state=gone, updated_at=now, replaced_by=new_id)
        self.orders[new_id] = replace(
            old,
            id=new_id,
            state=fresh,
            created_at=now,
            updated_at=now,
            client_order_id=client_order_id or old.client_order_id,
            details=old.details if details is None else details,
            replaces=order_id,
        )
        self.show_working()
        self._tell(EventKind.REPLACED, self.orders[order_id], now, None)
        self._tell(EventKind.ACCEPTED, self.orders[new_id], now, None)

    def show_working(self) -> None:
        """What the exchange remembers of working orders without telling: how far a trail has moved, how much was seen."""
        for order in self.book.working.values():
            if self.orders[order.order_id].state != order:
                self.orders[order.order_id] = replace(self.orders[order.order_id], state=order)

    def _became(self, became: Became, held: dict[str, Decimal], now: datetime) -> None:
        order, fill = became
        before = self.orders[order.order_id]
        at = fill.at if fill else now
        after = replace(before, state=order, updated_at=at)
        self.orders[order.order_id] = after
        if fill is None:
            self._tell(_kind(before, order), after, at, None)
            return
        held[fill.contract] = held.get(fill.contract, Decimal(0)) + fill.side.sign * fill.quantity
        done = _sim_fill(fill, held[fill.contract])
        self.fills.append(done)
        kind = EventKind.FILLED if order.status is LegStatus.FILLED else EventKind.PARTIALLY_FILLED
        self._tell(kind, after, at, done)


def sim_order(order: ExchangeOrder, account: str, client_order_id: str, details: Mapping[str, Any]) -> SimOrder:
    """An order that was placed just now, and of which nobody has been told."""
    unseen = replace(order, seen_at=None)  # so that the first change is known as its acceptance
    return SimOrder(order.order_id, client_order_id, account, unseen, order.placed_at, order.placed_at, details)


def _kind(before: SimOrder, order: ExchangeOrder) -> EventKind:
    if order.status.ended:
        return _ENDS.get(order.status, EventKind.CHANGED)
    return EventKind.ACCEPTED if before.state.seen_at is None else EventKind.CHANGED


def _relinked(order: ExchangeOrder, old: str, new: str) -> ExchangeOrder:
    links = {name: new for name in ("parent", "exits", "other") if getattr(order, name) == old}
    return replace(order, **links) if links else order  # type: ignore[arg-type]  # names of links, which are texts


def _sim_fill(fill: Fill, position: Decimal) -> SimFill:
    return SimFill(
        id=f"{fill.order_id}-{fill.n}",
        order_id=fill.order_id,
        contract=fill.contract,
        side=fill.side.value,
        quantity=fill.quantity,
        price=fill.price,
        commission=fill.commission,
        position=position,
        at=fill.at,
    )


def shown(own: Ledger) -> dict[str, Any]:
    """The account as JSON values."""
    return {
        "cash": str(own.book.cash),
        "positions": {
            contract: {"quantity": str(holding.quantity), "average_price": str(holding.average_price)}
            for contract, holding in own.book.holdings.items()
        },
        "orders": [
            {
                "id": each.id,
                "client_order_id": each.client_order_id,
                "contract": each.state.contract,
                "side": each.state.side.value,
                "type": each.state.type.value,
                "quantity": str(each.state.quantity),
                "filled": str(each.state.filled_quantity),
                "status": each.status.value,
                "reason": each.state.reason,
                "parent": each.state.parent,
                "other": each.state.other,
                "exits": each.state.exits,
            }
            for each in own.orders.values()
        ],
    }
