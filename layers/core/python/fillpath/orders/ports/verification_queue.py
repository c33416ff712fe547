"""VerificationQueue: checks of submitted legs, each in a group of its own."""

from typing import NamedTuple, Protocol


class Check(NamedTuple):
    """One submit attempt that must be verified."""

    order_id: str
    leg: str
    fence: int
    attempt: int

    @property
    def check_id(self) -> str:
        """The deduplication id: one message per submit attempt."""
        suffix = "" if self.attempt == 1 else f".{self.attempt}"
        return f"{self.order_id}#{self.leg}#{self.fence}{suffix}"

    @property
    def group(self) -> str:
        """The message group: a pending leg holds up no other."""
        return f"{self.order_id}#{self.leg}"


class VerificationQueue(Protocol):
    """Raises StorageUnavailable when a message was not taken (or may not have been)."""

    def check(self, check: Check) -> None:
        """Have the leg checked, the first time 2 s from now."""
        ...

    def give_up(self, check: Check, reason: str) -> None:
        """Put the check into the dead-letter queue, where an alarm sees it."""
        ...
