"""Desk: what executes for an account, whichever host and venue is behind it."""

from decimal import Decimal
from typing import NamedTuple, Protocol

from fillpath.accounts.capabilities import Capabilities
from fillpath.orders.model import Leg
from fillpath.orders.outcomes import LegView, Outcome, Position, Rejected


class AccountRef(NamedTuple):
    """The account at its venue."""

    account_id: str
    venue: str


class Desk(Protocol):
    """Calls to a broker. `submit` never raises for what the broker did: it answers with an outcome.

    All others raise BrokerUnavailable when the broker gave no readable answer.
    """

    def capabilities(self, account: AccountRef) -> Capabilities:
        """What the venue can do."""
        ...

    def positions(self, account: AccountRef, root: str) -> tuple[Position, ...]:
        """Every held contract of the root, without flat ones."""
        ...

    def front_month(self, account: AccountRef, root: str) -> str:
        """The contract that the venue holds for the front month of the root."""
        ...

    def precheck(self, account: AccountRef, leg: Leg, after_closing: Decimal) -> Rejected | None:
        """Whether the leg would be refused now (margin, short, lot, session), once `after_closing` (signed) is closed."""
        ...

    def closed(self, account: AccountRef, contract: str) -> str | None:
        """Why a market order of the contract would not be sent, or not be filled, now: its market is closed; None: it is open."""
        ...

    def submit(self, account: AccountRef, leg: Leg) -> Outcome:
        """Send it once, with a time-out of 8 s."""
        ...

    def look_up(self, account: AccountRef, leg: Leg, others: frozenset[str] = frozenset()) -> LegView | None:
        """The leg as the broker shows it (by broker id, else client order id); None: the broker shows no such order.

        `others`: the broker's ids of orders that are known to be other legs, where it cannot tell ours apart by an id of ours.
        """
        ...

    def cancel(self, account: AccountRef, leg: Leg, others: frozenset[str] = frozenset()) -> None:
        """Ask for the cancellation; only a look-up tells whether it happened."""
        ...
