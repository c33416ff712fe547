"""PaperBookStore: where the simulated exchange keeps its accounts, orders and fills.

Documents are plain mappings of text, Decimal, bool and nested mappings (nothing is null), so that an adapter needs to know
none of their fields but these: an account's `version`, an order's `client_order_id`, a fill's `client_order_id`, `n` and `at`
(ISO 8601 in UTC, to the millisecond: texts that sort as the times do).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

Document = Mapping[str, Any]


class PaperBookStore(Protocol):
    """Raises StorageUnavailable when the table did not answer; a write may then have happened or not."""

    def load(self, account_id: str, client_order_id: str | None = None) -> tuple[Document | None, Document | None]:
        """One consistent read of the account and the order of that id (also an ended one); None for what is not there."""
        ...

    def save(
        self, account_id: str, account: Document, orders: Sequence[Document], fills: Sequence[Document], placed: str | None = None
    ) -> None:
        """Write account, changed orders and new fills in one transaction of at most 100 documents.

        Conflict, and nothing is written, unless `account["version"]` is the stored version plus one (1 where none is stored)
        and the order of id `placed` is not stored yet.
        """
        ...

    def fills(self, account_id: str, client_order_id: str) -> tuple[Document, ...]:
        """The fills of an order, the first one first."""
        ...

    def fills_since(self, account_id: str, since: str) -> tuple[Document, ...]:
        """The fills of the account whose `at` is not before `since`, in no order."""
        ...
