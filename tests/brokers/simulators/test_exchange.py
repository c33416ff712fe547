"""The exchange behind simulated venues: orders with ids of their own, what is told about them, prices and fill modes."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

import pytest

from fillpath.errors import Refused
from fillpath.market.bars import Bar, Quote, Trade
from fillpath.orders.model import LegStatus, OrderType, Side
from fillpath_brokers.facade import Change
from tests.fakes.clock import FakeClock
from tests.simulators.events import EventKind, OrderEvent
from tests.simulators.exchange import NewOrder, OrderRefused, SimulatedExchange

D = Decimal
AAPL = "AAPL"
BUY, SELL = Side.BUY, Side.SELL


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def exchange(clock: FakeClock) -> SimulatedExchange:
    numbers = count(1)
    made = SimulatedExchange(now=clock.now, new_id=lambda: f"V{next(numbers)}")
    made.set_price(AAPL, D(200))
    return made


def told(exchange: SimulatedExchange) -> list[tuple[EventKind, str]]:
    return [(event.kind, event.order.id) for event in exchange.log]


class TestOrders:
    def test_a_market_order_is_accepted_then_filled(self, exchange: SimulatedExchange) -> None:
        order = exchange.place(NewOrder(AAPL, BUY, D(3), client_order_id="mine", details={"class": "simple"}))

        assert (order.id, order.client_order_id, order.status, order.average_price) == ("V1", "mine", LegStatus.FILLED, 200)
        assert told(exchange) == [(EventKind.ACCEPTED, "V1"), (EventKind.FILLED, "V1")]
        accepted, filled = exchange.log
        assert (accepted.order.state.filled_quantity, accepted.fill) == (0, None)
        assert filled.fill
        assert (filled.fill.quantity, filled.fill.price, filled.fill.position) == (3, 200, 3)
        assert exchange.by_client_order_id("mine") == exchange.order("V1") == order
        assert order.details == {"class": "simple"}
        assert exchange.positions()[AAPL].quantity == 3

    def test_setting_a_price_fills_what_rests_there_at_once(self, exchange: SimulatedExchange) -> None:
        order = exchange.place(NewOrder(AAPL, BUY, D(1), OrderType.LIMIT, limit_price=D(190)))
        assert [each.id for each in exchange.orders(working=True)] == [order.id]

        exchange.set_price(AAPL, D(189))

        assert exchange.log[-1].kind is EventKind.FILLED
        assert (exchange.orders(working=True), exchange.fills()[-1].price) == ((), 190)

    def test_an_entry_has_exits_with_ids_of_their_own(self, exchange: SimulatedExchange) -> None:
        entry = exchange.place(
            NewOrder(AAPL, BUY, D(2), OrderType.LIMIT, limit_price=D(195), take_profit=D(210), stop_loss=D(190), details={"n": 1})
        )
        profit = exchange.order(str(entry.state.exits))
        assert profit
        loss = exchange.order(str(profit.state.other))
        assert loss
        assert (profit.held, loss.held, profit.state.parent, loss.state.parent) == (True, True, entry.id, entry.id)
        assert (profit.state.limit_price, loss.state.stop_price, loss.details) == (210, 190, {"n": 1})

        exchange.set_price(AAPL, D(194))
        assert [each.held for each in exchange.orders(working=True)] == [False, False]
        exchange.set_price(AAPL, D(211))

        assert told(exchange)[-2:] == [(EventKind.FILLED, profit.id), (EventKind.CANCELLED, loss.id)]
        assert exchange.log[-1].order.state.quantity == 2
        assert exchange.positions() == {}

    def test_a_pair_is_two_orders(self, exchange: SimulatedExchange) -> None:
        exchange.set_position(AAPL, D(2), D(180))
        first = exchange.place(NewOrder(AAPL, SELL, D(2), OrderType.OCO, limit_price=D(210), stop_price=D(190)))

        exchange.cancel(str(first.state.other))

        assert [each.status for each in exchange.orders()] == [LegStatus.CANCELLED, LegStatus.CANCELLED]
        assert told(exchange)[-2:] == [(EventKind.CANCELLED, first.state.other), (EventKind.CANCELLED, first.id)]

    def test_a_part_that_fills_is_told_with_what_it_takes_off_the_other(self, exchange: SimulatedExchange) -> None:
        exchange.set_position(AAPL, D(4), D(180))
        exchange.set_fill_mode("partial_fill", fraction="0.25")
        first = exchange.place(NewOrder(AAPL, SELL, D(4), OrderType.OCO, limit_price=D(210), stop_price=D(190)))

        exchange.set_price(AAPL, D(210))

        partial, changed = exchange.log[-2:]
        assert (partial.kind, partial.order.id, partial.order.state.filled_quantity) == (EventKind.PARTIALLY_FILLED, first.id, 1)
        assert (changed.kind, changed.order.id, changed.order.state.quantity) == (EventKind.CHANGED, first.state.other, 3)

    def test_it_ends_with_its_day_or_when_the_venue_says(self, exchange: SimulatedExchange, clock: FakeClock) -> None:
        soon = clock.now() + timedelta(seconds=5)
        exchange.place(NewOrder(AAPL, BUY, D(1), OrderType.LIMIT, limit_price=D(190), expires_at=soon, time_in_force="gtc"))
        clock.set(soon)

        assert exchange.orders()[0].status is LegStatus.EXPIRED
        assert exchange.log[-1].kind is EventKind.EXPIRED

    def test_what_the_exchange_does_not_take_is_refused_and_leaves_nothing(self, exchange: SimulatedExchange) -> None:
        for wanted, code in (
            (NewOrder("ZZZZ9", BUY, D(1)), "invalid_symbol"),
            (NewOrder(AAPL, BUY, D(100_000)), "insufficient_margin"),
        ):
            with pytest.raises(OrderRefused) as refusal:
                exchange.place(wanted)
            assert refusal.value.code == code
        with pytest.raises(KeyError):
            exchange.cancel("V99")
        assert (exchange.orders(), exchange.log, exchange.order("V99")) == ((), [], None)

    def test_an_order_may_be_taken_and_rejected_afterwards(self, exchange: SimulatedExchange) -> None:
        order = exchange.reject(NewOrder(AAPL, BUY, D(1), take_profit=D(210)), "no shares to borrow")

        assert (order.status, order.state.reason, told(exchange)) == (
            LegStatus.REJECTED,
            "no shares to borrow",
            [(EventKind.REJECTED, order.id)],
        )
        assert exchange.orders() == (order,)

    def test_accounts_are_apart(self, exchange: SimulatedExchange) -> None:
        exchange.place(NewOrder(AAPL, BUY, D(1)), "one")
        exchange.set_cash(D(5), "two")

        assert (exchange.orders("two"), exchange.positions("two"), exchange.balances("two").cash) == ((), {}, 5)
        assert exchange.order("V1") == exchange.orders("one")[0]

    def test_many_may_trade_at_once(self) -> None:
        exchange = SimulatedExchange()
        with ThreadPoolExecutor(8) as hands:
            list(hands.map(lambda _: exchange.place(NewOrder(AAPL, BUY, D(1))), range(80)))

        assert exchange.positions()[AAPL].quantity == 80
        assert [event.sequence for event in exchange.log] == list(range(1, 161))


class TestReplace:
    def test_an_order_is_changed_under_its_id(self, exchange: SimulatedExchange) -> None:
        order = exchange.place(NewOrder(AAPL, BUY, D(2), OrderType.LIMIT, limit_price=D(190)))

        changed = exchange.replace(order.id, Change(quantity=D(3), limit_price=D(195)))

        assert (changed.id, changed.state.quantity, changed.state.limit_price) == (order.id, 3, 195)
        assert exchange.log[-1].kind is EventKind.CHANGED

    def test_an_order_is_renewed_for_what_it_had_not_filled(self, exchange: SimulatedExchange) -> None:
        exchange.set_fill_mode("partial_fill", fraction="0.5", times="1")
        old = exchange.place(NewOrder(AAPL, BUY, D(4), OrderType.LIMIT, limit_price=D(200), client_order_id="a"))

        new = exchange.replace(old.id, Change(limit_price=D(199)), renew=True, client_order_id="b")

        assert (new.id != old.id, new.state.quantity, new.state.filled_quantity, new.client_order_id) == (True, 2, 0, "b")
        gone = exchange.order(old.id)
        assert gone
        assert (gone.status, gone.state.filled_quantity, gone.replaced_by, new.replaces) == (
            LegStatus.CANCELLED,
            2,
            new.id,
            old.id,
        )
        kinds = [event.kind for event in exchange.log[-3:]]
        assert kinds == [EventKind.REPLACED, EventKind.ACCEPTED, EventKind.CHANGED]
        exchange.set_price(AAPL, D(199))
        assert exchange.positions()[AAPL].quantity == 4

    def test_links_follow_a_renewed_order(self, exchange: SimulatedExchange) -> None:
        entry = exchange.place(
            NewOrder(AAPL, BUY, D(1), OrderType.LIMIT, limit_price=D(195), take_profit=D(210), stop_loss=D(190))
        )
        new = exchange.replace(entry.id, Change(limit_price=D(196)), renew=True)
        profit = exchange.replace(str(entry.state.exits), Change(limit_price=D(220)), renew=True)

        exchange.set_price(AAPL, D(196))
        exchange.set_price(AAPL, D(220))

        assert profit.state.parent == new.id
        assert [each.status for each in exchange.orders() if each.id in {new.id, profit.id}] == [LegStatus.FILLED] * 2
        assert exchange.orders(working=True) == ()

    def test_what_cannot_be_changed_stays_as_it_is(self, exchange: SimulatedExchange) -> None:
        order = exchange.place(NewOrder(AAPL, BUY, D(2), OrderType.LIMIT, limit_price=D(190)))
        before = told(exchange)

        for renew in (True, False):
            with pytest.raises(OrderRefused):
                exchange.replace(order.id, Change(limit_price=D("190.001")), renew=renew)
        filled = exchange.place(NewOrder(AAPL, BUY, D(1)))
        for renew in (True, False):
            with pytest.raises(OrderRefused):
                exchange.replace(filled.id, Change(limit_price=D(190)), renew=renew)

        assert told(exchange)[: len(before)] == before
        assert [each.id for each in exchange.orders(working=True)] == [order.id]


class TestFillMode:
    @pytest.mark.parametrize("immediate", ["immediate", "normal"])
    def test_orders_fill_at_once_again(self, exchange: SimulatedExchange, immediate: str) -> None:
        exchange.set_fill_mode("never_fill")
        assert exchange.place(NewOrder(AAPL, BUY, D(1))).status is LegStatus.WORKING
        exchange.set_fill_mode(immediate)
        assert exchange.place(NewOrder(AAPL, BUY, D(1))).status is LegStatus.FILLED

    def test_orders_fill_later(self, exchange: SimulatedExchange, clock: FakeClock) -> None:
        exchange.set_fill_mode("delay", seconds="3")
        exchange.place(NewOrder(AAPL, BUY, D(1)))
        due = clock.now() + timedelta(seconds=3)
        clock.set(due + timedelta(seconds=10))
        exchange.tick()

        assert exchange.fills()[0].at == due

    def test_other_scenarios_are_none_of_it(self, exchange: SimulatedExchange) -> None:
        with pytest.raises(ValueError, match="normal, delay, partial_fill, never_fill"):
            exchange.set_fill_mode("timeout", when="before")
        with pytest.raises(Refused, match="fraction"):
            exchange.set_fill_mode("partial_fill", fraction="2")


class TestPrices:
    def test_bars_are_made_of_where_the_price_stood(self, exchange: SimulatedExchange, clock: FakeClock) -> None:
        begun = clock.now()
        clock.set(begun + timedelta(seconds=31))
        exchange.set_price(AAPL, D(230))
        clock.set(begun + timedelta(seconds=32))
        exchange.set_price(AAPL, D(190))
        clock.set(begun + timedelta(minutes=2, seconds=1))

        first, second = exchange.bars(AAPL, begun, begun + timedelta(hours=1))

        assert (first.start, first.open, first.high, first.low, first.close) == (begun, 200, 230, 190, 190)
        assert (second.start, second.open, second.close, second.final) == (begun + timedelta(minutes=1), 190, 190, True)
        assert exchange.bars(AAPL, begun + timedelta(seconds=1), begun + timedelta(minutes=1)) == ()

    def test_before_a_price_is_set_bars_follow_the_demo_path(self) -> None:
        now = datetime(2026, 3, 2, 15, tzinfo=UTC)
        exchange = SimulatedExchange(now=lambda: now)

        bars = exchange.bars("ES" + "H6", now - timedelta(hours=3), now, timedelta(hours=1))

        assert [bar.start.hour for bar in bars] == [12, 13, 14]
        assert all(bar.low < bar.high for bar in bars)
        assert bars == SimulatedExchange(now=lambda: now).bars("ESH6", now - timedelta(hours=3), now, timedelta(hours=1))

    def test_unknown_contracts_have_none(self, exchange: SimulatedExchange) -> None:
        for ask in (lambda: exchange.set_price("ZZZZ9", D(1)), lambda: exchange.watch("ZZZZ9")):
            with pytest.raises(ValueError, match="ZZZZ9"):
                ask()


class TestEvents:
    def test_streams_get_what_they_subscribed_to(self, exchange: SimulatedExchange) -> None:
        async def listen() -> list[object]:
            with exchange.events.subscribe(OrderEvent) as orders, exchange.events.subscribe(Trade, Quote) as market:
                await asyncio.to_thread(exchange.set_price, AAPL, D(201))
                await asyncio.to_thread(exchange.place, NewOrder(AAPL, BUY, D(1)))
                return [await each.next(5) for each in (orders, orders, market, market)]

        accepted, filled, trade, quote = asyncio.run(listen())

        assert isinstance(accepted, OrderEvent)
        assert isinstance(filled, OrderEvent)
        assert (accepted.kind, filled.kind) == (EventKind.ACCEPTED, EventKind.FILLED)
        assert isinstance(trade, Trade)
        assert (trade.symbol, trade.price) == (AAPL, 201)
        assert isinstance(quote, Quote)
        assert (quote.bid, quote.ask) == (D("200.99"), D("201.01"))

    def test_what_is_watched_trades_at_each_tick_and_has_a_bar_each_minute(
        self, exchange: SimulatedExchange, clock: FakeClock
    ) -> None:
        async def listen() -> list[object]:
            exchange.watch(AAPL)
            with exchange.events.subscribe(Trade, Bar) as market:
                exchange.tick()
                clock.set(clock.now() + timedelta(minutes=1))
                exchange.tick()
                return [await market.next(5) for _ in range(3)]

        begun = clock.now()
        first, second, bar = asyncio.run(listen())

        assert isinstance(first, Trade)
        assert isinstance(second, Trade)
        assert isinstance(bar, Bar)
        assert (bar.start, bar.close) == (begun, 200)

    def test_after_the_block_nothing_is_told_any_more(self, exchange: SimulatedExchange) -> None:
        async def listen() -> None:
            with exchange.events.subscribe(Trade) as market:
                pass
            exchange.set_price(AAPL, D(201))
            with pytest.raises(TimeoutError):
                await market.next(0)

        asyncio.run(listen())

    def test_it_ticks_until_it_is_stopped(self) -> None:
        async def run() -> Trade:
            exchange = SimulatedExchange()
            exchange.watch(AAPL)
            with exchange.events.subscribe(Trade) as market:
                task = asyncio.create_task(exchange.run())
                await market.next(5)
                heard = await market.next(5)
                task.cancel()
            assert isinstance(heard, Trade)
            return heard

        assert asyncio.run(run()).symbol == AAPL


def test_a_reset_forgets_all_but_the_streams(exchange: SimulatedExchange) -> None:
    exchange.place(NewOrder(AAPL, BUY, D(1)))
    exchange.set_fill_mode("never_fill")

    exchange.reset()

    assert (exchange.state(), exchange.log) == ({"accounts": {}}, [])
    assert exchange.place(NewOrder(AAPL, BUY, D(1))).status is LegStatus.FILLED
