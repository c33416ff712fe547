"""Calls: one account's requests to Tradovate's REST API. In: an endpoint and its fields; out: the JSON of the answer.

What may happen to any request is handled here: penalties, a token that Tradovate denies, the warning before it locks us out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from fillpath.accounts.access import Access
from fillpath.accounts.model import Account
from fillpath.accounts.ports.rate_limits import Quota
from fillpath.clock import Clock
from fillpath.errors import BrokerUnavailable, NeedsReauth, NotSent
from fillpath_brokers.session import Session
from fillpath_brokers.token_store import TokenStore
from fillpath_brokers.tradovate.capabilities import BURST, RESERVE
from fillpath_brokers.tradovate.penalty import Penalty, Tickets, penalty_in, with_ticket
from fillpath_brokers.tradovate.refusals import failure_in, text_in
from fillpath_brokers.tradovate.settings import Settings
from fillpath_brokers.tradovate.sign_in import APPROVE, authorization
from fillpath_brokers.web import READ_S, Reply, Request, Web
from fillpath_brokers.window import VenueClock

_NOT_FOUND, _SLOW_DOWN = 404, 423
_MOST_IDS = 100
_NEXT = 2
_SHORTEST_S = 1.0


class Calls(Session):
    """The session of one account. Paths are endpoints without a slash before them."""

    def __init__(self, account: Account, tokens: TokenStore, web: Web, clock: Clock, settings: Settings) -> None:
        quota = Quota(settings.requests_per_minute, BURST, RESERVE)
        super().__init__(account, tokens, web, authorization, quota, wait_s=settings.rate_limit_wait_s)
        self._clock = clock
        self._settings = settings
        self.venue_clock = VenueClock(clock)
        self._tickets = Tickets()
        self._denied = 0

    def get(self, path: str, *, urgent: bool = False, **params: Any) -> Any:
        """The JSON of an answer; None where Tradovate has no such thing. BrokerUnavailable for what cannot be read."""
        given = {name: str(value) for name, value in params.items()}
        reply = self.venue_clock.measured(lambda: self.read(self._url(path), given, urgent=urgent))
        return None if reply.status == _NOT_FOUND else _document(reply, path)

    def one(self, path: str, *, urgent: bool = False, **params: Any) -> dict[str, Any] | None:
        """The entity that answers; None only for a 404, which need not be Tradovate's own."""
        reply = self.read(self._url(path), {name: str(value) for name, value in params.items()}, urgent=urgent)
        if reply.status == _NOT_FOUND:
            return None
        document = _document(reply, path)
        if not isinstance(document, dict):
            raise BrokerUnavailable(f"Tradovate gives no entity of {path}")
        return document

    def listed(self, path: str, *, urgent: bool = False, **params: Any) -> list[dict[str, Any]]:
        """The entities of a list; BrokerUnavailable if it is none."""
        documents = self.get(path, urgent=urgent, **params)
        if not isinstance(documents, list) or not all(isinstance(each, dict) for each in documents):
            raise BrokerUnavailable(f"Tradovate gives no list of {path}")
        return documents

    def of_many(self, path: str, name: str, ids: Sequence[int], *, urgent: bool = False) -> Iterator[dict[str, Any]]:
        """The entities with these ids, or of these masters, some at a time."""
        for start in range(0, len(ids), _MOST_IDS):
            yield from self.listed(path, urgent=urgent, **{name: ",".join(map(str, ids[start : start + _MOST_IDS]))})

    def post(self, path: str, body: Mapping[str, Any], *, urgent: bool = False, timeout_s: float = READ_S) -> Reply:
        """The answer to a request that does something; it is sent once."""
        return self.send(self.request(path, body, urgent=urgent, timeout_s=timeout_s))

    def request(self, path: str, body: Mapping[str, Any], *, urgent: bool = False, timeout_s: float = READ_S) -> Request:
        """A request that does something."""
        return Request("POST", self._url(path), json=body, timeout_s=timeout_s, urgent=urgent)

    def send(self, request: Request) -> Reply:
        """The answer. NotSent while a penalty lasts that is longer than one waits for."""
        reply = super().send(self._tickets.applied(request, self._clock.now()))
        penalty = _penalty(reply)
        if penalty is not None:
            reply = self._again(request, penalty)
        if reply.status == _SLOW_DOWN:
            self.pause(self._settings.slow_down_s, "Tradovate asked to slow down (423)")
        return reply

    def refused(self, access: Access, text: str) -> NeedsReauth | NotSent:
        """A token may have ended before its time; where the one after it is denied too, a person must approve something."""
        error = super().refused(access, text)
        again, self._denied = 0 < self._denied < access.version <= self._denied + _NEXT, access.version
        return NeedsReauth(f"{APPROVE} ({text})") if again and self._settings.wants_approval(text) else error

    def _again(self, request: Request, penalty: Penalty) -> Reply:
        if penalty.captcha:
            self.pause(penalty.wait_s, penalty.text)
            raise NotSent(penalty.text, penalty.wait_s)
        if penalty.wait_s > self._settings.penalty_patience_s:
            self._tickets.keep(request, penalty, self._clock.now())
            raise NotSent(penalty.text, penalty.wait_s)
        self._clock.sleep(penalty.wait_s)
        left_s = max(_SHORTEST_S, request.timeout_s - penalty.wait_s)
        reply = super().send(with_ticket(replace(request, timeout_s=left_s), penalty))
        if (second := _penalty(reply)) is not None:
            self._tickets.keep(request, second, self._clock.now())
            raise NotSent(second.text, second.wait_s)
        return reply

    def _url(self, path: str) -> str:
        return f"{self._settings.rest_url}/{path}"


def _penalty(reply: Reply) -> Penalty | None:
    try:
        return penalty_in(reply.json()) if b"p-ticket" in reply.body else None
    except BrokerUnavailable:
        return None


def _document(reply: Reply, path: str) -> Any:
    if not reply.ok:
        raise BrokerUnavailable(f"Tradovate answers {path} with {reply.status}: {text_in(reply)}")
    document = reply.json()
    if (failure := failure_in(document)) is not None:
        raise BrokerUnavailable(f"Tradovate refuses {path}: {reply.hide(failure[1])}")
    return document
