"""A venue in memory: fills at a settable price, keeps every order by its client id, and answers as a test tells it.

A bracket is two orders here: the entry, and its exits, which are one pair. They exit what the entry has filled, and end with it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from fillpath.accounts.capabilities import Capabilities
from fillpath.clock import Clock
from fillpath.errors import BrokerUnavailable, Unsupported
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
    entry: int | None = None
    """The number of the entry whose exits these are."""


class FakeDesk:
    """Desk over one in-memory venue. `fill` decides how much of a market order fills at once (default: all).

    `keeps_exits`: the exits of a bracket stay for what was filled when the rest of the entry is cancelled (default: they go too).
    `fronts`: root -> its front month.
    """

    def __init__(self, clock: Clock | None = None, capabilities: Capabilities | None = None) -> None:
        self.clock = clock or FakeClock()
        self.known = capabilities or Capabilities(
            order_types=ALL_TYPES,
            bracket=True,
            oco=True,
            deduplicates_s=86_400,
            quarantine_s=5,
            single_order_flip=True,
            reduce_only=True,
            front_month=True,
            credentials_required=False,
        )
        self.price = Decimal(100)
        self.orders: list[VenueOrder] = []
        self.held: dict[tuple[str, str], Decimal] = {}
        self.sent: list[str] = []
        self.answers: list[Outcome] = []
        self.down = False
        self.refuses: Rejected | None = None
        self.market_closed: str | None = None
        self.fill: Callable[[Leg], Decimal] = lambda leg: leg.quantity
        self.keeps_exits = False
        self.fronts: dict[str, str] = {}

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

    def front_month(self, account: AccountRef, root: str) -> str:
        """What a test has written down."""
        self._answering()
        if root not in self.fronts:
            raise Unsupported(f"no front month of {root}")
        return self.fronts[root]

    def precheck(self, account: AccountRef, leg: Leg, after_closing: Decimal) -> Rejected | None:
        """`refuses`, if a test has set it."""
        self._answering()
        return self.refuses

    def closed(self, account: AccountRef, contract: str) -> str | None:
        """`market_closed`, if a test has set it."""
        self._answering()
        return self.market_closed

    def submit(self, account: AccountRef, leg: Leg) -> Outcome:
        """The next of `answers` if there is one (nothing is placed then), else place the order."""
        self.sent.append(leg.client_order_id)
        if self.answers:
            return self.answers.pop(0)
        return Accepted(self.shown(self.place(account.account_id, leg)))

    def look_up(self, account: AccountRef, leg: Leg, others: frozenset[str] = frozenset()) -> LegView | None:
        """The order under the leg's broker id, else under its client id."""
        self._answering()
        found = self.known_as(leg)
        return self.shown(found) if found else None

    def cancel(self, account: AccountRef, leg: Leg, others: frozenset[str] = frozenset()) -> None:
        """Cancel what is still working."""
        self._answering()
        found = self.known_as(leg)
        if found and not found.view.status.ended:
            self.end(found)

    def place(self, account_id: str, leg: Leg) -> VenueOrder:
        """Take an order; under an id that is known, that order is found instead."""
        known = self.find(leg.client_order_id) if self.known.deduplicates_s else None
        if known:
            return known
        order = self._new(account_id, leg, None)
        if leg.take_profit is not None or leg.stop_loss is not None:
            self._new(account_id, self._exits(order), order.number)
        return self.execute(order, self.fill(leg)) if leg.type is OrderType.MARKET else order

    def execute(self, order: VenueOrder, quantity: Decimal) -> VenueOrder:
        """Fill `quantity` more of an order, at most what is left and (reduce-only) what is held."""
        order = self.orders[order.number - 1]
        leg, view = order.leg, order.view
        key = (order.account_id, leg.contract)
        wanted = self.to_exit(order)
        left = wanted - view.filled_quantity
        if leg.reduce_only:
            held = self.held.get(key, Decimal(0))
            left = min(left, abs(held) if held and Side.of(-held) is leg.side else Decimal(0))
        quantity = min(quantity, left)
        if quantity <= 0:
            return order
        self.held[key] = self.held.get(key, Decimal(0)) + leg.side.sign * quantity
        filled = view.filled_quantity + quantity
        done = filled == wanted and (order.entry is None or self.orders[order.entry - 1].view.status.ended)
        status = LegStatus.FILLED if done else LegStatus.PARTIALLY_FILLED
        view = replace(view, status=status, filled_quantity=filled, average_price=self.price, filled_at=self.clock.now())
        return self._put(order, view)

    def end(self, order: VenueOrder, status: LegStatus = LegStatus.CANCELLED) -> None:
        """End an order for what is left of it, and with an entry its exits, unless they are kept for what was filled."""
        order = self._put(order, replace(order.view, status=status))
        exits = self.exits_of(order)
        if exits and not exits.view.status.ended and not (self.keeps_exits and order.view.filled_quantity):
            exhausted = 0 < order.view.filled_quantity == exits.view.filled_quantity
            self._put(exits, replace(exits.view, status=LegStatus.FILLED if exhausted else LegStatus.CANCELLED))

    def find(self, client_order_id: str) -> VenueOrder | None:
        """The first order under this id."""
        return next((order for order in self.orders if order.leg.client_order_id == client_order_id), None)

    def known_as(self, leg: Leg) -> VenueOrder | None:
        """The order that the venue named so, else the first one under the leg's client id."""
        named = (order for order in self.orders if order.view.broker_order_id == leg.broker_order_id)
        return next(named, None) if leg.broker_order_id else self.find(leg.client_order_id)

    def exits_of(self, entry: VenueOrder) -> VenueOrder | None:
        """The exits of a bracket."""
        return next((order for order in self.orders if order.entry == entry.number), None)

    def shown(self, order: VenueOrder) -> LegView:
        """The order as it is now, with its exits."""
        order = self.orders[order.number - 1]
        exits = self.exits_of(order)
        return replace(order.view, exits=exits.view) if exits else order.view

    def _new(self, account_id: str, leg: Leg, entry: int | None) -> VenueOrder:
        number = len(self.orders) + 1
        view = LegView(LegStatus.WORKING, f"V{number}")
        order = VenueOrder(number, account_id, leg, leg.contract, view, self.clock.now(), entry)
        self.orders.append(order)
        return order

    def _exits(self, entry: VenueOrder) -> Leg:
        leg = entry.leg
        alone = OrderType.LIMIT if leg.stop_loss is None else OrderType.STOP
        return Leg(
            leg="exits",
            client_order_id=f"exits of V{entry.number}",
            contract=leg.contract,
            side=leg.side.opposite,
            quantity=leg.quantity,
            reduce_only=self.known.reduce_only,
            type=OrderType.OCO if leg.take_profit is not None and leg.stop_loss is not None else alone,
            limit_price=leg.take_profit,
            stop_price=leg.stop_loss,
        )

    def to_exit(self, order: VenueOrder) -> Decimal:
        """What there is to fill of an order: of exits, what their entry has filled."""
        return order.leg.quantity if order.entry is None else self.orders[order.entry - 1].view.filled_quantity

    def _put(self, order: VenueOrder, view: LegView) -> VenueOrder:
        changed = replace(order, view=view)
        self.orders[order.number - 1] = changed
        return changed

    def _answering(self) -> None:
        if self.down:
            raise BrokerUnavailable("the venue does not answer")
