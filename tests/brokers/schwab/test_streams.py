"""One connection for all of an account's streams: who listens to what, and orders that are read when they change."""

import asyncio
import gc
import json
import weakref
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from fillpath.accounts.access import Token
from fillpath.errors import NeedsReauth, StreamEnded
from fillpath.market.bars import Bar, Gap, Quote
from fillpath.orders.model import LegStatus
from fillpath_brokers.facade import Feed, NoData, OrderUpdate
from fillpath_brokers.streaming import listener
from fillpath_brokers.streaming.protocol import End
from tests.brokers.schwab.scene import Scene, commands, play
from tests.brokers.schwab.site import CREDENTIALS, answers, dumped, sample

ORDER = "GET /orders/1002881234001"


def test_all_streams_of_an_account_share_one_connection() -> None:
    async def story(scene: Scene) -> None:
        quotes, _ = scene.listen(scene.broker.stream(["ES", "AAPL"], Feed.QUOTES))
        connection = await scene.ready()
        bars, _ = scene.listen(scene.broker.stream(["ESZ6"], Feed.BARS))
        orders, _ = scene.listen(scene.broker.order_updates())
        await scene.answered(connection)
        assert len(scene.connector.connections) == 1
        assert commands(connection) == [
            ("LOGIN", "ADMIN", ""),
            ("SUBS", "LEVELONE_EQUITIES", "AAPL"),
            ("SUBS", "LEVELONE_FUTURES", "/ES"),
            ("SUBS", "ACCT_ACTIVITY", "Account Activity"),
            ("SUBS", "CHART_FUTURES", "/ESZ26"),
        ]
        await scene.says(connection, "LEVELONE_FUTURES", {"key": "/ES", "1": 6858.25, "4": 1})
        await scene.says(connection, "CHART_FUTURES", {"key": "/ESZ26", "1": 1, "2": 1, "3": 2, "4": 1, "5": 2, "6": 9})
        assert [(type(each), each.symbol) for each in quotes.events] == [(Quote, "ES")]
        assert [(type(each), each.symbol) for each in bars.events] == [(Bar, "ESZ6")]
        assert orders.events == []
        assert connection.place.url == "wss://streamer-api.schwab.com/ws"

    play(story)


def test_what_nobody_wants_any_more_is_left_and_the_last_one_ends_the_connection() -> None:
    async def story(scene: Scene) -> None:
        _, first = scene.listen(scene.broker.stream(["ES", "NQ"], Feed.QUOTES))
        connection = await scene.ready()
        _, second = scene.listen(scene.broker.stream(["ES"], Feed.QUOTES))
        await scene.clock.settle()
        first.cancel()
        await scene.answered(connection)
        assert commands(connection)[-1] == ("UNSUBS", "LEVELONE_FUTURES", "/NQ")
        assert not connection.closed
        second.cancel()
        await scene.clock.settle()
        assert connection.closed
        scene.listen(scene.broker.stream(["ES"], Feed.QUOTES))
        await scene.ready(2)

    play(story)


def test_who_comes_later_hears_the_last_quote_at_once() -> None:
    async def story(scene: Scene) -> None:
        scene.listen(scene.broker.stream(["ES"], Feed.QUOTES))
        connection = await scene.ready()
        await scene.says(connection, "LEVELONE_FUTURES", {"key": "/ES", "1": 6858.25, "4": 1})
        late, _ = scene.listen(scene.broker.stream(["ES"], Feed.QUOTES))
        await scene.clock.settle()
        assert [each.bid for each in late.events] == [Decimal("6858.25")]

    play(story)


def test_subscriptions_change_while_they_run() -> None:
    async def story(scene: Scene) -> None:
        heard, _ = scene.listen(scene.broker.stream(["ES"], Feed.QUOTES))
        connection = await scene.ready()
        scene.broker.update_subscription(Feed.QUOTES, add=["AAPL"], remove=["ES"])
        scene.broker.update_subscription(Feed.BARS, add=["MSFT"])
        await scene.answered(connection)
        assert commands(connection)[-2:] == [("SUBS", "LEVELONE_EQUITIES", "AAPL"), ("UNSUBS", "LEVELONE_FUTURES", "/ES")]
        await scene.says(connection, "LEVELONE_FUTURES", {"key": "/ES", "1": 1, "4": 1})
        await scene.says(connection, "LEVELONE_EQUITIES", {"key": "AAPL", "1": 229, "4": 1})
        assert [each.symbol for each in heard.events] == ["AAPL"]

    play(story)


