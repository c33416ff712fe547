"""Brokers composed of parts, as every real venue is. In: calls of the facade; out: what the parts answer.

A venue's own class makes the parts, and adds what only it can say: spellings, its front month, its precheck, its bars.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from fillpath.accounts.capabilities import Capabilities
from fillpath.clock import Clock
from fillpath.errors import BrokerError
from fillpath.market.bars import Gap
from fillpath.orders.model import Leg
from fillpath.orders.outcomes import LegView, Outcome, Position, Rejected
from fillpath_brokers.canonical import Understanding
from fillpath_brokers.facade import (
    Balances,
    BrokerOrder,
    Change,
    Execution,
    Feed,
    Holdings,
    MarketEvent,
    OrderRef,
    OrderUpdate,
    VenueAccount,
)
from fillpath_brokers.reasons import NOT_WORKING, REJECTED
from fillpath_brokers.urgency import urgency


class Placing(Protocol):
    """The part that sends: each order once (`fillpath_brokers.sending`)."""

    def submit(self, leg: Leg) -> Outcome:
        """Place the leg."""
        ...

    def replace(self, ref: OrderRef, change: Change) -> Outcome:
        """Change a working order."""
        ...

    def cancel(self, ref: OrderRef) -> None:
        """Ask for the cancellation, of an exit pair for that of both. What has ended stays as it is."""
        ...

    def cancel_all(self) -> None:
        """Ask for the cancellation of every working order."""
        ...

    def liquidate(self, contract: str) -> None:
        """Close the position in a contract of ours at the market; nothing happens where nothing is held."""
        ...


class Book(Protocol):
    """The part that looks at orders."""

    def order(self, ref: OrderRef) -> LegView | None:
        """The order, the pair, or the entry with its exits; None if the venue shows no such order."""
        ...

    def orders(self) -> tuple[BrokerOrder, ...]:
        """Every working order, exits that wait for their entry included."""
        ...

    def fills(self, since: datetime) -> tuple[Execution, ...]:
        """What was filled since then, the oldest first."""
        ...


class Streams(Protocol):
    """The part that hears. `symbols`: ours by the venue's spelling."""

    def market(self, symbols: Mapping[str, str], feed: Feed) -> AsyncIterator[MarketEvent]:
        """Market data of these symbols."""
        ...

    def orders(self) -> AsyncIterator[OrderUpdate | Gap]:
        """Every change of an order."""
        ...

    def update(self, feed: Feed, add: Mapping[str, str], remove: Iterable[str]) -> None:
        """Change what the streams of this feed carry, also of those that nobody reads yet."""
        ...

    def close(self) -> None:
        """End them all."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """Those of one account."""

    placing: Placing
    book: Book
    holdings: Holdings
    streams: Streams


class ComposedBroker(Understanding, ABC):
    """One account. An heir has `key`, `name`, `to_venue`, `to_canonical`, `front_month`, `precheck` and `history`."""

    def __init__(self, parts: Parts, capabilities: Capabilities, clock: Clock, roll_days: int) -> None:
        super().__init__(capabilities, clock, roll_days)
        self._parts = parts

    @abstractmethod
    def to_venue(self, symbol: str) -> str:
        """The venue's spelling of a root or contract of ours; Unsupported."""

    # --- orders -----------------------------------------------------------------------------------------------------------------

    def submit(self, leg: Leg) -> Outcome:
        """Place the leg, once."""
        with urgency(leg.reduce_only):
            return self._parts.placing.submit(leg)

    def replace(self, ref: OrderRef, change: Change) -> Outcome:
        """Change a working order; `not_working` where it has ended, however the venue says that."""
        with urgency(_reduces(ref)):
            outcome = self._parts.placing.replace(ref, change)
            if isinstance(outcome, Rejected) and outcome.reason == REJECTED and self._has_ended(ref):
                return Rejected(NOT_WORKING, outcome.text)
            return outcome

    def _has_ended(self, ref: OrderRef) -> bool:
        try:
            view = self._parts.book.order(ref)
        except BrokerError:  # the refusal stands, whatever became of the order
            return False
        return view is not None and view.status.ended

    def cancel(self, ref: OrderRef) -> None:
        """Ask for the cancellation, of an exit pair for that of both."""
        with urgency(True):
            self._parts.placing.cancel(ref)

    def order(self, ref: OrderRef) -> LegView | None:
        """The order, the pair, or the entry with its exits, as the venue shows them now."""
        with urgency(_reduces(ref)):
            return self._parts.book.order(ref)

    def orders(self) -> tuple[BrokerOrder, ...]:
        """Every working order, exits that wait for their entry included."""
        return self._parts.book.orders()

    def fills(self, since: datetime) -> tuple[Execution, ...]:
        """What was filled since then, the oldest first."""
        return self._parts.book.fills(since)

    # --- the account ------------------------------------------------------------------------------------------------------------

    def accounts(self) -> tuple[VenueAccount, ...]:
        """The accounts that the credentials reach."""
        return self._parts.holdings.accounts()

    def positions(self) -> tuple[Position, ...]:
        """Every held contract; one outside the catalogue is shown as the venue spells it."""
        with urgency(True):
            return self._parts.holdings.positions()

    def balances(self) -> Balances:
        """Cash, equity and results, as far as the venue tells them."""
        return self._parts.holdings.balances()

    def cancel_all(self) -> None:
        """Ask for the cancellation of every working order."""
        with urgency(True):
            self._parts.placing.cancel_all()

    def liquidate(self, contract: str) -> None:
        """Close the position in a contract at the market; nothing happens where nothing is held."""
        with urgency(True):
            self._parts.placing.liquidate(contract)

    # --- streams ----------------------------------------------------------------------------------------------------------------

    def stream(self, symbols: Collection[str], feed: Feed) -> AsyncIterator[MarketEvent]:
        """Live market data; Unsupported for a feed or a symbol that the venue has no data of."""
        return self._parts.streams.market(self._heard(symbols), feed)

    def update_subscription(self, feed: Feed, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        """Change what the streams of this feed carry."""
        self._parts.streams.update(feed, self._heard(add), self._heard(remove))

    def order_updates(self) -> AsyncIterator[OrderUpdate | Gap]:
        """Every change of an order from now on."""
        return self._parts.streams.orders()

    def close(self) -> None:
        """End the account's streams."""
        self._parts.streams.close()

    def heard_as(self, symbol: str) -> str:
        """The venue's spelling of what a symbol of ours is heard as."""
        return self.to_venue(symbol)

    def _heard(self, symbols: Iterable[str]) -> dict[str, str]:
        return {self.heard_as(symbol): symbol for symbol in symbols}


def _reduces(ref: OrderRef) -> bool:
    return ref.leg is not None and ref.leg.reduce_only
