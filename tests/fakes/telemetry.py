"""What use cases reported, collected."""

from fillpath.orders.model import Order


class FakeTelemetry:
    """Telemetry that keeps `counts` (name, order id) and `figures` (name, value)."""

    def __init__(self) -> None:
        self.counts: list[tuple[str, str | None]] = []
        self.figures: list[tuple[str, float]] = []

    def count(self, name: str, order: Order | None = None) -> None:
        """Keep one event."""
        self.counts.append((name, order.order_id if order else None))

    def measure(self, name: str, value: float) -> None:
        """Keep a figure."""
        self.figures.append((name, value))
