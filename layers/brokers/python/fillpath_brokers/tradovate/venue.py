"""Tradovate behind the broker facade. In: legs, references and questions; out: outcomes, views and holdings.

Every order is marked as automated, as the exchanges want it. Client order ids are sent and looked up; that a second order under
one would be refused is said nowhere, so nothing relies on it. There are no reduce-only orders; one order may go through zero.
Outside a contract's session an order is refused.

The front month is the contract of the root whose maturity Tradovate marks as front (`isFront`), among those it suggests for the
root: that the first suggestion is the front is hearsay, and rolling a contract forward needs one to begin with.

Inferred, hence settings (`tradovate.settings`): how long after a lost answer an order may still appear, the silences after 423
and 429, the texts by which a device that waits for approval and missing market data are recognised, how trailing stops are sent,
day margins, the label of bars. Inferred without a setting:

- an order's quantity counts what is filled, in a change too;
- children of an entry name it by `parentId`, orders of a pair each other by `ocoId` or `linkedId` (used only where their own
  client order ids are missing);
- cancelling one order of a pair, or an entry whose exits wait, ends the others;
- fees are listed by fill; what is listed of orders, commands and fills reaches back to the start of the session at least;
- the texts of refusals for want of margin (`tradovate.refusals`).
"""

from datetime import datetime
from decimal import Decimal

from fillpath.market.bars import History, Interval
from fillpath.market.instruments import instrument_of
from fillpath.orders.model import Leg
from fillpath.orders.outcomes import Rejected
from fillpath_brokers.canonical import instrument_behind
from fillpath_brokers.composed import ComposedBroker, Parts
from fillpath_brokers.gaps import with_gaps
from fillpath_brokers.market_hours import MarketHours
from fillpath_brokers.services import Services
from fillpath_brokers.streaming.driver import Means
from fillpath_brokers.tradovate.book import OrderBook
from fillpath_brokers.tradovate.calls import Calls
from fillpath_brokers.tradovate.capabilities import KEY, NAME
from fillpath_brokers.tradovate.history import MarketReader
from fillpath_brokers.tradovate.holdings import Holdings
from fillpath_brokers.tradovate.look_up import LookUp
from fillpath_brokers.tradovate.placing import Placing, Tools
from fillpath_brokers.tradovate.precheck import Precheck
from fillpath_brokers.tradovate.reading import Reading
from fillpath_brokers.tradovate.settings import Settings
from fillpath_brokers.tradovate.streams import TradovateStreams
from fillpath_brokers.tradovate.symbols import to_canonical, to_venue


class TradovateBroker(ComposedBroker):
    """One account at Tradovate. `market` asks for bars and prices, `means` are of its streams, where not over the network."""

    key = KEY
    name = NAME

    def __init__(
        self, account_id: str, services: Services, market: MarketReader | None = None, means: Means | None = None
    ) -> None:
        account, clock = services.accounts.account(account_id), services.clock
        settings = Settings.of(account.connection)
        self._hours = services.hours
        self._calls = calls = Calls(account, services.tokens, services.web, clock, settings)
        self._reading = reading = Reading(calls, settings.account)
        self._market = market = market or MarketReader(settings, clock)
        look_up = LookUp(reading, settings.look_up_skew_s, settings.quarantine_s)
        holdings = Holdings(calls, reading, settings)
        hours = MarketHours(services.hours, clock)
        self._precheck = Precheck(calls, reading, holdings, settings, hours)
        parts = Parts(
            placing=Placing(Tools(calls, reading, look_up, holdings, market, hours, settings, clock)),
            book=OrderBook(calls, reading, look_up),
            holdings=holdings,
            streams=TradovateStreams(calls, reading, settings, means),
        )
        super().__init__(parts, settings.capabilities, clock, account.roll_days)

    def to_venue(self, symbol: str) -> str:
        """Contracts as we spell them, a root as its continuous symbol."""
        return to_venue(symbol)

    def to_canonical(self, symbol: str) -> str:
        """Our spelling."""
        return to_canonical(symbol)

    def front_month(self, root: str) -> str:
        """The contract whose maturity Tradovate marks as the front."""
        to_venue(root)
        return to_canonical(self._reading.front(root))

    def precheck(self, leg: Leg, after_closing: Decimal) -> Rejected | None:
        """Whether Tradovate would refuse the leg now: its form, the session, the account, the contract, margin if it is known."""
        return self._precheck.would_refuse(leg, to_venue(leg.contract), after_closing)

    def history(self, symbol: str, start: datetime, end: datetime, interval: Interval) -> History:
        """Bars of a contract, or of a root's continuous symbol, over a connection of its own; Unsupported without a licence."""
        bars = self._market.bars(to_venue(symbol), symbol, (start, end), interval, self._calls.access())
        return with_gaps(bars, instrument_behind(symbol), start, end, interval, self._hours)

    def heard_as(self, symbol: str) -> str:
        """A root is heard as the contract that it means today: continuous symbols have no live data."""
        instrument = instrument_of(symbol)
        return to_venue(self.contract(symbol).contract if instrument is None or instrument.root == symbol else symbol)


def open_account(account_id: str, services: Services) -> TradovateBroker:
    """The account at Tradovate."""
    return TradovateBroker(account_id, services)
