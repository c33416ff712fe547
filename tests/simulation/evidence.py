"""Evidence: the history, put in the order in which it is asked for. Lookups only, no verdicts."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise, product

from fillpath.accounts.model import Gate
from fillpath.ids import client_order_id
from fillpath.orders.model import Lane, Leg, Listing, Operation, Order, OrderState, OrderType
from tests.simulation.history import Fill, HaltSpan, History, Holding, Owner, Send, VenueOrder

_NO_LIMIT = float("inf")


class Evidence:
    """One history, indexed."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.states: dict[str, list[tuple[float, Order]]] = defaultdict(list)
        for write in history.writes:
            self.states[write.order.order_id].append((write.at, write.order))
        self.final = {order_id: states[-1][1] for order_id, states in self.states.items()}
        self.first = {order_id: states[0][1] for order_id, states in self.states.items()}
        self.placed: dict[str, list[VenueOrder]] = defaultdict(list)
        self.of_order: dict[str, list[VenueOrder]] = defaultdict(list)
        for order in history.placed:
            self.placed[self.client_id(order)].append(order)
            self.of_order[self.order_id(order)].append(order)

    def client_id(self, placed: VenueOrder) -> str:
        """Under what the records know an order at the venue; exits by the order that keeps them, which their entry names."""
        parent = self.final.get(placed.order_id) if placed.entry is not None else None
        return client_order_id(parent.protection_id, "exits") if parent and parent.protection_id else placed.leg.client_order_id

    def order_id(self, placed: VenueOrder) -> str:
        """The order behind it."""
        return self.client_id(placed)[:26]

    def changed_by_hand(self, placed: VenueOrder, fill: Fill) -> bool:
        """Whether a person changed the position under a market order that was at work already."""
        if placed.leg.type is not OrderType.MARKET:
            return False
        key = (placed.account_id, placed.leg.contract)
        return any(each.holding == key and placed.placed_at <= each.at <= fill.at for each in self.history.by_hand)

    def entry_of(self, order: Order) -> VenueOrder | None:
        """At the venue, the entry whose exits the order keeps."""
        return next((o for o in self.of_order.get(order.parent_id or "", []) if o.leg.take_profit or o.leg.stop_loss), None)

    def to_exit(self, order: Order, at: float) -> Decimal:
        """What the exits of a bracket still had to exit: what was filled of their entry by then, and not of them before."""
        entry = self.entry_of(order)
        filled = sum((fill.quantity for fill in entry.fills if fill.at <= at), Decimal(0)) if entry else Decimal(0)
        exits = self.of_order[order.order_id]
        return filled - sum((fill.quantity for placed in exits for fill in placed.fills if fill.at < at), Decimal(0))

    def at_work(self, placed: VenueOrder) -> Decimal:
        """How much of it could still fill at the end."""
        if placed.ended_at is not None:
            return Decimal(0)
        wanted = placed.leg.quantity if placed.entry is None else self.history.placed[placed.entry - 1].filled
        return wanted - placed.filled

    def order_at(self, order_id: str, at: float) -> Order | None:
        """The record as it stood at an instant."""
        states = self.states.get(order_id, [])
        index = bisect_right(states, at, key=lambda state: state[0])
        return states[index - 1][1] if index else None

    def owner_at(self, lane: Lane, at: float) -> str | None:
        """Who owned the lane."""
        owners = self.history.owners.get(lane, [])
        index = bisect_right(owners, at, key=lambda owner: owner.at)
        return owners[index - 1].order_id if index else None

    def leg_of(self, order: VenueOrder) -> Leg | None:
        """The recorded leg behind an order at the venue."""
        final = self.final.get(self.order_id(order))
        legs = final.legs if final else ()
        return next((leg for leg in legs if leg.client_order_id == self.client_id(order)), None)

    def is_reduction(self, order: VenueOrder) -> bool:
        """Whether this venue order was only ever meant to bring the position nearer to zero."""
        first = self.first.get(self.order_id(order))
        return order.leg.reduce_only or (first is not None and first.reduces and not self._follows_the_strategy(first))

    def _follows_the_strategy(self, order: Order) -> bool:
        """Under the gate `resync` a target is gone to, whatever kind the signal was meant to be."""
        return order.operation is Operation.TARGET and order.gate is Gate.RESYNC

    def held_at(self, account_id: str, root: str, at: float) -> Decimal:
        """The position in a root at the end of an instant, over all contracts; or in one, where that is named."""
        held = sum((q for key, q in self.history.started_with.items() if _in(key, account_id, root)), Decimal(0))
        held += sum((each.quantity for each in self.history.by_hand if each.at <= at and _in(each.holding, account_id, root)), 0)
        for order in self.history.placed:
            if order.account_id == account_id and order.leg.contract.startswith(root):
                held += sum((order.leg.side.sign * fill.quantity for fill in order.fills if fill.at <= at), Decimal(0))
        return held

    def held_between(self, account_id: str, root: str, since: float, until: float) -> set[Decimal]:
        """Every position that there was in this time."""
        instants = {fill.at for order in self.history.placed for fill in order.fills if since <= fill.at <= until}
        instants |= {each.at for each in self.history.by_hand if since <= each.at <= until}
        return {self.held_at(account_id, root, at) for at in {since, until, *instants}}

    def written_at(self, send: Send) -> float | None:
        """When the record said first that this attempt is about to be sent."""
        for at, order in self.states.get(send.order_id, []):
            leg = order.leg(send.leg.leg)
            if leg is not None and leg.attempts == send.leg.attempts:
                return at
        return None

    def ended_at(self, order_id: str) -> float | None:
        """When the record reached its end state."""
        return next((at for at, order in self.states[order_id] if order.state.ended), None)

    def was_unknown(self, order_id: str, at: float) -> bool:
        """Whether the lane listed the order as one of unknown outcome then."""
        order = self.order_at(order_id, at)
        return order is not None and order.listing is Listing.UNKNOWN

    def carried_out_before(self, order: Order, at: float) -> str | None:
        """A newer reduction or target of the same webhook and lane that was filled by then."""
        for other in self.final.values():
            same = other.webhook_id == order.webhook_id and other.lane == order.lane and other.alert_time > order.alert_time
            decisive = not other.resting and (self.first[other.order_id].reduces or other.operation is Operation.TARGET)
            if same and decisive and other.state is OrderState.FILLED and (self.ended_at(other.order_id) or 0.0) < at:
                return other.order_id
        return None

    def idle(self, order: Order, since: float, until: float, recovery_s: float) -> Iterator[tuple[float, float]]:
        """When the order's lane was free, with nothing unknown in it and no fault younger than `recovery_s`."""
        owners = [Owner(0.0, None), *self.history.owners.get(order.lane, []), Owner(_NO_LIMIT, "")]
        calm = [-recovery_s, *self.history.faults, _NO_LIMIT]
        quiet = [(one + recovery_s, other) for one, other in pairwise(calm) if max(one + recovery_s, since) < min(other, until)]
        free = [(one.at, other.at) for one, other in pairwise(owners) if one.order_id is None] if quiet else []
        doubts = self._doubts(order.lane) if free else []
        for spans in product(free, quiet):
            start, end = max(since, *(s for s, _ in spans)), min(until, *(e for _, e in spans))
            yield from _without(start, end, doubts)

    def _doubts(self, lane: Lane) -> list[tuple[float, float]]:
        spans = []
        for states in self.states.values():
            if states[0][1].lane == lane:
                ends = [*(at for at, _ in states[1:]), self.history.ended_at]
                spans += [(at, end) for (at, order), end in zip(states, ends, strict=True) if order.listing is Listing.UNKNOWN]
        return sorted(spans)

    def halts_over(self, order: Order) -> list[HaltSpan]:
        """The halts whose scope covers the order."""
        scopes = {"environment", f"user:{order.user_id}", f"account:{order.account_id}"}
        return [span for span in self.history.halts if span.scope in scopes]

    def resting_reductions(self, order: Order, at: float) -> bool:
        """Whether another order protected the same position then."""
        return any(
            self.order_id(placed) != order.order_id
            and (placed.account_id, placed.root) == (order.account_id, order.root)
            and self.is_reduction(placed)
            and placed.placed_at <= at
            and (placed.ended_at is None or placed.ended_at > at)
            for placed in self.history.placed
        )

    def was_asked_to_cancel(self, order: Order, at: float) -> bool:
        """Whether a signal had asked for the lane's resting orders to be cancelled by then."""
        asked = [pick for pick in self.history.picks if pick.at <= at]
        return any(
            self.first[p.order_id].operation is Operation.CANCEL and self.first[p.order_id].lane == order.lane for p in asked
        )

    def is_blocked_for_good(self, order: Order) -> bool:
        """A reduction behind an order of unknown outcome, where nothing is left that it could reduce."""
        unknown = self.history.unknown.get(order.lane, ())
        return order.reduces and bool(unknown) and order.listing is Listing.WAITING


def _without(start: float, end: float, spans: list[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """The parts of a time that none of the sorted `spans` touches."""
    for since, until in spans:
        if start < since < end:
            yield start, since
        start = max(start, until) if since < end else start
    if start < end:
        yield start, end


def _in(key: Holding, account_id: str, root: str) -> bool:
    return key[0] == account_id and key[1].startswith(root)
