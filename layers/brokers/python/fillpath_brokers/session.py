"""Session: one account's signed-in way to its venue over HTTP. In: a request without its secrets; out: any readable answer.

What a venue says in the same way everywhere is handled here: a refused token (401) is told to everybody and never used again, and
too many requests (429) silence everyone who shares the credential. Both are evidence that nothing was done.
"""

import copy
import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from fillpath.accounts.access import Access
from fillpath.accounts.model import Account
from fillpath.accounts.ports.rate_limits import Quota
from fillpath.errors import BrokerUnavailable, NeedsReauth, NotSent
from fillpath_brokers.token_store import TokenStore
from fillpath_brokers.urgency import as_urgent
from fillpath_brokers.web import Limit, Reply, Request, Web

Authorize = Callable[[Access], Mapping[str, str]]
"""The headers that let a request in."""
RetryAfter = Callable[[Reply], float | None]
"""How long a 429 asks to wait, as far as it says."""
UNAUTHORIZED, TOO_MANY = 401, 429
LONGEST_WAIT_S = 900.0
"""A venue that asks for more (a date in place of a number, milliseconds) is asked again after this."""
_SERVER_TROUBLE = 500


class Session:
    """Signs requests with what lets the account in. `wait_s`: what a 429 costs where it does not say how long."""

    def __init__(
        self,
        account: Account,
        tokens: TokenStore,
        web: Web,
        authorize: Authorize,
        quota: Quota,
        *,
        wait_s: float = 60.0,
        retry_after: RetryAfter | None = None,
    ) -> None:
        self.account = account
        self._tokens = tokens
        self._web = web
        self._authorize = authorize
        self._quota = quota
        self._wait_s = wait_s
        self._retry_after = retry_after or after_header
        self._kind = ""
        self._used: Limit | None = None

    def counted_as(self, kind: str, quota: Quota) -> "Session":
        """The same way in, for a kind of requests that the venue counts by themselves."""
        other = copy.copy(self)
        other._kind, other._quota = f"#{kind}", quota  # noqa: SLF001  it is this class itself
        return other

    def access(self) -> Access:
        """What lets the account in now; NeedsReauth, NotSent."""
        return self._tokens.access(self.account.account_id)

    def send(self, request: Request) -> Reply:
        """The answer, whatever its status but 401 and 429. NotSent, NeedsReauth: nothing was done; BrokerUnavailable."""
        access = self.access()
        limit = self._used = self._limit(access)
        signed = {**request.headers, **self._authorize(access)}
        reply = self._web.call(replace(request, headers=signed, urgent=as_urgent(request.urgent)), limit)
        reply = replace(reply, hide=access.hidden_in)
        if reply.status == UNAUTHORIZED:
            raise self.refused(access, reply.text)
        if reply.status == TOO_MANY:
            asked_s = self._retry_after(reply)
            wait_s = self._wait_s if asked_s is None else min(asked_s, LONGEST_WAIT_S)
            self._web.pause(limit, wait_s, f"{self.account.venue} answered that there were too many requests (429)")
            raise NotSent(f"too many requests: {self.account.venue} takes the next one in {wait_s:.0f} s", wait_s)
        return reply

    def read(self, url: str, params: Mapping[str, str] | None = None, *, urgent: bool = False) -> Reply:
        """The answer to a GET that may be asked twice; BrokerUnavailable for 5xx."""
        reply = self.send(Request("GET", url, params=params, safe=True, urgent=urgent))
        if reply.status >= _SERVER_TROUBLE:
            raise BrokerUnavailable(f"{self.account.venue} answers {reply.status}: {reply.text}")
        return reply

    def pause(self, seconds: float, why: str) -> None:
        """After an answer: nobody who shares the credential asks anything for so long. Never raises: the answer still counts."""
        if self._used is not None:
            self._web.pause(self._used, seconds, why)

    def refused(self, access: Access, text: str) -> NeedsReauth | NotSent:
        """Tell everybody that this access is refused; what to raise: a token may be renewed, a key cannot be."""
        self._tokens.refused(self.account.account_id, access, text)
        text = access.hidden_in(text)
        if access.token is None:
            return NeedsReauth(f"{self.account.venue} does not let account {self.account.label} in: {text}")
        return NotSent(f"{self.account.venue} refused the token; it is renewed within a minute", 5.0)

    def _limit(self, access: Access) -> Limit:
        return Limit(_bucket(self.account, access) + self._kind, self._quota)


def access_token(access: Access) -> str:
    """The account's access token; NeedsReauth where nobody has signed in."""
    if access.token is None:
        raise NeedsReauth("nobody has signed in: ./fillpath account sign-in ID")
    return access.token.access_token


def bearer(token: str) -> dict[str, str]:
    """The header that carries a token."""
    return {"Authorization": f"Bearer {token}"}


def after_header(reply: Reply) -> float | None:
    """The seconds of a Retry-After header, where there is one and it is a number of some time."""
    return seconds_in(reply, "Retry-After")


def seconds_in(reply: Reply, name: str) -> float | None:
    """The seconds that a header tells; None where it tells none, or what is no time."""
    try:
        seconds = float(reply.headers[name])
    except (KeyError, ValueError):
        return None
    return seconds if 0 < seconds < math.inf else None


def _bucket(account: Account, access: Access) -> str:
    """One bucket per credential and place where it is used, named so that nothing of it can be read."""
    known = {**access.credentials, "endpoint": account.connection.get("endpoint", "")}
    text = "\n".join(f"{key}={value}" for key, value in sorted(known.items()))
    return f"{account.venue}#{hashlib.sha256(text.encode()).hexdigest()[:16]}"
