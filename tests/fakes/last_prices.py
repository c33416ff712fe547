"""Last trades in a dictionary."""

from datetime import datetime
from decimal import Decimal


class FakeLastPrices:
    """LastPrices that knows what it was told."""

    def __init__(self) -> None:
        self._prices: dict[str, tuple[Decimal, datetime]] = {}

    def last(self, contract: str) -> tuple[Decimal, datetime] | None:
        """Price and time of the last trade, or None if nothing is known."""
        return self._prices.get(contract)

    def put(self, contract: str, price: Decimal, at: datetime) -> None:
        """Set the last trade."""
        self._prices[contract] = (price, at)
