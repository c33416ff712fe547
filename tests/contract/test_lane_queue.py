"""LaneQueue: wake-ups, each id once in five minutes."""

from fillpath.orders.model import Lane
from tests.contract.hosts import Host, Message
from tests.fakes.clock import FakeClock
from tests.fakes.lane_queue import FakeLaneQueue

ES, NQ = Lane("acc-1", "ES"), Lane("acc-1", "NQ")
ES_BODY = {"account_id": "acc-1", "root": "ES"}


def test_a_wake_up_names_its_lane_and_stands_in_the_lanes_group(host: Host) -> None:
    queue, received = host.lanes()
    queue.wake(ES, "01HZZZZZZZZZZZZZZZZZZZZZZZ")
    assert received() == [Message("acc-1#ES", "01HZZZZZZZZZZZZZZZZZZZZZZZ", ES_BODY)]


def test_the_same_wake_up_twice_is_sent_once(host: Host) -> None:
    queue, received = host.lanes()
    queue.wake(ES, "acc-1#ES#7")
    queue.wake(ES, "acc-1#ES#7")
    assert received() == [Message("acc-1#ES", "acc-1#ES#7", ES_BODY)]


def test_wake_ups_of_one_lane_come_in_order(host: Host) -> None:
    queue, received = host.lanes()
    for wake_id in ("b", "a", "c"):
        queue.wake(ES, wake_id)
    assert [message.dedup_id for message in received()] == ["b", "a", "c"]


def test_each_lane_has_its_own_group(host: Host) -> None:
    queue, received = host.lanes()
    queue.wake(ES, "a")
    queue.wake(NQ, "b")
    assert {message.group for message in received()} == {"acc-1#ES", "acc-1#NQ"}


def test_the_fake_forgets_an_id_after_five_minutes_as_sqs_does() -> None:
    clock = FakeClock()
    queue = FakeLaneQueue(clock)
    for _ in range(3):
        queue.wake(ES, "a")
        clock.sleep(299)
    assert len(queue.messages) == 2
