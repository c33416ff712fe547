"""Tradovate's streams over connections without a network: who is let in, what happens when not, and new tokens."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from datetime import timedelta
from typing import Any

import pytest

from fillpath.accounts.access import Token
from fillpath.errors import NeedsReauth, StreamEnded
from fillpath.market.bars import Gap, Quote
from fillpath_brokers.facade import Feed, NoData
from fillpath_brokers.streaming.driver import Means
from fillpath_brokers.streaming.tokens import LOOK_EVERY_S
from fillpath_brokers.tradovate.calls import Calls
from fillpath_brokers.tradovate.reading import Reading
from fillpath_brokers.tradovate.settings import Settings
from fillpath_brokers.tradovate.sign_in import SIGN_IN
from fillpath_brokers.tradovate.streams import TradovateStreams
from tests.brokers.tradovate.house import ACCOUNT_ID, House, account, recorded, sample
from tests.fakes.async_clock import FakeAsyncClock
from tests.fakes.connections import FakeConnection, FakeConnector

DENIED = 'a[{"s":401,"i":0,"d":"Access is denied"}]'
IN = 'a[{"s":200,"i":0}]'
GIVEN = 'a[{"s":200,"i":1,"d":{}}]'


async def at_once(call: Callable[..., Any], *arguments: Any) -> Any:
    """In place of a thread."""
    return call(*arguments)


class Scene:
    """An account's streams, and what comes out of one of them."""

    def __init__(self) -> None:
        self.house = House()
        self.clock = FakeAsyncClock()
        self.connector = FakeConnector()
        made = Settings.of(self.house.connection)
        record = account(self.house.clock.now(), self.house.connection)
        calls = Calls(record, self.house.tokens, self.house.web, self.house.clock, made)
        means = Means(self.connector, self.clock, lambda: 1.0, at_once)
        self.streams = TradovateStreams(calls, Reading(calls, None), made, means)
        self.events: list[Any] = []
        self.ended: Exception | None = None

    async def reading(self, events: AsyncIterator[Any]) -> None:
        try:
            async for event in events:
                self.events.append(event)
        except (NeedsReauth, StreamEnded) as exc:
            self.ended = exc

    async def connected(self, number: int = 1) -> FakeConnection:
        await self.clock.until(lambda: len(self.connector.connections) >= number)
        return self.connector.connections[number - 1]

    def new_token(self, name: str) -> None:
        """Somebody has renewed."""
        extra = {"md_access_token": f"md-{name}", "user_id": "15460", "account_id": "123", "account_name": "DEMO123456"}
        self.house.keep(Token(name, self.house.clock.now() + timedelta(hours=1), extra=extra))


def play(story: Callable[[Scene], Awaitable[None]], of: Callable[[Scene], AsyncIterator[Any]]) -> Scene:
    async def run() -> Scene:
        scene = Scene()
        events = of(scene)
        async with aclosing(events):  # type: ignore[type-var]  # an async generator
            reader = asyncio.create_task(scene.reading(events))
            await story(scene)
            scene.streams.close()
            await scene.clock.settle()
            await asyncio.wait_for(reader, 1)
        return scene

    return asyncio.run(run())


def orders(scene: Scene) -> AsyncIterator[Any]:
    return scene.streams.orders()


def quotes(scene: Scene) -> AsyncIterator[Any]:
    scene.house.venue.lay_down("contract/find", sample("contract"))
    return scene.streams.market({"ESZ6": "ESZ6"}, Feed.QUOTES)


def test_orders_come_from_the_user_socket_and_a_reconnect_is_a_gap() -> None:
    async def story(scene: Scene) -> None:
        first = await scene.connected()
        assert first.place.url == "wss://demo.tradovateapi.com/v1/websocket"
        first.hears(*recorded("user"))
        second = await scene.connected(2)
        second.hears(*recorded("user")[:4])
        await scene.clock.settle()

    scene = play(story, orders)
    assert len(scene.events) == 8
    assert isinstance(scene.events[-1], Gap)


def test_market_data_comes_from_its_own_socket_with_its_own_token() -> None:
    async def story(scene: Scene) -> None:
        connection = await scene.connected()
        assert connection.place.url == "wss://md.tradovateapi.com/v1/websocket"
        connection.hears(*recorded("quotes"))
        await scene.clock.settle()
        assert connection.sent[0] == "authorize\n0\n\nmd-1"

    assert len(play(story, quotes).events) == 3


def test_more_contracts_are_heard_over_a_connection_that_knows_their_ids() -> None:
    async def story(scene: Scene) -> None:
        first = await scene.connected()
        first.hears(*recorded("quotes")[:3])
        await scene.clock.settle()
        scene.house.venue.instead("contract/find", {"id": 560902, "name": "NQZ6", "contractMaturityId": 1})
        scene.streams.update(Feed.TICKS, {"YMZ6": "YMZ6"}, [])
        scene.streams.update(Feed.QUOTES, {"NQZ6": "NQZ6"}, [])
        second = await scene.connected(2)
        second.hears("o", IN)
        await scene.clock.settle()
        assert [frame for frame in second.sent if "subscribe" in str(frame)] == [
            'md/subscribeQuote\n1\n\n{"symbol":"ESZ6"}',
            'md/subscribeQuote\n2\n\n{"symbol":"NQZ6"}',
        ]

    play(story, quotes)


