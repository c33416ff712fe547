"""A webhook's settings for a person: the record comes in, a table in the words of its options goes out."""

from collections.abc import Mapping

from rich.markup import escape

from cli.order_view import account_name, number
from cli.tables import Facts
from cli.terminal import facts
from fillpath.accounts.model import Account, Webhook


def settings_table(webhook: Webhook, accounts: Mapping[str, Account]) -> Facts:
    """Every setting, by the name of the option that changes it; `accounts` by id, for their labels."""
    table = facts()
    table.add_row("Webhook", f"{escape(webhook.label)}, {webhook.webhook_id}")
    for name, value in _settings(webhook, accounts).items():
        table.add_row(name, value)
    return table


def _settings(webhook: Webhook, accounts: Mapping[str, Account]) -> dict[str, str]:
    routes = [f"{account_name(route.account_id, accounts)} x{number(route.multiplier)}" for route in webhook.routes]
    mapped = ", ".join(f"{theirs} is {ours}" for theirs, ours in webhook.symbol_map.items())
    return {
        "route": ", ".join(routes),
        "secret-in": webhook.secret_in,
        "time": webhook.time,
        "quantity-is": webhook.quantity_is,
        "symbol-map": escape(mapped) or "none",
        "map": escape(webhook.mapping or "none"),
        "gate": webhook.gate,
        "daily-limit": "none" if webhook.daily_limit is None else str(webhook.daily_limit),
        "symbols": ", ".join(webhook.symbols) or "all",
        "window": escape(" and ".join(webhook.windows)) or "none",
        "cooldown": f"{webhook.cooldown_s} s" if webhook.cooldown_s else "none",
        "entry-staleness": f"{webhook.entry_staleness_s} s",
        "reduction-staleness": f"{webhook.reduction_staleness_s} s",
        "wait-s": "none" if webhook.wait_s is None else f"{number(webhook.wait_s)} s",
    }
