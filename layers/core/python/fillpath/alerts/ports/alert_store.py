"""AlertStore: what the webhook reads and writes around the one transaction that accepts an alert."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from fillpath.accounts.model import Account, User, Webhook
from fillpath.accounts.ports.account_store import TokenOwner
from fillpath.accounts.ports.controls import Halt
from fillpath.orders.model import Order

GUARD_KEPT = timedelta(hours=48)
"""How long an alert that carries its own time is known again."""


@dataclass(frozen=True, slots=True)
class Context:
    """Everything that decides about an alert, from one batch read.

    `accounts` by id; `halts` by scope (`environment`, `user:<id>`, `account:<id>`); `accepted_today` is the webhook's counter;
    `replay_of` the alert id and order ids under the replay guard, if it is there and still holds; `entered_at` when the webhook's
    last entry of each root was accepted, where it has a cooldown.
    """

    webhook: Webhook
    user: User
    accounts: dict[str, Account]
    halts: dict[str, Halt] = field(default_factory=dict)
    accepted_today: int = 0
    replay_of: tuple[str, tuple[str, ...]] | None = None
    entered_at: dict[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InboxEntry:
    """One hit on a known token: what came (secret masked), how far it got, what became of it.

    `code` is `accepted` or the code of the refusal, `layer` the check that decided (`parse`, `time`, `secret`, `replay`,
    `rules`, `commit`). `dialect` and `canonical` (without secret) are what was understood, if anything was.
    """

    alert_id: str
    user_id: str
    webhook_id: str
    received_at: datetime
    code: str
    layer: str
    reason: str
    body: str
    order_ids: tuple[str, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)
    dialect: str = ""
    canonical: dict[str, Any] = field(default_factory=dict)


class AlertStore(Protocol):
    """Raises StorageUnavailable when a table did not answer; before the commit that means: send again."""

    def owner_of(self, token_digest: str) -> TokenOwner | None:
        """The webhook behind a token, if there is one."""
        ...

    def context(self, owner: TokenOwner, guard: str, now: datetime) -> Context:
        """All that decides at `now`, in one consistent batch; `guard` is the replay hash."""
        ...

    def accept(self, guard: str, orders: tuple[Order, ...], entry: InboxEntry, kept: timedelta = GUARD_KEPT) -> None:
        """Write replay guard, orders in their lanes and inbox entry in one transaction; raises Replayed.

        The guard holds for `kept` from the entry's `received_at`; one whose time was over by then is written over.
        """
        ...

    def record(self, entry: InboxEntry) -> None:
        """Keep a refusal in the inbox (30 days)."""
        ...

    def count(self, webhook_id: str, day: str) -> None:
        """Raise the webhook's daily counter by one; `day` is `yyyy-mm-dd`."""
        ...

    def entered(self, webhook_id: str, root: str, at: datetime) -> None:
        """Note that an entry of this root was accepted then, for the webhook's cooldown."""
        ...
