"""A user with an account and a webhook behind fakes, and alerts to post to it."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from fillpath.accounts.capabilities import Capabilities
from fillpath.accounts.manage import Access, access_to, save_webhook
from fillpath.accounts.model import Account, Credentials, Route, User, Webhook
from fillpath.alerts.accept import AcceptedAlert, Desks, Hit, accept
from fillpath.alerts.ports.alert_store import InboxEntry
from fillpath.errors import Refused, Unsupported
from fillpath.orders.model import Order
from tests.fakes.account_store import FakeAccountStore
from tests.fakes.alert_store import FakeAlertStore
from tests.fakes.desk import ALL_TYPES
from tests.fakes.lane_queue import FakeLaneQueue
from tests.fakes.master_key import FakeMasterKey
from tests.fakes.tables import FakeTables

NOW = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
PLAIN = Capabilities(
    order_types=ALL_TYPES - {"trailing_stop", "oco"}, time_in_force=frozenset({"day", "gtc"}), credentials_required=False
)
"""A venue that can do little."""
PAPER = Capabilities(
    order_types=ALL_TYPES,
    time_in_force=frozenset({"day", "gtc", "ioc", "fok"}),
    bracket=True,
    oco=True,
    fractional=True,
    front_month=True,
    single_order_flip=True,
    credentials_required=False,
)


@dataclass
class FakeVenues:
    """Venues in a dictionary."""

    known: dict[str, Capabilities] = field(default_factory=lambda: {"paper": PAPER})

    def capabilities(self, key: str) -> Capabilities:
        """The venue's abilities."""
        if key not in self.known:
            raise Unsupported(f"there is no venue {key}")
        return self.known[key]


class FrontDesk:
    """Everything an alert meets on its way in, and shortcuts to post one."""

    def __init__(self, *routes: Route, **webhook: Any) -> None:
        self.tables = FakeTables()
        self.lanes = FakeLaneQueue()
        self.venues = FakeVenues()
        self.alerts = FakeAlertStore(self.tables)
        self.accounts = FakeAccountStore(self.tables)
        self.key = FakeMasterKey()
        self.desks = Desks(self.alerts, self.lanes, self.key, self.venues)
        self.user()
        self.account("A1")
        base: dict[str, Any] = {"webhook_id": "W1", "user_id": "U1", "label": "ours", "created_at": NOW}
        self.webhook = Webhook(**base | {"routes": routes or (Route(account_id="A1"),)} | webhook)
        save_webhook(self.webhook, self.accounts, self.key.read())

    @property
    def access(self) -> Access:
        """The webhook's token and secret."""
        return access_to(self.webhook, self.key.read())

    def user(self, **more: Any) -> None:
        """Write the user."""
        base: dict[str, Any] = {"user_id": "U1", "email": "u1@example.com", "created_at": NOW}
        self.accounts.save(User(**base | more))

    def account(self, account_id: str, **more: Any) -> None:
        """Write an account."""
        base: dict[str, Any] = {
            "account_id": account_id,
            "user_id": "U1",
            "venue": "paper",
            "label": account_id,
            "terms_accepted_at": NOW,
            "credentials": Credentials.VERIFIED,
            "created_at": NOW,
        }
        self.accounts.save(Account(**base | more))

    def alert(self, **fields: Any) -> dict[str, Any]:
        """A buy of one contract; a field that is None is left out."""
        base: dict[str, Any] = {"action": "buy", "symbol": "ES1!", "quantity": 1, "timestamp": "2026-03-02T14:30:00Z"}
        merged = base | {"secret": self.access.secret} | fields
        return {key: value for key, value in merged.items() if value is not None}

    def post(self, body: bytes | None = None, *, at: datetime = NOW, token: str | None = "", **fields: Any) -> AcceptedAlert:
        """Post an alert (or these bytes) under the webhook's own token, unless another is given."""
        raw = json.dumps(self.alert(**fields)).encode() if body is None else body
        return accept(Hit(self.access.token if token == "" else token, raw, at), self.desks)

    def refusal(self, body: bytes | None = None, **given: Any) -> Refused:
        """Post an alert that must be refused."""
        try:
            accepted = self.post(body, **given)
        except Refused as refusal:
            return refusal
        raise AssertionError(f"accepted as {accepted}")

    @property
    def orders(self) -> list[Order]:
        """Every order there is."""
        return list(self.tables.orders.values())

    @property
    def inbox(self) -> tuple[InboxEntry, ...]:
        """The inbox as it was written."""
        return tuple(self.tables.inbox.get("U1", {}).values())


def exit_fields(size: int = 0, before: int = 1) -> dict[str, Any]:
    """The fields of a strategy whose long position shrinks from `before` to `size`."""
    return {
        "action": "sell",
        "quantity": before - size,
        "market_position": "long" if size else "flat",
        "market_position_size": str(size),
        "prev_market_position": "long",
        "prev_market_position_size": str(before),
    }
