"""LastPrices: the last trade that is known of a contract."""

from datetime import datetime
from decimal import Decimal
from typing import Protocol


class LastPrices(Protocol):
    """Raises StorageUnavailable."""

    def last(self, contract: str) -> tuple[Decimal, datetime] | None:
        """Price and time of the last trade, or None if nothing is known."""
        ...

    def put(self, contract: str, price: Decimal, at: datetime) -> None:
        """Set the last trade."""
        ...
