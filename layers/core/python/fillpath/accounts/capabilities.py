"""What a venue can do, as data: shown to users, checked before an order is accepted."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Capabilities:
    """One venue's abilities. What is false is refused beforehand with a clear text.

    `deduplicates_s`: how long the venue refuses a second order under the same client order id (0: it does not).
    `quarantine_s`: how long after the submit deadline an order may still appear; None: absence proves nothing.
    """

    can_trade: bool = True
    can_stream_data: bool = False
    can_stream_orders: bool = False
    order_types: frozenset[str] = frozenset({"market"})
    time_in_force: frozenset[str] = frozenset({"day"})
    bracket: bool = False
    oco: bool = False
    client_order_id_length: int = 64
    deduplicates_s: int = 0
    quarantine_s: int | None = None
    fractional: bool = False
    short: bool = True
    single_order_flip: bool = False
    reduce_only: bool = False
    session_required: bool = False
    credentials_required: bool = True
    orders_per_second: float | None = None
