"""What accounts hold, asked at their venues: an account and its broker come in, records for programs or tables go out."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from cli.order_view import in_ticks, number
from cli.problem import Problem
from cli.tables import Listing
from cli.terminal import listing, pasteable
from cli.venue_words import told
from fillpath.accounts.model import Account
from fillpath.errors import BrokerError, NeedsReauth
from fillpath.market.instruments import resolve
from fillpath.orders.outcomes import Position
from fillpath_brokers.facade import Balances, Broker

_UNKNOWN = "[yellow]unknown[/]"


@dataclass(frozen=True)
class Holdings:
    """One account's positions and what it is worth; `trouble` says why one of them is not known."""

    account: Account
    positions: tuple[Position, ...] | None
    balances: Balances | None
    trouble: str = ""


def holdings(account: Account, open_broker: Callable[[Account], Broker]) -> Holdings:
    """As the venue shows them now, or why it does not: one account's trouble is no other's."""
    positions = None
    try:
        broker = open_broker(account)
        positions = broker.positions()
        return Holdings(account, positions, broker.balances())
    except BrokerError as error:
        return Holdings(account, positions, None, trouble_text(account, error))


def position_records(found: Iterable[Holdings]) -> list[dict[str, Any]]:
    """For programs, exact numbers as text: an entry for each position, then one with the account's `balances` or its `error`."""
    return [record for each in found for record in (*_records(each), *_balances(each), *_errors(each))]


def balances_record(worth: Balances) -> dict[str, str | None]:
    """What an account is worth, for programs; null for what its venue does not tell."""
    return {name: number(value) if isinstance(value, Decimal) else value for name, value in asdict(worth).items()}


def trouble_text(account: Account, error: BrokerError) -> str:
    """What is wrong, and what to do where only a person can."""
    if isinstance(error, NeedsReauth):
        return f"needs sign-in: ./fillpath account sign-in {account.typed}"
    return told(error, account)


def holdings_view(found: Iterable[Holdings]) -> RenderableType:
    """Positions of all accounts, then each account's worth, then what could not be read, and why."""
    every = list(found)
    return Group(_positions(every), _worth(every), *(_trouble(each) for each in every if each.trouble))


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


def _records(found: Holdings) -> list[dict[str, Any]]:
    return [
        {
            "account_id": found.account.account_id,
            "symbol": position.contract,
            "quantity": number(position.quantity),
            "average_price": None if position.average_price is None else number(position.average_price),
        }
        for position in found.positions or ()
    ]


def _balances(found: Holdings) -> list[dict[str, Any]]:
    worth = found.balances
    return [] if worth is None else [{"account_id": found.account.account_id, "balances": balances_record(worth)}]


def _errors(found: Holdings) -> list[dict[str, Any]]:
    return [{"account_id": found.account.account_id, "error": found.trouble}] if found.trouble else []


def _positions(every: list[Holdings]) -> RenderableType:
    table = listing("Account", "Symbol", numbers=("Position", "Average price"))
    for each in every:
        label = escape(each.account.label)
        if each.positions is None:
            table.add_row(label, "", _UNKNOWN)
        for position in each.positions or ():
            price = None if position.average_price is None else number(position.average_price)
            shown = in_ticks(price, position.contract)
            table.add_row(label, position.contract, _signed(position.quantity), shown)
    return table if table.row_count else "\nNothing is held."


def _worth(every: list[Holdings]) -> Listing:
    """Empty where the venue does not tell."""
    table = listing("Account", numbers=("Equity", "Cash", "Open P&L", "Closed P&L", "Commission"))
    for each in every:
        worth, label = each.balances, escape(each.account.label)
        if worth is None:
            table.add_row(label, _UNKNOWN)
            continue
        table.add_row(
            label,
            f"{worth.equity:,.2f} {worth.currency}",
            f"{worth.cash:,.2f}",
            _result(worth.unrealised_pnl),
            _result(worth.realised_pnl),
            "" if worth.commission is None else f"{worth.commission:,.2f}",
        )
    return table


def _trouble(found: Holdings) -> Text:
    what = "What it is worth" if found.positions is not None else "What it holds"
    line = Text.assemble((found.account.label, "bold"), (f": {what} cannot be read: {pasteable(found.trouble)}", "yellow"))
    line.no_wrap, line.overflow = True, "ignore"
    return line


def _signed(quantity: Decimal) -> str:
    return f"[green]+{number(quantity)}[/]" if quantity > 0 else f"[red]{number(quantity)}[/]"


def _result(amount: Decimal | None) -> str:
    if amount is None:
        return ""
    colour = "green" if amount > 0 else "red" if amount < 0 else "dim"
    return f"[{colour}]{amount:+,.2f}[/]"
