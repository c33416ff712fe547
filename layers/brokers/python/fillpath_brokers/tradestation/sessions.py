"""The sessions of an account at TradeStation, one per kind of requests: it counts each kind by itself, in windows of 5 minutes.

A window lets 250 requests through and begins with the first of them. A bucket of 50 at once and 40 a minute never asks for more
than that in any 5 minutes.
"""

from dataclasses import dataclass

from fillpath.accounts.model import Account
from fillpath.accounts.ports.rate_limits import Quota
from fillpath_brokers.session import Session
from fillpath_brokers.token_store import TokenStore
from fillpath_brokers.tradestation.settings import Settings
from fillpath_brokers.tradestation.sign_in import authorization
from fillpath_brokers.web import Web

_READS_AT_ONCE, _KEPT_FOR_EXITS = 50, 20
_ORDERS_AT_ONCE, _KEPT_FOR_EXITS_AND_CANCELS = 30, 10
_BARS = Quota(80, burst=100)
_QUOTES = Quota(20, burst=10)


@dataclass(frozen=True, slots=True)
class Sessions:
    """`execution` places, changes and cancels; the others read."""

    execution: Session
    accounts: Session
    balances: Session
    positions: Session
    orders: Session
    bars: Session
    symbols: Session
    quotes: Session

    @classmethod
    def of(cls, account: Account, tokens: TokenStore, web: Web, settings: Settings) -> "Sessions":
        """The account's own."""
        orders = Quota(settings.orders_per_minute, _ORDERS_AT_ONCE, _KEPT_FOR_EXITS_AND_CANCELS)
        reads = Quota(settings.reads_per_minute, _READS_AT_ONCE, _KEPT_FOR_EXITS)
        execution = Session(account, tokens, web, authorization, orders, wait_s=settings.rate_limit_wait_s)
        return cls(
            execution=execution,
            accounts=execution.counted_as("accounts", reads),
            balances=execution.counted_as("balances", reads),
            positions=execution.counted_as("positions", reads),
            orders=execution.counted_as("orders", reads),
            bars=execution.counted_as("bars", _BARS),
            symbols=execution.counted_as("symbols", reads),
            quotes=execution.counted_as("quotes", _QUOTES),
        )
