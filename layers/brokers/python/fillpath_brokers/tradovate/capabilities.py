"""What Tradovate can do."""

from fillpath.accounts.capabilities import Capabilities

KEY = "tradovate"
NAME = "Tradovate"
ALLOWED_PER_MINUTE = 80
"""Requests of a login, by what its users report; 5,000 in an hour are documented."""
BURST, RESERVE = 30, 10
CAPABILITIES = Capabilities(
    can_stream_data=True,  # for accounts whose market data licence covers the API; trading needs none
    can_stream_orders=True,
    order_types=frozenset({"market", "limit", "stop", "stop_limit", "trailing_stop", "oco"}),
    time_in_force=frozenset({"day", "gtc", "ioc", "fok"}),
    bracket=True,
    oco=True,
    client_order_id_length=64,
    deduplicates_s=0,  # ids are echoed; nothing says that a second order under one is refused
    quarantine_s=120,
    short=True,
    single_order_flip=True,
    history=True,
    replace=True,
    front_month=True,
    asset_classes=frozenset({"future"}),
    refuses_when_closed=True,
    requests_per_minute=50,  # with a burst it stays below what is allowed
)
