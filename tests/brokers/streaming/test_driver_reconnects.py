"""When the stream driver gives up and when it connects again, and how long it waits before that; in virtual time."""

from itertools import pairwise

import pytest

from fillpath.errors import BrokerUnavailable, NeedsReauth, NotSent, StreamEnded
from fillpath.market.bars import Gap
from fillpath_brokers.streaming import driver
from fillpath_brokers.streaming.connection import Ended
from fillpath_brokers.streaming.protocol import End, GiveUp, Reconnect
from tests.brokers.streaming.chatter import Chatter, Scene, at, play


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
        assert await scene.waited_s(second, following=3) == 1

    play(story)


def test_who_was_ready_for_less_than_a_minute_does_not() -> None:
    async def story(scene: Scene) -> None:
        (await scene.ready()).ends()
        second = await scene.ready(2)
        await scene.clock.advance(15)
        assert await scene.waited_s(second, following=3) == 2

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
        events, _ = scene.reads_one()
        connection = await scene.ready()
        connection.hears(*["event"] * (driver.MOST_WAITING + 10), "out")
        connection.ends(End(code=1000))
        await scene.clock.advance(5)
        assert [await anext(events) for _ in range(driver.MOST_WAITING + 10)]  # one of them is "out", the event
        with pytest.raises(StreamEnded):
            await anext(events)
        assert scene.connector.attempts == 1

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
