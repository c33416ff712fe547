"""alpaca-py, Alpaca's own SDK, against the simulator: unmodified but for the URL."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from threading import Thread
from typing import Any

import pytest
from alpaca.data.historical import StockHistoricalDataClient
from alpaca.data.live import StockDataStream
from alpaca.data.requests import StockBarsRequest, StockLatestTradeRequest
from alpaca.data.timeframe import TimeFrame
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderClass, OrderSide, OrderStatus, QueryOrderStatus, TimeInForce
from alpaca.trading.requests import (
    GetOrdersRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    ReplaceOrderRequest,
    StopLossRequest,
    TakeProfitRequest,
)
from alpaca.trading.stream import TradingStream

from tests.simulators.alpaca import CREDENTIALS
from tests.simulators.options import Options
from tests.simulators.server import Simulator, running
from tests.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]

KEYS = CREDENTIALS["key_id"], CREDENTIALS["secret_key"]


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with running("alpaca", Options(strict=True)) as made:
        made.exchange.set_price("AAPL", Decimal(200))
        yield made


@pytest.fixture
def client(simulator: Simulator) -> TradingClient:
    return TradingClient(*KEYS, paper=True, url_override=simulator.url)


def buy(**more: Any) -> MarketOrderRequest:
    return MarketOrderRequest(symbol="AAPL", qty=3, side=OrderSide.BUY, time_in_force=TimeInForce.DAY, **more)


def test_it_places_an_order_and_reads_its_fill_and_position(client: TradingClient) -> None:
    placed = client.submit_order(buy(client_order_id="mine"))
    filled = until(lambda: client.get_order_by_id(placed.id), lambda order: order.status is OrderStatus.FILLED)
    assert (filled.filled_qty, filled.filled_avg_price, filled.client_order_id) == ("3", "200", "mine")
    [position] = client.get_all_positions()
    assert (position.symbol, position.qty) == ("AAPL", "3")
    assert client.get_account().account_number
    assert client.get_clock().is_open
    assert client.get_asset("AAPL").fractionable


def test_it_changes_and_cancels_a_limit_order(client: TradingClient) -> None:
    request = LimitOrderRequest(symbol="AAPL", qty=1, side=OrderSide.BUY, time_in_force=TimeInForce.GTC, limit_price=150)
    placed = client.submit_order(request)
    changed = client.replace_order_by_id(placed.id, ReplaceOrderRequest(limit_price=151))
    assert changed.replaces == placed.id
    [working] = client.get_orders(GetOrdersRequest(status=QueryOrderStatus.OPEN))
    assert working.limit_price == "151"
    client.cancel_order_by_id(changed.id)
    assert client.get_order_by_id(changed.id).status is OrderStatus.CANCELED
    assert client.get_orders() == []


def test_it_places_a_bracket_and_closes_the_position(client: TradingClient, simulator: Simulator) -> None:
    bracket = client.submit_order(
        buy(
            order_class=OrderClass.BRACKET,
            take_profit=TakeProfitRequest(limit_price=210),
            stop_loss=StopLossRequest(stop_price=190),
        )
    )
    assert [leg.order_class for leg in bracket.legs] == [OrderClass.BRACKET] * 2
    simulator.exchange.set_price("AAPL", Decimal(211))
    until(client.get_all_positions, lambda held: held == [])
    client.submit_order(buy())
    client.close_position("AAPL")
    until(client.get_all_positions, lambda held: held == [])


def test_a_refusal_has_the_venues_own_code(client: TradingClient, simulator: Simulator) -> None:
    simulator.exchange.set_cash(Decimal(10))
    with pytest.raises(Exception, match="40310000"):
        client.submit_order(buy())


def test_it_reads_bars_and_the_last_trade(simulator: Simulator) -> None:
    data = StockHistoricalDataClient(*KEYS, url_override=simulator.url)
    bars = data.get_stock_bars(StockBarsRequest(symbol_or_symbols="AAPL", timeframe=TimeFrame.Minute, limit=30))
    assert len(bars["AAPL"]) == 30
    trade = data.get_stock_latest_trade(StockLatestTradeRequest(symbol_or_symbols="AAPL"))
    assert trade["AAPL"].price == 200


def test_it_hears_of_orders(client: TradingClient, simulator: Simulator) -> None:
    heard: list[Any] = []
    stream = TradingStream(*KEYS, paper=True, url_override=simulator.url.replace("http", "ws") + "/stream")

    async def keep(update: Any) -> None:
        heard.append(update)

    stream.subscribe_trade_updates(keep)
    with_stream(stream, lambda: client.submit_order(buy()), lambda: any(each.event == "fill" for each in heard))
    assert next(each for each in heard if each.event == "fill").order.filled_qty == "3"


def test_it_hears_of_trades_in_msgpack(simulator: Simulator) -> None:
    heard: list[Any] = []
    stream = StockDataStream(*KEYS, url_override=simulator.url.replace("http", "ws") + "/v2/iex")

    async def keep(trade: Any) -> None:
        heard.append(trade)

    stream.subscribe_trades(keep, "AAPL")
    with_stream(stream, lambda: simulator.exchange.set_price("AAPL", Decimal(201)), lambda: any(t.price == 201 for t in heard))
    assert heard[0].symbol == "AAPL"


def with_stream(stream: Any, act: Any, done: Any) -> None:
    """Run the SDK's own loop in a thread, act until it has heard, and stop it."""
    thread = Thread(target=lambda: asyncio.run(stream._run_forever()), daemon=True)
    thread.start()
    try:
        until(lambda: (act(), done())[1])
    finally:
        stream.stop()
        thread.join(10)
    assert not thread.is_alive()
