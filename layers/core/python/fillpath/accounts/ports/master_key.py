"""MasterKey: the one secret from which webhook tokens and secrets are derived."""

from typing import Protocol


class MasterKey(Protocol):
    """Raises StorageUnavailable."""

    def read(self) -> bytes:
        """The key, at least 32 bytes; kept in memory after the first read."""
        ...
