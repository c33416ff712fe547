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

from collections.abc import AsyncIterator, Collection, Iterable
from datetime import datetime
from decimal import Decimal

from fillpath.errors import BrokerUnavailable
from fillpath.market.bars import Gap, History, Interval
from fillpath.market.instruments import instrument_of
from fillpath.orders.model import Leg
from fillpath.orders.outcomes import LegView, Outcome, Position, Rejected
from fillpath_brokers.canonical import Understanding, instrument_behind, root_of
from fillpath_brokers.documents import readable
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


class TradovateBroker(Understanding):
    """One account at Tradovate. `market` asks for bars and prices, `means` are of its streams, where not over the network."""

    key = KEY
    name = NAME

    def __init__(
        self, account_id: str, services: Services, market: MarketReader | None = None, means: Means | None = None
    ) -> None:
        account, clock = services.accounts.account(account_id), services.clock
        settings = Settings.of(account.connection)
        super().__init__(settings.capabilities, clock, account.roll_days)
        self._hours = services.hours
        self._calls = Calls(account, services.tokens, services.web, clock, settings)
        self._market = market or MarketReader(settings, clock)
        reading = Reading(self._calls, settings.account)
        look_up = LookUp(reading, settings.look_up_skew_s, settings.quarantine_s)
        hours = MarketHours(services.hours, clock)
        self._holdings = Holdings(self._calls, reading, settings)
        self._book = OrderBook(self._calls, reading, look_up)
        self._placing = Placing(Tools(self._calls, reading, look_up, self._holdings, self._market, hours, settings, clock))
        self._precheck = Precheck(self._calls, reading, self._holdings, settings, hours)
        self._streams = TradovateStreams(self._calls, reading, settings, means)

    # --- symbols ----------------------------------------------------------------------------------------------------------------

    def to_venue(self, symbol: str) -> str:
        """Contracts as we spell them, a root as its continuous symbol."""
        return to_venue(symbol)

    def to_canonical(self, symbol: str) -> str:
        """Our spelling."""
        return to_canonical(symbol)

    def front_month(self, root: str) -> str:
        """The contract whose maturity Tradovate marks as the front."""
        to_venue(root)
        suggested = self._calls.listed("contract/suggest", t=root, l=20)
        with readable("Tradovate's contracts"):
            contracts = {
                int(each["contractMaturityId"]): str(each["name"]) for each in suggested if root_of(each["name"]) == root
            }
            maturities = self._calls.of_many("contractMaturity/items", "ids", sorted(contracts))
            fronts = [contracts[int(each["id"])] for each in maturities if each.get("isFront")]
        if len(fronts) != 1:
            raise BrokerUnavailable(f"{NAME} names {len(fronts)} contracts of {root} as the front month")
        return to_canonical(fronts[0])

    # --- orders -----------------------------------------------------------------------------------------------------------------

    def precheck(self, leg: Leg, after_closing: Decimal) -> Rejected | None:
        """Whether Tradovate would refuse the leg now: its form, the session, the account, the contract, margin if it is known."""
        return self._precheck.would_refuse(leg, to_venue(leg.contract), after_closing)

    def submit(self, leg: Leg) -> Outcome:
        """Place the leg, once."""
        return self._placing.submit(leg, to_venue(leg.contract))

    def replace(self, ref: OrderRef, change: Change) -> Outcome:
        """Change a working order; it keeps its id."""
        return self._placing.replace(ref, change)

    def cancel(self, ref: OrderRef) -> None:
        """Ask for the cancellation, of a pair for that of both."""
        self._placing.cancel(ref)

    def order(self, ref: OrderRef) -> LegView | None:
        """The order, the pair, or the entry with its exits, as Tradovate shows them now."""
        return self._book.order(ref)

    def orders(self) -> tuple[BrokerOrder, ...]:
        """Every working order, exits that wait for their entry included."""
        return self._book.orders()

    def fills(self, since: datetime) -> tuple[Execution, ...]:
        """What was filled since then, as far back as Tradovate lists fills."""
        return self._book.fills(since)

    # --- the account ------------------------------------------------------------------------------------------------------------

    def accounts(self) -> tuple[VenueAccount, ...]:
        """Every account of the login."""
        return self._holdings.accounts()

    def positions(self) -> tuple[Position, ...]:
        """Every held contract; one outside the catalogue is shown as Tradovate spells it."""
        return self._holdings.positions()

    def balances(self) -> Balances:
        """Cash, equity and results."""
        return self._holdings.balances()

    def cancel_all(self) -> None:
        """Ask for the cancellation of every working order, one by one."""
        self._placing.cancel_all()

    def liquidate(self, contract: str) -> None:
        """Ask Tradovate to close the position at the market; nothing happens where nothing is held."""
        self._placing.liquidate(to_venue(contract))

    # --- data -------------------------------------------------------------------------------------------------------------------

    def history(self, symbol: str, start: datetime, end: datetime, interval: Interval) -> History:
        """Bars of a contract, or of a root's continuous symbol, over a connection of its own; Unsupported without a licence."""
        bars = self._market.bars(to_venue(symbol), symbol, (start, end), interval, self._calls.access())
        return with_gaps(bars, instrument_behind(symbol), start, end, interval, self._hours)

    def stream(self, symbols: Collection[str], feed: Feed) -> AsyncIterator[MarketEvent]:
        """Trades, quotes or minute bars; a root is heard as the contract that it means today."""
        return self._streams.market([self._named(symbol) for symbol in symbols], feed)

    def update_subscription(self, feed: Feed, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        """Change what the running streams of this feed carry."""
        self._streams.update(feed, [self._named(each) for each in add], [self._named(each) for each in remove])

    def order_updates(self) -> AsyncIterator[OrderUpdate | Gap]:
        """Every change of an order from now on."""
        return self._streams.orders()

    def close(self) -> None:
        """End the account's streams."""
        self._streams.close()

    def _named(self, symbol: str) -> str:
        instrument = instrument_of(symbol)
        return to_venue(self.contract(symbol).contract if instrument is None or instrument.root == symbol else symbol)


def open_account(account_id: str, services: Services) -> TradovateBroker:
    """The account at Tradovate."""
    return TradovateBroker(account_id, services)
