"""Charles Schwab behind the broker facade. In: legs, references and questions; out: outcomes, views and holdings.

Schwab keeps no client order ids and takes the same order twice, so an order without an answer is looked for by what was sent
(`schwab.lookup`). It has no reduce-only orders and no order through zero, and keeps a market order that comes while the market is
closed. Its API trades shares; of futures it has market data. There are no paper accounts: without an endpoint of one's own,
orders are real.

Inferred, hence settings (`schwab.settings`): how long after a lost answer an order may still appear, how far the clocks differ;
the silence after a 429; that the quantity of a replacement is that of a new order, and does not count what the replaced one has
filled; the price that a trailing stop follows; how long an order may work; that a renewed token leaves a running stream
alone, that one which ends early is fought over by somebody else, and how late its own orders show what it has streamed.
Inferred without a setting: an order placed as one of a group can be read and cancelled under its own id; cancelling an entry
cancels the exits that wait for it; a replaced order names its successor in `replacingOrderCollection`, or is followed by one like
it; what Schwab says about buying power and shorting (`schwab.refusals`); commissions are zero, for orders do not tell them.
"""

from collections.abc import AsyncIterator, Collection, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from fillpath.accounts.ports.account_store import AccountStore
from fillpath.accounts.ports.rate_limits import Quota
from fillpath.clock import Clock
from fillpath.errors import BrokerUnavailable, Unsupported
from fillpath.market.bars import Gap, History, Interval
from fillpath.market.instruments import Resolved
from fillpath.market.ports.trading_hours import TradingHours
from fillpath.orders.model import Leg, LegStatus, OrderType
from fillpath.orders.outcomes import Accepted, LegView, Outcome, Position, Rejected, Unknown
from fillpath_brokers.canonical import instrument_behind
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
from fillpath_brokers.schwab import holdings, symbols
from fillpath_brokers.schwab.bodies import closing_body, order_body
from fillpath_brokers.schwab.capabilities import KEY, NAME
from fillpath_brokers.schwab.history import read_bars
from fillpath_brokers.schwab.lookup import THEN, LookUp
from fillpath_brokers.schwab.precheck import not_whole, would_refuse
from fillpath_brokers.schwab.refusals import read
from fillpath_brokers.schwab.replacing import Replacing
from fillpath_brokers.schwab.sending import new_id, not_placed
from fillpath_brokers.schwab.settings import Settings
from fillpath_brokers.schwab.sign_in import authorization
from fillpath_brokers.schwab.streams import SchwabStreams
from fillpath_brokers.schwab.trader import Trader
from fillpath_brokers.schwab.wire import executions, order_id, singles, symbol_of, view_of, working_order
from fillpath_brokers.session import Session
from fillpath_brokers.streaming.driver import Means
from fillpath_brokers.token_store import TokenStore
from fillpath_brokers.web import SUBMIT_S, Request, Web

_MOST_CANCELS = 3
"""Of an order that is being replaced while it is cancelled."""


class SchwabServices(Protocol):
    """What Schwab takes of the outside."""

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


