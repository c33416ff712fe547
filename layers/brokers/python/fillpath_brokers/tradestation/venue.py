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

import logging
from collections.abc import AsyncIterator, Collection, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from fillpath.accounts.ports.account_store import AccountStore
from fillpath.clock import Clock
from fillpath.errors import BrokerError, BrokerUnavailable, NotSent, Unsupported
from fillpath.market.bars import Gap, History, Interval
from fillpath.market.instruments import Resolved
from fillpath.market.ports.trading_hours import TradingHours
from fillpath.orders.model import Leg, OrderType
from fillpath.orders.outcomes import Accepted, LegView, Outcome, Position, Rejected, Unknown
from fillpath_brokers.canonical import instrument_behind, require_traded, understood
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
from fillpath_brokers.pairs import ids_of
from fillpath_brokers.token_store import TokenStore
from fillpath_brokers.tradestation import symbols
from fillpath_brokers.tradestation.book import OrderBook
from fillpath_brokers.tradestation.capabilities import KEY, NAME
from fillpath_brokers.tradestation.details import Details
from fillpath_brokers.tradestation.history import BarSource, read_bars
from fillpath_brokers.tradestation.holdings import Holdings
from fillpath_brokers.tradestation.lines import Lines
from fillpath_brokers.tradestation.listing import Listing
from fillpath_brokers.tradestation.placing import Placing, accepted
from fillpath_brokers.tradestation.precheck import Precheck, not_whole
from fillpath_brokers.tradestation.settings import Settings
from fillpath_brokers.tradestation.streams import TradeStationStreams
from fillpath_brokers.tradestation.wire import (
    Terms,
    change_bodies,
    closing_body,
    execution,
    filled_of,
    group_body,
    order_body,
    own_view,
    related,
    symbol_of,
    working_order,
)
from fillpath_brokers.web import Web

_EXITS_WITHIN_S, _EXITS_EVERY_S = 1.0, 0.3
_log = logging.getLogger(__name__)


class TradeStationServices(Protocol):
    """What TradeStation takes of the outside."""

    @property
    def clock(self) -> Clock:
        """The time."""
        ...

    @property
    def accounts(self) -> AccountStore:
        """The accounts, with their connection."""
        ...

    @property
    def tokens(self) -> TokenStore:
        """What lets them in."""
        ...

    @property
    def web(self) -> Web:
        """The pool of connections."""
        ...

    @property
    def hours(self) -> TradingHours:
        """When exchanges trade."""
        ...


