"""venues: which brokers there are, and what each can do."""

from dataclasses import fields
from typing import Any

import typer
from rich.markup import escape

from cli import terminal
from cli.commands.options import Json
from fillpath.accounts.capabilities import Capabilities
from fillpath.orders.model import OrderType

_FLAGS = {
    "bracket": "bracket",
    "oco": "oco",
    "replace": "replace",
    "short": "short",
    "fractional": "fractions",
    "single_order_flip": "flip in one order",
    "reduce_only": "reduce only",
    "front_month": "front month",
    "history": "history",
    "can_stream_data": "data stream",
    "can_stream_orders": "order stream",
    "session_required": "session",
}


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel="Accounts")(venues)


def venues(*, as_json: Json = False) -> None:
    """Show the venues that accounts can be at, and what each of them can do."""
    from fillpath_brokers import registry

    found = [(key, registry.name(key), registry.capabilities(key)) for key in registry.venues()]
    if as_json:
        terminal.print_json([{"key": key, "name": name, "capabilities": _record(able)} for key, name, able in found])
        return
    table = terminal.listing("Venue", "Trades", "Can")
    for key, name, able in found:
        table.add_row(f"[bold]{escape(key)}[/]\n[dim]{escape(name)}[/]", _trades(able), _can(able))
    terminal.out.print(table)


def _trades(able: Capabilities) -> str:
    return "\n".join(sorted(able.asset_classes)) if able.can_trade else "[dim]data only[/]"


def _can(able: Capabilities) -> str:
    orders = [", ".join(each.value for each in OrderType if each in able.order_types), ", ".join(sorted(able.time_in_force))]
    others = ", ".join(label for flag, label in _FLAGS.items() if getattr(able, flag))
    return "\n".join([*(orders if able.can_trade else ()), others])


def _record(able: Capabilities) -> dict[str, Any]:
    values = {each.name: getattr(able, each.name) for each in fields(able)}
    return {name: sorted(value) if isinstance(value, frozenset) else value for name, value in values.items()}