def test_subscriptions_may_change_before_anybody_reads() -> None:
    async def story(scene: Scene) -> None:
        events = scene.broker.stream(["ES"], Feed.QUOTES)
        scene.broker.update_subscription(Feed.QUOTES, add=["NQ"], remove=["ES"])
        scene.listen(events)
        assert commands(await scene.ready())[-1] == ("SUBS", "LEVELONE_FUTURES", "/NQ")

    play(story)


def test_everybody_is_told_of_a_gap() -> None:
    async def story(scene: Scene) -> None:
        quotes, _ = scene.listen(scene.broker.stream(["ES"], Feed.QUOTES))
        orders, _ = scene.listen(scene.broker.order_updates())
        connection = await scene.ready()
        await scene.clock.advance(5)
        connection.ends()
        second = await scene.ready(2)
        assert isinstance(quotes.events[-1], Gap)
        assert quotes.events == orders.events
        assert {each[1] for each in commands(second)} == {"ADMIN", "LEVELONE_FUTURES", "ACCT_ACTIVITY"}
        assert len(scene.bench.site.asked("userPreference")) == 2

    play(story, shortest_stream_s="0")


def test_a_stream_that_dies_young_is_not_fought_over() -> None:
    async def story(scene: Scene) -> None:
        quotes, _ = scene.listen(scene.broker.stream(["ES"], Feed.QUOTES))
        orders, _ = scene.listen(scene.broker.order_updates())
        connection = await scene.ready()
        connection.ends(End(code=1006))
        await scene.until(lambda: quotes.over and orders.over)
        assert isinstance(quotes.error, StreamEnded)
        assert isinstance(orders.error, StreamEnded)
        assert len(scene.connector.connections) == 1

    play(story)


def test_a_symbol_that_is_not_to_be_had_ends_only_who_wants_it() -> None:
    async def story(scene: Scene) -> None:
        good, _ = scene.listen(scene.broker.stream(["ES"], Feed.QUOTES))
        connection = await scene.ready()
        bad, _ = scene.listen(scene.broker.stream(["AAPL"], Feed.BARS))
        await scene.clock.settle()
        [request] = json.loads(connection.sent[-1])["requests"]
        row = {
            "service": "CHART_EQUITY",
            "command": "SUBS",
            "requestid": request["requestid"],
            "content": {"code": 22, "msg": "no"},
        }
        connection.hears(json.dumps({"response": [row]}))
        await scene.until(lambda: bad.over)
        assert isinstance(bad.error, StreamEnded)
        assert "AAPL" in str(bad.error)
        await scene.says(connection, "LEVELONE_FUTURES", {"key": "/ES", "1": 1, "4": 1})
        assert len(good.events) == 1

    play(story)


def test_a_refused_symbol_leaves_the_stream_and_the_others_go_on() -> None:
    async def story(scene: Scene) -> None:
        heard, _ = scene.listen(scene.broker.stream(["ES"], Feed.QUOTES))
        connection = await scene.ready()
        scene.broker.update_subscription(Feed.QUOTES, add=["NQ"])
        await scene.clock.settle()
        [request] = json.loads(connection.sent[-1])["requests"]
        row = {"service": "X", "command": "ADD", "requestid": request["requestid"], "content": {"code": 22, "msg": "no"}}
        connection.hears(json.dumps({"response": [row]}))
        await scene.clock.settle()
        await scene.says(connection, "LEVELONE_FUTURES", {"key": "/ES", "1": 1, "4": 1})
        assert [(type(each), each.symbol) for each in heard.events] == [(NoData, "NQ"), (Quote, "ES")]
        assert json.loads(connection.sent[-1])["requests"] == [request]

    play(story)


def test_closing_the_account_ends_all_its_streams() -> None:
    async def story(scene: Scene) -> None:
        quotes, _ = scene.listen(scene.broker.stream(["ES"], Feed.QUOTES))
        orders, _ = scene.listen(scene.broker.order_updates())
        connection = await scene.ready()
        scene.broker.close()
        await scene.until(lambda: quotes.over and orders.over)
        assert (quotes.error, orders.error, connection.closed) == (None, None, True)

    play(story)


