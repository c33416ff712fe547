"""Halt flags in a dictionary."""

from datetime import datetime

from fillpath.accounts.ports.controls import Halt
from tests.fakes.tables import FakeTables


class FakeControls:
    """Controls over the halts that FakeAlertStore shows as well."""

    def __init__(self, tables: FakeTables | None = None) -> None:
        self.tables = tables or FakeTables()

    def halted(self, user_id: str, account_id: str) -> Halt | None:
        """The widest halt that blocks the account."""
        halts = self.tables.halts
        if not halts:
            return None
        return halts.get("environment") or halts.get(f"user:{user_id}") or halts.get(f"account:{account_id}")

    def halt(self, scope: str, at: datetime, reason: str) -> None:
        """Set the flag of a scope."""
        self.tables.halts[scope] = Halt(scope, at, reason)

    def resume(self, scope: str) -> None:
        """Clear the flag of a scope."""
        self.tables.halts.pop(scope, None)
