"""TradeStation behind the broker facade. In: legs, references and questions; out: outcomes, views and holdings.

TradeStation keeps no client order ids: an order whose answer was lost is found again by what was sent, and when. A 200 may be a
refusal. It knows no reduce-only orders, wants to be told which sale of shares opens a short, and keeps a market order that comes
while the market is closed.

Inferred, hence settings (`tradestation.settings`): for how long after a lost answer an order may still appear, whether and for
how long a confirmation id of ours guards against a second order, how far apart the clocks are, the silence after a 429, the quota
of placing and changing, the end of a login with rotating tokens.

Inferred without a setting: the texts of refusals (matched loosely, in `refusals`); that an order has ended only with a closing
time or nothing remaining; that a stream outlives its token, and is dead after 15 s of silence; that the exits of an entry are
linked with it as OSO and are cancelled with it; that the `quantity` of a change is the whole.
"""

from datetime import datetime
from decimal import Decimal

from fillpath.errors import Unsupported
from fillpath.market.bars import History, Interval
from fillpath.orders.model import Leg
from fillpath.orders.outcomes import Rejected
from fillpath_brokers.canonical import instrument_behind
from fillpath_brokers.composed import ComposedBroker, Parts
from fillpath_brokers.market_hours import MarketHours
from fillpath_brokers.services import Services
from fillpath_brokers.streaming.driver import Means
from fillpath_brokers.tradestation import symbols
from fillpath_brokers.tradestation.book import OrderBook
from fillpath_brokers.tradestation.capabilities import KEY, NAME
from fillpath_brokers.tradestation.details import Details
from fillpath_brokers.tradestation.history import BarSource, read_bars
from fillpath_brokers.tradestation.holdings import Holdings
from fillpath_brokers.tradestation.listing import Listing
from fillpath_brokers.tradestation.placing import Placing, Tools
from fillpath_brokers.tradestation.precheck import Precheck
from fillpath_brokers.tradestation.sessions import Sessions
from fillpath_brokers.tradestation.settings import Settings
from fillpath_brokers.tradestation.streams import TradeStationStreams
from fillpath_brokers.tradestation.terms import TermsOf


class TradeStationBroker(ComposedBroker):
    """One account at TradeStation. `means`: what its streams work with, where it is not the network."""

    key = KEY
    name = NAME

    def __init__(self, account_id: str, services: Services, means: Means | None = None) -> None:
        account, clock = services.accounts.account(account_id), services.clock
        settings = Settings.of(account.connection)
        sessions = Sessions.of(account, services.tokens, services.web, settings)
        holdings = Holdings(sessions, settings)
        terms = TermsOf(holdings, settings, clock)
        listing = Listing(sessions.orders, holdings.base, clock)
        book = OrderBook(listing, settings, clock)
        hours = MarketHours(services.hours, clock)
        self._details = details = Details(sessions.symbols, settings.api_url)
        self._precheck = Precheck(sessions, settings.api_url, holdings, details, terms)
        self._bars = BarSource(sessions.bars, settings, services.hours)
        parts = Parts(
            placing=Placing(Tools(sessions.execution, terms, listing, book, details, holdings, hours, settings, clock)),
            book=book,
            holdings=holdings,
            streams=TradeStationStreams(sessions.execution, settings, holdings.own_id, means),
        )
        super().__init__(parts, settings.capabilities, clock, account.roll_days)

    def to_venue(self, symbol: str) -> str:
        """`@ES` for a root, `ESZ26` for a contract; shares are spelled alike."""
        return symbols.to_venue(symbol, self._clock.now().date())

    def to_canonical(self, symbol: str) -> str:
        """Our spelling of TradeStation's symbol, in upper or lower case."""
        return symbols.to_canonical(symbol)

    def front_month(self, root: str) -> str:
        """The contract behind the continuous symbol."""
        instrument = instrument_behind(root)
        if not instrument.months:
            raise Unsupported(f"{root} has no months")
        return symbols.to_canonical(self._details.front_month(self.to_venue(instrument.root)))

    def precheck(self, leg: Leg, after_closing: Decimal) -> Rejected | None:
        """Whether TradeStation would refuse the leg now: account, symbol, buying power."""
        return self._precheck.would_refuse(leg, instrument_behind(leg.contract), after_closing)

    def history(self, symbol: str, start: datetime, end: datetime, interval: Interval) -> History:
        """Bars until now at the latest; of a root those of its continuous contract."""
        until = min(end, self._clock.now())
        return read_bars(self.to_venue(symbol), symbol, instrument_behind(symbol), (start, until), interval, self._bars)


def open_account(account_id: str, services: Services) -> TradeStationBroker:
    """The account at TradeStation."""
    return TradeStationBroker(account_id, services)