def test_a_refused_token_is_told_to_everybody_and_the_stream_ends_when_a_person_is_needed() -> None:
    async def story(scene: Scene) -> None:
        quotes, _ = scene.listen(scene.broker.stream(["ES"], Feed.QUOTES))
        await scene.until(lambda: scene.connector.connections)
        row = {"service": "ADMIN", "command": "LOGIN", "requestid": "1", "content": {"code": 3, "msg": "Login Denied."}}
        scene.connector.connections[0].hears(json.dumps({"response": [row]}))
        await scene.until(lambda: scene.bench.ledger.known["A1"].refused_version == 1)
        status = scene.bench.ledger.known["A1"]
        scene.bench.ledger.known["A1"] = type(status)(status.version, needs_reauth=True, refused_version=1, reason="week is over")
        await scene.until(lambda: quotes.over)
        assert isinstance(quotes.error, NeedsReauth)
        assert len(scene.connector.connections) == 1

    play(story)


def test_a_slow_reader_loses_what_waits_and_is_told() -> None:
    async def story(scene: Scene) -> None:
        events = scene.broker.stream(["ES"], Feed.QUOTES)
        first = asyncio.create_task(anext(events))
        connection = await scene.ready()
        await scene.says(connection, "LEVELONE_FUTURES", {"key": "/ES", "1": 1, "4": 1})
        await first
        for price in range(listener.MOST_WAITING + 5):
            connection.hears(
                json.dumps(
                    {"data": [{"service": "LEVELONE_FUTURES", "timestamp": 1, "content": [{"key": "/ES", "1": price + 2}]}]}
                )
            )
        await scene.until(lambda: connection.received >= listener.MOST_WAITING + 5)
        await scene.clock.settle()
        assert isinstance(await anext(events), Gap)
        assert (await anext(events)).bid == listener.MOST_WAITING + 2
        await events.aclose()  # type: ignore[attr-defined]  # an async generator

    play(story)


# --- orders -----------------------------------------------------------------------------------------------------------------


def test_a_changed_order_is_read_and_told_once() -> None:
    async def story(scene: Scene) -> None:
        orders, _ = scene.listen(scene.broker.order_updates())
        connection = await scene.ready()
        for seq in range(3):
            await scene.activity(connection, seq)
        assert [(each.contract, each.view.status, each.view.filled_quantity) for each in orders.events] == [
            ("AAPL", LegStatus.FILLED, 10)
        ]
        assert isinstance(orders.events[0], OrderUpdate)

    play(story, {ORDER: answers("order_filled")})


def test_an_order_that_shows_its_change_late_is_read_once_more() -> None:
    shown = [answers("order_working"), answers("order_filled")]

    async def story(scene: Scene) -> None:
        updates = scene.broker.order_updates()
        first = asyncio.create_task(anext(updates))
        await scene.activity(await scene.ready(), 0)
        async with asyncio.timeout(10):
            told = [await first, await anext(updates)]
        assert [each.view.status for each in told if isinstance(each, OrderUpdate)] == [LegStatus.WORKING, LegStatus.FILLED]
        await updates.aclose()  # type: ignore[attr-defined]  # an async generator

    play(story, {ORDER: lambda _: shown.pop(0) if len(shown) > 1 else shown[0]}, read_again_s="0.02")


def test_every_order_of_a_bracket_is_told_by_itself() -> None:
    async def story(scene: Scene) -> None:
        orders, _ = scene.listen(scene.broker.order_updates())
        connection = await scene.ready()
        await scene.activity(connection, 0)
        assert {each.view.broker_order_id: each.view.status for each in orders.events} == {
            "1002881234010": LegStatus.FILLED,
            "1002881234012": LegStatus.FILLED,
            "1002881234013": LegStatus.CANCELLED,
        }

    play(story, {ORDER: answers("bracket_target_filled")})


def test_a_replaced_order_is_told_as_its_successor() -> None:
    async def story(scene: Scene) -> None:
        orders, _ = scene.listen(scene.broker.order_updates())
        connection = await scene.ready()
        await scene.activity(connection, 0, "CancelAccepted")
        [update] = orders.events
        assert (update.view.broker_order_id, update.view.status) == ("1002881234001>1002881234002", LegStatus.PARTIALLY_FILLED)

    play(story, {ORDER: answers("order_replaced"), "GET /orders/1002881234002": answers("order_replacement")})


