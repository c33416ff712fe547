"""Whether Alpaca would refuse an order now: its account and asset records and the last trade come in, a refusal or None goes out.

Buying power is reckoned, not asked: what a position frees when it is closed counts as available.
"""

from decimal import Decimal

from fillpath.errors import BrokerUnavailable
from fillpath.orders.model import Leg, Side
from fillpath.orders.outcomes import Rejected
from fillpath_brokers.alpaca.calls import Calls, Document
from fillpath_brokers.alpaca.refusals import read
from fillpath_brokers.alpaca.settings import Settings
from fillpath_brokers.documents import number, readable
from fillpath_brokers.prechecks import too_dear
from fillpath_brokers.web import part

_BLOCKS = ("account_blocked", "trading_blocked", "trade_suspended_by_user")


def would_refuse(leg: Leg, symbol: str, after_closing: Decimal, calls: Calls, settings: Settings) -> Rejected | None:
    """The first reason against the leg, once `after_closing` (signed) of its symbol is closed; BrokerUnavailable."""
    account = calls.account_record()
    asset = calls.one(f"/v2/assets/{part(symbol)}")
    with readable("Alpaca's account or asset"):
        if refused := _asset(leg, symbol, asset) or _account(leg, account):
            return refused
        if leg.reduce_only:
            return None
        price = leg.limit_price or leg.stop_price or _last_price(symbol, calls, settings)
        available = number(account["buying_power"]) + abs(after_closing) * price
        return too_dear(leg.quantity * price, available, "buying power", str(account["currency"]))


def _asset(leg: Leg, symbol: str, asset: Document | None) -> Rejected | None:
    if asset is None or not asset["tradable"]:
        return Rejected("invalid_symbol", f"{symbol} is not tradable at Alpaca")
    if leg.quantity % 1 and not asset["fractionable"]:
        return Rejected("invalid_quantity", f"{symbol} is not fractionable: {leg.quantity} is not a whole number of shares")
    opens_short = leg.side is Side.SELL and not leg.reduce_only
    if opens_short and leg.quantity % 1:
        return Rejected("invalid_quantity", f"a short of {symbol} must be a whole number of shares")
    return None


def _account(leg: Leg, account: Document) -> Rejected | None:
    blocked = next((name for name in _BLOCKS if account.get(name)), None)
    if blocked is not None:
        return Rejected("account_blocked", f"Alpaca says {blocked.replace('_', ' ')}")
    if leg.side is Side.SELL and not leg.reduce_only and account.get("shorting_enabled") is False:
        return Rejected("short_not_allowed", "the account is not allowed to short")
    return None


def _last_price(symbol: str, calls: Calls, settings: Settings) -> Decimal:
    reply = calls.read(f"{settings.data_url}/v2/stocks/{part(symbol)}/trades/latest", {"feed": settings.feed})
    if not reply.ok:
        raise BrokerUnavailable(f"Alpaca gives no price of {symbol}: {read(reply)[1]}")
    return number(reply.json()["trade"]["p"])
