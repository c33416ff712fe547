"""The stream driver in the hands of who uses it, in virtual time: other symbols, new tokens, closing, reading slowly."""

import asyncio
import gc
import threading

import pytest

from fillpath_brokers.streaming import driver
from tests.brokers.streaming.chatter import Scene, play


def test_symbols_change_while_it_runs_and_changes_come_together() -> None:
    async def story(scene: Scene) -> None:
        connection = await scene.ready()
        scene.stream.update(add=["NQ", "CL"], remove=["ES"])
        scene.stream.update(add=["GC"], remove=["CL"])
        await scene.clock.settle()
        assert connection.sent == ["hello ES", "+GC +NQ -ES"]
        scene.stream.update(add=["GC"])
        await scene.clock.settle()
        assert connection.sent == ["hello ES", "+GC +NQ -ES"]

    play(story, symbols=["ES"])


def test_symbols_that_change_while_it_is_down_are_in_the_next_opening() -> None:
    async def story(scene: Scene) -> None:
        (await scene.ready()).ends()
        await scene.clock.settle()
        scene.stream.update(add=["NQ"], remove=["ES"])
        second = await scene.ready(2)
        assert second.sent == ["hello NQ"]

    play(story, symbols=["ES"])


def test_symbols_that_change_while_it_signs_in_are_told_once_it_is_ready() -> None:
    async def story(scene: Scene) -> None:
        connection = await scene.connected()
        scene.stream.update(add=["NQ"])
        await scene.clock.settle()
        assert connection.sent == ["hello ES"]
        connection.hears("welcome")
        await scene.clock.settle()
        assert connection.sent == ["hello ES", "+NQ"]

    play(story, symbols=["ES"])


def test_symbols_may_be_changed_from_another_thread_and_before_the_start() -> None:
    async def story(scene: Scene) -> None:
        scene.stream.update(add=["CL"])
        connection = await scene.ready()
        threads = [threading.Thread(target=scene.stream.update, args=([f"S{number}"],)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            await asyncio.to_thread(thread.join)
        await scene.clock.settle()
        told = " ".join(str(frame) for frame in connection.sent)
        assert told.startswith("hello CL +")
        assert {word for word in told.split() if word.startswith("+")} == {f"+S{number}" for number in range(20)}

    play(story)


def test_a_new_token_is_told_to_a_running_connection_once_it_is_ready() -> None:
    async def story(scene: Scene) -> None:
        connection = await scene.connected()
        scene.stream.token_changed("t1")
        await scene.clock.settle()
        assert connection.sent == ["hello"]
        await scene.ready()
        assert connection.sent == ["hello", "token t1"]
        connection.ends()
        await scene.clock.settle()
        scene.stream.token_changed("t2")
        assert (await scene.ready(2)).sent == ["hello"]  # it was opened with the newest

    play(story)


def test_closing_ends_the_iterator_at_once_and_drops_what_waits() -> None:
    async def story(scene: Scene) -> None:
        connection = await scene.ready()
        connection.hears("one")
        await scene.clock.settle()
        connection.hears("two")
        scene.stream.close()
        scene.stream.close()
        assert await scene.failure() is None
        assert (scene.events, connection.closed, scene.clock.monotonic()) == (["one"], True, 0)

    play(story)


def test_closing_while_connecting_and_while_waiting_ends_it_too() -> None:
    async def connecting(scene: Scene) -> None:
        scene.connector.answers.append(None)
        scene.start()
        await scene.clock.settle()
        scene.stream.close()
        assert await scene.failure() is None

    async def waiting(scene: Scene) -> None:
        (await scene.ready()).hears("later 600")
        await scene.clock.settle()
        scene.stream.close()
        assert await scene.failure() is None
        assert scene.clock.monotonic() == 0

    play(connecting)
    play(waiting)


def test_closing_before_the_start_and_from_another_thread() -> None:
    async def before(scene: Scene) -> None:
        scene.stream.close()
        scene.start()
        assert await scene.failure() is None
        assert scene.connector.attempts == 0

    async def elsewhere(scene: Scene) -> None:
        await scene.ready()
        await asyncio.to_thread(scene.stream.close)
        assert await scene.failure() is None

    play(before)
    play(elsewhere, debug=True)  # the loop then refuses what is not meant for threads


def test_closing_after_the_event_loop_has_gone_does_no_harm() -> None:
    scenes: list[Scene] = []

    async def story(scene: Scene) -> None:
        scenes.append(scene)
        await scene.ready()

    play(story)
    scenes[0].stream.close()
    scenes[0].stream.update(add=["ES"])


def test_a_reader_that_is_cancelled_or_leaves_early_takes_everything_with_it() -> None:
    async def cancelled(scene: Scene) -> None:
        connection = await scene.ready()
        assert scene.reading
        scene.reading.cancel()
        await scene.clock.settle()
        assert connection.closed

    async def leaves(scene: Scene) -> None:
        async def first() -> object:
            async for event in scene.stream.events():
                return event
            return None

        scene.reading = asyncio.create_task(first())
        connection = await scene.ready()
        connection.hears("one", "two")
        await scene.clock.settle()
        assert scene.reading.result() == "one"
        gc.collect()
        await scene.clock.settle()
        assert connection.closed

    play(cancelled)
    play(leaves)


def test_a_slow_reader_stops_the_reading_but_neither_heartbeats_nor_the_line() -> None:
    async def story(scene: Scene) -> None:
        events, begun = scene.reads_one()
        connection = await scene.ready()
        most = driver.MOST_WAITING
        connection.hears(*(str(number) for number in range(most + 100)))
        await scene.clock.settle()
        assert begun.result() == "0"
        await scene.clock.advance(200)  # ten times the silence that is allowed
        assert most <= connection.received <= most + 2
        assert connection.sent == ["hello", *["beat"] * 40]
        assert not connection.closed
        assert [await anext(events) for _ in range(most + 99)] == [str(number) for number in range(1, most + 100)]
        await scene.drops(connection, after_s=20)
        await events.aclose()

    play(story)


def test_who_was_slow_gets_the_whole_silence_again_and_the_whole_time_to_become_ready() -> None:
    async def story(scene: Scene) -> None:
        events, begun = scene.reads_one()
        connection = await scene.connected()
        connection.hears(*["event"] * (driver.MOST_WAITING + 1))
        await scene.clock.advance(190)
        assert begun.done()
        for _ in range(driver.MOST_WAITING):
            await anext(events)
        await scene.drops(connection, after_s=20)
        await events.aclose()

    play(story)


def test_closing_ends_the_connection_though_nobody_reads() -> None:
    async def story(scene: Scene) -> None:
        events, _ = scene.reads_one()
        connection = await scene.ready()
        connection.hears("one")
        await scene.clock.settle()
        scene.stream.close()
        await scene.clock.settle()
        assert connection.closed
        with pytest.raises(StopAsyncIteration):
            await anext(events)

    play(story)