@pytest.mark.parametrize("answer", [httpx.Response(500), httpx.Response(429), httpx.ReadTimeout("late")])
def test_an_order_that_cannot_be_read_is_a_gap(answer: Any) -> None:
    async def story(scene: Scene) -> None:
        orders, _ = scene.listen(scene.broker.order_updates())
        connection = await scene.ready()
        await scene.activity(connection, 0)
        assert [type(each) for each in orders.events] == [Gap]

    play(story, {ORDER: answer})


def test_a_number_left_out_is_a_gap() -> None:
    async def story(scene: Scene) -> None:
        orders, _ = scene.listen(scene.broker.order_updates())
        connection = await scene.ready()
        await scene.activity(connection, 0)
        await scene.activity(connection, 5)
        assert [type(each) for each in orders.events] == [OrderUpdate, Gap]

    play(story, {ORDER: answers("order_filled")})


@pytest.mark.parametrize("frame", ["no json", json.dumps({"data": [{"service": "ACCT_ACTIVITY", "timestamp": "later"}]})])
def test_what_cannot_be_read_is_a_gap_from_when_orders_were_last_heard_of(frame: str) -> None:
    async def story(scene: Scene) -> None:
        begun = scene.clock.now()
        orders, _ = scene.listen(scene.broker.order_updates())
        quotes, _ = scene.listen(scene.broker.stream(["ES"], Feed.QUOTES))
        connection = await scene.ready()
        await scene.clock.advance(3)
        connection.hears(frame)
        await scene.clock.settle()
        assert orders.events == [Gap(begun, scene.clock.now())]
        assert (quotes.events, len(scene.connector.connections)) == ([], 1)

    play(story, {ORDER: answers("order_filled")})


def test_orders_of_another_account_of_the_login_are_left_alone() -> None:
    async def story(scene: Scene) -> None:
        orders, _ = scene.listen(scene.broker.order_updates())
        connection = await scene.ready()
        await scene.activity(connection, 0, account="90000002")
        assert orders.events == []
        assert scene.bench.site.asked("/orders/") == []

    play(story)


def test_an_option_order_is_told_in_schwabs_spelling() -> None:
    order = sample("order_filled")
    order["orderLegCollection"][0] |= {
        "instruction": "SELL_TO_OPEN",
        "instrument": {"assetType": "OPTION", "symbol": "AAPL  270115C00250000"},
    }

    async def story(scene: Scene) -> None:
        orders, _ = scene.listen(scene.broker.order_updates())
        connection = await scene.ready()
        await scene.activity(connection, 0)
        [update] = orders.events
        assert (update.contract, update.side.value) == ("AAPL  270115C00250000", "sell")

    play(story, {ORDER: dumped(order)})


@pytest.mark.parametrize("again", [True, False])
def test_a_renewed_token_signs_in_again_only_where_that_is_set(again: bool) -> None:
    async def story(scene: Scene) -> None:
        scene.listen(scene.broker.stream(["ES"], Feed.QUOTES))
        connection = await scene.ready()
        clock, tokens = scene.bench.clock, scene.bench.services.tokens
        tokens.keep("A1", CREDENTIALS, Token("access-2", clock.now() + timedelta(minutes=30), "refresh-sample"), "a renewal")
        for _ in range(4):  # silence would end the connection
            await scene.clock.advance(10)
            await scene.says(connection, "LEVELONE_FUTURES", {"key": "/ES", "1": 1, "4": 1})
        if not again:
            assert len(scene.connector.connections) == 1
            return
        second = await scene.ready(2)
        assert "access-2" in str(second.sent[0])

    play(story, sign_in_again_on_stream=str(again).lower(), shortest_stream_s="0")


def test_a_stream_that_nobody_holds_any_more_is_forgotten() -> None:
    async def story(scene: Scene) -> None:
        events = scene.broker.stream(["ES"], Feed.QUOTES)
        known = weakref.ref(events)
        del events
        gc.collect()
        assert known() is None
        scene.broker.update_subscription(Feed.QUOTES, add=["NQ"])
        scene.listen(scene.broker.stream(["ES"], Feed.QUOTES))
        assert commands(await scene.ready())[-1] == ("SUBS", "LEVELONE_FUTURES", "/ES")

    play(story)
