"""Symbols that a venue refuses: the driver forgets them, whoever listens is told, and all else goes on."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from decimal import Decimal

import pytest

from fillpath.errors import StreamEnded
from fillpath.market.bars import Gap, Trade
from fillpath_brokers.facade import MarketEvent, NoData
from fillpath_brokers.streaming.listener import MOST_WAITING, Listener
from fillpath_brokers.streaming.protocol import Action, Forget, Frame, GiveUp
from tests.brokers.streaming.chatter import Chatter, Scene, play
from tests.fakes.async_clock import START

A, B = "one A", "one B"
TRADE = Trade("A", START, START, Decimal(1), Decimal(1))


class Picky(Chatter):
    """Refuses symbols: `no A`."""

    def received(self, frame: Frame, at: datetime) -> Sequence[Action[str]]:
        match str(frame).split():
            case ["no", symbol]:
                return [Forget(frozenset({symbol}), GiveUp(f"no {symbol}"))]
        return super().received(frame, at)


def refusing(story: Callable[[Scene], Awaitable[None]]) -> Callable[[Scene], Awaitable[None]]:
    async def told(scene: Scene) -> None:
        scene.opened = Picky
        await story(scene)

    return told


# --- the driver -----------------------------------------------------------------------------------------------------------------


def test_the_next_connection_is_made_without_a_refused_symbol_which_nobody_leaves() -> None:
    async def story(scene: Scene) -> None:
        connection = await scene.ready()
        connection.hears("no B", "more")
        await scene.clock.settle()
        scene.stream.update(remove=["B"])
        await scene.clock.settle()
        assert (scene.events, connection.sent) == (["more"], ["hello A,B"])
        connection.ends()
        assert (await scene.ready(2)).sent == ["hello A"]

    play(refusing(story), ["A", "B"])


def test_a_refused_symbol_may_be_asked_for_again() -> None:
    async def story(scene: Scene) -> None:
        connection = await scene.ready()
        connection.hears("no B")
        await scene.clock.settle()
        scene.stream.update(add=["B"])
        await scene.clock.settle()
        assert connection.sent == ["hello A,B", "+B"]

    play(refusing(story), ["A", "B"])


def test_a_stream_ends_once_every_symbol_was_refused() -> None:
    async def story(scene: Scene) -> None:
        connection = await scene.ready()
        connection.hears("no A", "more")
        await scene.clock.settle()
        assert scene.events == ["more"]
        connection.hears("no B")
        assert str(await scene.failure()) == "no B"

    play(refusing(story), ["A", "B"])


def test_a_stream_that_is_to_carry_something_else_by_now_does_not_end() -> None:
    async def story(scene: Scene) -> None:
        connection = await scene.ready()
        connection.hears("no A")
        scene.stream.update(add=["C"])
        await scene.clock.settle()
        connection.hears("more")
        await scene.clock.settle()
        assert (scene.events, connection.sent) == (["more"], ["hello A", "+C"])

    play(refusing(story), ["A"])


# --- listeners of a shared connection -------------------------------------------------------------------------------------------


def listener(*topics: str) -> Listener[MarketEvent]:
    return Listener({topic: topic[-1] for topic in topics}, lambda: START)


def test_a_listener_loses_what_was_refused_and_hears_the_rest() -> None:
    hears = listener(A, B)
    hears.refuse({B, "one C"}, "no such thing")
    hears.offer(TRADE, A)
    hears.offer(TRADE, B)
    assert hears.more() == [NoData("B", "no such thing"), TRADE]
    assert hears.topics == {A: "A"}


def test_a_listener_who_has_nothing_left_is_told_of_each_and_then_ends() -> None:
    hears = listener(A, B)
    hears.refuse({A}, "no A")
    hears.refuse({B}, "no B")
    assert hears.more() == [NoData("A", "no A"), NoData("B", "no B")]
    with pytest.raises(StreamEnded, match="no B"):
        asyncio.run(hears.next())


def test_what_is_refused_is_nothing_to_who_does_not_want_it() -> None:
    hears = listener()
    hears.refuse({A}, "no A")
    hears.offer(TRADE)
    assert hears.more() == [TRADE]


def test_a_slow_reader_is_told_of_refusals_though_he_loses_what_else_waits() -> None:
    hears = listener(A, B)
    hears.offer(TRADE, A)
    hears.refuse({B}, "no B")
    for _ in range(MOST_WAITING - 1):
        hears.offer(TRADE, A)
    assert hears.more() == [Gap(START, START), NoData("B", "no B"), TRADE]
