"""What Alpaca can do."""

from fillpath.accounts.capabilities import Capabilities

KEY = "alpaca"
NAME = "Alpaca"
ALLOWED_PER_MINUTE = 200
"""Requests of a key."""
BURST, RESERVE = 30, 10
CAPABILITIES = Capabilities(
    can_stream_data=True,
    can_stream_orders=True,
    order_types=frozenset({"market", "limit", "stop", "stop_limit", "trailing_stop", "oco"}),
    time_in_force=frozenset({"day", "gtc", "ioc", "fok"}),
    bracket=True,
    oco=True,
    client_order_id_length=128,
    deduplicates_s=7 * 86_400,  # an id is refused again even after its order has ended; how long at least is not documented
    quarantine_s=120,
    fractional=True,
    simple_fractions=True,
    short=True,
    history=True,
    replace=True,
    asset_classes=frozenset({"equity"}),
    queues_when_closed=True,
    requests_per_minute=170,  # with a burst it stays below what is allowed
)
