"""The stream driver against a scripted connection, in virtual time."""

import asyncio
import gc
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from fillpath.errors import BrokerUnavailable, NeedsReauth, NotSent, StreamEnded
from fillpath.market.bars import Gap
from fillpath_brokers.streaming import driver
from fillpath_brokers.streaming.connection import Ended
from fillpath_brokers.streaming.protocol import Action, End, GiveUp, Ready, Reconnect
from tests.brokers.streaming.chatter import Chatter, Scene, play
from tests.fakes.async_clock import START


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_it_signs_in_and_passes_events_on_in_their_order_without_a_gap_at_first() -> None:
    async def story(scene: Scene) -> None:
        connection = await scene.ready()
        connection.hears("one", "two", "two")
        await scene.clock.settle()
        assert connection.sent[0] == "hello ES,NQ"
        assert scene.events == ["one", "two", "two"]

    play(story, symbols=["NQ", "ES"])


def test_each_frame_is_stamped_with_the_time_of_its_arrival() -> None:
    async def story(scene: Scene) -> None:
        connection = await scene.ready()
        await scene.clock.advance(3)
        connection.hears("one")
        await scene.clock.settle()
        assert scene.protocols[0].heard_at == [at(0), at(3)]

    play(story)


def test_a_dropped_line_is_replaced_and_the_gap_goes_from_the_last_frame_to_being_ready() -> None:
    async def story(scene: Scene) -> None:
        first = await scene.ready()
        await scene.clock.advance(2)
        first.hears("one")
        await scene.clock.advance(5)
        first.ends()
        second = await scene.connected(2)
        assert scene.clock.now() == at(7 + 1)
        assert first.closed
        second.hears("early")
        await scene.clock.advance(0.5)
        second.hears("welcome", "two")
        await scene.clock.settle()
        assert scene.events == ["one", "early", Gap(at(2), at(8.5)), "two"]

    play(story)


def test_what_the_other_side_repeats_after_a_reconnect_is_passed_on_after_the_gap() -> None:
    async def story(scene: Scene) -> None:
        first = await scene.ready()
        first.hears("order 1", "order 2")
        first.ends()
        second = await scene.ready(2)
        second.hears("order 1", "order 2")
        await scene.clock.settle()
        assert scene.events == ["order 1", "order 2", Gap(at(0), at(1)), "order 1", "order 2"]

    play(story)


def test_one_gap_covers_attempts_that_never_became_ready() -> None:
    async def story(scene: Scene) -> None:
        first = await scene.ready()
        await scene.clock.advance(4)
        first.hears("one")
        await scene.clock.settle()
        scene.connector.answers.append(BrokerUnavailable("no route"))
        first.ends()
        (await scene.connected(2)).ends()
        await scene.ready(3)
        await scene.clock.settle()
        assert scene.events == ["one", Gap(at(4), at(4 + 1 + 2 + 4))]

    play(story)


def test_a_first_connection_that_never_was_ready_leaves_no_gap() -> None:
    async def story(scene: Scene) -> None:
        (await scene.connected()).ends()
        (await scene.ready(2)).hears("one")
        await scene.clock.settle()
        assert scene.events == ["one"]

    play(story)


def test_a_connection_that_was_ready_and_said_nothing_was_last_heard_when_it_was_ready() -> None:
    class AtOnce(Chatter):
        def opened(self) -> Sequence[Action[str]]:
            return [Ready()]

    async def story(scene: Scene) -> None:
        scene.opened = AtOnce
        first = await scene.connected()
        await scene.clock.advance(7)
        first.ends()
        await scene.connected(2)
        assert scene.events == [Gap(at(0), at(8))]

    play(story)


def test_silence_is_found_by_the_protocols_measure() -> None:
    async def story(scene: Scene) -> None:
        first = await scene.ready()
        await scene.clock.advance(15)
        first.hears("one")
        await scene.clock.advance(19.9)
        assert not first.closed
        await scene.clock.advance(0.1)
        assert first.closed
        await scene.ready(2)
        assert scene.events == ["one", Gap(at(15), at(36))]

    play(story)


def test_answers_to_pings_keep_a_quiet_line_alive_and_count_as_heard() -> None:
    async def story(scene: Scene) -> None:
        scene.opened = lambda symbols: Chatter(symbols, pings=True)
        first = await scene.ready()
        await scene.clock.advance(3602)
        assert first.pings == 720
        first.dead = True
        await scene.clock.advance(17.9)
        assert not first.closed
        await scene.clock.advance(0.1)
        assert first.closed
        await scene.ready(2)
        assert scene.events == [Gap(at(3600), at(3621))]

    play(story)


def test_heartbeats_go_out_on_time_before_and_after_it_is_ready() -> None:
    async def story(scene: Scene) -> None:
        connection = await scene.connected()
        await scene.clock.advance(5)
        assert connection.sent == ["hello", "beat"]
        connection.hears("welcome")
        await scene.clock.advance(14)
        assert connection.sent == ["hello", "beat", "beat", "beat"]

    play(story)


