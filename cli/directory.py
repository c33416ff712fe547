"""Who and what a person means: an id, the end of one or a label comes in, the user, account, webhook or order goes out."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from difflib import get_close_matches
from typing import TypeVar

from cli.problem import Problem
from fillpath.accounts.model import Account, User, Webhook
from fillpath.accounts.ports.account_store import AccountStore
from fillpath.errors import NotFound
from fillpath.orders.model import Order
from fillpath.orders.ports.order_store import OrderStore

ID_LENGTH = 26
SHORTEST_END = 4
SHOWN_END = 6
# How far back the end of an order id is looked for.
ORDERS_SEARCHED = 500
# How much of what there is a hint names.
MOST_KNOWN = 8
LONGEST_KNOWN = 160
LONGEST_NAME = 40


Record = TypeVar("Record")


class Directory:
    """Users with their accounts and webhooks, the oldest first. Where nobody is named, the first user is meant."""

    def __init__(self, store: AccountStore) -> None:
        self._store = store

    def users(self) -> tuple[User, ...]:
        """Every user."""
        return tuple(sorted(self._store.users(), key=lambda user: user.user_id))

    def accounts(self, user: User | None = None) -> tuple[Account, ...]:
        """The accounts of one user or of all."""
        owners = [user] if user else self.users()
        found = [account for owner in owners for account in self._store.of_user(owner.user_id)[0]]
        return tuple(sorted(found, key=lambda account: account.account_id))

    def webhooks(self, user: User | None = None) -> tuple[Webhook, ...]:
        """The webhooks of one user or of all."""
        owners = [user] if user else self.users()
        found = [webhook for owner in owners for webhook in self._store.of_user(owner.user_id)[1]]
        return tuple(sorted(found, key=lambda webhook: webhook.webhook_id))

    def user(self, meant: str | None) -> User:
        """By id, end of id or email address; raises Problem."""
        if meant and len(meant) == ID_LENGTH:
            with suppress(NotFound):
                return self._store.user(meant.upper())
        users = self.users()
        if meant is None:
            return _first("user", users, "./fillpath user add EMAIL")
        return _pick("user", meant, [(user.user_id, user.email, user) for user in users])

    def account(self, meant: str) -> Account:
        """By id, end of id or label; raises Problem."""
        if len(meant) == ID_LENGTH:
            with suppress(NotFound):
                return self._store.account(meant.upper())
        return _pick("account", meant, [(account.account_id, account.label, account) for account in self.accounts()])

    def webhook(self, meant: str | None) -> Webhook:
        """By id, end of id or label; raises Problem."""
        if meant and len(meant) == ID_LENGTH:
            with suppress(NotFound):
                return self._store.webhook(meant.upper())
        webhooks = self.webhooks(None if meant else self.user(None))
        if meant is None:
            return _first("webhook", webhooks, "./fillpath webhook add")
        return _pick("webhook", meant, [(webhook.webhook_id, webhook.label, webhook) for webhook in webhooks])


def newest_orders(store: OrderStore, users: Iterable[User], limit: int) -> tuple[Order, ...]:
    """The newest orders of these users, the newest first."""
    found = [order for user in users for order in store.of_user(user.user_id, limit)]
    return tuple(sorted(found, key=lambda order: (order.received_at, order.order_id), reverse=True)[:limit])


def find_order(store: OrderStore, users: Iterable[User], meant: str) -> Order:
    """By id or end of id, as it is now; raises Problem."""
    if len(meant) == ID_LENGTH:
        try:
            return store.get(meant.upper())
        except NotFound as error:
            raise Problem(f"there is no order {meant}", hint=f"{_LISTED_BY['order']} shows the newest orders") from error
    newest = newest_orders(store, users, ORDERS_SEARCHED)
    return store.get(_pick("order", meant, [(order.order_id, "", order) for order in newest]).order_id)


def short(record_id: str) -> str:
    """The end of an id, which is random: enough to name it again."""
    return record_id[-SHOWN_END:]


def known_are(names: Sequence[str], listed_by: str) -> str:
    """A hint that names those that there are: as many as are soon read, and what shows the others."""
    shown: list[str] = []
    for name in names[:MOST_KNOWN]:
        shown.append(name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…")
        if len(", ".join(shown)) > LONGEST_KNOWN:
            break
    more = len(names) - len(shown)
    return f"known are: {', '.join(shown)}" + (f", and {more} more: {listed_by}" if more else "")


def _first(kind: str, records: Sequence[Record], made_by: str) -> Record:
    if not records:
        raise Problem(f"there is no {kind} yet", hint=made_by)
    return records[0]


def _pick(kind: str, meant: str, candidates: Sequence[tuple[str, str, Record]]) -> Record:
    """Candidates are id, other name and record."""
    found = [record for _, name, record in candidates if name and name.casefold() == meant.casefold()]
    if not found and len(meant) >= SHORTEST_END:
        found = [record for record_id, _, record in candidates if record_id.endswith(meant.upper())]
    if len(found) == 1:
        return found[0]
    if found:
        raise Problem(f"{len(found)} {kind}s are called {meant}", hint=f"give more of the id; {_LISTED_BY[kind]} shows them")
    names = [f"{short(record_id)} {name}".strip() for record_id, name, _ in candidates]
    hint = known_are(names, _LISTED_BY[kind]) if names else f"{_LISTED_BY[kind]} shows the {kind}s"
    raise Problem(f"there is no {kind} {meant}{_near(meant, [name for _, name, _ in candidates])}", hint=hint)


def _near(meant: str, names: Iterable[str]) -> str:
    folded = {name.casefold(): name for name in names if name}
    close = get_close_matches(meant.casefold(), folded, n=1)
    return f"; did you mean {folded[close[0]]}?" if close else ""


_LISTED_BY = {
    "user": "./fillpath user list",
    "account": "./fillpath account list",
    "webhook": "./fillpath webhook list",
    "order": "./fillpath orders",
}
