"""What a venue can do, as data: shown to users, checked before an order is accepted."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Capabilities:
    """One venue's abilities. What is false is refused beforehand with a clear text.

    `client_order_ids`: an order can be found by the id that we gave it; else only by what was sent, and when.
    `deduplicates_s`: how long the venue refuses a second order under the same client order id (0: it does not).
    `quarantine_s`: how long after the submit deadline an order may still appear; None: absence proves nothing.
    `bracket`: an entry with take profit and stop loss in one request; `oco`: such a pair of exits for what is held.
    `fractional`: fractions of a share are traded; `simple_fractions`: only in single orders for the day that do not trail.
    `asset_classes`: which kinds of the catalogue can be traded; `data_asset_classes`: which have data, where those are more.
    `feeds`: what can be streamed of market data. `front_month`: the venue says which contract is the front.
    `queues_when_closed`: the venue keeps a market order until the open instead of refusing it; `refuses_when_closed`: it may
    refuse every order until then, resting ones too.
    `requests_per_minute`: what its limit leaves us for one credential; None: unlimited.
    """

    can_trade: bool = True
    can_stream_data: bool = False
    can_stream_orders: bool = False
    feeds: frozenset[str] = frozenset({"ticks", "quotes", "bars"})
    order_types: frozenset[str] = frozenset({"market"})
    time_in_force: frozenset[str] = frozenset({"day"})
    bracket: bool = False
    oco: bool = False
    client_order_ids: bool = True
    client_order_id_length: int = 64
    deduplicates_s: int = 0
    quarantine_s: int | None = None
    fractional: bool = False
    simple_fractions: bool = False
    short: bool = True
    single_order_flip: bool = False
    reduce_only: bool = False
    history: bool = False
    replace: bool = False
    front_month: bool = False
    asset_classes: frozenset[str] = frozenset({"future", "equity", "crypto"})
    data_asset_classes: frozenset[str] | None = None
    queues_when_closed: bool = False
    refuses_when_closed: bool = False
    session_required: bool = False
    credentials_required: bool = True
    requests_per_minute: float | None = None

    def lacks(self, venue: str, kind: str, time_in_force: str) -> str | None:
        """Which field of an order asks for what `venue` does not have, and what it has; None: it has both."""
        if kind not in self.order_types:
            return f"type: {venue} has no {kind} orders; it has {', '.join(sorted(self.order_types))}"
        if time_in_force not in self.time_in_force:
            return f"time_in_force: {venue} has no {time_in_force}; it has {', '.join(sorted(self.time_in_force))}"
        return None

    @property
    def with_data(self) -> frozenset[str]:
        """Which kinds of the catalogue the venue has market data of."""
        if self.data_asset_classes is not None:
            return self.data_asset_classes
        return self.asset_classes if self.can_stream_data or self.history else frozenset()
