"""The venue: takes orders, fills them as its moods have it, and remembers everything it saw."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from fillpath.accounts.capabilities import Capabilities
from fillpath.orders.model import Leg, LegStatus, OrderType, Side
from fillpath.orders.outcomes import Accepted, LegView, Outcome, Position, RateLimited, Rejected
from fillpath.orders.ports.desk import AccountRef
from tests.simulation.history import Fill, History, VenueOrder
from tests.simulation.virtual import VirtualTime, instant


@dataclass(frozen=True, slots=True)
class Mood:
    """How the venue treats one order. `fills`: after how many seconds which share of it is filled."""

    fills: tuple[tuple[float, Decimal], ...] = ((0.0, Decimal(1)),)
    answer: str = "accepted"
    cancel_s: float = 0.0
    fills_before_cancel: bool = False


_ALL = Decimal(1)
_FIRST_PRICE = Decimal(100)
_MOODS: tuple[tuple[int, Callable[[Random], Mood]], ...] = (
    (55, lambda r: Mood(cancel_s=r.uniform(0, 0.5))),
    (14, lambda r: Mood(((r.uniform(0.2, 6), _ALL),), cancel_s=r.uniform(0, 2))),
    (4, lambda r: Mood(((r.uniform(6, 40), _ALL),), cancel_s=r.uniform(0, 4))),
    (7, lambda r: Mood(((0.0, Decimal("0.5")), (r.uniform(0.2, 9), _ALL)), cancel_s=r.uniform(0, 2))),
    (4, lambda r: Mood(((r.uniform(0, 1), Decimal("0.5")),), cancel_s=r.uniform(0, 4))),
    (5, lambda r: Mood((), cancel_s=r.uniform(0, 4))),
    (4, lambda r: Mood((), cancel_s=r.uniform(0, 4), fills_before_cancel=True)),
    (2, lambda r: Mood((), cancel_s=r.uniform(10, 90))),
    (3, lambda r: Mood(answer="rejected")),
    (4, lambda r: Mood(answer="rate_limited")),
)


class Venue:
    """Every account and order at one venue."""

    def __init__(self, time: VirtualTime, random: Random, history: History) -> None:
        self.known: Capabilities = history.capabilities
        self._moody = True
        self._time = time
        self._random = random
        self._history = history
        self._held = dict(history.started_with)
        self._prices: dict[str, Decimal] = {}
        self._by_id: dict[str, VenueOrder] = {}
        self._moods: dict[int, Mood] = {}

    @property
    def held(self) -> dict[tuple[str, str], Decimal]:
        """What is held, by account and contract."""
        return self._held

    def positions(self, account: AccountRef, root: str) -> tuple[Position, ...]:
        """What is held of a root."""
        return tuple(
            Position(contract, root, quantity)
            for (owner, contract), quantity in self._held.items()
            if owner == account.account_id and quantity and contract.startswith(root)
        )

    def submit(self, account: AccountRef, leg: Leg) -> Outcome:
        """Take an order; under an id that is still remembered the first one is found instead.

        A request is judged before its id is looked up: a repeated one may be refused although the first was taken.
        """
        known = self._by_id.get(leg.client_order_id)
        mood = self._mood()
        again = known and self._time.now - known.placed_at < self.known.deduplicates_s
        if known and again and mood.answer == "accepted":
            return Accepted(self._view(known))
        if mood.answer == "rejected":
            return Rejected("insufficient_margin", "not enough margin")
        if mood.answer == "rate_limited":
            return RateLimited(self._random.uniform(0.5, 4), "slow down")
        return Accepted(self._view(self.place(account.account_id, leg, mood)))

    def place(self, account_id: str, leg: Leg, mood: Mood | None = None) -> VenueOrder:
        """Have an order at the venue."""
        number = len(self._history.placed) + 1
        root = leg.contract[:-2]
        order = VenueOrder(number, account_id, leg, root, self._time.now)
        self._history.placed.append(order)
        self._by_id.setdefault(leg.client_order_id, order)
        self._moods[number] = mood or Mood()
        if leg.type is OrderType.MARKET:
            self._fill_as_planned(order)
        else:
            self._touch(order)
        return order

    def look_up(self, account: AccountRef, leg: Leg) -> LegView | None:
        """The first order under the leg's client id."""
        found = self._by_id.get(leg.client_order_id)
        return self._view(found) if found else None

    def cancel(self, account: AccountRef, leg: Leg) -> None:
        """Cancel what is under the id, when the venue gets round to it."""
        order = self._by_id.get(leg.client_order_id)
        if order is None or order.ended_at is not None:
            return
        mood = self._moods[order.number]
        if mood.fills_before_cancel and leg.type is OrderType.MARKET:
            self._fill(order, _ALL)
        self._time.after(mood.cancel_s, lambda: self._end(order, LegStatus.CANCELLED))

    def calm_down(self) -> None:
        """From here on every new order is taken and filled at once."""
        self._moody = False

    def move_price(self, root: str, price: int) -> None:
        """The market moves; what rests may fill."""
        self._prices[root] = Decimal(price)
        for order in self._history.placed:
            if order.root == root and order.ended_at is None and order.leg.type is not OrderType.MARKET:
                self._touch(order)

    def _price(self, root: str) -> Decimal:
        return self._prices.get(root, _FIRST_PRICE)

    def _mood(self) -> Mood:
        total = sum(weight for weight, _ in _MOODS)
        at = self._random.randrange(total) if self._moody else 0
        for weight, make in _MOODS:
            if at < weight:
                return make(self._random)
            at -= weight
        raise AssertionError("weights do not add up")

    def _fill_as_planned(self, order: VenueOrder) -> None:
        for delay, share in self._moods[order.number].fills:
            if delay <= 0:
                self._fill(order, share)
            else:
                self._time.after(delay, lambda share=share: self._fill(order, share))  # type: ignore[misc]

    def _touch(self, order: VenueOrder) -> None:
        """Fill a resting order whose price has come."""
        price, leg = self._price(order.root), order.leg
        limit = leg.limit_price is None or leg.side.sign * (price - leg.limit_price) <= 0
        stop = leg.stop_price is None or leg.side.sign * (price - leg.stop_price) >= 0
        if limit and stop:
            self._fill(order, _ALL)

    def _fill(self, order: VenueOrder, share: Decimal) -> None:
        """Fill an order up to a share of its quantity, in whole contracts."""
        if order.ended_at is not None:
            return
        key = (order.account_id, order.leg.contract)
        before = self._held.get(key, Decimal(0))
        quantity = _whole(order.leg.quantity * share) - order.filled
        if order.leg.reduce_only and self.known.reduce_only:
            quantity = min(quantity, abs(before) if before and Side.of(-before) is order.leg.side else Decimal(0))
        if quantity > 0:
            self._held[key] = before + order.leg.side.sign * quantity
            order.price = self._price(order.root)
            order.fills.append(Fill(self._time.now, quantity, before))
            order.status = LegStatus.PARTIALLY_FILLED
        if order.filled >= order.leg.quantity:
            self._end(order, LegStatus.FILLED)
        elif order.leg.reduce_only and self.known.reduce_only and share == 1:
            self._end(order, LegStatus.CANCELLED, "nothing_to_reduce")

    def _end(self, order: VenueOrder, status: LegStatus, reason: str | None = None) -> None:
        if order.ended_at is None:
            order.status, order.ended_at, order.reason = status, self._time.now, reason

    def _view(self, order: VenueOrder) -> LegView:
        filled = order.filled
        return LegView(
            order.status,
            f"V{order.number}",
            filled,
            order.price if filled else None,
            filled_at=instant(order.fills[-1].at) if order.fills else None,
            reason=order.reason,
        )


def _whole(quantity: Decimal) -> Decimal:
    return quantity.to_integral_value(rounding="ROUND_DOWN")
