"""Telemetry: figures and alarms raised by use cases."""

from typing import Protocol

from fillpath.orders.model import Order


class Telemetry(Protocol):
    """Where use cases report what people must see."""

    def count(self, name: str, order: Order | None = None) -> None:
        """Count one event, e.g. `ReversalAborted`, `LateFill`."""
        ...

    def measure(self, name: str, value: float) -> None:
        """Report a figure, e.g. `alert_to_fill_ms`, `OldestUnknownSeconds`."""
        ...
