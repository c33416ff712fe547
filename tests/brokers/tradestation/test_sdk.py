"""tradestation-api-python, a client of others, against the simulator.

It has its addresses in its code and takes no other ones: here they are replaced on the finished objects (`base_url` of its HTTP
client, the address that its token manager asks). Nothing else of it is changed.
"""

import asyncio
import gc
import json
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from tradestation.client.tradestation_client import TradeStationClient
from tradestation.ts_types.order_execution import (
    GroupOrderRequest,
    OrderDuration,
    OrderReplaceRequest,
    OrderRequest,
    OrderSide,
    OrderType,
    TimeInForce,
)
from tradestation.utils.exceptions import TradeStationAPIError, TradeStationAuthError

from fillpath.market.instruments import resolve
from fillpath_brokers.tradestation.symbols import to_venue
from tests.simulators.options import Options
from tests.simulators.server import Simulator, running
from tests.simulators.tradestation import CREDENTIALS
from tests.simulators.tradestation.house import FUTURES
from tests.waiting import PATIENCE_S

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]

Seen = TypeVar("Seen")
Story = Callable[[TradeStationClient, str], Awaitable[None]]

ACCOUNT = FUTURES
PRICE = Decimal(5900)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with running("tradestation", Options(strict=True)) as made:
        yield made


def front(simulator: Simulator) -> str:
    return resolve("ES1!", simulator.exchange.now().date()).contract


def play(simulator: Simulator, story: Story) -> None:
    """The story with a client and the symbol of the front contract."""
    contract = front(simulator)
    simulator.exchange.set_price(contract, PRICE)

    async def scene() -> None:
        secrets = {name: CREDENTIALS[name] for name in ("client_id", "client_secret", "refresh_token")}
        client = TradeStationClient(secrets, environment="Simulation")
        client.http_client.base_url = simulator.url
        client.http_client.token_manager._TOKEN_URL = f"{simulator.url}/oauth/token"
        try:
            await story(client, to_venue(contract, simulator.exchange.now().date()))
        finally:
            await client.close()

    asyncio.run(scene())
    gc.collect()


def order(symbol: str, side: str = "BUY", **more: Any) -> OrderRequest:
    fields: dict[str, Any] = {"OrderType": OrderType.MARKET, "Quantity": "2", **more}
    return OrderRequest(
        AccountID=ACCOUNT,
        Symbol=symbol,
        TradeAction=OrderSide(side),
        TimeInForce=TimeInForce(Duration=OrderDuration.DAY),
        Route="Intelligent",
        **fields,
    )


def is_filled(told: Any) -> bool:
    return bool(told.Orders[0].Status == "FLL")


async def seen(look: Callable[[], Awaitable[Seen]], wanted: Callable[[Seen], bool]) -> Seen:
    async with asyncio.timeout(PATIENCE_S):
        while not wanted(shown := await look()):  # noqa: ASYNC110  a venue over HTTP tells nothing by itself
            await asyncio.sleep(0.05)
        return shown


def test_it_places_an_order_and_reads_its_fill_and_position(simulator: Simulator) -> None:
    async def story(client: TradeStationClient, symbol: str) -> None:
        placed = await client.order_execution.place_order(order(symbol))
        assert placed.Orders is not None
        number = placed.Orders[0].OrderID
        shown = await seen(lambda: client.brokerage.get_orders_by_order_id(ACCOUNT, number), is_filled)
        assert shown.Orders[0].Legs[0].ExecQuantity == "2"
        held = await client.brokerage.get_positions(ACCOUNT)
        assert [(each.Symbol, each.Quantity) for each in held.Positions] == [(symbol, "2")]
        assert {each.AccountID for each in await client.brokerage.get_accounts()} >= {ACCOUNT}
        balances = await client.brokerage.get_balances(ACCOUNT)
        assert Decimal(balances.Balances[0].Equity) > 0

    play(simulator, story)


