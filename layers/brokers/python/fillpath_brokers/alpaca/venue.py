"""Alpaca behind the broker facade. In: legs, references and questions; out: outcomes, views and holdings.

Alpaca knows orders by our client order id, refuses a second one under it even after the first has ended, and shows the first
then. It has no reduce-only orders, no order through zero, and keeps a market order that comes while the market is closed.

Inferred, hence settings (`alpaca.settings`): how long after a lost answer an order may still appear, how long to be silent after
a 429 without its reset time. Inferred without a setting: the fills of a replaced order count on in its successor.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from dataclasses import replace
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
from fillpath.orders.model import Leg, OrderType, Side
from fillpath.orders.outcomes import Accepted, LegView, Outcome, Position, Rejected, Unknown
from fillpath_brokers.alpaca.capabilities import KEY, NAME
from fillpath_brokers.alpaca.history import read_bars
from fillpath_brokers.alpaca.precheck import would_refuse
from fillpath_brokers.alpaca.refusals import is_duplicate, read, refusal
from fillpath_brokers.alpaca.settings import Settings
from fillpath_brokers.alpaca.sign_in import authorization
from fillpath_brokers.alpaca.streams import AlpacaStreams
from fillpath_brokers.alpaca.wire import change_body, exits_view, oco_view, order_body, own_view, working_order
from fillpath_brokers.canonical import instrument_behind, require_traded, root_of, understood
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
from fillpath_brokers.pairs import ids_of
from fillpath_brokers.session import Session
from fillpath_brokers.token_store import TokenStore
from fillpath_brokers.web import SUBMIT_S, Reply, Request, Web

_MOST_ORDERS, _MOST_FILLS = 500, 100
_NOT_FOUND, _UNPROCESSABLE = 404, 422
_AMBIGUOUS = {408, 425}
_MOST_REPLACED = 10


class AlpacaServices(Protocol):
    """What Alpaca takes of the outside."""

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


class AlpacaBroker:
    """One account at Alpaca."""

    key = KEY
    name = NAME

    def __init__(self, account_id: str, services: AlpacaServices) -> None:
        account = services.accounts.account(account_id)
        self._roll_days = account.roll_days
        self._settings = Settings.of(account.connection)
        self.capabilities = self._settings.capabilities
        self._clock = services.clock
        self._hours = services.hours
        quota = Quota(self._settings.requests_per_minute, burst=30, reserve=10)
        self._session = Session(
            account,
            services.tokens,
            services.web,
            authorization,
            quota,
            wait_s=self._settings.rate_limit_wait_s,
            retry_after=self._until_reset,
        )
        self._streams = AlpacaStreams(self._session, self._settings)

    # --- symbols ----------------------------------------------------------------------------------------------------------------

    def supports(self, symbol: str) -> bool:
        """Whether it is a share of the catalogue."""
        try:
            self.contract(symbol)
        except Unsupported:
            return False
        return True

    def contract(self, symbol: str) -> Resolved:
        """The instrument that a symbol means; Unsupported if it is no share of the catalogue."""
        return understood(symbol, self._clock.now().date(), self.capabilities, NAME, self._roll_days)

    def to_venue(self, symbol: str) -> str:
        """Alpaca spells shares as we do."""
        require_traded(instrument_behind(symbol), self.capabilities, NAME)
        return symbol

    def to_canonical(self, symbol: str) -> str:
        """Alpaca spells shares as we do."""
        require_traded(instrument_behind(symbol), self.capabilities, NAME)
        return symbol

    def front_month(self, root: str) -> str:
        """Shares have no months."""
        raise Unsupported(f"{NAME} has no futures, so {root} has no front month there")

    # --- orders -----------------------------------------------------------------------------------------------------------------

    def precheck(self, leg: Leg, after_closing: Decimal) -> Rejected | None:
        """Whether Alpaca would refuse the leg now: symbol, shorting, fractions, buying power."""
        return would_refuse(leg, self.to_venue(leg.contract), after_closing, self._session, self._settings)

    def submit(self, leg: Leg) -> Outcome:
        """Place the leg; a duplicate of an id that Alpaca knows answers with the first order."""
        body = order_body(leg, self.to_venue(leg.contract), extended_hours=self._settings.extended_hours)
        url = self._url("/v2/orders")
        reply = self._session.send(Request("POST", url, json=body, timeout_s=SUBMIT_S, urgent=leg.reduce_only))
        if reply.ok:
            return Accepted(self._view(reply.json(), leg))
        if reply.status == _UNPROCESSABLE and is_duplicate(reply):
            return self._first(leg)
        return _answered(reply)

    def replace(self, ref: OrderRef, change: Change) -> Outcome:
        """Change a working order; it goes on under a new id."""
        order = self._find(ref)
        if order is None:
            return Rejected("not_found", f"Alpaca shows no order {ref.client_order_id}")
        reply = self._session.send(Request("PATCH", self._order_url(order["id"]), json=change_body(change), timeout_s=SUBMIT_S))
        return Accepted(own_view(reply.json())) if reply.ok else _answered(reply)

    def cancel(self, ref: OrderRef) -> None:
        """Ask for the cancellation, of an exit pair for that of both. What has ended stays as it is."""
        ids = ids_of(ref.broker_order_id) if ref.broker_order_id else ()
        if not ids:
            order = self._find(ref)
            ids = (order["id"],) if order else ()
        for order_id in ids:
            reply = self._session.send(Request("DELETE", self._order_url(order_id), urgent=True))
            if not reply.ok and reply.status not in {_NOT_FOUND, _UNPROCESSABLE}:
                raise BrokerUnavailable(f"Alpaca answers the cancellation with {reply.status}: {reply.text}")

    def order(self, ref: OrderRef) -> LegView | None:
        """The order, or the exits that were placed with one, as Alpaca shows them now."""
        order = self._find(ref)
        return None if order is None else self._view(order, ref.leg, ref.broker_order_id)

    def orders(self) -> tuple[BrokerOrder, ...]:
        """Every working order, exits that wait for their entry included."""
        found: list[BrokerOrder] = []
        after = ""
        while True:
            page = self._page(after)
            found += [working_order(order, self._ours(order["symbol"])) for order in page]
            if len(page) < _MOST_ORDERS:
                return tuple(found)
            after = page[-1]["submitted_at"]

    def fills(self, since: datetime) -> tuple[Execution, ...]:
        """What was filled since then, page by page."""
        found: list[Execution] = []
        params = {"after": since.isoformat(), "direction": "asc", "page_size": str(_MOST_FILLS)}
        while True:
            page = _list(self._session.read(self._url("/v2/account/activities/FILL"), params))
            found += [self._execution(each) for each in page]
            if len(page) < _MOST_FILLS:
                return tuple(found)
            params["page_token"] = page[-1]["id"]

    # --- the account ------------------------------------------------------------------------------------------------------------

    def accounts(self) -> tuple[VenueAccount, ...]:
        """The one account that the keys reach."""
        account = _document(self._session.read(self._url("/v2/account")))
        number = str(account["account_number"])
        return (VenueAccount(number, f"{account['status']} {number}", account["currency"], self.capabilities.asset_classes),)

    def positions(self) -> tuple[Position, ...]:
        """Every held share; a symbol outside the catalogue is shown as Alpaca spells it."""
        held = _list(self._session.read(self._url("/v2/positions"), urgent=True))
        return tuple(self._position(each) for each in held)

    def balances(self) -> Balances:
        """Cash and equity; Alpaca tells no realised result and takes no commission."""
        account = _document(self._session.read(self._url("/v2/account")))
        held = _list(self._session.read(self._url("/v2/positions")))
        return Balances(
            currency=account["currency"],
            cash=Decimal(account["cash"]),
            equity=Decimal(account["equity"]),
            margin_used=Decimal(account.get("initial_margin") or 0),
            realised_pnl=Decimal(0),
            unrealised_pnl=sum((Decimal(each["unrealized_pl"]) for each in held), Decimal(0)),
            commission=Decimal(account.get("accrued_fees") or 0),
        )

    def cancel_all(self) -> None:
        """Ask for the cancellation of every working order."""
        self._require(self._session.send(Request("DELETE", self._url("/v2/orders"), urgent=True)))

    def liquidate(self, contract: str) -> None:
        """Ask Alpaca to close the position at the market; nothing happens where nothing is held."""
        url = self._url(f"/v2/positions/{self.to_venue(contract)}")
        reply = self._session.send(Request("DELETE", url, timeout_s=SUBMIT_S, urgent=True))
        if reply.status != _NOT_FOUND:
            self._require(reply)

    # --- data -------------------------------------------------------------------------------------------------------------------

    def history(self, symbol: str, start: datetime, end: datetime, interval: Interval) -> History:
        """Bars of the account's feed, unadjusted."""
        return read_bars(self.to_venue(symbol), start, end, interval, self._session, self._settings, self._hours)

    def stream(self, symbols: Collection[str], feed: Feed) -> AsyncIterator[MarketEvent]:
        """Trades, quotes or minute bars."""
        return self._streams.market([self.to_venue(symbol) for symbol in symbols], feed)

    def update_subscription(self, feed: Feed, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        """Change what the running streams of this feed carry."""
        self._streams.update(feed, [self.to_venue(each) for each in add], [self.to_venue(each) for each in remove])

    def order_updates(self) -> AsyncIterator[OrderUpdate | Gap]:
        """Every change of an order from now on."""
        return self._streams.orders()

    def close(self) -> None:
        """End the account's streams."""
        self._streams.close()

    # --- inside -----------------------------------------------------------------------------------------------------------------

    def _first(self, leg: Leg) -> Outcome:
        order = self._find(OrderRef(leg.client_order_id))
        if order is None:
            return Unknown("Alpaca knows the client order id, but does not show its order yet")
        return Accepted(self._view(order, leg))

    def _find(self, ref: OrderRef) -> dict[str, Any] | None:
        """The order with its legs; of a pair the one that has the other as its leg, or any."""
        if ref.broker_order_id:
            found = self._get(self._order_url(ids_of(ref.broker_order_id)[0]), {"nested": "true"})
        else:
            found = self._get(self._url("/v2/orders:by_client_order_id"), {"client_order_id": ref.client_order_id})
            if found and found.get("order_class") not in {"", "simple", None} and not found.get("legs"):
                found = self._get(self._order_url(found["id"]), {"nested": "true"})
        return found

    def _get(self, url: str, params: Mapping[str, str]) -> dict[str, Any] | None:
        reply = self._session.read(url, params, urgent=True)
        return None if reply.status == _NOT_FOUND else _document(reply)

    def _view(self, order: dict[str, Any], leg: Leg | None, broker_order_id: str | None = None) -> LegView:
        """As what the caller knows it: an exit pair, or an order with the exits that were placed with it."""
        if order.get("order_class") == "oco" or (leg is not None and leg.type is OrderType.OCO):
            return self._pair(order, broker_order_id)
        view = own_view(self._successor(order))
        exits = exits_view(order)
        if exits is None and leg is not None and (leg.take_profit or leg.stop_loss):
            raise BrokerUnavailable(f"Alpaca does not show the exits of {leg.client_order_id} yet")
        return replace(view, exits=exits)

    def _pair(self, order: dict[str, Any], broker_order_id: str | None) -> LegView:
        others = ids_of(broker_order_id)[1:] if broker_order_id else ()
        shown = {leg["id"] for leg in order.get("legs") or ()}
        missing = [self._get(self._order_url(each), {}) for each in others if each not in shown]
        legs = [*(order.get("legs") or ()), *(each for each in missing if each)]
        return oco_view({**order, "legs": legs})

    def _successor(self, order: dict[str, Any]) -> dict[str, Any]:
        for _ in range(_MOST_REPLACED):
            if order.get("status") != "replaced" or not order.get("replaced_by"):
                return order
            order = self._get(self._order_url(order["replaced_by"]), {}) or order
        return order

    def _page(self, after: str) -> list[dict[str, Any]]:
        params = {"status": "open", "limit": str(_MOST_ORDERS), "direction": "asc", "nested": "false"}
        return _list(self._session.read(self._url("/v2/orders"), params | ({"after": after} if after else {}), urgent=True))

    def _position(self, held: dict[str, Any]) -> Position:
        quantity = abs(Decimal(held["qty"]))
        signed = -quantity if held["side"] == "short" else quantity
        contract = self._ours(held["symbol"])
        return Position(contract, root_of(contract), signed, Decimal(held["avg_entry_price"]))

    def _execution(self, activity: dict[str, Any]) -> Execution:
        return Execution(
            execution_id=activity["id"],
            broker_order_id=activity["order_id"],
            contract=self._ours(activity["symbol"]),
            side=Side.BUY if activity["side"] == "buy" else Side.SELL,
            quantity=Decimal(activity["qty"]),
            price=Decimal(activity["price"]),
            at=datetime.fromisoformat(activity["transaction_time"]),
        )

    def _ours(self, symbol: str) -> str:
        try:
            return self.to_canonical(symbol)
        except Unsupported:
            return symbol

    def _until_reset(self, reply: Reply) -> float | None:
        try:
            seconds = float(reply.headers["X-RateLimit-Reset"]) - self._clock.now().timestamp()
        except (KeyError, ValueError):
            return None
        return max(1.0, seconds)

    def _require(self, reply: Reply) -> None:
        if not reply.ok:
            raise BrokerUnavailable(f"Alpaca answers {reply.status}: {reply.text}")

    def _order_url(self, order_id: str) -> str:
        return self._url(f"/v2/orders/{order_id}")

    def _url(self, path: str) -> str:
        return self._settings.trading_url + path


def open_account(account_id: str, services: AlpacaServices) -> AlpacaBroker:
    """The account at Alpaca."""
    return AlpacaBroker(account_id, services)


def _answered(reply: Reply) -> Outcome:
    """A 4xx is evidence that nothing was placed; all else is not."""
    if 400 <= reply.status < 500 and reply.status not in _AMBIGUOUS:
        return refusal(reply)
    return Unknown(f"Alpaca answers {reply.status}: {read(reply)[1]}")


def _document(reply: Reply) -> dict[str, Any]:
    document = reply.json() if reply.ok else None
    if not isinstance(document, dict):
        raise BrokerUnavailable(f"Alpaca answers {reply.status}: {read(reply)[1]}")
    return document


def _list(reply: Reply) -> list[dict[str, Any]]:
    documents = reply.json() if reply.ok else None
    if not isinstance(documents, list):
        raise BrokerUnavailable(f"Alpaca answers {reply.status}: {read(reply)[1]}")
    return documents
