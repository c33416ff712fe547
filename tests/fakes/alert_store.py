"""Replay guards, daily counters and the inbox in dictionaries."""

from fillpath.accounts.ports.account_store import TokenOwner
from fillpath.alerts.ports.alert_store import Context, InboxEntry
from fillpath.errors import NotFound, Replayed
from fillpath.orders.model import Listing, Order
from tests.fakes.tables import FakeTables


class FakeAlertStore:
    """AlertStore whose every method is one atomic step. Guards are never forgotten."""

    def __init__(self, tables: FakeTables | None = None) -> None:
        self.tables = tables or FakeTables()

    def owner_of(self, token_digest: str) -> TokenOwner | None:
        """The webhook behind a token, if there is one."""
        return self.tables.tokens.get(token_digest)

    def context(self, owner: TokenOwner, day: str, guard: str) -> Context:
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
            tables.counters.get((owner.webhook_id, day), 0),
            tables.guards.get(guard),
        )

    def accept(self, guard: str, orders: tuple[Order, ...], entry: InboxEntry) -> None:
        """Write guard, orders and inbox entry at once; raises Replayed."""
        if first := self.tables.guards.get(guard):
            raise Replayed(*first)
        self.tables.guards[guard] = (entry.alert_id, tuple(order.order_id for order in orders))
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

    def inbox(self, user_id: str, limit: int) -> tuple[InboxEntry, ...]:
        """The newest entries first."""
        entries = self.tables.inbox.get(user_id, {})
        return tuple(entries[alert_id] for alert_id in sorted(entries, reverse=True)[:limit])