def test_it_changes_and_cancels_a_limit_order(simulator: Simulator) -> None:
    async def story(client: TradeStationClient, symbol: str) -> None:
        placed = await client.order_execution.place_order(order(symbol, OrderType=OrderType.LIMIT, LimitPrice="5800"))
        assert placed.Orders is not None
        number = placed.Orders[0].OrderID
        changed = await client.order_execution.replace_order(number, OrderReplaceRequest(LimitPrice="5810"))
        assert changed.OrderID == number
        listed = await client.brokerage.get_orders(ACCOUNT)
        assert [each.LimitPrice for each in listed.Orders] == ["5810"]
        await client.order_execution.cancel_order(number)
        await seen(lambda: client.brokerage.get_orders(ACCOUNT), lambda told: told.Orders[0].Status == "OUT")
        with pytest.raises(TradeStationAPIError, match="400"):
            await client.order_execution.cancel_order(number)

    play(simulator, story)


def test_it_places_an_exit_pair(simulator: Simulator) -> None:
    async def story(client: TradeStationClient, symbol: str) -> None:
        await client.order_execution.place_order(order(symbol))
        limit = order(symbol, "SELL", OrderType=OrderType.LIMIT, LimitPrice="5950")
        stop = order(symbol, "SELL", OrderType=OrderType.STOP_MARKET, StopPrice="5850")
        placed = await client.order_execution.place_group_order(GroupOrderRequest(Type="BRK", Orders=[limit, stop]))
        assert len(placed.Orders) == 2
        simulator.exchange.set_price(front(simulator), Decimal(5951))
        shown = await seen(lambda: client.brokerage.get_positions(ACCOUNT), lambda told: not told.Positions)
        assert shown.Positions == []

    play(simulator, story)


def test_a_refusal_comes_with_a_200(simulator: Simulator) -> None:
    async def story(client: TradeStationClient, symbol: str) -> None:
        simulator.exchange.set_cash(Decimal(10))
        refused = await client.order_execution.place_order(order(symbol))
        assert refused.Errors
        assert "insufficient funds" in refused.Errors[0].Message

    play(simulator, story)


def test_a_wrong_refresh_token_lets_nobody_in(simulator: Simulator) -> None:
    async def story(client: TradeStationClient, symbol: str) -> None:
        client.http_client.token_manager._refresh_token = "somebody-elses"
        with pytest.raises(TradeStationAuthError):
            await client.order_execution.place_order(order(symbol))

    play(simulator, story)


def test_it_reads_bars_quotes_and_symbols(simulator: Simulator) -> None:
    async def story(client: TradeStationClient, symbol: str) -> None:
        bars = await client.market_data.get_bar_history(symbol, {"unit": "Minute", "interval": "1", "barsback": 30})
        assert len(bars.Bars) in {30, 31}
        quotes = await client.market_data.get_quote_snapshots([symbol])
        assert quotes.Quotes[0].Last == "5900"
        details = await client.market_data.get_symbol_details("@ES")
        assert details.Symbols[0].Underlying == symbol

    play(simulator, story)


@pytest.mark.filterwarnings("ignore:Unclosed connection:ResourceWarning")  # it gives no way to close a stream
def test_it_hears_of_orders_and_quotes(simulator: Simulator) -> None:
    async def heard(reader: Any, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            while line := await reader.readline():
                message: dict[str, Any] = json.loads(line)
                if wanted(message):
                    return message
        raise AssertionError("the stream ended")

    async def story(client: TradeStationClient, symbol: str) -> None:
        orders = await client.brokerage.stream_orders(ACCOUNT)
        await heard(orders, lambda message: message.get("StreamStatus") == "EndSnapshot")
        await client.order_execution.place_order(order(symbol))
        filled = await heard(orders, lambda message: message.get("Status") == "FLL" and "ClosedDateTime" in message)
        assert filled["Legs"][0]["ExecQuantity"] == "2"
        quotes = await client.market_data.stream_quotes([symbol])
        assert (await heard(quotes, lambda message: "Bid" in message))["Symbol"] == symbol
        simulator.exchange.set_price(front(simulator), Decimal(5901))
        assert await heard(quotes, lambda message: message.get("Last") == "5901")

    play(simulator, story)
