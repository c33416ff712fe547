"""TokenLedger: what is known of each account's token, without the token, and who is refreshing it."""

from datetime import datetime
from typing import Protocol

from fillpath.accounts.access import TokenStatus


class TokenLedger(Protocol):
    """Reads are consistent. Raises StorageUnavailable.

    Leases are compared with the clock of whoever asks: where clocks differ by some seconds, a lease is as much shorter or longer.
    """

    def of(self, account_id: str) -> TokenStatus | None:
        """What is known; None: nobody ever signed in."""
        ...

    def take(self, account_id: str, owner: str, now: datetime, until: datetime) -> bool:
        """Become the one who renews, until then, or go on being it; False while somebody else is. An owner is one attempt."""
        ...

    def settle(self, account_id: str, owner: str, status: TokenStatus) -> None:
        """Write what came of it and give the lease back, in one step; Conflict if the lease is not the owner's any more.

        What was refused stays noted, whatever `status.refused_version` says: it may have been refused in the meantime.
        """
        ...

    def refused(self, account_id: str, version: int, reason: str) -> None:
        """Note that the venue refused this version. Nothing happens where a newer one is known already, or none at all."""
        ...
