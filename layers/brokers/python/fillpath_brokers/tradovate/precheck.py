"""Whether Tradovate would refuse an order: what is wrong with a leg itself, and what its account and contract say just now.

Margin is reckoned only where the account's settings say which share of the exchange's margin Tradovate wants: it lends day
margins that it tells nobody. Without that, an account that is worth nothing is refused and no other.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from fillpath.errors import BrokerUnavailable
from fillpath.orders.model import Leg, OrderType
from fillpath.orders.outcomes import Rejected
from fillpath_brokers.canonical import instrument_behind
from fillpath_brokers.documents import number, readable
from fillpath_brokers.market_hours import MarketHours
from fillpath_brokers.prechecks import insufficient, not_whole
from fillpath_brokers.tradovate.calls import Calls
from fillpath_brokers.tradovate.capabilities import CAPABILITIES, NAME
from fillpath_brokers.tradovate.holdings import Holdings, amount
from fillpath_brokers.tradovate.reading import Reading
from fillpath_brokers.tradovate.settings import Settings

_NEEDED = {
    OrderType.LIMIT: ("limit_price",),
    OrderType.STOP: ("stop_price",),
    OrderType.STOP_LIMIT: ("limit_price", "stop_price"),
    OrderType.OCO: ("limit_price", "stop_price"),
}


def malformed(leg: Leg) -> Rejected | None:
    """What is wrong with the leg itself."""
    if refused := not_whole(leg, NAME):
        return refused
    if leg.time_in_force not in CAPABILITIES.time_in_force:
        return Rejected("unsupported", f"{NAME} has no time in force {leg.time_in_force}")
    for name in _NEEDED.get(leg.type, ()):
        if getattr(leg, name) is None:
            return Rejected("invalid_price", f"a {leg.type} order needs a {name.replace('_', ' ')}")
    if leg.type is OrderType.TRAILING_STOP and leg.trail_amount is None and leg.trail_percent is None:
        return Rejected("invalid_price", "a trailing stop needs a distance")
    return None


class Precheck:
    """Asks about one account."""

    def __init__(self, calls: Calls, reading: Reading, holdings: Holdings, settings: Settings, hours: MarketHours) -> None:
        self._calls = calls
        self._reading = reading
        self._holdings = holdings
        self._settings = settings
        self._hours = hours

    def would_refuse(self, leg: Leg, symbol: str, after_closing: Decimal) -> Rejected | None:
        """The first reason against the leg, once `after_closing` (signed) of its root is closed; BrokerUnavailable."""
        return malformed(leg) or self._closed(leg) or self._account() or self._contract(leg, symbol, after_closing)

    def _closed(self, leg: Leg) -> Rejected | None:
        text = None if leg.resting else self._hours.closed_text(instrument_behind(leg.contract), leg.contract)
        return Rejected("market_closed", text) if text else None

    def _account(self) -> Rejected | None:
        account = self._calls.get("account/item", id=self._reading.account().number)
        if not isinstance(account, Mapping):
            raise BrokerUnavailable("Tradovate does not show the account")
        if not account.get("active", True) or account.get("readonly"):
            return Rejected("account_blocked", f"account {account['name']} is closed, or may only be looked at")
        return None

    def _contract(self, leg: Leg, symbol: str, after_closing: Decimal) -> Rejected | None:
        contract = self._reading.contract(symbol)
        if contract is None:
            return Rejected("invalid_symbol", f"{NAME} has no contract {symbol}")
        if leg.reduce_only:
            return None
        return self._margin(leg, int(contract["id"]), after_closing)

    def _margin(self, leg: Leg, contract_id: int, after_closing: Decimal) -> Rejected | None:
        cash = self._holdings.snapshot()
        each = self._each(contract_id)
        with readable("Tradovate's balance"):
            available = amount(cash, "netLiq", "totalCashValue") - amount(cash, "initialMargin") + abs(after_closing) * each
        required = leg.quantity * each
        if required <= available and available > 0:
            return None
        return insufficient(required, available, "margin", self._settings.currency)

    def _each(self, contract_id: int) -> Decimal:
        """What one contract ties up, as far as it is reckoned."""
        if not self._settings.margin_share:
            return Decimal(0)
        margins = self._calls.listed("contractMargin/deps", masterid=contract_id)
        newest: dict[str, Any] = max(margins, key=lambda each: str(each.get("timestamp")), default={})
        with readable("Tradovate's margins"):
            return number(newest.get("initialMargin") or 0) * self._settings.margin_share
