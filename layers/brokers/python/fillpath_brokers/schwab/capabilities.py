"""What Charles Schwab can do. Futures are data only: its Trader API takes no orders for them."""

from fillpath.accounts.capabilities import Capabilities

KEY = "schwab"
NAME = "Charles Schwab"
ALLOWED_PER_MINUTE = 120
"""Requests of a login."""
BURST, RESERVE = 30, 10
CAPABILITIES = Capabilities(
    can_stream_data=True,
    can_stream_orders=True,
    feeds=frozenset({"quotes", "bars"}),
    order_types=frozenset({"market", "limit", "stop", "stop_limit", "trailing_stop", "oco"}),
    time_in_force=frozenset({"day", "gtc", "ioc", "fok"}),
    bracket=True,
    oco=True,
    client_order_ids=False,
    deduplicates_s=0,
    quarantine_s=120,
    short=True,
    history=True,
    replace=True,
    asset_classes=frozenset({"equity"}),
    data_asset_classes=frozenset({"equity", "future"}),
    queues_when_closed=True,
    requests_per_minute=90,  # with a burst it stays below what is allowed
)
