"""What the paper venue can do."""

from fillpath.accounts.capabilities import Capabilities

KEY = "paper"
NAME = "Paper (simulated exchange)"
CAPABILITIES = Capabilities(
    order_types=frozenset({"market", "limit", "stop"}),
    time_in_force=frozenset({"day", "gtc", "ioc"}),
    client_order_id_length=128,
    deduplicates_s=10 * 365 * 86_400,  # every order is kept
    quarantine_s=10,  # what a submit may take at worst: its patience and the time-outs of the store
    fractional=True,
    short=True,
    reduce_only=True,
    credentials_required=False,
)
