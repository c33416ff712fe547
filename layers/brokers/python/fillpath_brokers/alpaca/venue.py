"""Alpaca behind the broker facade. In: legs, references and questions; out: outcomes, views and holdings.

Alpaca knows orders by our client order id, refuses a second one under it even after the first has ended, and shows the first
then. It has no reduce-only orders, no order through zero, and keeps a market order that comes while the market is closed.

Inferred, hence settings (`alpaca.settings`): how long after a lost answer an order may still appear, how long to be silent after
a 429 without its reset time. Inferred without a setting: the fills of a replaced order count on in its successor.
"""

from collections.abc import AsyncIterator, Collection, Iterable
from datetime import datetime
from decimal import Decimal

from fillpath.errors import Unsupported
from fillpath.market.bars import Gap, History, Interval
from fillpath.orders.model import Leg
from fillpath.orders.outcomes import LegView, Outcome, Position, Rejected
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
from fillpath_brokers.canonical import Understanding
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


class AlpacaBroker(Understanding):
    """One account at Alpaca. `means`: what its streams work with, where it is not the network."""

    key = KEY
    name = NAME

    def __init__(self, account_id: str, services: Services, means: Means | None = None) -> None:
        account = services.accounts.account(account_id)
        self._settings = Settings.of(account.connection)
        super().__init__(self._settings.capabilities, services.clock, account.roll_days)
        self._hours = services.hours
        self._calls = Calls(account, services.tokens, services.web, services.clock, self._settings)
        look_up = LookUp(self._calls)
        self._book = OrderBook(self._calls, look_up)
        market_hours = MarketHours(services.hours, services.clock)
        self._placing = Placing(self._calls, look_up, self._book, market_hours, self._settings)
        self._holdings = Holdings(self._calls)
        self._streams = AlpacaStreams(self._calls, self._settings, means)

    # --- symbols ----------------------------------------------------------------------------------------------------------------

    def to_venue(self, symbol: str) -> str:
        """Alpaca spells shares as we do."""
        return to_venue(symbol)

    def to_canonical(self, symbol: str) -> str:
        """Alpaca spells shares as we do."""
        return to_canonical(symbol)

    def front_month(self, root: str) -> str:
        """Shares have no months."""
        raise Unsupported(f"{NAME} has no futures, so {root} has no front month there")

    # --- orders -----------------------------------------------------------------------------------------------------------------

    def precheck(self, leg: Leg, after_closing: Decimal) -> Rejected | None:
        """Whether Alpaca would refuse the leg now: symbol, shorting, fractions, buying power."""
        return would_refuse(leg, to_venue(leg.contract), after_closing, self._calls, self._settings)

    def submit(self, leg: Leg) -> Outcome:
        """Place the leg; a duplicate of an id that Alpaca knows answers with the first order."""
        return self._placing.submit(leg, to_venue(leg.contract))

    def replace(self, ref: OrderRef, change: Change) -> Outcome:
        """Change a working order; it goes on under a new id."""
        return self._placing.replace(ref, change)

    def cancel(self, ref: OrderRef) -> None:
        """Ask for the cancellation, of an exit pair for that of both."""
        self._placing.cancel(ref)

    def order(self, ref: OrderRef) -> LegView | None:
        """The order, or the exits that were placed with one, as Alpaca shows them now."""
        return self._book.order(ref)

    def orders(self) -> tuple[BrokerOrder, ...]:
        """Every working order, exits that wait for their entry included."""
        return self._book.orders()

    def fills(self, since: datetime) -> tuple[Execution, ...]:
        """What was filled since then."""
        return self._book.fills(since)

    # --- the account ------------------------------------------------------------------------------------------------------------

    def accounts(self) -> tuple[VenueAccount, ...]:
        """The one account that the keys reach."""
        return self._holdings.accounts()

    def positions(self) -> tuple[Position, ...]:
        """Every held share; a symbol outside the catalogue is shown as Alpaca spells it."""
        return self._holdings.positions()

    def balances(self) -> Balances:
        """Cash and equity."""
        return self._holdings.balances()

    def cancel_all(self) -> None:
        """Ask for the cancellation of every working order."""
        self._placing.cancel_all()

    def liquidate(self, contract: str) -> None:
        """Ask Alpaca to close the position at the market; nothing happens where nothing is held."""
        self._placing.liquidate(to_venue(contract))

    # --- data -------------------------------------------------------------------------------------------------------------------

    def history(self, symbol: str, start: datetime, end: datetime, interval: Interval) -> History:
        """Bars of the account's feed, unadjusted."""
        return read_bars(to_venue(symbol), start, end, interval, self._calls, self._settings, self._hours)

    def stream(self, symbols: Collection[str], feed: Feed) -> AsyncIterator[MarketEvent]:
        """Trades, quotes or minute bars, all over one connection."""
        return self._streams.market({to_venue(symbol): symbol for symbol in symbols}, feed)

    def update_subscription(self, feed: Feed, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        """Change what the streams of this feed carry."""
        self._streams.update(feed, {to_venue(each): each for each in add}, [to_venue(each) for each in remove])

    def order_updates(self) -> AsyncIterator[OrderUpdate | Gap]:
        """Every change of an order from now on."""
        return self._streams.orders()

    def close(self) -> None:
        """End the account's streams."""
        self._streams.close()


def open_account(account_id: str, services: Services) -> AlpacaBroker:
    """The account at Alpaca."""
    return AlpacaBroker(account_id, services)
