"""Secrets of accounts in a dictionary."""

from fillpath.accounts.access import Access
from fillpath.errors import NotFound, StorageUnavailable


class FakeAccessVault:
    """AccessVault whose next reads and writes fail as often as a test says."""

    def __init__(self) -> None:
        self.stored: dict[str, Access] = {}
        self.reads = 0
        self.failing_reads = 0
        self.failing_writes = 0

    def read(self, account_id: str) -> Access:
        """What is stored for the account."""
        self.reads += 1
        if self.failing_reads:
            self.failing_reads -= 1
            raise StorageUnavailable("the vault does not answer")
        if account_id not in self.stored:
            raise NotFound(f"the secret of account {account_id}")
        return self.stored[account_id]

    def write(self, account_id: str, access: Access) -> None:
        """Store it in place of what was there."""
        if self.failing_writes:
            self.failing_writes -= 1
            raise StorageUnavailable("the vault does not answer")
        self.stored[account_id] = access

    def delete(self, account_id: str) -> None:
        """Forget it."""
        self.stored.pop(account_id, None)
