"""Services: what the venues may use of the outside. Wiring fills it; every venue is opened with it and takes what it needs."""

from dataclasses import dataclass

from fillpath.accounts.ports.account_store import AccountStore
from fillpath.clock import Clock
from fillpath.market.ports.last_prices import LastPrices
from fillpath.market.ports.trading_hours import TradingHours
from fillpath_brokers.paper.book_store import PaperBookStore
from fillpath_brokers.token_store import TokenStore
from fillpath_brokers.web import Web


@dataclass(frozen=True, slots=True)
class Services:
    """The clock, the last trades that are known, where the simulated exchange keeps its books, and what real venues need:

    the accounts with their connection, their tokens, the pool of HTTP connections, and when exchanges trade.
    """

    clock: Clock
    last_prices: LastPrices
    paper_books: PaperBookStore
    accounts: AccountStore
    tokens: TokenStore
    web: Web
    hours: TradingHours
