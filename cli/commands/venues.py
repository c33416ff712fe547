"""venues: which brokers there are, and what each can do."""

from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.markup import escape

from cli import terminal
from cli.commands.options import Env, Json, target_of
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


def venues(
    context: typer.Context,
    *,
    symbol: Annotated[
        str | None, typer.Option(help="Which of your accounts can trade it, or give its data.", show_default=False)
    ] = None,
    env: Env = None,
    as_json: Json = False,
) -> None:
    """Show the venues that accounts can be at, and what each of them can do; with --symbol what your accounts can do with it."""
    from fillpath_brokers import registry

    if symbol is not None:
        _tell_choices(context, symbol, env, as_json=as_json)
        return
    found = [(key, registry.name(key), registry.capabilities(key)) for key in registry.venues()]
    if as_json:
        terminal.print_json([{"key": key, "name": name, "capabilities": _record(able)} for key, name, able in found])
        return
    table = terminal.listing("Venue", "Trades", "Can")
    for key, name, able in found:
        table.add_row(f"[bold]{escape(key)}[/]\n[dim]{escape(name)}[/]", _trades(able), _can(able))
    terminal.out.print(table)


def _tell_choices(context: typer.Context, symbol: str, env: str | None, *, as_json: bool) -> None:
    from cli.directory import Directory
    from fillpath_brokers.choices import choices

    target = target_of(context, env)
    found = choices(Directory(target.accounts).accounts(), symbol, datetime.now(UTC).date())
    if as_json:
        terminal.print_json([asdict(choice) for choice in found])
        return
    table = terminal.listing("Account", "Venue", "Contract", "Trades", "Data")
    for choice in found:
        trades = "[green]yes[/]" if choice.trades else f"[dim]no: {escape(choice.why_not)}[/]"
        table.add_row(escape(choice.label), choice.venue, choice.contract, trades, "yes" if choice.data else "[dim]no[/]")
    terminal.out.print(table)


def _trades(able: Capabilities) -> str:
    return "\n".join(sorted(able.asset_classes)) if able.can_trade else "[dim]data only[/]"


def _can(able: Capabilities) -> str:
    orders = [", ".join(each.value for each in OrderType if each in able.order_types), ", ".join(sorted(able.time_in_force))]
    others = ", ".join(label for flag, label in _FLAGS.items() if getattr(able, flag))
    return "\n".join([*(orders if able.can_trade else ()), others])


def _record(able: Capabilities) -> dict[str, Any]:
    values = {each.name: getattr(able, each.name) for each in fields(able)}
    if not able.can_stream_data:
        values["feeds"] = []
    return {name: sorted(value) if isinstance(value, frozenset) else value for name, value in values.items()}
