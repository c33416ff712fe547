"""The venue: takes orders, fills them as its moods have it, and remembers everything it saw."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from random import Random

from fillpath.accounts.capabilities import Capabilities
from fillpath.orders.model import Leg, LegStatus, OrderType, Side
from fillpath.orders.outcomes import Accepted, LegView, Outcome, Position, RateLimited, Rejected
from fillpath.orders.ports.desk import AccountRef
from tests.simulation.history import ByHand, Fill, History, Holding, VenueOrder
from tests.simulation.virtual import VirtualTime, instant


@dataclass(frozen=True, slots=True)
class Mood:
    """How the venue treats one order. `fills`: after how many seconds which share of it is filled.

    `keeps_exits`: when the rest of a bracket's entry is cancelled, its exits stay for what was filled. `halves_s`: how long after
    its entry filled a pair loses one half.
    """

    fills: tuple[tuple[float, Decimal], ...] = ((0.0, Decimal(1)),)
    answer: str = "accepted"
    cancel_s: float = 0.0
    fills_before_cancel: bool = False
    keeps_exits: bool = False
    halves_s: float | None = None


_ALL = Decimal(1)
_HALF = Decimal("0.5")
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
        self._exits: dict[int, VenueOrder] = {}
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
        order = self._new(account_id, leg, mood or Mood())
        if leg.take_profit is not None or leg.stop_loss is not None:
            self._exits[order.number] = self._new(account_id, _exits_of(leg), self._exits_mood(), order.number)
        if leg.type is OrderType.OCO and self._moody and self._random.random() < 0.1:
            self._time.after(self._random.uniform(0, 120), lambda: self._halve(order))
        if leg.type is OrderType.MARKET:
            self._fill_as_planned(order)
        else:
            self._touch(order)
        return order

    def look_up(self, account: AccountRef, leg: Leg, others: frozenset[str] = frozenset()) -> LegView | None:
        """The first order under the leg's client id; exits of a bracket by what the venue calls them."""
        found = self._known_as(leg)
        return self._view(found) if found else None

    def cancel(self, account: AccountRef, leg: Leg, others: frozenset[str] = frozenset()) -> None:
        """Cancel what is under the id, when the venue gets round to it."""
        order = self._known_as(leg)
        if order is None or order.ended_at is not None:
            return
        mood = self._moods[order.number]
        if mood.fills_before_cancel and leg.type is OrderType.MARKET:
            self._fill(order, _ALL)
        self._time.after(mood.cancel_s, lambda: self._end(order, LegStatus.CANCELLED))

    def close_by_hand(self, holding: Holding) -> None:
        """A person closes a position at the broker itself."""
        held = self._held.get(holding, Decimal(0))
        self._held[holding] = Decimal(0)
        self._history.by_hand.append(ByHand(self._time.now, holding, -held))

    def calm_down(self) -> None:
        """From here on every new order is taken and filled at once."""
        self._moody = False

    def move_price(self, root: str, price: int) -> None:
        """The market moves; what rests may fill."""
        self._prices[root] = Decimal(price)
        for order in self._history.placed:
            if order.root == root and order.ended_at is None and order.leg.type is not OrderType.MARKET:
                self._touch(order)

    def _new(self, account_id: str, leg: Leg, mood: Mood, entry: int | None = None) -> VenueOrder:
        order = VenueOrder(len(self._history.placed) + 1, account_id, leg, leg.contract[:-2], self._time.now, entry=entry)
        self._history.placed.append(order)
        self._by_id.setdefault(leg.client_order_id, order)
        self._moods[order.number] = mood
        return order

    def _known_as(self, leg: Leg) -> VenueOrder | None:
        if leg.leg == "exits" and leg.broker_order_id:
            return self._history.placed[int(leg.broker_order_id[1:]) - 1]
        return self._by_id.get(leg.client_order_id)

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

    def _exits_mood(self) -> Mood:
        """How exits are treated; whether they stay when the rest of their entry goes is theirs to say."""
        cancel_s = self._random.choice((0.0, self._random.uniform(0, 4), self._random.uniform(0, 30)))
        keeps, halves = self._random.random() < 0.5, self._random.random() < 0.1
        return Mood(
            (),
            cancel_s=cancel_s if self._moody else 0.0,
            keeps_exits=keeps,
            halves_s=self._random.uniform(0, 120) if halves and self._moody else None,
        )

    def _fill_as_planned(self, order: VenueOrder) -> None:
        for delay, share in self._moods[order.number].fills:
            if delay <= 0:
                self._fill(order, share)
            else:
                self._time.after(delay, lambda share=share: self._fill(order, share))  # type: ignore[misc]  # the share of this turn of the loop

    def _touch(self, order: VenueOrder) -> None:
        """Fill a resting order whose price has come; of brackets now and then only a part, and the rest some time later."""
        if not _is_due(order.leg, self._price(order.root)) or order.filled >= self._wanted(order):
            return
        bracket = order.entry is not None or order.number in self._exits
        if not (bracket and self._moody and self._random.random() < 0.3):
            self._fill(order, _ALL)
            return
        self._fill(order, _HALF)
        self._time.after(self._random.uniform(0.2, 40), lambda: self._fill(order, _ALL))

    def _wanted(self, order: VenueOrder) -> Decimal:
        """What there is to fill: of exits what their entry has filled."""
        return order.leg.quantity if order.entry is None else self._history.placed[order.entry - 1].filled

    def _fill(self, order: VenueOrder, share: Decimal) -> None:
        """Fill an order up to a share of its quantity, in whole contracts."""
        if order.ended_at is not None:
            return
        key = (order.account_id, order.leg.contract)
        before = self._held.get(key, Decimal(0))
        quantity = _whole(self._wanted(order) * share) - order.filled
        if order.leg.reduce_only and self.known.reduce_only:
            quantity = min(quantity, abs(before) if before and Side.of(-before) is order.leg.side else Decimal(0))
        if quantity > 0:
            self._held[key] = before + order.leg.side.sign * quantity
            order.price = self._price(order.root)
            order.fills.append(Fill(self._time.now, quantity, before))
            order.status = LegStatus.PARTIALLY_FILLED
        if self._is_done(order):
            self._end(order, LegStatus.FILLED)
        elif order.leg.reduce_only and self.known.reduce_only and share == 1 and order.filled < self._wanted(order):
            self._end(order, LegStatus.CANCELLED, "nothing_to_reduce")
        elif exits := self._exits.get(order.number):
            self._touch(exits)

    def _is_done(self, order: VenueOrder) -> bool:
        """Whether nothing more can fill; exits may have more to do while their entry works."""
        ended = order.entry is None or self._history.placed[order.entry - 1].ended_at is not None
        return ended and order.filled >= self._wanted(order)

    def _end(self, order: VenueOrder, status: LegStatus, reason: str | None = None) -> None:
        if order.ended_at is not None:
            return
        order.status, order.ended_at, order.reason = status, self._time.now, reason
        exits = self._exits.get(order.number)
        if exits is None or exits.ended_at is not None:
            return
        halves_s = self._moods[exits.number].halves_s
        if halves_s is not None and exits.leg.type is OrderType.OCO:
            self._time.after(halves_s, lambda: self._halve(exits))
        if order.filled and self._is_done(exits):
            self._end(exits, LegStatus.FILLED)
        elif status is LegStatus.FILLED or (order.filled and self._moods[exits.number].keeps_exits):
            self._touch(exits)
        else:
            self._time.after(self._moods[exits.number].cancel_s / 10, lambda: self._end(exits, LegStatus.CANCELLED))

    def _halve(self, exits: VenueOrder) -> None:
        exits.halved_at = self._time.now

    def _view(self, order: VenueOrder) -> LegView:
        exits = self._exits.get(order.number)
        view = self._view_alone(order)
        return view if exits is None else replace(view, exits=self._view_alone(exits))

    def _view_alone(self, order: VenueOrder) -> LegView:
        filled = order.filled
        return LegView(
            order.status,
            f"V{order.number}",
            filled,
            order.price if filled else None,
            filled_at=instant(order.fills[-1].at) if order.fills else None,
            reason=order.reason,
            halved=order.halved_at is not None and order.ended_at is None,
        )


def _is_due(leg: Leg, price: Decimal) -> bool:
    """Whether a price has come: of a pair either one, of others all they have."""
    limit = leg.limit_price is None or leg.side.sign * (price - leg.limit_price) <= 0
    stop = leg.stop_price is None or leg.side.sign * (price - leg.stop_price) >= 0
    return limit or stop if leg.type is OrderType.OCO else limit and stop


def _exits_of(entry: Leg) -> Leg:
    """The exits of a bracket, as one pair (or the one that there is)."""
    alone = OrderType.LIMIT if entry.stop_loss is None else OrderType.STOP
    return Leg(
        leg="exits",
        client_order_id=f"{entry.client_order_id}/exits",
        contract=entry.contract,
        side=entry.side.opposite,
        quantity=entry.quantity,
        reduce_only=True,
        type=alone if entry.take_profit is None or entry.stop_loss is None else OrderType.OCO,
        limit_price=entry.take_profit,
        stop_price=entry.stop_loss,
    )


def _whole(quantity: Decimal) -> Decimal:
    return quantity.to_integral_value(rounding="ROUND_DOWN")
