"""One market data connection for all of an account's feeds: who hears what, and what the connection carries."""

import asyncio
import json
from contextlib import ExitStack
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from fillpath.errors import NeedsReauth, StreamEnded
from fillpath.market.bars import Bar, Gap, Quote, Trade
from fillpath_brokers.facade import Feed, NoData
from tests.brokers.alpaca.scene import Scene, asked, play
from tests.contract.broker_bench import Bench, bench
from tests.simulators.alpaca import CREDENTIALS
from tests.simulators.options import SOCKETS
from tests.simulators.server import Simulator, running
from tests.waiting import PATIENCE_S, until

TRADE = {"T": "t", "S": "AAPL", "p": 200.5, "s": 10, "t": "2026-03-02T14:30:00Z"}
QUOTE = {"T": "q", "S": "AAPL", "bp": 200.4, "bs": 1, "ap": 200.6, "as": 2, "t": "2026-03-02T14:30:00Z"}
BAR = {"T": "b", "S": "AAPL", "o": 1, "h": 2, "l": 1, "c": 2, "v": 9, "t": "2026-03-02T14:29:00Z"}
SUBSCRIPTION = {"T": "subscription"}
REFUSAL = {"T": "error", "code": 400, "msg": "invalid syntax"}


def test_trades_quotes_and_bars_come_over_one_connection_and_each_hears_his_own() -> None:
    async def story(scene: Scene) -> None:
        trades, _ = scene.listen(scene.broker.stream(["AAPL"], Feed.TICKS))
        connection = await scene.ready()
        quotes, _ = scene.listen(scene.broker.stream(["AAPL"], Feed.QUOTES))
        bars, _ = scene.listen(scene.broker.stream(["AAPL", "MSFT"], Feed.BARS))
        await scene.clock.settle()
        await scene.says(connection, SUBSCRIPTION)
        await scene.says(connection, TRADE, QUOTE, BAR, TRADE)
        assert len(scene.connector.connections) == 1
        assert asked(connection) == [
            {"action": "subscribe", "trades": ["AAPL"]},
            {"action": "subscribe", "bars": ["AAPL", "MSFT"], "quotes": ["AAPL"], "updatedBars": ["AAPL", "MSFT"]},
        ]
        assert [[type(each) for each in heard.events] for heard in (trades, quotes, bars)] == [[Trade, Trade], [Quote], [Bar]]

    play(story)


def test_everybody_is_told_of_the_one_gap_and_all_is_asked_for_again() -> None:
    async def story(scene: Scene) -> None:
        trades, _ = scene.listen(scene.broker.stream(["AAPL"], Feed.TICKS))
        quotes, _ = scene.listen(scene.broker.stream(["AAPL"], Feed.QUOTES))
        connection = await scene.ready()
        await scene.clock.advance(2)
        connection.ends()
        second = await scene.ready(2)
        assert [type(each) for each in trades.events] == [Gap]
        assert quotes.events == trades.events
        assert asked(second) == [{"action": "subscribe", "quotes": ["AAPL"], "trades": ["AAPL"]}]

    play(story)


def test_what_nobody_wants_any_more_is_left_and_the_last_one_ends_the_connection() -> None:
    async def story(scene: Scene) -> None:
        _, first = scene.listen(scene.broker.stream(["AAPL"], Feed.TICKS))
        _, second = scene.listen(scene.broker.stream(["AAPL", "MSFT"], Feed.TICKS))
        connection = await scene.ready()
        second.cancel()
        await scene.clock.settle()
        assert asked(connection)[-1] == {"action": "unsubscribe", "trades": ["MSFT"]}
        assert not connection.closed
        first.cancel()
        await scene.clock.settle()
        assert connection.closed

    play(story)


def test_subscriptions_change_while_they_run_and_before_anybody_reads() -> None:
    async def story(scene: Scene) -> None:
        events = scene.broker.stream(["AAPL"], Feed.TICKS)
        scene.broker.update_subscription(Feed.TICKS, add=["TSLA"], remove=["AAPL"])
        heard, _ = scene.listen(events)
        connection = await scene.ready()
        scene.broker.update_subscription(Feed.TICKS, add=["AAPL"])
        scene.broker.update_subscription(Feed.QUOTES, add=["MSFT"])
        await scene.clock.settle()
        assert asked(connection) == [{"action": "subscribe", "trades": [name]} for name in ("TSLA", "AAPL")]
        await scene.says(connection, TRADE)
        assert [each.symbol for each in heard.events] == ["AAPL"]

    play(story)


def test_a_symbol_too_many_ends_only_who_wants_it() -> None:
    async def story(scene: Scene) -> None:
        good, _ = scene.listen(scene.broker.stream(["AAPL"], Feed.TICKS))
        connection = await scene.ready()
        bad, _ = scene.listen(scene.broker.stream(["MSFT"], Feed.QUOTES))
        await scene.clock.settle()
        await scene.says(connection, {"T": "error", "code": 405, "msg": "symbol limit exceeded"})
        await scene.clock.until(lambda: bad.over)
        assert isinstance(bad.error, StreamEnded)
        await scene.says(connection, TRADE)
        assert [type(each) for each in good.events] == [Trade]

    play(story)


