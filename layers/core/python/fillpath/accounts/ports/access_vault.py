"""AccessVault: the secrets with which accounts sign in at their venues, one secret per account."""

from typing import Protocol

from fillpath.accounts.access import Access


class AccessVault(Protocol):
    """Raises StorageUnavailable. Only roles that execute may read it. A read may be a moment behind the last write."""

    def read(self, account_id: str) -> Access:
        """What is stored for the account; NotFound if nothing is."""
        ...

    def write(self, account_id: str, access: Access) -> None:
        """Store it in place of what was there; the caller holds the account's lease."""
        ...

    def delete(self, account_id: str) -> None:
        """Forget it; nothing happens if there is none."""
        ...
