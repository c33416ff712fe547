"""What must be sent once: what counts as evidence that nothing was placed, and what never does."""

from collections.abc import Callable
from typing import Any

import pytest

from fillpath.errors import BrokerError, BrokerUnavailable, NeedsReauth, NotSent, StreamEnded, Unsupported
from fillpath.orders.outcomes import Rejected, Unknown
from fillpath_brokers.sending import ask_each, before_sending, is_refusal, not_done, send_once
from fillpath_brokers.web import Reply, Request

ORDER = Request("POST", "https://venue.example/orders")
TROUBLE = [
    NotSent("no quota"),
    NeedsReauth("signed out"),
    Unsupported("not here"),
    BrokerUnavailable("late"),
    StreamEnded("gone"),
]


class Line:
    """Answers every request so, or raises it."""

    def __init__(self, answer: Reply | BrokerError) -> None:
        self.answer = answer
        self.sent: list[Request] = []

    def send(self, request: Request) -> Reply:
        self.sent.append(request)
        if isinstance(self.answer, BrokerError):
            raise self.answer
        return self.answer


def raising(error: Exception) -> Callable[[Reply], Any]:
    def outcome(_: Reply) -> Any:
        raise error

    return outcome


@pytest.mark.parametrize("trouble", TROUBLE, ids=lambda each: type(each).__name__)
def test_nothing_that_goes_wrong_after_the_answer_is_evidence_that_nothing_was_placed(trouble: BrokerError) -> None:
    line = Line(Reply(200, {}, b"{}"))
    outcome = send_once(line, ORDER, raising(trouble))
    assert isinstance(outcome, Unknown)
    assert str(trouble) in outcome.text
    assert line.sent == [ORDER]


@pytest.mark.parametrize("trouble", [NotSent("no quota"), NeedsReauth("signed out")])
def test_what_was_not_sent_is_raised(trouble: BrokerError) -> None:
    with pytest.raises(type(trouble)):
        send_once(Line(trouble), ORDER, lambda _: Rejected("never", "asked"))


def test_no_answer_is_unknown_and_nothing_is_sent_again() -> None:
    line = Line(BrokerUnavailable("late"))
    assert send_once(line, ORDER, lambda _: Rejected("never", "asked")) == Unknown("late")
    assert line.sent == [ORDER]


def test_what_cannot_be_read_before_means_that_nothing_was_sent() -> None:
    with pytest.raises(NotSent, match="nothing was sent"), before_sending():
        raise BrokerUnavailable("late")
    with pytest.raises(NeedsReauth), before_sending():
        raise NeedsReauth("signed out")
    with pytest.raises(NotSent) as raised, before_sending():
        raise NotSent("no quota", 7.0)
    assert raised.value.delay_s == 7.0


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
def test_a_refused_request_is_evidence(status: int) -> None:
    reply = Reply(status, {}, b'{"message": "no"}')
    assert is_refusal(reply)
    assert not_done(reply, lambda _: Rejected("no", "no"), "Venue", "no") == Rejected("no", "no")


@pytest.mark.parametrize("body", [b"", b"no", b"<html>", b"null", b"[]"])
def test_a_refusal_that_is_not_the_venue_s_own_is_none(body: bytes) -> None:
    outcome = not_done(Reply(403, {}, body), lambda _: Rejected("no", "no"), "Venue", "no")
    assert outcome == Unknown("Venue answers 403: no")


@pytest.mark.parametrize("status", [200, 302, 408, 423, 425, 499, 500, 502, 503, 504])
def test_every_other_status_is_none(status: int) -> None:
    reply = Reply(status, {}, b"what?")
    assert not is_refusal(reply)
    assert not_done(reply, lambda _: Rejected("no", "no"), "Venue", "what?") == Unknown(f"Venue answers {status}: what?")


def test_each_is_asked_though_one_goes_wrong() -> None:
    asked: list[str] = []

    def ask(name: str) -> None:
        asked.append(name)
        if name in {"a", "c"}:
            raise BrokerUnavailable(f"{name} does not answer")

    with pytest.raises(BrokerUnavailable, match="a does not answer; c does not answer"):
        ask_each("abc", ask)
    assert asked == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("problems", "raised"),
    [
        ((NeedsReauth("signed out"), BrokerUnavailable("late")), BrokerUnavailable),
        ((NeedsReauth("signed out"), NeedsReauth("signed out")), NeedsReauth),
        ((Unsupported("not here"), StreamEnded("gone")), BrokerUnavailable),
        ((NotSent("no quota", 2.0), NotSent("no quota", 5.0)), NotSent),
        ((NotSent("no quota", 2.0), BrokerUnavailable("late")), BrokerUnavailable),
    ],
)
def test_whatever_goes_wrong_with_one_the_others_are_asked(problems: tuple[BrokerError, ...], raised: type) -> None:
    waiting, asked = list(problems), list[str]()

    def ask(name: str) -> None:
        asked.append(name)
        if waiting:
            raise waiting.pop(0)

    with pytest.raises(BrokerError) as told:
        ask_each("abc", ask)
    assert asked == ["a", "b", "c"]
    assert type(told.value) is raised
    if isinstance(told.value, NotSent):
        assert told.value.delay_s == 5.0


def test_a_single_problem_stays_what_it_is() -> None:
    def ask(_: str) -> None:
        raise NotSent("no quota", 3.0)

    with pytest.raises(NotSent) as raised:
        ask_each("a", ask)
    assert raised.value.delay_s == 3.0