def test_a_refused_symbol_leaves_the_stream_and_is_not_asked_for_on_the_next_connection() -> None:
    async def story(scene: Scene) -> None:
        heard, _ = scene.listen(scene.broker.stream(["AAPL", "MSFT"], Feed.TICKS))
        await scene.clock.until(lambda: scene.connector.connections)
        connection = scene.connector.connections[0]
        for message in (
            {"T": "success", "msg": "connected"},
            {"T": "success", "msg": "authenticated"},
            REFUSAL,
            SUBSCRIPTION,
            REFUSAL,
        ):
            await scene.says(connection, message)
        await scene.says(connection, TRADE)
        assert [each["trades"] for each in asked(connection)] == [["AAPL", "MSFT"], ["AAPL"], ["MSFT"]]
        assert [(type(each), each.symbol) for each in heard.events] == [(NoData, "MSFT"), (Trade, "AAPL")]
        connection.ends()
        second = await scene.ready(2)
        scene.broker.update_subscription(Feed.TICKS, add=["MSFT"])
        await scene.clock.settle()
        assert [each["trades"] for each in asked(second)] == [["AAPL"], ["MSFT"]]
        assert not heard.over

    play(story)


def test_refused_keys_end_every_listener() -> None:
    async def story(scene: Scene) -> None:
        trades, _ = scene.listen(scene.broker.stream(["AAPL"], Feed.TICKS))
        quotes, _ = scene.listen(scene.broker.stream(["AAPL"], Feed.QUOTES))
        await scene.clock.until(lambda: scene.connector.connections)
        await scene.says(scene.connector.connections[0], {"T": "error", "code": 402, "msg": "auth failed"})
        await scene.clock.until(lambda: trades.over and quotes.over)
        assert isinstance(trades.error, NeedsReauth)
        assert isinstance(quotes.error, NeedsReauth)

    play(story)


def test_closing_the_account_ends_its_streams_for_good() -> None:
    async def story(scene: Scene) -> None:
        trades, _ = scene.listen(scene.broker.stream(["AAPL"], Feed.TICKS))
        later = scene.broker.stream(["MSFT"], Feed.TICKS)
        await scene.ready()
        scene.broker.close()
        await scene.clock.until(lambda: trades.over)
        heard, _ = scene.listen(later)
        await scene.clock.until(lambda: heard.over)
        assert (trades.error, heard.error, len(scene.connector.connections)) == (None, None, 1)

    play(story)


# --- against a venue that lets one connection in --------------------------------------------------------------------------------


def signed_in(simulator: Simulator, stack: ExitStack) -> tuple[ClientConnection, Any]:
    """A connection that has sent the keys, and what it was told."""
    line = stack.enter_context(connect(simulator.url.replace("http", "ws", 1) + "/v2/iex"))
    line.recv()
    line.send(json.dumps({"action": "auth", "key": CREDENTIALS["key_id"], "secret": CREDENTIALS["secret_key"]}))
    [told] = json.loads(line.recv())
    return line, told


@pytest.mark.integration
@pytest.mark.enable_socket
def test_a_second_data_connection_of_the_same_key_is_shown_out_until_the_first_has_ended() -> None:
    with running("alpaca") as simulator, ExitStack() as stack:
        first, told = signed_in(simulator, stack)
        assert told == {"T": "success", "msg": "authenticated"}
        second, told = signed_in(simulator, stack)
        assert (told["T"], told["code"]) == ("error", 406)
        with pytest.raises(ConnectionClosed):
            second.recv()
        first.close()
        assert until(lambda: signed_in(simulator, stack)[1], lambda told: told["T"] == "success")


@pytest.mark.integration
@pytest.mark.enable_socket
def test_an_account_with_every_feed_holds_one_data_connection() -> None:
    async def follow(at: Bench) -> None:
        broker = at.broker
        streams = [broker.stream([at.contract], feed) for feed in Feed]
        reading = [asyncio.create_task(anext(events)) for events in streams]
        await asyncio.to_thread(at.simulator.wait_for_stream)
        at.trades_at(at.away(1))
        at.simulator.exchange.end_minute()
        heard = await asyncio.gather(*reading)
        lines = [line.name for line in at.simulator.application[SOCKETS]]
        for events in streams:
            await events.aclose()  # type: ignore[attr-defined]  # an async generator
        broker.close()
        assert {type(event) for event in heard} == {Trade, Quote, Bar}
        assert lines == ["/v2/iex"]

    with bench("alpaca") as at:
        asyncio.run(asyncio.wait_for(follow(at), PATIENCE_S))
