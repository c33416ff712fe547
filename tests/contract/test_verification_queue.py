"""VerificationQueue: one message per submit attempt, and the dead-letter queue with its reason."""

from fillpath.orders.ports.verification_queue import Check
from tests.contract.hosts import Host, Message
from tests.fakes.clock import FakeClock
from tests.fakes.verification_queue import FakeVerificationQueue

ORDER = "01HZZZZZZZZZZZZZZZZZZZZZZZ"
CHECK = Check(ORDER, "main", 3, 1)
BODY = {"order_id": ORDER, "leg": "main", "fence": 3, "attempt": 1}


def test_a_check_names_its_submit_and_stands_in_the_legs_group(host: Host) -> None:
    queue, received, dead = host.checks()
    queue.check(CHECK)
    assert received() == [Message(f"{ORDER}#main", f"{ORDER}#main#3", BODY)]
    assert dead() == []


def test_the_same_check_twice_is_sent_once(host: Host) -> None:
    queue, received, _ = host.checks()
    queue.check(CHECK)
    queue.check(CHECK)
    assert len(received()) == 1


def test_each_attempt_is_checked_by_itself(host: Host) -> None:
    queue, received, _ = host.checks()
    for check in (CHECK, CHECK._replace(attempt=2), CHECK._replace(fence=4)):
        queue.check(check)
    assert [message.dedup_id for message in received()] == [f"{ORDER}#main#3", f"{ORDER}#main#3.2", f"{ORDER}#main#4"]


def test_the_legs_of_an_order_do_not_hold_up_each_other(host: Host) -> None:
    queue, received, _ = host.checks()
    queue.check(CHECK._replace(leg="close"))
    queue.check(CHECK._replace(leg="open"))
    assert {message.group for message in received()} == {f"{ORDER}#close", f"{ORDER}#open"}


def test_a_check_given_up_lies_in_the_dead_letter_queue_with_its_reason(host: Host) -> None:
    queue, received, dead = host.checks()
    queue.give_up(CHECK, "no fill after three checks")
    assert dead() == [Message(f"{ORDER}#main", f"{ORDER}#main#3", BODY | {"reason": "no fill after three checks"})]
    assert received() == []


def test_giving_up_twice_leaves_one_message(host: Host) -> None:
    queue, _, dead = host.checks()
    queue.give_up(CHECK, "x")
    queue.give_up(CHECK, "x")
    assert len(dead()) == 1


def test_the_fake_forgets_an_id_after_five_minutes_as_sqs_does() -> None:
    clock = FakeClock()
    queue = FakeVerificationQueue(clock)
    for _ in range(3):
        queue.check(CHECK)
        clock.sleep(299)
    assert len(queue.messages) == 2
