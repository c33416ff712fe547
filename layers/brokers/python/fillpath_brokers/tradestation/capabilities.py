"""What TradeStation can do. An order through zero is possible for futures only, so it counts as impossible."""

from fillpath.accounts.capabilities import Capabilities

KEY = "tradestation"
NAME = "TradeStation"
CAPABILITIES = Capabilities(
    can_stream_data=True,
    can_stream_orders=True,
    order_types=frozenset({"market", "limit", "stop", "stop_limit", "trailing_stop", "oco"}),
    time_in_force=frozenset({"day", "gtc", "ioc", "fok"}),
    bracket=True,
    oco=True,
    client_order_ids=False,
    deduplicates_s=0,
    quarantine_s=180,
    short=True,
    history=True,
    replace=True,
    front_month=True,
    asset_classes=frozenset({"future", "equity"}),
    queues_when_closed=True,
    requests_per_minute=40,  # of each kind of account reads; 250 in 5 minutes are allowed
)
