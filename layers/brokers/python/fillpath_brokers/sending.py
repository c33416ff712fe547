"""Sending what must be sent once. In: a request that places or changes an order, and how its answer is read. Out: its outcome.

What goes wrong before it is sent is evidence that nothing was done, and is raised: NotSent, NeedsReauth, Unsupported. What goes
wrong afterwards, while its answer is read or something is looked up for it, is evidence of nothing: Unknown, whatever it was.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol, TypeVar

from fillpath.errors import BrokerError, BrokerUnavailable, NeedsReauth, NotSent
from fillpath.orders.outcomes import RateLimited, Rejected, Unknown
from fillpath_brokers.web import Reply, Request

Outcome = TypeVar("Outcome")

_IN_DOUBT = {408, 423, 425, 499}
"""Of the 4xx, those that a server or something before it may answer though the request is, or will be, carried out."""


class Sender(Protocol):
    """Who sends: a session."""

    def send(self, request: Request) -> Reply:
        """The answer. NotSent, NeedsReauth: nothing was done; BrokerUnavailable: nobody knows."""
        ...


@contextmanager
def before_sending() -> Iterator[None]:
    """What has to be read before, and cannot be read, keeps the request from being sent (NotSent)."""
    try:
        yield
    except NotSent:
        raise
    except BrokerUnavailable as exc:
        raise NotSent(f"nothing was sent, because something could not be read before: {exc}") from exc


def send_once(sender: Sender, request: Request, outcome: Callable[[Reply], Outcome]) -> Outcome | Unknown:
    """The outcome that the answer is. NotSent, NeedsReauth: nothing was done."""
    try:
        reply = sender.send(request)
    except NotSent:
        raise
    except BrokerUnavailable as exc:
        return Unknown(str(exc))
    try:
        return _without_secrets(outcome(reply), reply)
    except BrokerError as exc:  # even NotSent: it is about another request than the one that was answered
        return Unknown(reply.hide(f"the answer was {reply.status}, and then: {exc}"))


def _without_secrets(outcome: Outcome, reply: Reply) -> Outcome:
    """Also a success may tell of a refusal."""
    if isinstance(outcome, Rejected | Unknown | RateLimited) and outcome.text:
        return replace(outcome, text=reply.hide(outcome.text))
    return outcome


def is_refusal(reply: Reply) -> bool:
    """Whether the status alone is evidence that nothing was done."""
    return 400 <= reply.status < 500 and reply.status not in _IN_DOUBT


def not_done(reply: Reply, refusal: Callable[[Reply], Rejected], venue: str, text: str) -> Rejected | Unknown:
    """What an answer says that is no success: refused, or in doubt with the venue's own `text`.

    Who stands before a venue and does not speak its JSON may have let the order through.
    """
    if is_refusal(reply) and _is_the_venues(reply):
        return refusal(reply)
    return Unknown(f"{venue} answers {reply.status}: {text}")


def _is_the_venues(reply: Reply) -> bool:
    try:
        return isinstance(reply.json(), dict)
    except BrokerUnavailable:
        return False


def ask_each(names: Iterable[str], ask: Callable[[str], None]) -> None:
    """All are asked for, whatever comes of one; then what went wrong is raised.

    A single problem is raised as it is. Several are NotSent if no request left, NeedsReauth if nobody was let in, else
    BrokerUnavailable.
    """
    problems: list[BrokerError] = []
    for name in names:
        try:
            ask(name)
        except BrokerError as exc:
            problems.append(exc)
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise _together(problems)


def _together(problems: Sequence[BrokerError]) -> BrokerError:
    text = "; ".join(dict.fromkeys(map(str, problems)))
    waits = [each.delay_s for each in problems if isinstance(each, NotSent)]
    if len(waits) == len(problems):
        return NotSent(text, max(waits))
    return NeedsReauth(text) if all(isinstance(each, NeedsReauth) for each in problems) else BrokerUnavailable(text)
