"""Orders and lanes in dictionaries."""

from collections.abc import Iterable
from datetime import datetime

from fillpath.errors import Conflict, NotFound
from fillpath.orders.model import Lane, Listing, Order
from fillpath.orders.ports.order_store import LaneView
from tests.fakes.tables import FakeTables


class FakeOrderStore:
    """OrderStore whose every method is one atomic step."""

    def __init__(self, tables: FakeTables | None = None) -> None:
        self.tables = tables or FakeTables()

    def get(self, order_id: str) -> Order:
        """The order; NotFound if there is none."""
        try:
            return self.tables.orders[order_id]
        except KeyError:
            raise NotFound(f"order {order_id}") from None

    def lane(self, lane: Lane) -> LaneView:
        """The lane with all that stands in it."""
        found = self.tables.lanes.get(lane)
        return found.view(lane) if found else LaneView(lane)

    def take(self, view: LaneView, order: Order, run_until: datetime) -> Order:
        """Make `order` the owner if lane and order are as given."""
        lane = self.tables.lane(view.lane)
        if lane.fence != view.fence or lane.owner != view.owner:
            raise Conflict(f"lane {view.lane} has moved on from fence {view.fence}")
        fence = view.fence + 1
        stored = self._put(order, order, {"owns_lane": True, "fence": fence, "listing": Listing.NONE})
        lane.fence, lane.owner, lane.run_until = fence, order.order_id, run_until
        lane.recent = view.recent_with(order.order_id)
        lane.enlist(stored)
        return stored

    def save(self, old: Order, new: Order, *, reduced_at: datetime | None = None) -> Order:
        """Write `new` over `old` and move it within its lane."""
        lane = self.tables.lane(old.lane)
        releases = old.owns_lane and not new.owns_lane
        if releases and not lane.belongs_to(old):
            raise Conflict(f"order {old.order_id} does not own its lane")
        stored = self._put(old, new, {})
        if releases:
            lane.release(old, reduced_at)
        if old.listing is not new.listing:
            lane.enlist(stored)
        return stored

    def open_orders(self) -> Iterable[Order]:
        """Every order that has not ended or still stands in its lane."""
        return tuple(self.tables.open.values())

    def of_user(self, user_id: str, limit: int) -> tuple[Order, ...]:
        """The newest orders of a user first."""
        mine = [order for order in self.tables.orders.values() if order.user_id == user_id]
        return tuple(sorted(mine, key=lambda order: order.order_id, reverse=True)[:limit])

    def add(self, order: Order) -> None:
        """Put a new order there with its place in its lane; one that is there already stays."""
        if order.order_id in self.tables.orders:
            return
        self.tables.put_order(order)
        if order.listing is not Listing.NONE:
            self.tables.lane(order.lane).enlist(order)

    def _put(self, old: Order, new: Order, update: dict[str, object]) -> Order:
        current = self.tables.orders.get(old.order_id)
        if current is None or current.version != old.version:
            raise Conflict(f"order {old.order_id} has moved on from version {old.version}")
        stored = new.model_copy(update={**update, "version": old.version + 1})
        self.tables.put_order(stored)
        return stored
