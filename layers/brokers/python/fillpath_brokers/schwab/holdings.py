"""What a Schwab account holds: its document comes in, positions and balances go out."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from fillpath.errors import BrokerUnavailable, Unsupported
from fillpath.orders.outcomes import Position
from fillpath_brokers.canonical import root_of
from fillpath_brokers.facade import Balances
from fillpath_brokers.schwab.wire import Document, number

ZERO = Decimal(0)
_SHARES = {"EQUITY", "COLLECTIVE_INVESTMENT"}


def positions(account: Document, ours: Callable[[str], str]) -> tuple[Position, ...]:
    """Every held instrument, without flat ones; BrokerUnavailable if it cannot be read."""
    try:
        return tuple(each for row in account.get("positions") or () if (each := _position(row, ours)).quantity)
    except (KeyError, TypeError, ArithmeticError) as exc:
        raise BrokerUnavailable(f"Schwab's positions cannot be read: {exc!r}") from exc


def held(account: Document, contract: str, ours: Callable[[str], str]) -> tuple[str, Decimal] | None:
    """Schwab's symbol of a share that is held under our name, and how much (signed); Unsupported for what is no share."""
    for row in account.get("positions") or ():
        symbol, kind = row["instrument"]["symbol"], row["instrument"].get("assetType")
        quantity = _position(row, ours).quantity
        if ours(symbol) == contract and quantity:
            if kind not in _SHARES:
                raise Unsupported(f"{contract} is {kind} at Schwab, which cannot be closed from here")
            return symbol, quantity
    return None


def balances(account: Document) -> Balances:
    """In USD. A margin account tells its equity; a cash account has its cash and what is held."""
    told: Mapping[str, Any] = account.get("currentBalances") or {}
    rows = account.get("positions") or ()
    market_value = _total(rows, "marketValue")
    cash = number(told.get("cashBalance", told.get("totalCash")))
    equity = number(told.get("equity", told.get("liquidationValue")))
    if cash is None and equity is None:
        raise BrokerUnavailable("Schwab tells neither the account's cash nor its equity")
    return Balances(
        currency="USD",
        cash=(equity or ZERO) - market_value if cash is None else cash,
        equity=(cash or ZERO) + market_value if equity is None else equity,
        margin_used=number(told.get("maintenanceRequirement")) or ZERO,
        realised_pnl=ZERO,
        unrealised_pnl=_total(rows, "longOpenProfitLoss") + _total(rows, "shortOpenProfitLoss"),
        commission=ZERO,
    )


def _position(row: Document, ours: Callable[[str], str]) -> Position:
    contract = ours(row["instrument"]["symbol"])
    quantity = (number(row.get("longQuantity")) or ZERO) - (number(row.get("shortQuantity")) or ZERO)
    return Position(contract, root_of(contract), quantity, number(row.get("averagePrice")))


def _total(rows: Any, name: str) -> Decimal:
    return sum((number(row.get(name)) or ZERO for row in rows), ZERO)
