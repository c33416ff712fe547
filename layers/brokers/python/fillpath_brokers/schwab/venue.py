"""Charles Schwab behind the broker facade. In: legs, references and questions; out: outcomes, views and holdings.

Schwab keeps no client order ids and takes the same order twice, so an order without an answer is looked for by what was sent
(`schwab.look_up`). It has no reduce-only orders and no order through zero, and keeps a market order that comes while the market
is closed. Its API trades shares; of futures it has market data. There are no paper accounts: without an endpoint of one's own,
orders are real.

Inferred, hence settings (`schwab.settings`): how long after a lost answer an order may still appear, how far the clocks differ;
the silence after a 429; that the quantity of a replacement is that of a new order, and does not count what the replaced one has
filled; the price that a trailing stop follows; how long an order may work; that a renewed token leaves a running stream
alone, that one which ends early is fought over by somebody else, and how late its own orders show what it has streamed.
Inferred without a setting: an order placed as one of a group can be read and cancelled under its own id; cancelling an entry
cancels the exits that wait for it; a replaced order names its successor in `replacingOrderCollection`, or is followed by one like
it; what Schwab says about buying power and shorting (`schwab.refusals`); commissions are zero, for orders do not tell them.
"""

from datetime import datetime
from decimal import Decimal

from fillpath.accounts.ports.rate_limits import Quota
from fillpath.errors import Unsupported
from fillpath.market.bars import History, Interval
from fillpath.market.instruments import Resolved
from fillpath.orders.model import Leg
from fillpath.orders.outcomes import Rejected
from fillpath_brokers.composed import ComposedBroker, Parts
from fillpath_brokers.market_hours import MarketHours
from fillpath_brokers.schwab import symbols
from fillpath_brokers.schwab.book import OrderBook
from fillpath_brokers.schwab.capabilities import BURST, KEY, NAME, RESERVE
from fillpath_brokers.schwab.history import read_bars
from fillpath_brokers.schwab.holdings import Holdings
from fillpath_brokers.schwab.look_up import LookUp
from fillpath_brokers.schwab.placing import Placing, Tools
from fillpath_brokers.schwab.precheck import would_refuse
from fillpath_brokers.schwab.settings import Settings
from fillpath_brokers.schwab.sign_in import authorization
from fillpath_brokers.schwab.streams import SchwabStreams
from fillpath_brokers.schwab.trader import Trader
from fillpath_brokers.services import Services
from fillpath_brokers.session import Session
from fillpath_brokers.streaming.driver import Means


class SchwabBroker(ComposedBroker):
    """One account at Schwab. `means`: what its streams work with, where it is not the network."""

    key = KEY
    name = NAME

    def __init__(self, account_id: str, services: Services, means: Means | None = None) -> None:
        account, clock = services.accounts.account(account_id), services.clock
        self._settings = settings = Settings.of(account.connection)
        self._hours = services.hours
        quota, wait_s = Quota(settings.requests_per_minute, BURST, RESERVE), settings.rate_limit_wait_s
        self._session = session = Session(account, services.tokens, services.web, authorization, quota, wait_s=wait_s)
        self._trader = trader = Trader(session, settings, clock)
        look_up, holdings = LookUp(trader, settings), Holdings(trader)
        book = OrderBook(trader, look_up, settings)
        hours = MarketHours(services.hours, clock)
        parts = Parts(
            placing=Placing(Tools(session, trader, look_up, book, holdings, hours, settings)),
            book=book,
            holdings=holdings,
            streams=SchwabStreams(session, settings, trader, look_up, means),
        )
        super().__init__(parts, settings.capabilities, clock, account.roll_days)

    def contract(self, symbol: str) -> Resolved:
        """The share that a symbol means; Unsupported for all else. Futures are data only."""
        return symbols.traded(symbol, self._clock.now().date(), self.capabilities, NAME, self._roll_days)

    def to_venue(self, symbol: str) -> str:
        """Schwab's spelling of a share or a future; Unsupported if it has no data of it."""
        return symbols.to_venue(symbol, self._clock.now().date())

    def to_canonical(self, symbol: str) -> str:
        """Our spelling of Schwab's."""
        return symbols.to_canonical(symbol)

    def front_month(self, root: str) -> str:
        """Nothing with months can be traded here."""
        raise Unsupported(f"{root} has no front month at Schwab. {symbols.DATA_ONLY}")

    def precheck(self, leg: Leg, after_closing: Decimal) -> Rejected | None:
        """Whether Schwab would refuse the leg now: symbol, whole shares, restrictions, shorting, buying power."""
        return would_refuse(leg, symbols.share(leg.contract), after_closing, self._session, self._settings, self._trader)

    def history(self, symbol: str, start: datetime, end: datetime, interval: Interval) -> History:
        """Bars of a share, unadjusted; Unsupported for futures."""
        return read_bars(symbol, start, end, interval, self._session, self._settings, self._hours)


def open_account(account_id: str, services: Services) -> SchwabBroker:
    """The account at Schwab."""
    return SchwabBroker(account_id, services)
