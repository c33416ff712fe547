"""A venue in memory: fills at a settable price, keeps every order by its client id, and answers as a test tells it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from fillpath.accounts.capabilities import Capabilities
from fillpath.clock import Clock
from fillpath.errors import BrokerUnavailable
from fillpath.orders.model import Leg, LegStatus, OrderType, Side
from fillpath.orders.outcomes import Accepted, LegView, Outcome, Position, Rejected
from fillpath.orders.ports.desk import AccountRef
from tests.fakes.clock import FakeClock

ALL_TYPES = frozenset(kind.value for kind in OrderType)


@dataclass(frozen=True, slots=True)
class VenueOrder:
    """One order as the venue has it."""

    number: int
    account_id: str
    leg: Leg
    root: str
    view: LegView
    placed_at: datetime


class FakeDesk:
    """Desk over one in-memory venue. `fill` decides how much of a market order fills at once (default: all)."""

    def __init__(self, clock: Clock | None = None, capabilities: Capabilities | None = None) -> None:
        self.clock = clock or FakeClock()
        self.known = capabilities or Capabilities(
            order_types=ALL_TYPES, deduplicates_s=86_400, quarantine_s=5, reduce_only=True, credentials_required=False
        )
        self.price = Decimal(100)
        self.orders: list[VenueOrder] = []
        self.held: dict[tuple[str, str], Decimal] = {}
        self.sent: list[str] = []
        self.answers: list[Outcome] = []
        self.down = False
        self.refuses: Rejected | None = None
        self.fill: Callable[[Leg], Decimal] = lambda leg: leg.quantity

    def capabilities(self, account: AccountRef) -> Capabilities:
        """What the venue was made with."""
        return self.known

    def positions(self, account: AccountRef, root: str) -> tuple[Position, ...]:
        """What is held; contracts begin with their root."""
        self._answering()
        return tuple(
            Position(contract, root, quantity, self.price)
            for (owner, contract), quantity in sorted(self.held.items())
            if owner == account.account_id and quantity and contract.startswith(root)
        )

    def precheck(self, account: AccountRef, leg: Leg, after_closing: Decimal) -> Rejected | None:
        """`refuses`, if a test has set it."""
        self._answering()
        return self.refuses

    def submit(self, account: AccountRef, leg: Leg) -> Outcome:
        """The next of `answers` if there is one (nothing is placed then), else place the order."""
        self.sent.append(leg.client_order_id)
        if self.answers:
            return self.answers.pop(0)
        return Accepted(self.place(account.account_id, leg).view)

    def look_up(self, account: AccountRef, leg: Leg) -> LegView | None:
        """The order under the leg's client id."""
        self._answering()
        found = self.find(leg.client_order_id)
        return found.view if found else None

    def cancel(self, account: AccountRef, leg: Leg) -> None:
        """Cancel what is still working."""
        self._answering()
        found = self.find(leg.client_order_id)
        if found and not found.view.status.ended:
            self._put(found, replace(found.view, status=LegStatus.CANCELLED))

    def place(self, account_id: str, leg: Leg) -> VenueOrder:
        """Take an order; under an id that is known, that order is found instead."""
        known = self.find(leg.client_order_id) if self.known.deduplicates_s else None
        if known:
            return known
        number = len(self.orders) + 1
        order = VenueOrder(number, account_id, leg, leg.contract, LegView(LegStatus.WORKING, f"V{number}"), self.clock.now())
        self.orders.append(order)
        return self.execute(order, self.fill(leg)) if leg.type is OrderType.MARKET else order

    def execute(self, order: VenueOrder, quantity: Decimal) -> VenueOrder:
        """Fill `quantity` more of an order, at most what is left and (reduce-only) what is held."""
        leg, view = order.leg, order.view
        key = (order.account_id, leg.contract)
        left = leg.quantity - view.filled_quantity
        if leg.reduce_only:
            held = self.held.get(key, Decimal(0))
            left = min(left, abs(held) if held and Side.of(-held) is leg.side else Decimal(0))
        quantity = min(quantity, left)
        if quantity <= 0:
            return order
        self.held[key] = self.held.get(key, Decimal(0)) + leg.side.sign * quantity
        filled = view.filled_quantity + quantity
        status = LegStatus.FILLED if filled == leg.quantity else LegStatus.PARTIALLY_FILLED
        view = replace(view, status=status, filled_quantity=filled, average_price=self.price, filled_at=self.clock.now())
        return self._put(order, view)

    def find(self, client_order_id: str) -> VenueOrder | None:
        """The first order under this id."""
        return next((order for order in self.orders if order.leg.client_order_id == client_order_id), None)

    def _put(self, order: VenueOrder, view: LegView) -> VenueOrder:
        changed = replace(order, view=view)
        self.orders[order.number - 1] = changed
        return changed

    def _answering(self) -> None:
        if self.down:
            raise BrokerUnavailable("the venue does not answer")
