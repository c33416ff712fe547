"""The exchange behind every simulated venue: accounts, the matching engine in memory, prices, and events for streams.

Contracts are ours (`ESH6`, `AAPL`); a venue translates. Everything may be called from any thread; events are published in the
order in which things happened. Prices follow the demo path (a pure function of the second) until `set_price`.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import RLock
from typing import Any
from uuid import uuid4

from fillpath.market.bars import Bar
from fillpath.orders.model import Leg, LegStatus
from fillpath.orders.outcomes import Rejected
from fillpath_brokers.exchange import margin, matching
from fillpath_brokers.exchange.book import STARTING_CASH, Holding
from fillpath_brokers.exchange.changing import changed
from fillpath_brokers.exchange.orders import ExchangeOrder
from fillpath_brokers.exchange.placing import Role, new_orders
from fillpath_brokers.exchange.scenario import NORMAL, Scenario, parse
from fillpath_brokers.exchange.touch import instrument_behind
from fillpath_brokers.exchange.turn import Turn
from fillpath_brokers.facade import Balances, Change
from tests.simulators.events import Bus, EventKind, OrderEvent, SimFill, SimOrder
from tests.simulators.ledger import Ledger, shown, sim_order
from tests.simulators.orders import NewOrder, OrderRefused
from tests.simulators.prices import MINUTE, SetMarket, SetPrices, known

__all__ = ["ACCOUNT", "FILL_MODES", "NewOrder", "OrderRefused", "SimulatedExchange"]

ACCOUNT = "SIM0001"
FILL_MODES = ("normal", "delay", "partial_fill", "never_fill")
TICK_S = 0.25


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


class SimulatedExchange:
    """In memory; `now` and `new_id` may be given by tests."""

    def __init__(
        self,
        cash: Decimal = STARTING_CASH,
        now: Callable[[], datetime] = utc_now,
        new_id: Callable[[], str] = lambda: str(uuid4()),
    ) -> None:
        self.events = Bus()
        self.log: list[OrderEvent] = []
        self.now = now
        self._cash = cash
        self._new_id = new_id
        self._lock = RLock()
        self._accounts: dict[str, Ledger] = {}
        self._prices = SetPrices()
        self._fill_mode = NORMAL
        self._refusing = ""
        self._watched: dict[str, datetime] = {}
        self._trades = 0

    # orders

    def place(self, wanted: NewOrder, account: str = ACCOUNT) -> SimOrder:
        """Place an order; its linked ones are named in its `state`. OrderRefused for unknown symbols and for want of margin."""
        if self._refusing:
            raise OrderRefused(self._refusing, f"no order is taken: {self._refusing}")
        if not known(wanted.symbol):
            raise OrderRefused("invalid_symbol", f"{wanted.symbol} is not traded here")
        with self._lock:
            self.advance()
            own, market = self._account(account), self._market()
            leg = wanted.leg()
            if refused := margin.short_of_margin(own.book, leg, market.price):
                raise OrderRefused(refused.reason, refused.text)
            mode = self._fill_mode if self._fill_mode.applies(leg, instrument_behind(leg.contract).root) else NORMAL
            orders = self._orders_of(wanted, leg, mode, market.now)
            for order in orders:
                client_id = wanted.client_order_id if order is orders[0] else ""
                own.orders[order.order_id] = sim_order(order, account, client_id, wanted.details)
            if mode is not NORMAL:
                self._fill_mode = mode.used()
            own.keep(matching.place(Turn(own.book), orders, market), market.now)
            return own.orders[orders[0].order_id]

    def reject(self, wanted: NewOrder, reason: str, account: str = ACCOUNT) -> SimOrder:
        """An order that was taken and then rejected, as some venues do: it is there, with a REJECTED event."""
        with self._lock:
            own, now = self._account(account), self.now()
            state = replace(self._orders_of(wanted, wanted.leg(), NORMAL, now)[0], exits=None, other=None)
            own.orders[state.order_id] = sim_order(state, account, wanted.client_order_id, wanted.details)
            own.keep(Turn(own.book).having(own.book, state.ended(LegStatus.REJECTED, reason)), now)
            return own.orders[state.order_id]

    def replace(
        self,
        order_id: str,
        change: Change,
        *,
        renew: bool = False,
        client_order_id: str = "",
        details: Mapping[str, Any] | None = None,
    ) -> SimOrder:
        """Change a working order. `renew`: what comes back is a new order in place of the old one, for what it had not filled.

        OrderRefused, and nothing has changed; KeyError: there is no such order.
        """
        with self._lock:
            self.advance()
            own = self._owner(order_id)
            after = _changed(own, order_id, change, self._market())
            if renew:
                old, order_id = own.orders[order_id], self._new_id()
                own.renew(old.id, order_id, client_order_id, details, self.now())
                left = change.quantity and change.quantity - old.state.filled_quantity
                after = _changed(own, order_id, replace(change, quantity=left), self._market())
            own.keep(after, self.now())
            return own.orders[order_id]

    def cancel(self, order_id: str) -> SimOrder:
        """Cancel a working order (with its pair and exits); what has ended stays as it is. KeyError: there is no such order."""
        with self._lock:
            self.advance()
            own = self._owner(order_id)
            own.keep(matching.cancel(Turn(own.book), order_id), self.now())
            return own.orders[order_id]

    def order(self, order_id: str) -> SimOrder | None:
        """An order by the exchange's id."""
        with self._lock:
            self.advance()
            found = (own.orders.get(order_id) for own in self._accounts.values())
            return next((order for order in found if order), None)

    def by_client_order_id(self, client_order_id: str, account: str = ACCOUNT) -> SimOrder | None:
        """The newest order that was placed under this id."""
        return next((each for each in reversed(self.orders(account)) if each.client_order_id == client_order_id), None)

    def orders(self, account: str = ACCOUNT, *, working: bool = False) -> tuple[SimOrder, ...]:
        """Every order of the account, the oldest first; or only those that work."""
        with self._lock:
            self.advance()
            return tuple(each for each in self._account(account).orders.values() if not (working and each.status.ended))

    def fills(self, account: str = ACCOUNT) -> tuple[SimFill, ...]:
        """Every execution, the oldest first."""
        with self._lock:
            self.advance()
            return tuple(self._account(account).fills)

    # accounts

    def positions(self, account: str = ACCOUNT) -> dict[str, Holding]:
        """What is held, by contract."""
        with self._lock:
            self.advance()
            return dict(self._account(account).book.holdings)

    def balances(self, account: str = ACCOUNT) -> Balances:
        """Cash, equity, margin and results at the present prices."""
        with self._lock:
            self.advance()
            return margin.balances(self._account(account).book, self._market().price)

    def set_cash(self, cash: Decimal, account: str = ACCOUNT) -> None:
        """The account has so much cash."""
        with self._lock:
            own = self._account(account)
            own.book = replace(own.book, cash=cash)

    def set_position(self, contract: str, quantity: Decimal, average_price: Decimal, account: str = ACCOUNT) -> None:
        """The account holds so much of a contract (0: nothing), as if a person had traded elsewhere."""
        with self._lock:
            own = self._account(account)
            holdings = {key: value for key, value in own.book.holdings.items() if key != contract}
            if quantity:
                holdings[contract] = Holding(quantity, average_price)
            own.book = replace(own.book, holdings=holdings)

    def meddle(self, order_id: str, **changes: Any) -> None:
        """What works is another from now on, without anybody being told: what links it to others, how much of it may fill, ..."""
        with self._lock:
            own = self._owner(order_id)
            own.book = own.book.with_order(replace(own.book.working[order_id], **changes))
            own.show_working()

    def end_alone(self, order_id: str, status: LegStatus, reason: str) -> None:
        """An order ends by itself; what belongs to it stays at work."""
        with self._lock:
            own = self._owner(order_id)
            for linked in [each for each in own.book.working.values() if order_id in (each.other, each.order_id)]:
                self.meddle(linked.order_id, other=None)
            own.keep(Turn(own.book).having(own.book, own.book.working[order_id].ended(status, reason)), self.now())

    # prices

    def set_price(self, contract: str, price: Decimal) -> None:
        """Trade at that price now: it goes to streams, and fills what rests there at once."""
        if not known(contract):
            raise ValueError(f"{contract} is not in the catalogue")
        with self._lock:
            self._prices.set(contract, price, self.now())
            self.advance()
            self._tell(contract)

    def price(self, contract: str) -> Decimal:
        """The price now."""
        return self._prices.at(contract, self.now())

    def watch(self, contract: str) -> None:
        """From now on its trades, quotes and finished minute bars go to the bus; others only when their price is set."""
        if not known(contract):
            raise ValueError(f"{contract} is not in the catalogue")
        with self._lock:
            self._watched.setdefault(contract, _minute(self.now()))

    def bars(self, contract: str, start: datetime, end: datetime, length: timedelta = MINUTE) -> tuple[Bar, ...]:
        """The finished bars that begin in [start, end), on whole multiples of their length."""
        seconds = int(length.total_seconds())
        first = -(-int(start.timestamp()) // seconds) * seconds
        last = min(int(end.timestamp()) - 1, int(self.now().timestamp()) - seconds)
        return tuple(
            self._prices.bar(contract, datetime.fromtimestamp(second, UTC), length) for second in range(first, last + 1, seconds)
        )

    # the exchange itself

    def set_fill_mode(self, name: str, **settings: str) -> None:
        """How orders fill from now on: normal (or immediate), delay, partial_fill, never_fill, with the scenarios' settings."""
        mode = parse("normal" if name == "immediate" else name, settings)
        if mode.name not in FILL_MODES:
            raise ValueError(f"name: {name!r} is none of {', '.join(FILL_MODES)}")
        with self._lock:
            self._fill_mode = mode

    def refuse(self, code: str) -> None:
        """From now on no order is taken, for this reason of ours, which each venue tells in its own words; empty: they are."""
        self._refusing = code

    def advance(self) -> None:
        """Take in what prices did by now, on all accounts."""
        with self._lock:
            for own in self._accounts.values():
                full = bool(own.book.working)
                while full:
                    market = self._market()
                    turn = matching.advance(Turn(own.book), own.book.working.values(), market)
                    full = turn.full
                    own.keep(turn, market.now)

    def tick(self) -> None:
        """Advance, and tell streams about what is watched."""
        with self._lock:
            self.advance()
            for contract, minute in self._watched.items():
                self._tell(contract)
                if (begun := _minute(self.now())) > minute:
                    self.events.publish(self._prices.bar(contract, minute))
                    self._watched[contract] = begun

    def end_minute(self) -> None:
        """Tell streams the bar of the present minute of what is watched, as if it were over."""
        with self._lock:
            for contract in self._watched:
                self.events.publish(self._prices.bar(contract, _minute(self.now())))

    async def run(self) -> None:
        """Tick until cancelled."""
        while True:
            self.tick()
            await asyncio.sleep(TICK_S)

    def reset(self) -> None:
        """Forget accounts, orders, prices that were set, and the fill mode; streams stay."""
        with self._lock:
            self._accounts.clear()
            self.log.clear()
            self._prices = SetPrices()
            self._fill_mode = NORMAL
            self._refusing = ""

    def state(self) -> dict[str, Any]:
        """Everything, for a test to look at: accounts with cash, positions and orders, as JSON values."""
        with self._lock:
            self.advance()
            return {"accounts": {name: shown(own) for name, own in self._accounts.items()}}

    # inside

    def _market(self) -> SetMarket:
        return SetMarket(self._prices, self.now())

    def _account(self, account: str) -> Ledger:
        return self._accounts.setdefault(account, Ledger(self._cash, self._publish))

    def _owner(self, order_id: str) -> Ledger:
        for own in self._accounts.values():
            if order_id in own.orders:
                return own
        raise KeyError(order_id)

    def _orders_of(self, wanted: NewOrder, leg: Leg, mode: Scenario, now: datetime) -> tuple[ExchangeOrder, ...]:
        ids: dict[Role, str] = {}
        orders = new_orders(
            leg,
            instrument_behind(leg.contract),
            mode,
            now,
            lambda role: ids.setdefault(role, self._new_id()),
            exits_reduce_only=wanted.exits_reduce_only,
        )
        return orders if wanted.expires_at is None else tuple(replace(each, expires_at=wanted.expires_at) for each in orders)

    def _publish(self, kind: EventKind, order: SimOrder, at: datetime, fill: SimFill | None) -> None:
        event = OrderEvent(len(self.log) + 1, kind, order, at, fill)
        self.log.append(event)
        self.events.publish(event)

    def _tell(self, contract: str) -> None:
        self._trades += 1
        at = self.now()
        self.events.publish(self._prices.trade(contract, at, self._trades))
        self.events.publish(self._prices.quote(contract, at))


def _changed(own: Ledger, order_id: str, change: Change, market: SetMarket) -> Turn:
    after = changed(Turn(own.book), order_id, change, market)
    if isinstance(after, Rejected):
        raise OrderRefused(after.reason, after.text)
    return after


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
