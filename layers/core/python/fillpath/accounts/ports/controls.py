"""Controls: the halt flags of environment, user and account."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Halt:
    """A flag that is set: its scope (`environment`, `user:<id>`, `account:<id>`) and why."""

    scope: str
    at: datetime
    reason: str


class Controls(Protocol):
    """Reads are consistent. Raises StorageUnavailable."""

    def halted(self, user_id: str, account_id: str) -> Halt | None:
        """The widest halt that blocks this account's entries, if any."""
        ...

    def halt(self, scope: str, at: datetime, reason: str) -> None:
        """Set the flag of a scope."""
        ...

    def resume(self, scope: str) -> None:
        """Clear the flag of a scope."""
        ...