class TradeStationBroker:
    """One account at TradeStation."""

    key = KEY
    name = NAME

    def __init__(self, account_id: str, services: TradeStationServices) -> None:
        account = services.accounts.account(account_id)
        self._roll_days = account.roll_days
        self._settings = settings = Settings.of(account.connection)
        self.capabilities = settings.capabilities
        self._clock = services.clock
        self._market_hours = MarketHours(services.hours, services.clock)
        lines = Lines.of(account, services.tokens, services.web, settings)
        self._holdings = Holdings(lines, settings)
        self._listing = Listing(lines.orders, self._holdings.base, services.clock)
        self._book = OrderBook(self._listing, settings, services.clock, self.to_venue)
        self._placing = Placing(lines.execution, settings.api_url, self._listing)
        self._details = Details(lines.symbols, settings.api_url)
        self._precheck = Precheck(lines, settings.api_url, self._holdings, self._details)
        self._bars = BarSource(lines.bars, settings, services.hours)
        self._streams = TradeStationStreams(lines.execution, settings)

    # --- symbols ----------------------------------------------------------------------------------------------------------------

    def supports(self, symbol: str) -> bool:
        """Whether it is a future or a share of the catalogue."""
        try:
            self.contract(symbol)
        except Unsupported:
            return False
        return True

    def contract(self, symbol: str) -> Resolved:
        """The instrument and contract that a symbol means today; Unsupported if it is neither a future nor a share."""
        return understood(symbol, self._clock.now().date(), self.capabilities, NAME, self._roll_days)

    def to_venue(self, symbol: str) -> str:
        """`@ES` for a root, `ESZ26` for a contract; shares are spelled alike."""
        require_traded(instrument_behind(symbol), self.capabilities, NAME)
        return symbols.to_venue(symbol, self._clock.now().date())

    def to_canonical(self, symbol: str) -> str:
        """Our spelling of TradeStation's symbol, in upper or lower case."""
        ours = symbols.to_canonical(symbol)
        require_traded(instrument_behind(ours), self.capabilities, NAME)
        return ours

    def front_month(self, root: str) -> str:
        """The contract behind the continuous symbol."""
        instrument = instrument_behind(root)
        if not instrument.months:
            raise Unsupported(f"{root} has no months")
        return symbols.to_canonical(self._details.front_month(self.to_venue(instrument.root)))

    # --- orders -----------------------------------------------------------------------------------------------------------------

    def precheck(self, leg: Leg, after_closing: Decimal) -> Rejected | None:
        """Whether TradeStation would refuse the leg now: account, symbol, buying power."""
        return self._precheck.would_refuse(leg, instrument_behind(leg.contract), self._terms(leg.contract), after_closing)

    def submit(self, leg: Leg) -> Outcome:
        """Place the leg. Of a bracket TradeStation is asked for its exits at once; where it does not show them it is in doubt."""
        terms = self._terms_to_send(leg.contract)
        if refused := not_whole(leg) or self._misread(leg, terms):
            return refused
        pair = leg.type is OrderType.OCO
        body = group_body(leg, terms) if pair else order_body(leg, terms)
        taken = self._placing.place(body, group=pair, urgent=leg.reduce_only)
        if isinstance(taken, Rejected):
            return self._told(taken, leg)
        if isinstance(taken, Unknown):
            return taken
        if leg.take_profit is not None or leg.stop_loss is not None:
            return self._with_exits(leg, taken.ids)
        if len(taken.ids) != (2 if pair else 1):
            return Unknown(f"TradeStation's answer names {len(taken.ids)} orders: {', '.join(taken.ids)}")
        return accepted(taken.ids)

    def replace(self, ref: OrderRef, change: Change) -> Outcome:
        """Change a working order, which keeps its id; of a pair each order that it concerns, one after the other."""
        try:
            orders = self._book.find(ref)
            if not orders:
                return Rejected("not_found", f"TradeStation shows no order {ref.client_order_id}")
            view = self._book.view(orders, ref.leg)
        except NotSent:
            raise
        except BrokerUnavailable as exc:
            raise NotSent(f"the order could not be read, so nothing was changed: {exc}") from exc
        wanted = change_bodies(change, orders)
        if not wanted:
            return Rejected("unsupported", "nothing of the order can be changed so")
        return self._placing.change_all(wanted) or Accepted(view)

    def cancel(self, ref: OrderRef) -> None:
        """Ask for the cancellation, of an exit pair for that of both. What has ended stays as it is."""
        known = ids_of(ref.broker_order_id) if ref.broker_order_id else ()
        for order_id in known or [str(order["OrderID"]) for order in self._book.find(ref)]:
            self._placing.cancel(order_id)

    def order(self, ref: OrderRef) -> LegView | None:
        """The order, or the exits that were placed with one, as TradeStation shows them now."""
        orders = self._book.find(ref)
        return self._book.view(orders, ref.leg) if orders else None

    def orders(self) -> tuple[BrokerOrder, ...]:
        """Every working order, exits that wait for their entry included."""
        shown = sorted(self._listing.present(), key=lambda order: (order.get("OpenedDateTime") or "", str(order["OrderID"])))
        listed = (working_order(order, symbols.canonical_or_same(symbol_of(order))) for order in shown)
        return tuple(order for order in listed if not order.view.status.ended)

    def fills(self, since: datetime) -> tuple[Execution, ...]:
        """What was filled of each order since then. TradeStation tells no single fills: one order is one fill here."""
        found = [execution(order, since) for order in self._book.every(since) if filled_of(order)]
        new = (each for each in found if each.at >= since)
        return tuple(sorted(new, key=lambda each: (each.at, len(each.broker_order_id), each.broker_order_id)))

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
        """Ask for the cancellation of every working order, one by one; children are cancelled with their entry."""
        present = self._listing.present()
        working = {str(order["OrderID"]) for order in present if not own_view(order).status.ended}
        children = {str(order["OrderID"]) for order in present if working.intersection(related(order, "OSP"))}
        for order_id in sorted(working - children):
            self._placing.cancel(order_id)

    def liquidate(self, contract: str) -> None:
        """Close the position with a market order; nothing happens where nothing is held."""
        held = next((each.quantity for each in self.positions() if each.contract == contract), Decimal(0))
        if held:
            outcome = self._placing.place(closing_body(held, self._terms(contract)), urgent=True)
            if isinstance(outcome, Rejected | Unknown):
                raise BrokerUnavailable(f"{contract} was not closed for certain: {outcome.text}")

    # --- data -------------------------------------------------------------------------------------------------------------------

    def history(self, symbol: str, start: datetime, end: datetime, interval: Interval) -> History:
        """Bars until now at the latest; of a root those of its continuous contract."""
        until = min(end, self._clock.now())
        instrument = instrument_behind(symbol)
        return read_bars(self.to_venue(symbol), symbol, instrument, (start, until), interval, self._bars)

    def stream(self, symbols: Collection[str], feed: Feed) -> AsyncIterator[MarketEvent]:
        """Trades (as far as the day's volume shows them), quotes or minute bars."""
        return self._streams.market([self.to_venue(symbol) for symbol in symbols], feed)

    def update_subscription(self, feed: Feed, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        """Change what the running streams of this feed carry: they are opened anew."""
        self._streams.update(feed, [self.to_venue(each) for each in add], [self.to_venue(each) for each in remove])

    def order_updates(self) -> AsyncIterator[OrderUpdate | Gap]:
        """Every order as it is now, then every change."""
        return self._streams.orders(self._holdings.own_id)

    def close(self) -> None:
        """End the account's streams."""
        self._streams.close()

    # --- inside -----------------------------------------------------------------------------------------------------------------

    def _terms(self, contract: str) -> Terms:
        return Terms(
            account=self._holdings.own_id(),
            symbol=self.to_venue(contract),
            kind=instrument_behind(contract).kind,
            route=self._settings.route,
            extended_hours=self._settings.extended_hours,
            confirm_ids=self._settings.order_confirm_id,
        )

    def _terms_to_send(self, contract: str) -> Terms:
        """What could not be read before an order is sent must not look like an order in doubt."""
        try:
            return self._terms(contract)
        except NotSent:
            raise
        except BrokerUnavailable as exc:
            raise NotSent(f"the account could not be read, so nothing was sent: {exc}") from exc

    def _misread(self, leg: Leg, terms: Terms) -> Rejected | None:
        prices = (leg.limit_price, leg.stop_price, leg.trail_amount, leg.take_profit, leg.stop_loss)
        if terms.kind != "future" or not any(prices):
            return None
        return self._details.misread(terms.symbol, instrument_behind(leg.contract))

    def _with_exits(self, leg: Leg, ids: tuple[str, ...]) -> Outcome:
        """The entry among the orders that were taken, with its exits."""
        give_up = self._clock.now() + timedelta(seconds=_EXITS_WITHIN_S)
        while self._clock.now() < give_up:
            try:
                shown = self._listing.by_id(ids)
                entries = [order for order in shown if not related(order, "OSP", "BRK", "OCO")]
                if len(entries) == 1:
                    return Accepted(self._book.entry_view(entries[0], leg))
            except BrokerError:  # whatever it is, it is not about the order that was placed
                _log.warning("the exits of %s cannot be read yet", leg.client_order_id)
            self._clock.sleep(_EXITS_EVERY_S)
        return Unknown(f"TradeStation took the orders {', '.join(ids)}, and does not show which exits belong to the entry")

    def _told(self, refused: Rejected, leg: Leg) -> Rejected:
        if refused.reason != "market_closed":
            return refused
        opens = self._market_hours.closed_text(instrument_behind(leg.contract), leg.contract)
        return Rejected(refused.reason, f"{refused.text} ({opens})" if opens else refused.text)


def open_account(account_id: str, services: TradeStationServices) -> TradeStationBroker:
    """The account at TradeStation."""
    return TradeStationBroker(account_id, services)
