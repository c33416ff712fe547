"""Alpaca behind the broker facade. In: legs, references and questions; out: outcomes, views and holdings.

Alpaca knows orders by our client order id, refuses a second one under it even after the first has ended, and shows the first
then. It has no reduce-only orders, no order through zero, and keeps a market order that comes while the market is closed.

Inferred, hence settings (`alpaca.settings`): how long after a lost answer an order may still appear, how long to be silent after
a 429 without its reset time. Inferred without a setting: the fills of a replaced order count on in its successor.
"""

from datetime import datetime
from decimal import Decimal

from fillpath.errors import Unsupported
from fillpath.market.bars import History, Interval
from fillpath.orders.model import Leg
from fillpath.orders.outcomes import Rejected
from fillpath_brokers.alpaca.book import OrderBook
from fillpath_brokers.alpaca.calls import Calls
from fillpath_brokers.alpaca.capabilities import KEY, NAME
from fillpath_brokers.alpaca.history import read_bars
from fillpath_brokers.alpaca.holdings import Holdings
from fillpath_brokers.alpaca.look_up import LookUp
from fillpath_brokers.alpaca.placing import Placing
from fillpath_brokers.alpaca.precheck import would_refuse
from fillpath_brokers.alpaca.settings import Settings
from fillpath_brokers.alpaca.streams import AlpacaStreams
from fillpath_brokers.alpaca.symbols import to_canonical, to_venue
from fillpath_brokers.composed import ComposedBroker, Parts
from fillpath_brokers.market_hours import MarketHours
from fillpath_brokers.services import Services
from fillpath_brokers.streaming.driver import Means


class AlpacaBroker(ComposedBroker):
    """One account at Alpaca. `means`: what its streams work with, where it is not the network."""

    key = KEY
    name = NAME

    def __init__(self, account_id: str, services: Services, means: Means | None = None) -> None:
        account, clock = services.accounts.account(account_id), services.clock
        self._settings = settings = Settings.of(account.connection)
        self._hours = services.hours
        self._calls = calls = Calls(account, services.tokens, services.web, clock, settings)
        look_up = LookUp(calls)
        book = OrderBook(calls, look_up)
        parts = Parts(
            placing=Placing(calls, look_up, book, MarketHours(services.hours, clock), settings),
            book=book,
            holdings=Holdings(calls),
            streams=AlpacaStreams(calls, settings, means),
        )
        super().__init__(parts, settings.capabilities, clock, account.roll_days)

    def to_venue(self, symbol: str) -> str:
        """Alpaca spells shares as we do."""
        return to_venue(symbol)

    def to_canonical(self, symbol: str) -> str:
        """Alpaca spells shares as we do."""
        return to_canonical(symbol)

    def front_month(self, root: str) -> str:
        """Shares have no months."""
        raise Unsupported(f"{NAME} has no futures, so {root} has no front month there")

    def precheck(self, leg: Leg, after_closing: Decimal) -> Rejected | None:
        """Whether Alpaca would refuse the leg now: symbol, shorting, fractions, buying power."""
        return would_refuse(leg, to_venue(leg.contract), after_closing, self._calls, self._settings)

    def history(self, symbol: str, start: datetime, end: datetime, interval: Interval) -> History:
        """Bars of the account's feed, unadjusted."""
        return read_bars(to_venue(symbol), start, end, interval, self._calls, self._settings, self._hours)


def open_account(account_id: str, services: Services) -> AlpacaBroker:
    """The account at Alpaca."""
    return AlpacaBroker(account_id, services)