class SchwabBroker:
    """One account at Schwab. `means`: what its streams work with, where it is not the network."""

    key = KEY
    name = NAME

    def __init__(self, account_id: str, services: SchwabServices, means: Means | None = None) -> None:
        account = services.accounts.account(account_id)
        self._roll_days = account.roll_days
        self._settings = Settings.of(account.connection)
        self.capabilities = self._settings.capabilities
        self._clock = services.clock
        self._hours = services.hours
        self._market_hours = MarketHours(services.hours, services.clock)
        quota = Quota(self._settings.requests_per_minute, burst=30, reserve=10)
        wait_s = self._settings.rate_limit_wait_s
        self._session = Session(account, services.tokens, services.web, authorization, quota, wait_s=wait_s)
        self._trader = Trader(self._session, self._settings, self._clock)
        self._look_up = LookUp(self._trader, self._settings)
        self._streams = SchwabStreams(self._session, self._settings, self._trader, self._look_up, means)

    # --- symbols ----------------------------------------------------------------------------------------------------------------

    def supports(self, symbol: str) -> bool:
        """Whether it is a share of the catalogue."""
        try:
            self.contract(symbol)
        except Unsupported:
            return False
        return True

    def contract(self, symbol: str) -> Resolved:
        """The share that a symbol means; Unsupported for all else. Futures are data only."""
        return symbols.traded(symbol, self._clock.now().date(), self.capabilities, NAME, self._roll_days)

    def to_venue(self, symbol: str) -> str:
        """Schwab's spelling of a share or a future; Unsupported if it has no data of it."""
        return symbols.to_schwab(symbol, self._clock.now().date())

    def to_canonical(self, symbol: str) -> str:
        """Our spelling of Schwab's."""
        return symbols.to_ours(symbol)

    def front_month(self, root: str) -> str:
        """Nothing with months can be traded here."""
        raise Unsupported(f"{root} has no front month at Schwab. {symbols.DATA_ONLY}")

    # --- orders -----------------------------------------------------------------------------------------------------------------

    def precheck(self, leg: Leg, after_closing: Decimal) -> Rejected | None:
        """Whether Schwab would refuse the leg now: symbol, whole shares, restrictions, shorting, buying power."""
        return would_refuse(leg, self._share(leg.contract), after_closing, self._session, self._settings, self._trader)

    def submit(self, leg: Leg) -> Outcome:
        """Place the leg: one request, whose answer is the address of the new order and nothing else."""
        body = self._body(leg)
        if refused := not_whole(leg):
            return refused
        request = Request("POST", self._trader.url_to_send_to("/orders"), json=body, timeout_s=SUBMIT_S, urgent=leg.reduce_only)
        reply = self._session.send(request)
        if (refused := not_placed(reply)) or not reply.ok:
            return self._explained(refused, leg) if refused else Unknown(f"Schwab answers {reply.status}: {read(reply).text}")
        placed = new_id(reply)
        if placed is None:
            return Unknown(f"Schwab answers {reply.status} without the address of the order")
        self._look_up.belongs(placed, leg)
        return self._accepted(placed, leg)

    def replace(self, ref: OrderRef, change: Change) -> Outcome:
        """Put another order in the place of a working one; it goes on under a new id."""
        name = self._name(ref)
        if name is None:
            return Rejected("not_found", f"Schwab shows no order {ref.broker_order_id or ref.client_order_id}")
        return Replacing(self._session, self._settings, self._trader, self._look_up).replace(name, change, ref.leg)

    def cancel(self, ref: OrderRef) -> None:
        """Ask for the cancellation, of an exit pair for that of both. What has ended stays as it is."""
        for each in ids_of(self._name(ref) or ""):
            self._cancel(each)

    def order(self, ref: OrderRef) -> LegView | None:
        """The order, or the exits that were placed with one, as Schwab shows them now."""
        if ref.broker_order_id:
            return self._look_up.by_name(ref.broker_order_id, ref.leg)
        if ref.leg is None:
            raise BrokerUnavailable(f"Schwab keeps no client order ids: {ref.client_order_id} alone says nothing")
        return self._look_up.by_content(ref.leg, self._body(ref.leg), ref.others)

    def orders(self) -> tuple[BrokerOrder, ...]:
        """Every working order, exits that wait for their entry included."""
        shown = ((order, view_of(order)) for order in singles(self._trader.recent_orders()))
        return tuple(working_order(order, self._ours(symbol_of(order)), view) for order, view in shown if not view.status.ended)

    def fills(self, since: datetime) -> tuple[Execution, ...]:
        """What was filled since then, of every order that may have been; Schwab's times are whole seconds."""
        begin = since.replace(microsecond=0)
        found = (
            execution
            for order in singles(self._trader.recent_orders(since))
            for execution in executions(order, self._ours(symbol_of(order)))
        )
        return tuple(sorted((each for each in found if each.at >= begin), key=lambda each: each.at))

    # --- the account ------------------------------------------------------------------------------------------------------------

    def accounts(self) -> tuple[VenueAccount, ...]:
        """The accounts that the person let the app see."""
        numbers = [str(each.get("accountNumber")) for each in self._trader.account_numbers()]
        return tuple(VenueAccount(each, f"{NAME} ...{each[-3:]}", "USD", self.capabilities.asset_classes) for each in numbers)

    def positions(self) -> tuple[Position, ...]:
        """Whatever is held; what is outside the catalogue is shown as Schwab spells it."""
        return holdings.positions(self._trader.account(), self._ours)

    def balances(self) -> Balances:
        """Cash and equity; Schwab tells neither a realised result nor commissions here."""
        return holdings.balances(self._trader.account())

    def cancel_all(self) -> None:
        """Ask for the cancellation of every working order."""
        for order in self.orders():
            self._cancel(order.view.broker_order_id or "")

    def liquidate(self, contract: str) -> None:
        """Close the position at the market, also of a share outside the catalogue; nothing happens where nothing is held."""
        held = holdings.held(self._trader.account(), contract, self._ours)
        if held is not None:
            body = closing_body(*held)
            url = self._trader.url_to_send_to("/orders")
            reply = self._session.send(Request("POST", url, json=body, timeout_s=SUBMIT_S, urgent=True))
            if not reply.ok:
                raise BrokerUnavailable(f"Schwab answers the closing of {contract} with {reply.status}: {read(reply).text}")

    # --- data -------------------------------------------------------------------------------------------------------------------

    def history(self, symbol: str, start: datetime, end: datetime, interval: Interval) -> History:
        """Bars of a share, unadjusted; Unsupported for futures."""
        return read_bars(symbol, start, end, interval, self._session, self._settings, self._hours)

    def stream(self, symbols: Collection[str], feed: Feed) -> AsyncIterator[MarketEvent]:
        """Quotes or minute bars of shares and futures; Unsupported for trades."""
        return self._streams.market({self.to_venue(symbol): symbol for symbol in symbols}, feed)

    def update_subscription(self, feed: Feed, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        """Change what the running streams of this feed carry."""
        self._streams.update(feed, {self.to_venue(each): each for each in add}, [self.to_venue(each) for each in remove])

    def order_updates(self) -> AsyncIterator[OrderUpdate | Gap]:
        """Every change of an order from now on."""
        return self._streams.orders()

    def close(self) -> None:
        """End the account's streams."""
        self._streams.close()

    # --- inside -----------------------------------------------------------------------------------------------------------------

    def _body(self, leg: Leg) -> dict[str, Any]:
        extended, basis = self._settings.extended_hours, self._settings.trail_basis
        return order_body(leg, self._share(leg.contract), extended_hours=extended, trail_basis=basis)

    def _share(self, contract: str) -> str:
        symbols.require_share(instrument_behind(contract))
        return self.to_venue(contract)

    def _accepted(self, placed: str, leg: Leg) -> Outcome:
        """A group's orders have ids of their own, which only a look at it tells."""
        if leg.type is not OrderType.OCO and leg.take_profit is None and leg.stop_loss is None:
            return Accepted(LegView(LegStatus.WORKING, placed))
        try:
            order = self._trader.order(placed)
            shown = None if order is None else self._look_up.shown(order, leg)
        except BrokerUnavailable as exc:
            return Unknown(f"Schwab took it as order {placed}, but its exits could not be read: {exc}")
        return Accepted(shown) if shown else Unknown(f"Schwab took it as order {placed}, but does not show it yet")

    def _explained(self, refused: Rejected, leg: Leg) -> Rejected:
        """With when the market opens again, where that is the reason."""
        if refused.reason != "market_closed":
            return refused
        hours = self._market_hours.closed_text(instrument_behind(leg.contract), leg.contract)
        return Rejected(refused.reason, f"{refused.text} ({hours})") if hours else refused

    def _name(self, ref: OrderRef) -> str | None:
        """What the order is called at Schwab; None: it shows no such order."""
        if ref.broker_order_id:
            return ref.broker_order_id
        view = self.order(ref)
        return None if view is None else view.broker_order_id

    def _cancel(self, name: str) -> None:
        newest = name.rpartition(THEN)[2]
        for _ in range(_MOST_CANCELS):
            reply = self._session.send(Request("DELETE", self._trader.url(f"/orders/{newest}"), urgent=True))
            found = None if reply.ok else self._look_up.single(name)
            if found is None or found.view.status.ended:
                return
            if reply.status >= 500 or order_id(found.order) == newest:
                raise BrokerUnavailable(f"Schwab answers the cancellation of {newest} with {reply.status}: {read(reply).text}")
            newest = order_id(found.order)

    def _ours(self, symbol: str) -> str:
        try:
            return self.to_canonical(symbol)
        except Unsupported:
            return symbol


def open_account(account_id: str, services: SchwabServices) -> SchwabBroker:
    """The account at Schwab."""
    return SchwabBroker(account_id, services)
