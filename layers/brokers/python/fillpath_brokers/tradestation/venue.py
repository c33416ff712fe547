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

from collections.abc import AsyncIterator, Collection, Iterable
from datetime import datetime
from decimal import Decimal

from fillpath.errors import Unsupported
from fillpath.market.bars import Gap, History, Interval
from fillpath.orders.model import Leg
from fillpath.orders.outcomes import LegView, Outcome, Position, Rejected
from fillpath_brokers.canonical import Understanding, instrument_behind
from fillpath_brokers.facade import (
    Balances,
    BrokerOrder,
    Change,
    Execution,
    Feed,
    MarketEvent,
    OrderRef,
    OrderUpdate,
    VenueAccount,
)
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


class TradeStationBroker(Understanding):
    """One account at TradeStation. `means`: what its streams work with, where it is not the network."""

    key = KEY
    name = NAME

    def __init__(self, account_id: str, services: Services, means: Means | None = None) -> None:
        account, clock = services.accounts.account(account_id), services.clock
        settings = Settings.of(account.connection)
        super().__init__(settings.capabilities, clock, account.roll_days)
        sessions = Sessions.of(account, services.tokens, services.web, settings)
        self._holdings = Holdings(sessions, settings)
        self._details = Details(sessions.symbols, settings.api_url)
        listing = Listing(sessions.orders, self._holdings.base, clock)
        self._book = OrderBook(listing, settings, clock, self.to_venue)
        hours = MarketHours(services.hours, clock)
        tools = Tools(sessions.execution, listing, self._book, self._details, self._holdings, hours, settings, clock)
        self._placing = Placing(tools)
        self._precheck = Precheck(sessions, settings.api_url, self._holdings, self._details)
        self._bars = BarSource(sessions.bars, settings, services.hours)
        self._streams = TradeStationStreams(sessions.execution, settings, means)

    # --- symbols ----------------------------------------------------------------------------------------------------------------

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

    # --- orders -----------------------------------------------------------------------------------------------------------------

    def precheck(self, leg: Leg, after_closing: Decimal) -> Rejected | None:
        """Whether TradeStation would refuse the leg now: account, symbol, buying power."""
        terms = self._placing.terms(leg.contract, self.to_venue(leg.contract))
        return self._precheck.would_refuse(leg, instrument_behind(leg.contract), terms, after_closing)

    def submit(self, leg: Leg) -> Outcome:
        """Place the leg, once."""
        return self._placing.submit(leg, self.to_venue(leg.contract))

    def replace(self, ref: OrderRef, change: Change) -> Outcome:
        """Change a working order; it keeps its id."""
        return self._placing.replace(ref, change)

    def cancel(self, ref: OrderRef) -> None:
        """Ask for the cancellation, of an exit pair for that of both."""
        self._placing.cancel(ref)

    def order(self, ref: OrderRef) -> LegView | None:
        """The order, or the exits that were placed with one, as TradeStation shows them now."""
        return self._book.order(ref)

    def orders(self) -> tuple[BrokerOrder, ...]:
        """Every working order, exits that wait for their entry included."""
        return self._book.orders()

    def fills(self, since: datetime) -> tuple[Execution, ...]:
        """What was filled since then; one order is one fill here."""
        return self._book.fills(since)

    # --- the account ------------------------------------------------------------------------------------------------------------

    def accounts(self) -> tuple[VenueAccount, ...]:
        """The accounts of the login that trade futures or shares."""
        return self._holdings.accounts()

    def positions(self) -> tuple[Position, ...]:
        """Every held contract; a symbol outside the catalogue is shown as TradeStation spells it."""
        return self._holdings.positions()

    def balances(self) -> Balances:
        """Cash, equity and results."""
        return self._holdings.balances()

    def cancel_all(self) -> None:
        """Ask for the cancellation of every working order."""
        self._placing.cancel_all()

    def liquidate(self, contract: str) -> None:
        """Close the position with a market order; nothing happens where nothing is held."""
        self._placing.liquidate(contract, self.to_venue(contract))

    # --- data -------------------------------------------------------------------------------------------------------------------

    def history(self, symbol: str, start: datetime, end: datetime, interval: Interval) -> History:
        """Bars until now at the latest; of a root those of its continuous contract."""
        until = min(end, self._clock.now())
        return read_bars(self.to_venue(symbol), symbol, instrument_behind(symbol), (start, until), interval, self._bars)

    def stream(self, symbols: Collection[str], feed: Feed) -> AsyncIterator[MarketEvent]:
        """Trades (as far as the day's volume shows them), quotes or minute bars."""
        return self._streams.market([self.to_venue(symbol) for symbol in symbols], feed)

    def update_subscription(self, feed: Feed, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        """Change what the streams of this feed carry: they are opened anew."""
        self._streams.update(feed, [self.to_venue(each) for each in add], [self.to_venue(each) for each in remove])

    def order_updates(self) -> AsyncIterator[OrderUpdate | Gap]:
        """Every order as it is now, then every change."""
        return self._streams.orders(self._holdings.own_id)

    def close(self) -> None:
        """End the account's streams."""
        self._streams.close()


def open_account(account_id: str, services: Services) -> TradeStationBroker:
    """The account at TradeStation."""
    return TradeStationBroker(account_id, services)
