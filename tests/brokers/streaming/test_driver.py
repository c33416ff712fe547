"""The stream driver against a scripted connection, in virtual time: events in their order, gaps, and lines that fall silent."""

from collections.abc import Sequence

import pytest

from fillpath.errors import BrokerUnavailable
from fillpath.market.bars import Gap
from fillpath_brokers.streaming.protocol import Action, End, Ready
from tests.brokers.streaming.chatter import Chatter, Scene, at, play


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
        await scene.drops(first, after_s=20)
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
        await scene.drops(first, after_s=18)
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
        await scene.drops(connection, after_s=1)

    play(story)


def test_a_send_that_never_ends_does_not_stop_the_watch_for_silence() -> None:
    async def story(scene: Scene) -> None:
        connection = await scene.ready()
        connection.blocked = True
        await scene.clock.advance(20)
        assert connection.closed

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
