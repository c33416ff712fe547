"""The tables as plain dictionaries, shared by the fakes that see the same data. Records are frozen, so nothing is copied."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, TypeVar

from fillpath.accounts.model import Account, User, Webhook
from fillpath.accounts.ports.account_store import TokenOwner
from fillpath.accounts.ports.controls import Halt
from fillpath.alerts.ports.alert_store import InboxEntry
from fillpath.orders.model import Lane, Listing, Order
from fillpath.orders.ports.order_store import InDoubt, LaneView, Waiting, Working

Item = TypeVar("Item")


@dataclass(slots=True)
class FakeLane:
    """One lane's items."""

    fence: int = 0
    owner: str | None = None
    run_until: datetime | None = None
    reduced_at: dict[str, datetime] = field(default_factory=dict)
    waiting: dict[str, Waiting] = field(default_factory=dict)
    working: dict[str, Working] = field(default_factory=dict)
    unknown: dict[str, InDoubt] = field(default_factory=dict)
    recent: tuple[str, ...] = ()

    def view(self, lane: Lane) -> LaneView:
        """What a consistent read of it shows."""
        return LaneView(
            lane,
            self.fence,
            self.owner,
            self.run_until,
            dict(self.reduced_at),
            _by_id(self.waiting),
            _by_id(self.working),
            _by_id(self.unknown),
            self.recent,
        )

    def enlist(self, order: Order) -> None:
        """Put the order where its `listing` says, and only there."""
        order_id, reduces = order.order_id, bool(order.reduces)
        for listed in (self.waiting, self.working, self.unknown):
            listed.pop(order_id, None)
        if order.listing is Listing.WAITING:
            self.waiting[order_id] = Waiting(order_id, order.deadline)
        elif order.listing is Listing.WORKING:
            leg = order.live_leg
            assert leg is not None, "a resting order has a leg"
            self.working[order_id] = Working(order_id, leg.side, reduces)
        elif order.listing is Listing.UNKNOWN:
            self.unknown[order_id] = InDoubt(order_id, reduces)

    def belongs_to(self, order: Order) -> bool:
        """Whether `order` owns it under its fence."""
        return self.owner == order.order_id and self.fence == order.fence

    def release(self, order: Order, reduced_at: datetime | None) -> None:
        """Free the lane of its owner, and raise the mark of its webhook."""
        self.owner = self.run_until = None
        if reduced_at is not None and order.webhook_id is not None:
            mark = self.reduced_at.get(order.webhook_id)
            self.reduced_at[order.webhook_id] = reduced_at if mark is None else max(mark, reduced_at)


class FakeGuard(NamedTuple):
    """What an alert became, and how long it is known again."""

    alert_id: str
    order_ids: tuple[str, ...]
    expires_at: datetime


@dataclass(slots=True)
class FakeTables:
    """All tables of one environment."""

    orders: dict[str, Order] = field(default_factory=dict)
    open: dict[str, Order] = field(default_factory=dict)
    lanes: dict[Lane, FakeLane] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    webhooks: dict[str, Webhook] = field(default_factory=dict)
    tokens: dict[str, TokenOwner] = field(default_factory=dict)
    halts: dict[str, Halt] = field(default_factory=dict)
    guards: dict[str, FakeGuard] = field(default_factory=dict)
    counters: dict[tuple[str, str], int] = field(default_factory=dict)
    entered: dict[tuple[str, str], datetime] = field(default_factory=dict)
    inbox: dict[str, dict[str, InboxEntry]] = field(default_factory=dict)

    def lane(self, lane: Lane) -> FakeLane:
        """The lane, made when it is first named."""
        found = self.lanes.get(lane)
        if found is None:
            found = self.lanes[lane] = FakeLane()
        return found

    def put_order(self, order: Order) -> None:
        """Write an order, and the sparse index of those that somebody must still look at."""
        self.orders[order.order_id] = order
        if not order.state.ended or order.owns_lane or order.listing is not Listing.NONE:
            self.open[order.order_id] = order
        else:
            self.open.pop(order.order_id, None)


def _by_id(items: dict[str, Item]) -> tuple[Item, ...]:
    return tuple(items.values()) if len(items) < 2 else tuple(items[order_id] for order_id in sorted(items))
