"""What accounts hold, asked at their venues: an account and its broker come in, records for programs or tables go out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from cli.order_view import in_ticks, number
from cli.problem import Problem
from cli.terminal import listing
from fillpath.accounts.model import Account
from fillpath.market.instruments import resolve
from fillpath.orders.outcomes import Position
from fillpath_brokers.facade import Balances, Broker


@dataclass(frozen=True)
class Holdings:
    """One account's positions and what it is worth."""

    account: Account
    positions: tuple[Position, ...]
    balances: Balances


def holdings(account: Account, broker: Broker) -> Holdings:
    """As the venue shows them now; raises BrokerUnavailable."""
    return Holdings(account, broker.positions(), broker.balances())


def position_records(account: Account, broker: Broker) -> list[dict[str, Any]]:
    """The account's positions for programs; numbers are exact, as text."""
    return [
        {
            "account_id": account.account_id,
            "symbol": position.contract,
            "quantity": number(position.quantity),
            "average_price": None if position.average_price is None else number(position.average_price),
        }
        for position in broker.positions()
    ]


def holdings_view(found: Iterable[Holdings]) -> RenderableType:
    """Positions of all accounts, then each account's worth."""
    every = list(found)
    return Group(_positions(every), _worth(every))


def parse_price(symbol: str, text: str) -> tuple[str, Decimal]:
    """The contract that the symbol means today, and the price; Refused where there is no such symbol, Problem for the price."""
    resolved = resolve(symbol, datetime.now(UTC).date())
    tick = resolved.instrument.tick_size
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("nan")
    if not value.is_finite() or value <= 0 or value % tick:
        raise Problem(f"PRICE: {text!r} is not a price of {resolved.contract}", hint=f"a multiple of its tick, {number(tick)}")
    return resolved.contract, value


def _positions(every: list[Holdings]) -> RenderableType:
    table = listing("Account", "Symbol", numbers=("Position", "Average price"))
    for each in every:
        for position in each.positions:
            price = None if position.average_price is None else number(position.average_price)
            shown = in_ticks(price, position.contract)
            table.add_row(escape(each.account.label), position.contract, _signed(position.quantity), shown)
    return table if table.row_count else "\nNothing is held."


def _worth(every: list[Holdings]) -> Table:
    table = listing("Account", numbers=("Equity", "Cash", "Open P&L", "Closed P&L", "Commission"))
    for each in every:
        worth = each.balances
        table.add_row(
            escape(each.account.label),
            f"{worth.equity:,.2f} {worth.currency}",
            f"{worth.cash:,.2f}",
            _result(worth.unrealised_pnl),
            _result(worth.realised_pnl),
            f"{worth.commission:,.2f}",
        )
    return table


def _signed(quantity: Decimal) -> str:
    return f"[green]+{number(quantity)}[/]" if quantity > 0 else f"[red]{number(quantity)}[/]"


def _result(amount: Decimal) -> str:
    colour = "green" if amount > 0 else "red" if amount < 0 else "dim"
    return f"[{colour}]{amount:+,.2f}[/]"