def test_who_does_not_become_ready_is_replaced_though_it_keeps_talking() -> None:
    async def story(scene: Scene) -> None:
        connection = await scene.connected()
        for _ in range(29):
            await scene.clock.advance(1)
            connection.hears("wait")
        await scene.clock.advance(0.9)
        assert not connection.closed
        await scene.clock.advance(0.1)
        assert connection.closed

    play(story)


def test_a_send_that_never_ends_does_not_stop_the_watch_for_silence() -> None:
    async def story(scene: Scene) -> None:
        connection = await scene.ready()
        connection.blocked = True
        await scene.clock.advance(20)
        assert connection.closed

    play(story)


def test_giving_up_tells_why_after_the_events_before_it() -> None:
    async def story(scene: Scene) -> None:
        connection = await scene.ready()
        connection.hears("one", "out", "never read")
        failure = await scene.failure()
        assert isinstance(failure, StreamEnded)
        assert str(failure) == "another session took over"
        assert scene.events == ["one", "out"]
        assert (connection.closed, scene.connector.attempts) == (True, 1)

    play(story)


def test_giving_up_for_want_of_a_sign_in_is_its_own_error() -> None:
    async def story(scene: Scene) -> None:
        (await scene.connected()).hears("signed-out")
        failure = await scene.failure()
        assert isinstance(failure, NeedsReauth)
        assert str(failure) == "the password was changed"

    play(story)


def test_a_fault_of_the_protocol_ends_the_stream_with_it() -> None:
    async def story(scene: Scene) -> None:
        (await scene.ready()).hears("fault")
        assert isinstance(await scene.failure(), ZeroDivisionError)

    play(story)


def test_an_opening_that_needs_a_person_ends_the_stream() -> None:
    async def story(scene: Scene) -> None:
        scene.refusals = [NeedsReauth("sign in again")]
        scene.start()
        assert isinstance(await scene.failure(), NeedsReauth)

    play(story)


def test_an_opening_that_cannot_be_made_counts_as_a_failed_connection() -> None:
    async def story(scene: Scene) -> None:
        scene.refusals = [BrokerUnavailable("the venue does not answer"), NotSent("the token is being renewed", 7.0)]
        await scene.ready()
        assert scene.clock.now() == at(1 + 7)

    play(story)


def test_waits_double_up_to_half_a_minute_and_jitter_takes_any_part_of_them() -> None:
    async def story(scene: Scene) -> None:
        scene.connector.always = BrokerUnavailable("no route")
        scene.start()
        times = []
        for number in range(1, 9):
            await scene.clock.until(lambda number=number: scene.connector.attempts == number)
            times.append(scene.clock.monotonic())
        assert [after - before for before, after in pairwise(times)] == [1, 2, 4, 8, 16, 30, 30]
        scene.jitter = 0.25
        await scene.clock.until(lambda: scene.connector.attempts == 9)  # its wait was set before
        await scene.clock.until(lambda: scene.connector.attempts == 10)
        assert scene.clock.monotonic() - times[-1] == 30 + 7.5

    play(story)


def test_a_server_that_closes_at_once_makes_no_hot_loop() -> None:
    async def story(scene: Scene) -> None:
        scene.start()
        for number in range(1, 7):
            connection = await scene.ready(number)
            connection.ends()
            await scene.clock.settle()
        assert scene.clock.monotonic() == 1 + 2 + 4 + 8 + 16

    play(story)


def test_who_was_ready_for_a_minute_starts_again_with_the_first_wait() -> None:
    async def story(scene: Scene) -> None:
        (await scene.ready()).ends()
        second = await scene.ready(2)
        for _ in range(6):
            await scene.clock.advance(10)
            second.hears("tick")
        second.ends()
        await scene.clock.settle()
        before = scene.clock.monotonic()
        await scene.ready(3)
        assert scene.clock.monotonic() - before == 1

    play(story)


def test_who_was_ready_for_less_than_a_minute_does_not() -> None:
    async def story(scene: Scene) -> None:
        (await scene.ready()).ends()
        second = await scene.ready(2)
        await scene.clock.advance(15)
        second.ends()
        await scene.clock.settle()
        before = scene.clock.monotonic()
        await scene.ready(3)
        assert scene.clock.monotonic() - before == 2

    play(story)


def test_the_venues_own_delay_is_a_floor() -> None:
    async def story(scene: Scene) -> None:
        (await scene.ready()).hears("later 12")
        await scene.connected(2)
        assert scene.clock.monotonic() == 12
        (await scene.ready(2)).hears("later 0.5")
        await scene.connected(3)
        assert scene.clock.monotonic() == 12 + 2

    play(story)


def test_a_refused_handshake_is_the_protocols_to_judge() -> None:
    async def story(scene: Scene) -> None:
        scene.connector.answers.extend([Ended(End(status=401)), Ended(End(status=503)), Ended(End(status=401))])
        await scene.ready()
        assert scene.openings == 4  # each time with what the opening knows by then

    play(story)


