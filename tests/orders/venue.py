"""The fake venue on its bad days: replies are lost, orders never arrive, cancels are not heard."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from fillpath.accounts.capabilities import Capabilities
from fillpath.clock import Clock
from fillpath.orders.model import Leg
from fillpath.orders.outcomes import Accepted, Outcome, Position, RateLimited, Rejected, Unknown
from fillpath.orders.ports.desk import AccountRef
from tests.fakes.desk import ALL_TYPES, FakeDesk, VenueOrder

DEDUPLICATES = Capabilities(
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
FORGETFUL = replace(DEDUPLICATES, deduplicates_s=0, reduce_only=False)
"""Takes the same client order id twice, and knows no reduce-only."""
PROVES_NOTHING = replace(FORGETFUL, quarantine_s=None)
"""Where an order that is not shown may still come."""

Answer = Callable[["Venue", AccountRef, Leg], Outcome]


class Venue(FakeDesk):
    """FakeDesk whose answers can be written down beforehand, leg by leg."""

    def __init__(self, clock: Clock, capabilities: Capabilities = DEDUPLICATES) -> None:
        super().__init__(clock, capabilities)
        self.script: dict[str, list[Answer]] = {}
        self.hears_cancels = True
        self.before_cancel: Callable[[Leg], None] = lambda leg: None
        self.before_positions: Callable[[], None] = lambda: None

    def answers_to(self, leg: str, *answers: Answer) -> None:
        """What the next submits of this leg are answered."""
        self.script.setdefault(leg, []).extend(answers)

    def submit(self, account: AccountRef, leg: Leg) -> Outcome:
        """The next answer of the script, else that of a venue that works."""
        if waiting := self.script.get(leg.leg):
            self.sent.append(leg.client_order_id)
            return waiting.pop(0)(self, account, leg)
        return super().submit(account, leg)

    def positions(self, account: AccountRef, root: str) -> tuple[Position, ...]:
        """What is held, after something has happened."""
        self.before_positions()
        return super().positions(account, root)

    def cancel(self, account: AccountRef, leg: Leg, others: frozenset[str] = frozenset()) -> None:
        """Cancel, if cancels are heard."""
        self.before_cancel(leg)
        if self.hears_cancels:
            super().cancel(account, leg, others)

    def place(self, account_id: str, leg: Leg) -> VenueOrder:
        """Take an order; what the venue does not know of it is lost."""
        return super().place(account_id, leg if self.known.reduce_only else leg.model_copy(update={"reduce_only": False}))

    def working(self) -> list[VenueOrder]:
        """What still works here."""
        return [order for order in self.orders if not order.view.status.ended]

    def exits(self, client_order_id: str) -> VenueOrder:
        """The exits of the bracket whose entry this is."""
        entry = self.find(client_order_id)
        exits = self.exits_of(entry) if entry else None
        assert exits is not None
        return exits

    def shows(self, order: VenueOrder, **changed: Any) -> None:
        """From now on an order looks like that."""
        self._put(order, replace(self.orders[order.number - 1].view, **changed))

    def fill_now(self, client_order_id: str, quantity: int | None = None) -> None:
        """Have a working order fill, wholly or in part."""
        order = self.find(client_order_id)
        assert order is not None
        self.execute(order, order.leg.quantity if quantity is None else Decimal(quantity))


def lost_reply(venue: Venue, account: AccountRef, leg: Leg) -> Outcome:
    """Placed, but nobody is told."""
    venue.place(account.account_id, leg)
    return Unknown("time-out after it was taken")


def never_arrived(venue: Venue, account: AccountRef, leg: Leg) -> Outcome:
    """Not placed, and nobody is told."""
    return Unknown("time-out before it was taken")


def placed(venue: Venue, account: AccountRef, leg: Leg) -> Outcome:
    """What a venue that works does."""
    return Accepted(venue.shown(venue.place(account.account_id, leg)))


def filled_at_once(venue: Venue, account: AccountRef, leg: Leg) -> Outcome:
    """Placed and filled, though it could have rested."""
    return Accepted(venue.shown(venue.execute(venue.place(account.account_id, leg), leg.quantity)))


def then(happens: Callable[[], None], answer: Answer) -> Answer:
    """Something happens elsewhere while the order is on its way."""

    def both(venue: Venue, account: AccountRef, leg: Leg) -> Outcome:
        happens()
        return answer(venue, account, leg)

    return both


def refused(reason: str) -> Answer:
    """A clear no."""
    return lambda venue, account, leg: Rejected(reason, f"the venue says {reason}")


def limited(delay_s: float) -> Answer:
    """Not now."""
    return lambda venue, account, leg: RateLimited(delay_s, "too many requests")
