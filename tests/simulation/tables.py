"""The orders table with its stream: every write is noted in the history, and tells the stream what it must wake."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from fillpath.alerts.ports.alert_store import InboxEntry
from fillpath.orders.model import Lane, Listing, Order
from fillpath.orders.ports.order_store import LaneView
from tests.fakes.alert_store import FakeAlertStore
from tests.fakes.order_store import FakeOrderStore
from tests.fakes.tables import FakeTables
from tests.simulation.history import History, Owner, Pick, Write
from tests.simulation.virtual import VirtualTime

Publish = Callable[[Lane, str], None]


class RecordedOrders:
    """The fake order store, with history and stream. `publish` gets the lane and the id of each wake-up."""

    def __init__(self, tables: FakeTables, time: VirtualTime, history: History, publish: Publish) -> None:
        self.tables = tables
        self._store = FakeOrderStore(tables)
        self._alerts = FakeAlertStore(tables)
        self._time = time
        self._history = history
        self._publish = publish

    def get(self, order_id: str) -> Order:
        """One order."""
        return self._store.get(order_id)

    def lane(self, lane: Lane) -> LaneView:
        """One lane."""
        return self._store.lane(lane)

    def take(self, view: LaneView, order: Order, run_until: datetime) -> Order:
        """Make `order` the owner."""
        stored = self._store.take(view, order, run_until)
        if order.order_id != view.owner:
            before = tuple(waiting.order_id for waiting in view.waiting if waiting.order_id < order.order_id)
            unknown = tuple(each.order_id for each in view.unknown)
            self._history.picks.append(Pick(self._time.now, order.order_id, before, unknown))
        self._note(order, stored)
        return stored

    def save(self, old: Order, new: Order, reduced_at: datetime | None) -> Order:
        """Write `new` over `old`."""
        stored = self._store.save(old, new, reduced_at=reduced_at)
        self._note(old, stored)
        return stored

    def open_orders(self) -> Iterable[Order]:
        """What the sweeper looks at."""
        return self._store.open_orders()

    def add(self, order: Order) -> None:
        """A new order of a source other than a webhook; the second attempt to write it changes nothing."""
        if order.order_id not in self.tables.orders:
            self._store.add(order)
            self._note(None, order)

    def accept(self, guard: str, orders: tuple[Order, ...], entry: InboxEntry, kept: timedelta) -> None:
        """The orders of an alert, under its replay guard."""
        self._alerts.accept(guard, orders, entry, kept)
        for order in orders:
            self._note(None, order)

    def _note(self, old: Order | None, new: Order) -> None:
        now, history = self._time.now, self._history
        history.writes.append(Write(now, new))
        owners = history.owners.setdefault(new.lane, [])
        owner = self.tables.lane(new.lane).owner
        if not owners or owners[-1].order_id != owner:
            owners.append(Owner(now, owner))
        if new.listing is Listing.WAITING and (old is None or old.listing is not Listing.WAITING):
            self._publish(new.lane, new.order_id)
        if old is not None and old.owns_lane and not new.owns_lane:
            self._publish(new.lane, f"{new.lane}#{new.fence}")