@pytest.mark.parametrize(
    ("of", "recording", "token"), [(orders, recorded("user")[:4], "token-2"), (quotes, recorded("quotes")[:3], "md-token-2")]
)
def test_a_token_that_was_renewed_signs_in_on_the_running_connection(
    of: Callable[[Scene], AsyncIterator[Any]], recording: list[str], token: str
) -> None:
    async def story(scene: Scene) -> None:
        connection = await scene.connected()
        connection.hears(*recording)
        await scene.clock.settle()
        scene.new_token("token-2")
        for _ in range(5):  # silence would end the connection
            connection.hears("h")
            await scene.clock.advance(LOOK_EVERY_S / 5)
        connection.hears("h")
        await scene.clock.advance(2)
        assert f"authorize\n2\n\n{token}" in connection.sent
        assert len(scene.connector.connections) == 1

    play(story, of)


def test_orders_in_a_frame_that_cannot_be_read_are_made_up_for_by_a_snapshot_and_a_gap() -> None:
    async def story(scene: Scene) -> None:
        first = await scene.connected()
        first.hears(*recorded("user")[:4], "a[not json")
        await scene.clock.advance(6)  # silence would end it after ten
        second = scene.connector.connections[1]
        second.hears(*recorded("user")[:4])
        await scene.clock.settle()
        assert first.closed

    scene = play(story, orders)
    assert [type(each) for each in scene.events] == [Gap]
    assert scene.ended is None


def test_a_contract_that_is_refused_leaves_the_stream_and_is_not_asked_for_on_the_next_connection() -> None:
    async def story(scene: Scene) -> None:
        first = await scene.connected()
        first.hears("o", IN)
        scene.streams.update(Feed.QUOTES, {"NQZ6": "NQZ6"}, [])
        first.hears(GIVEN)
        second = await scene.connected(2)
        second.hears("o", IN, GIVEN, 'a[{"s":404,"i":2,"d":"no such symbol"}]', *recorded("quotes")[3:5])
        await scene.clock.settle()
        assert [type(each) for each in scene.events] == [NoData, Gap, Quote]
        assert scene.events[0].symbol == "NQZ6"
        second.ends()
        third = await scene.connected(3)
        third.hears("o", IN)
        await scene.clock.settle()
        assert third.sent[1:] == ['md/subscribeQuote\n1\n\n{"symbol":"ESZ6"}']

    assert play(story, quotes).ended is None


def test_a_stream_whose_only_contract_is_refused_ends_and_says_so() -> None:
    async def story(scene: Scene) -> None:
        connection = await scene.connected()
        connection.hears("o", IN, 'a[{"s":404,"i":1,"d":"no such symbol"}]')
        await scene.clock.until(lambda: scene.ended)

    scene = play(story, quotes)
    assert [type(each) for each in scene.events] == [NoData]
    assert isinstance(scene.ended, StreamEnded)
    assert "ESZ6: no such symbol" in str(scene.ended)


def test_a_denied_token_is_told_to_everybody_before_the_next_connection() -> None:
    async def story(scene: Scene) -> None:
        connection = await scene.connected()
        connection.hears("o", DENIED)
        await scene.clock.advance(6)
        status = scene.house.tokens.status(ACCOUNT_ID)
        assert status is not None
        assert status.is_refused
        assert len(scene.connector.connections) == 1
        scene.new_token("token-2")
        second = await scene.connected(2)
        second.hears(*recorded("user")[:4])
        await scene.clock.settle()
        assert second.sent[0] == "authorize\n0\n\ntoken-2"

    assert play(story, orders).ended is None


def test_after_three_denied_tokens_a_person_must_approve_the_device() -> None:
    async def story(scene: Scene) -> None:
        for number in range(1, 4):
            connection = await scene.connected(number)
            connection.hears("o", DENIED)
            await scene.clock.settle()
            scene.new_token(f"token-{number + 1}")
        await scene.clock.until(lambda: scene.ended)

    scene = play(story, orders)
    assert isinstance(scene.ended, NeedsReauth)
    assert "approve it in the e-mail" in str(scene.ended)


def test_market_data_that_is_denied_twice_ends_its_stream_and_leaves_trading_alone() -> None:
    async def story(scene: Scene) -> None:
        for number in (1, 2):
            connection = await scene.connected(number)
            connection.hears("o", DENIED)
            await scene.clock.settle()
        await scene.clock.until(lambda: scene.ended)
        status = scene.house.tokens.status(ACCOUNT_ID)
        assert status is not None
        assert not status.is_refused

    scene = play(story, quotes)
    assert isinstance(scene.ended, StreamEnded)
    assert "trading works without it" in str(scene.ended)


def test_a_full_house_ends_the_stream_instead_of_fighting_for_a_place() -> None:
    async def story(scene: Scene) -> None:
        connection = await scene.connected()
        connection.hears(*recorded("user")[:4], 'a[{"e":"shutdown","d":{"reasonCode":"ConnectionQuotaReached"}}]')
        await scene.clock.until(lambda: scene.ended)

    assert isinstance(play(story, orders).ended, StreamEnded)


@pytest.mark.parametrize("endpoint", ["https://sim.example.com", "https://sim.example.com/"])
def test_one_endpoint_leads_everywhere_and_each_may_be_led_elsewhere(endpoint: str) -> None:
    made = Settings.of({"endpoint": endpoint})
    assert made.rest_url == "https://sim.example.com/v1"
    assert made.socket_url == made.data_url == "wss://sim.example.com/v1/websocket"
    split = Settings.of({name: f"https://{name}" for name in SIGN_IN.endpoints})
    assert (split.rest_url, split.socket_url, split.data_url) == (
        "https://rest_endpoint/v1",
        "wss://socket_endpoint/v1/websocket",
        "wss://data_endpoint/v1/websocket",
    )
    live = Settings.of({"environment": "live"})
    assert live.rest_url.startswith("https://live.")
    assert live.data_url == "wss://md.tradovateapi.com/v1/websocket"
