"""Whether Schwab would refuse an order now: its account and the quote of the share come in, a refusal or None goes out.

Buying power is reckoned, not asked: Schwab's own preview knows nothing of a position that is to be closed before.
"""

from decimal import Decimal

from fillpath.orders.model import Leg, Side
from fillpath.orders.outcomes import Rejected
from fillpath_brokers.documents import number_or_none, readable
from fillpath_brokers.prechecks import not_whole, too_dear
from fillpath_brokers.schwab.capabilities import NAME
from fillpath_brokers.schwab.quotes import price_of, quotes
from fillpath_brokers.schwab.settings import Settings
from fillpath_brokers.schwab.trader import Trader
from fillpath_brokers.schwab.wire import Document
from fillpath_brokers.session import Session


def would_refuse(
    leg: Leg, symbol: str, after_closing: Decimal, session: Session, settings: Settings, trader: Trader
) -> Rejected | None:
    """The first reason against the leg, once `after_closing` (signed) of its symbol is closed; BrokerUnavailable."""
    if refused := not_whole(leg, NAME):
        return refused
    quote = quotes([symbol], session, settings).get(symbol)
    if quote is None:
        return Rejected("invalid_symbol", f"Schwab does not know {symbol}")
    if leg.reduce_only:
        return None
    account = trader.account()
    if refused := _not_allowed(leg, symbol, account, quote):
        return refused
    price = leg.limit_price or leg.stop_price or price_of(quote)
    available = _buying_power(account) + abs(after_closing) * price
    return too_dear(leg.quantity * price, available, "buying power", "USD")


def _not_allowed(leg: Leg, symbol: str, account: Document, quote: Document) -> Rejected | None:
    if account.get("isClosingOnlyRestricted"):
        return Rejected("account_blocked", "Schwab lets the account close positions only")
    if leg.side is Side.BUY:
        return None
    if account.get("type") == "CASH":
        return Rejected("short_not_allowed", "a cash account cannot sell short")
    if (quote.get("reference") or {}).get("isShortable") is False:
        return Rejected("short_not_allowed", f"Schwab says that {symbol} cannot be sold short")
    return None


def _buying_power(account: Document) -> Decimal:
    balances = account.get("currentBalances") or {}
    with readable("Schwab's balances"):
        return number_or_none(balances.get("buyingPower", balances.get("cashAvailableForTrading"))) or Decimal(0)
