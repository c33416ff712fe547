"""What the paper venue can do."""

from fillpath.accounts.capabilities import Capabilities

KEY = "paper"
NAME = "Paper (simulated exchange)"
CAPABILITIES = Capabilities(
    order_types=frozenset({"market", "limit", "stop", "stop_limit", "trailing_stop", "oco"}),
    time_in_force=frozenset({"day", "gtc", "ioc", "fok"}),
    bracket=True,
    oco=True,
    client_order_id_length=128,
    deduplicates_s=10 * 365 * 86_400,  # every order is kept
    quarantine_s=10,  # what a submit may take at worst: its patience and the time-outs of the store
    fractional=True,
    short=True,
    single_order_flip=True,
    reduce_only=True,
    replace=True,
    credentials_required=False,
)
