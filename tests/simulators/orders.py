"""What a venue asks its simulated exchange to place, and how it is refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from fillpath.orders.model import Leg, OrderType, Side


class OrderRefused(Exception):
    """The exchange does not take an order or a change; `code` is one of ours (insufficient_margin, invalid_symbol, ...)."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True)
class NewOrder:
    """What is to be placed. An OCO has a limit and a stop price; an entry with `take_profit` or `stop_loss` is a bracket.

    `details` is kept with the order (and its exits) for the venue; it is not understood here. `expires_at` overrides the end of
    the day of a `day` order.
    """

    symbol: str
    side: Side
    quantity: Decimal
    type: OrderType = OrderType.MARKET
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_amount: Decimal | None = None
    trail_percent: Decimal | None = None
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None
    time_in_force: str = "day"
    reduce_only: bool = False
    exits_reduce_only: bool = False
    expires_at: datetime | None = None
    client_order_id: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    def leg(self) -> Leg:
        """The same as the engine takes it."""
        names = ("limit_price", "stop_price", "trail_amount", "trail_percent", "take_profit", "stop_loss")
        return Leg(
            leg="sim",
            client_order_id=self.client_order_id or "sim",
            contract=self.symbol,
            side=self.side,
            quantity=self.quantity,
            type=self.type,
            reduce_only=self.reduce_only,
            time_in_force=self.time_in_force,
            **{name: getattr(self, name) for name in names},
        )
