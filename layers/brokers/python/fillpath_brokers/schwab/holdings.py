"""What a Schwab account holds: its document comes in, positions and balances go out."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from fillpath.errors import BrokerUnavailable, Unsupported
from fillpath.orders.outcomes import Position
from fillpath_brokers.canonical import root_of
from fillpath_brokers.documents import amount, number_or_none, readable
from fillpath_brokers.facade import Balances, VenueAccount
from fillpath_brokers.schwab.capabilities import CAPABILITIES, NAME
from fillpath_brokers.schwab.symbols import shown
from fillpath_brokers.schwab.trader import Trader
from fillpath_brokers.schwab.wire import Document

_ZERO = Decimal(0)
_SHARES = {"EQUITY", "COLLECTIVE_INVESTMENT"}


class Holdings:
    """Of one account. Raises BrokerUnavailable."""

    def __init__(self, trader: Trader) -> None:
        self._trader = trader

    def accounts(self) -> tuple[VenueAccount, ...]:
        """The accounts that the person let the app see."""
        numbers = [str(each.get("accountNumber")) for each in self._trader.account_numbers()]
        return tuple(VenueAccount(each, f"{NAME} ...{each[-3:]}", "USD", CAPABILITIES.asset_classes) for each in numbers)

    def positions(self) -> tuple[Position, ...]:
        """Every held instrument, without flat ones."""
        return positions(self._trader.account())

    def balances(self) -> Balances:
        """Cash and equity; Schwab tells neither a realised result nor commissions here."""
        return balances(self._trader.account())

    def held(self, contract: str) -> tuple[str, Decimal] | None:
        """Schwab's symbol of a share that is held under our name, and how much (signed); Unsupported for what is no share."""
        return held(self._trader.account(), contract)


def positions(account: Document) -> tuple[Position, ...]:
    """Every held instrument of an account's document, without flat ones."""
    with readable("Schwab's positions"):
        return tuple(each for row in account.get("positions") or () if (each := _position(row)).quantity)


def held(account: Document, contract: str) -> tuple[str, Decimal] | None:
    """See `Holdings.held`."""
    with readable("Schwab's positions"):
        for row in account.get("positions") or ():
            symbol, kind = row["instrument"]["symbol"], row["instrument"].get("assetType")
            quantity = _position(row).quantity
            if shown(symbol) == contract and quantity:
                if kind not in _SHARES:
                    raise Unsupported(f"{contract} is {kind} at Schwab, which cannot be closed from here")
                return symbol, quantity
    return None


def balances(account: Document) -> Balances:
    """In USD, without results of the past. A margin account tells its equity; a cash account has its cash and what is held."""
    with readable("Schwab's balances"):
        told: Mapping[str, Any] = account.get("currentBalances") or {}
        rows = account.get("positions") or ()
        market_value = _total(rows, "marketValue")
        cash = number_or_none(told.get("cashBalance", told.get("totalCash")))
        equity = number_or_none(told.get("equity", told.get("liquidationValue")))
        if cash is None and equity is None:
            raise BrokerUnavailable("Schwab tells neither the account's cash nor its equity")
        return Balances(
            currency="USD",
            cash=(equity or _ZERO) - market_value if cash is None else cash,
            equity=(cash or _ZERO) + market_value if equity is None else equity,
            margin_used=number_or_none(told.get("maintenanceRequirement")) or _ZERO,
            realised_pnl=None,
            unrealised_pnl=_open_result(rows),
            commission=None,
        )


def _position(row: Document) -> Position:
    contract = shown(row["instrument"]["symbol"])
    quantity = amount(row["longQuantity"]) - amount(row["shortQuantity"])
    return Position(contract, root_of(contract), quantity, number_or_none(row.get("averagePrice")))


def _open_result(rows: Any) -> Decimal | None:
    """None where it is not told of everything that is held."""
    told = [[number_or_none(row.get(name)) for name in ("longOpenProfitLoss", "shortOpenProfitLoss")] for row in rows]
    if any(both == [None, None] for both in told):
        return None
    return sum((each or _ZERO for both in told for each in both), _ZERO)


def _total(rows: Any, name: str) -> Decimal:
    return sum((number_or_none(row.get(name)) or _ZERO for row in rows), _ZERO)
