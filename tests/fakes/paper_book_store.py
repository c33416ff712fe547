"""The simulated exchange's books in dictionaries. Documents are never changed in place, so nothing is copied."""

from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any

from fillpath.errors import Conflict

Document = Mapping[str, Any]

MOST_DOCUMENTS = 100


class FakePaperBookStore:
    """PaperBookStore whose every method is one atomic step, also between threads."""

    def __init__(self) -> None:
        self.accounts: dict[str, Document] = {}
        self.orders: dict[tuple[str, str], Document] = {}
        self.filled: dict[tuple[str, str], tuple[Document, ...]] = {}
        self.in_order: list[Document] = []
        """Every fill as it came."""
        self._lock = Lock()

    def load(self, account_id: str, client_order_id: str | None = None) -> tuple[Document | None, Document | None]:
        """The account, and the order of that id."""
        with self._lock:
            order = self.orders.get((account_id, client_order_id)) if client_order_id else None
            return self.accounts.get(account_id), order

    def save(
        self, account_id: str, account: Document, orders: Sequence[Document], fills: Sequence[Document], placed: str | None = None
    ) -> None:
        """Write all, if the account is as it was read and the order `placed` is new."""
        assert 1 + len(orders) + len(fills) <= MOST_DOCUMENTS, "more than one transaction of DynamoDB takes"
        with self._lock:
            stored = self.accounts.get(account_id, {}).get("version", 0)
            if account["version"] != stored + 1 or (account_id, placed) in self.orders:
                raise Conflict(f"paper account {account_id} has moved on")
            self.accounts[account_id] = account
            for order in orders:
                self.orders[account_id, order["client_order_id"]] = order
            for fill in fills:
                key = (account_id, fill["client_order_id"])
                self.filled[key] = (*self.filled.get(key, ()), fill)
                self.in_order.append(fill)

    def fills(self, account_id: str, client_order_id: str) -> tuple[Document, ...]:
        """The fills of an order, the first one first."""
        with self._lock:
            return self.filled.get((account_id, client_order_id), ())

    def fills_since(self, account_id: str, since: str) -> tuple[Document, ...]:
        """The fills of the account from that instant on."""
        with self._lock:
            return tuple(
                fill for (owner, _), fills in self.filled.items() for fill in fills if owner == account_id and fill["at"] >= since
            )
