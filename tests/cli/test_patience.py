"""Waiting for a venue that takes no request just now."""

from dataclasses import dataclass, field

import pytest

from cli.patience import patiently
from fillpath.errors import BrokerUnavailable, NotSent


@dataclass
class Venue:
    """Takes no request for its first `busy` askings; time passes only by waiting."""

    busy: int
    delay_s: float = 0.5
    asked: int = 0
    time_s: float = 0.0
    waits: list[float] = field(default_factory=list)

    def ask(self) -> str:
        self.asked += 1
        if self.asked <= self.busy:
            raise NotSent("the request limit is used up", self.delay_s)
        return "answer"

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.time_s += seconds

    def now(self) -> float:
        return self.time_s


def test_a_request_that_did_not_leave_is_made_again_after_the_time_that_is_named() -> None:
    venue = Venue(busy=3)
    assert patiently(venue.ask, sleep=venue.sleep, now=venue.now) == "answer"
    assert venue.waits == [0.5, 0.5, 0.5]


def test_what_is_waited_for_is_told_once_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    venue = Venue(busy=9)
    patiently(venue.ask, sleep=venue.sleep, now=venue.now)
    assert capsys.readouterr().err == "the request limit is used up; asking again for up to 20 s\n"


def test_patience_ends_before_a_wait_that_is_too_long() -> None:
    venue = Venue(busy=99, delay_s=8)
    with pytest.raises(NotSent):
        patiently(venue.ask, within_s=20, sleep=venue.sleep, now=venue.now)
    assert venue.waits == [8, 8]


def test_what_may_have_arrived_is_not_asked_again() -> None:
    def ask() -> str:
        raise BrokerUnavailable("no answer")

    venue = Venue(busy=0)
    with pytest.raises(BrokerUnavailable):
        patiently(ask, sleep=venue.sleep, now=venue.now)
    assert venue.waits == []
