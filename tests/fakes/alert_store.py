"""Replay guards, daily counters, marks of entries and what goes into the inbox, in dictionaries."""

from datetime import datetime, timedelta

from fillpath.accounts.ports.account_store import TokenOwner
from fillpath.alerts.ports.alert_store import GUARD_KEPT, Context, InboxEntry
from fillpath.errors import NotFound, Replayed
from fillpath.orders.model import Listing, Order
from tests.fakes.tables import FakeGuard, FakeTables


class FakeAlertStore:
    """AlertStore whose every method is one atomic step. Guards stay where they are when their time is over."""

    def __init__(self, tables: FakeTables | None = None) -> None:
        self.tables = tables or FakeTables()

    def owner_of(self, token_digest: str) -> TokenOwner | None:
        """The webhook behind a token, if there is one."""
        return self.tables.tokens.get(token_digest)

    def context(self, owner: TokenOwner, guard: str, now: datetime) -> Context:
        """All that decides about an alert."""
        tables = self.tables
        webhook, user = tables.webhooks.get(owner.webhook_id), tables.users.get(owner.user_id)
        if webhook is None or user is None:
            raise NotFound(f"webhook {owner.webhook_id} of user {owner.user_id}")
        scopes = ("environment", f"user:{owner.user_id}", *(f"account:{account_id}" for account_id in owner.account_ids))
        return Context(
            webhook,
            user,
            {account_id: tables.accounts[account_id] for account_id in owner.account_ids if account_id in tables.accounts},
            {scope: tables.halts[scope] for scope in scopes if scope in tables.halts},
            tables.counters.get((owner.webhook_id, f"{now:%Y-%m-%d}"), 0),
            self._holding(guard, now),
            {root: at for (webhook_id, root), at in tables.entered.items() if webhook_id == owner.webhook_id},
        )

    def accept(self, guard: str, orders: tuple[Order, ...], entry: InboxEntry, kept: timedelta = GUARD_KEPT) -> None:
        """Write guard, orders and inbox entry at once; raises Replayed."""
        if first := self._holding(guard, entry.received_at):
            raise Replayed(*first)
        order_ids = tuple(order.order_id for order in orders)
        self.tables.guards[guard] = FakeGuard(entry.alert_id, order_ids, entry.received_at + kept)
        for order in orders:
            self.tables.put_order(order)
            if order.listing is Listing.WAITING:
                self.tables.lane(order.lane).enlist(order)
        self.record(entry)

    def record(self, entry: InboxEntry) -> None:
        """Keep an entry in the inbox."""
        self.tables.inbox.setdefault(entry.user_id, {})[entry.alert_id] = entry

    def count(self, webhook_id: str, day: str) -> None:
        """Raise the webhook's daily counter by one."""
        key = (webhook_id, day)
        self.tables.counters[key] = self.tables.counters.get(key, 0) + 1

    def entered(self, webhook_id: str, root: str, at: datetime) -> None:
        """Note that an entry of this root was accepted then."""
        self.tables.entered[webhook_id, root] = at

    def _holding(self, guard: str, now: datetime) -> tuple[str, tuple[str, ...]] | None:
        """Times are compared in whole seconds, as the table keeps them."""
        found = self.tables.guards.get(guard)
        if found is None or int(found.expires_at.timestamp()) < int(now.timestamp()):
            return None
        return found.alert_id, found.order_ids