def test_a_sign_in_refused_three_times_in_a_row_needs_a_person() -> None:
    async def story(scene: Scene) -> None:
        scene.connector.always = Ended(End(status=401))
        scene.start()
        assert isinstance(await scene.failure(), NeedsReauth)
        assert scene.connector.attempts == 3

    play(story)


def test_protocols_are_told_how_often_it_ended_alike_before_it_was_ready() -> None:
    told: list[tuple[int | None, int]] = []

    class Counting(Chatter):
        def ended(self, end: End, times: int) -> Reconnect | GiveUp:
            told.append((end.code, times))
            return super().ended(end, times)

    async def story(scene: Scene) -> None:
        scene.opened = Counting
        for number, code in enumerate([1006, 1006, 1008, None, 1006], start=1):
            connection = await (scene.ready(number) if code is None else scene.connected(number))
            connection.ends(End(code=code))
        (await scene.ready(6)).hears("bye")
        (await scene.connected(7)).ends(End(code=1006))
        await scene.connected(8)
        assert told == [(1006, 1), (1006, 2), (1008, 1), (None, 0), (1006, 1), (1006, 1)]

    play(story)


def test_the_last_words_are_read_though_a_heartbeat_finds_the_line_closed() -> None:
    async def story(scene: Scene) -> None:
        events = scene.stream.events()
        begun = asyncio.ensure_future(anext(events))
        scene.reading = begun
        connection = await scene.ready()
        connection.hears(*["event"] * (driver.MOST_WAITING + 10), "out")
        connection.ends(End(code=1000))
        await scene.clock.advance(5)
        assert [await anext(events) for _ in range(driver.MOST_WAITING + 10)]  # one of them is "out", the event
        with pytest.raises(StreamEnded):
            await anext(events)
        assert scene.connector.attempts == 1

    play(story)


def test_what_arrived_while_the_program_was_busy_elsewhere_is_read_before_silence_is_judged() -> None:
    async def story(scene: Scene) -> None:
        connection = await scene.ready()
        scene.clock.jump(45)
        connection.hears("late")
        await scene.clock.settle()
        assert not connection.closed
        assert scene.events == ["late"]

    play(story)


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


def test_a_reconnect_of_our_own_wish_comes_at_once_with_a_gap_and_is_no_failure() -> None:
    async def story(scene: Scene) -> None:
        await scene.ready()
        await scene.clock.advance(4)
        scene.stream.update(add=["HEAVY"])
        second = await scene.ready(2)
        assert (second.sent, scene.clock.monotonic()) == (["hello ES,HEAVY"], 4)
        assert scene.events == [Gap(at(0), at(4))]
        second.ends()
        await scene.ready(3)
        assert scene.clock.monotonic() == 4 + 1

    play(story, symbols=["ES"])


def test_a_protocol_that_plans_a_reconnect_each_time_makes_no_hot_loop() -> None:
    async def story(scene: Scene) -> None:
        for number in range(1, 6):
            (await scene.ready(number)).hears("new-day")
            await scene.clock.settle()
        assert scene.clock.monotonic() == 4

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
        events = scene.stream.events()
        begun = asyncio.ensure_future(anext(events))
        scene.reading = begun
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
        await scene.clock.advance(19.9)
        assert not connection.closed
        await scene.clock.advance(0.1)
        assert connection.closed
        await events.aclose()

    play(story)


def test_who_was_slow_gets_the_whole_silence_again_and_the_whole_time_to_become_ready() -> None:
    async def story(scene: Scene) -> None:
        events = scene.stream.events()
        begun = scene.reading = asyncio.ensure_future(anext(events))
        connection = await scene.connected()
        connection.hears(*["event"] * (driver.MOST_WAITING + 1))
        await scene.clock.advance(190)
        assert begun.done()
        for _ in range(driver.MOST_WAITING):
            await anext(events)
        await scene.clock.advance(19.9)
        assert not connection.closed
        await scene.clock.advance(0.1)
        assert connection.closed
        await events.aclose()

    play(story)


def test_closing_ends_the_connection_though_nobody_reads() -> None:
    async def story(scene: Scene) -> None:
        events = scene.stream.events()
        scene.reading = asyncio.ensure_future(anext(events))
        connection = await scene.ready()
        connection.hears("one")
        await scene.clock.settle()
        scene.stream.close()
        await scene.clock.settle()
        assert connection.closed
        with pytest.raises(StopAsyncIteration):
            await anext(events)

    play(story)


def test_a_stream_is_read_once() -> None:
    async def story(scene: Scene) -> None:
        await scene.ready()
        with pytest.raises(RuntimeError, match="once"):
            await anext(scene.stream.events())

    play(story)


def test_the_log_says_why_and_shows_no_token(caplog: pytest.LogCaptureFixture) -> None:
    async def story(scene: Scene) -> None:
        connection = await scene.ready()
        connection.ends(End(code=1011, text="token hush is not liked"))
        await scene.ready(2)

    play(story)
    assert "closed by the venue: 1011" in caplog.text
    assert "hush" not in caplog.text
