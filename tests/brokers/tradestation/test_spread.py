"""Market data over several connections, in virtual time: symbols come and go, connections end."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

import pytest

from fillpath.errors import NeedsReauth, StreamEnded
from fillpath.market.bars import Quote
from fillpath_brokers.facade import Feed, MarketEvent, NoData
from fillpath_brokers.streaming.driver import Means, Stream
from fillpath_brokers.streaming.protocol import GiveUp, Place
from fillpath_brokers.tradestation.quotes_protocol import QuotesProtocol
from fillpath_brokers.tradestation.spread import Spread
from tests.fakes.async_clock import FakeAsyncClock
from tests.fakes.connections import FakeConnection, FakeConnector


class Scene:
    """A spread whose connections a test speaks for."""

    def __init__(self, symbols: list[str], most: int) -> None:
        self.connector, self.clock = FakeConnector(), FakeAsyncClock()
        self.heard: list[MarketEvent] = []
        self.spread = Spread(self._make, symbols, most)
        self.reading = asyncio.create_task(self._read())

    def open(self) -> dict[str, FakeConnection]:
        """The connections that carry something, by their symbols."""
        return {each.place.url.rpartition("/")[2]: each for each in self.connector.connections if not each.closed}

    async def settle(self) -> None:
        """Until whoever connects anew has done so: a second later, at the latest."""
        await self.clock.advance(1)
        await self.clock.settle()

    async def _read(self) -> None:
        async for event in self.spread.events():
            self.heard.append(event)

    def _make(self, first: frozenset[str]) -> Stream[MarketEvent]:
        means = Means(self.connector, self.clock, lambda: 0.0, _at_once)
        return Stream(lambda wanted: (Place(f"http://x/{','.join(sorted(wanted))}"), _Quotes(Feed.QUOTES, wanted)), first, means)


class _Quotes(QuotesProtocol):
    def received(self, frame: str | bytes, at: datetime) -> object:  # type: ignore[override]  # what a test wants it to say
        if frame == b"no login":
            return [GiveUp("no", needs_reauth=True)]
        if frame == b"fault":
            raise ZeroDivisionError
        return super().received(frame, at)


async def _at_once(call: Callable[..., object], *args: object) -> object:
    return call(*args)


def play(story: Callable[[Scene], Awaitable[None]], symbols: list[str], most: int = 2) -> None:
    async def scene() -> None:
        made = Scene(symbols, most)
        await made.settle()
        await story(made)
        made.reading.cancel()
        await asyncio.gather(made.reading, return_exceptions=True)

    asyncio.run(scene())


def quote(symbol: str) -> bytes:
    return f'{{"Symbol":"{symbol}","Bid":"1","Ask":"2"}}\n'.encode()


def test_symbols_share_connections_as_far_as_they_may() -> None:
    async def story(scene: Scene) -> None:
        assert sorted(scene.open()) == ["AAPL,AMD", "KO"]
        scene.open()["KO"].hears(quote("KO"))
        scene.open()["AAPL,AMD"].hears(quote("AMD"))
        await scene.settle()
        assert sorted(each.symbol for each in scene.heard if isinstance(each, Quote)) == ["AMD", "KO"]

    play(story, ["KO", "AAPL", "AMD"])


def test_a_symbol_that_is_added_takes_what_room_there_is_and_a_connection_without_symbols_ends() -> None:
    async def story(scene: Scene) -> None:
        scene.spread.update(add=["TLT", "XOM"])
        await scene.settle()
        assert sorted(scene.open()) == ["AAPL,AMD", "KO,TLT", "XOM"]
        scene.spread.update(remove=["AAPL", "XOM"])
        await scene.settle()
        assert sorted(scene.open()) == ["AMD", "KO,TLT"]

    play(story, ["AAPL", "AMD", "KO"])


def test_it_may_begin_without_a_symbol() -> None:
    async def story(scene: Scene) -> None:
        assert scene.open() == {}
        scene.spread.update(add=["KO"])
        await scene.settle()
        assert list(scene.open()) == ["KO"]

    play(story, [])


def refusal(symbol: str) -> bytes:
    return f'{{"Symbol":"{symbol}","Error":"FAILED, INVALID SYMBOL"}}\n'.encode()


@pytest.mark.parametrize("most", [1, 2])
def test_a_symbol_without_data_is_told_and_does_not_end_the_others(most: int) -> None:
    async def story(scene: Scene) -> None:
        next(iter(scene.open().values())).hears(refusal("AAPL"))
        await scene.settle()
        [connection] = [each for symbols, each in scene.open().items() if "KO" in symbols]
        connection.hears(quote("KO"))
        await scene.settle()
        assert [(type(each), each.symbol) for each in scene.heard] == [(NoData, "AAPL"), (Quote, "KO")]  # type: ignore[union-attr]  # Gaps have no symbol
        connection.hears(refusal("KO"))
        await scene.settle()
        assert isinstance(scene.heard[-1], NoData)
        with pytest.raises(StreamEnded, match="KO"):
            scene.reading.result()
        assert scene.open() == {}

    play(story, ["AAPL", "KO"], most)


def test_a_symbol_that_was_refused_is_asked_for_again_only_when_somebody_wants_it_again() -> None:
    async def story(scene: Scene) -> None:
        scene.open()["ESZ26,NQZ26"].hears(refusal("NQZ26"))
        await scene.settle()
        scene.open()["ESZ26,NQZ26"].ends()
        await scene.settle()
        assert list(scene.open()) == ["ESZ26"]
        scene.spread.update(add=["NQZ26"])
        await scene.settle()
        assert list(scene.open()) == ["ESZ26,NQZ26"]
        assert [each.symbol for each in scene.heard if isinstance(each, NoData)] == ["NQZ6"]

    play(story, ["ESZ26", "NQZ26"])


def test_a_connection_that_cannot_go_on_tells_of_each_of_its_symbols() -> None:
    async def story(scene: Scene) -> None:
        scene.open()["AAPL,AMD"].hears(b'{"Error":"DualLogon","Message":"no"}\n')
        await scene.settle()
        assert [each.symbol for each in scene.heard if isinstance(each, NoData)] == ["AAPL", "AMD"]
        assert list(scene.open()) == ["KO"]

    play(story, ["AAPL", "AMD", "KO"])


def test_a_login_that_has_ended_ends_everything() -> None:
    async def story(scene: Scene) -> None:
        scene.open()["AAPL"].hears(b"no login")
        await scene.settle()
        with pytest.raises(NeedsReauth):
            scene.reading.result()
        assert scene.open() == {}

    play(story, ["AAPL", "KO"], most=1)


def test_a_fault_of_the_program_is_raised_and_leaves_nobody_waiting() -> None:
    async def story(scene: Scene) -> None:
        scene.open()["AAPL"].hears(b"fault")
        await scene.settle()
        with pytest.raises(ZeroDivisionError):
            scene.reading.result()
        assert scene.open() == {}

    play(story, ["AAPL", "KO"], most=1)


def test_closing_ends_the_reader_and_every_connection() -> None:
    async def story(scene: Scene) -> None:
        scene.spread.close()
        scene.spread.close()
        await scene.settle()
        assert scene.reading.done()
        assert scene.reading.exception() is None
        assert scene.open() == {}

    play(story, ["AAPL", "KO"], most=1)


def test_it_is_read_once() -> None:
    async def story(scene: Scene) -> None:
        with pytest.raises(RuntimeError):
            await anext(scene.spread.events())

    play(story, ["AAPL"])
