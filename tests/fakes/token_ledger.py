"""What is known of tokens, and leases on them, in dictionaries."""

from dataclasses import replace
from datetime import datetime

from fillpath.accounts.access import TokenStatus
from fillpath.errors import Conflict, StorageUnavailable


class FakeTokenLedger:
    """TokenLedger whose every method is one atomic step; its next settlements fail as often as a test says."""

    def __init__(self) -> None:
        self.known: dict[str, TokenStatus] = {}
        self.leases: dict[str, tuple[str, datetime]] = {}
        self.down = False
        self.failing_settlements = 0

    def of(self, account_id: str) -> TokenStatus | None:
        """What is known."""
        self._answer()
        return self.known.get(account_id)

    def take(self, account_id: str, owner: str, now: datetime, until: datetime) -> bool:
        """Become the one who renews."""
        self._answer()
        holder, ends = self.leases.get(account_id, (owner, now))
        if holder != owner and ends > now:
            return False
        self.leases[account_id] = (owner, until)
        return True

    def settle(self, account_id: str, owner: str, status: TokenStatus) -> None:
        """Write the status and remove the lease."""
        self._answer()
        if self.failing_settlements:
            self.failing_settlements -= 1
            raise StorageUnavailable("the table does not answer")
        if self.leases.get(account_id, ("", None))[0] != owner:
            raise Conflict(f"the lease on the token of account {account_id} is over")
        before = self.known.get(account_id)
        self.known[account_id] = replace(status, refused_version=before.refused_version if before else None)
        del self.leases[account_id]

    def refused(self, account_id: str, version: int, reason: str) -> None:
        """Note the highest version that was refused, as long as no higher one is known."""
        self._answer()
        known = self.known.get(account_id)
        if known and known.version <= version and (known.refused_version is None or known.refused_version < version):
            self.known[account_id] = replace(known, refused_version=version, reason=reason)

    def _answer(self) -> None:
        if self.down:
            raise StorageUnavailable("the table does not answer")
