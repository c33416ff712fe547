"""HTTP to venues: one pool of connections per process, explicit time-outs, quotas, and foreign errors translated once.

Errors that reach the caller:

NotSent             the request certainly did not arrive: it cannot be written, no connection was made, or the quota is used up
BrokerUnavailable   no readable answer: time-out, dropped line, not JSON; it may have arrived

Neither they nor their causes tell more of a request than the host: libraries put addresses and headers into their texts.
"""

import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote, urlsplit

from fillpath.accounts.ports.rate_limits import Quota, RateLimits
from fillpath.clock import Clock
from fillpath.errors import BrokerUnavailable, NotSent, StorageUnavailable
from fillpath_brokers import wire_logs

if TYPE_CHECKING:
    import httpx

SUBMIT_S, READ_S, CONNECT_S = 8.0, 5.0, 3.0
LONGEST_ANSWER = 16 * 1024 * 1024
"""In bytes. No answer that anybody asks for here comes near it."""
_READ_TRIES = 2
_GATEWAY_TROUBLE = {502, 503, 504}
LONGEST_WAIT_S = 1.5
"""A request waits so long for its turn: what is read before an order would else take every turn that the order itself needs."""
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_log = logging.getLogger(__name__)
wire_logs.hush()


def part(text: str) -> str:
    """A text (an id, a symbol) as one part of a path, whatever stands in it."""
    return quote(text, safe="@$,")


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Headers, query and body may hold secrets, so a repr does not show them; an address holds none.

    `safe`: it may be asked again when no answer comes (reads only). `urgent`: an exit, a cancel or a look at an order; it may use
    what a quota keeps in reserve. In `json` a Decimal becomes a number, exactly as it is written.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    params: Mapping[str, str] | None = field(default=None, repr=False)
    json: Any = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    timeout_s: float = READ_S
    safe: bool = False
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: any status, the body unread."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    hide: Callable[[str], str] = field(default=str, repr=False)
    """Takes out of a text what was sent as a secret: some venues repeat it."""

    @property
    def ok(self) -> bool:
        """Whether the status is a 2xx."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body's JSON, its fractions as Decimal; BrokerUnavailable if it cannot be read, or has numbers that are none.

        What is no success is for people to read, so no secret is in its texts.
        """
        try:
            document = json.loads(self.body, parse_float=Decimal, parse_constant=_no_number)
        except (ValueError, RecursionError) as exc:
            raise BrokerUnavailable(f"the answer (status {self.status}) is not JSON") from exc
        return document if self.ok else _hidden(document, self.hide)

    @property
    def text(self) -> str:
        """The body as text, cut to what a person wants to read."""
        return self.hide(self.body.decode("utf-8", "replace"))[:300]


@dataclass(frozen=True, slots=True)
class Limit:
    """The bucket that a credential's requests come out of."""

    key: str
    quota: Quota


class Web:
    """The process's way to venues. Give it an httpx.Client to speak over something else; `watch` tells how long answers take.

    Its own is made, and the library loaded, with the first request: accounts at the simulated exchange never pay for it.
    """

    def __init__(
        self,
        limits: RateLimits,
        clock: Clock,
        client: "httpx.Client | None" = None,
        watch: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits
        self._clock = clock
        self._client = client
        self._watch = watch
        self._making = Lock()

    def call(self, request: Request, limit: Limit | None = None) -> Reply:
        """Send the request (a safe one again, if no answer came) and give what came back, whatever its status."""
        tries = _READ_TRIES if request.safe else 1
        while True:
            tries -= 1
            self._admit(request, limit)
            try:
                reply = self._send(request)
            except NotSent:
                raise
            except BrokerUnavailable:
                if not tries:
                    raise
                continue
            if tries and reply.status in _GATEWAY_TROUBLE:
                continue
            return reply

    def pause(self, limit: Limit, seconds: float, why: str) -> None:
        """Keep every user of this bucket silent for so long: the venue asked for it. `why` is told to whoever asks meanwhile."""
        try:
            self._limits.pause(limit.key, seconds, why)
        except StorageUnavailable:
            _log.warning("a pause of %s s could not be told to other processes", seconds)

    def close(self) -> None:
        """Close all connections."""
        if self._client is not None:
            self._client.close()

    def _admit(self, request: Request, limit: Limit | None) -> None:
        if limit is None:
            return
        try:
            wait_s = self._limits.take(limit.key, limit.quota, urgent=request.urgent)
            if 0 < wait_s <= LONGEST_WAIT_S:
                self._clock.sleep(wait_s)
                wait_s = self._limits.take(limit.key, limit.quota, urgent=request.urgent)
        except StorageUnavailable:
            _log.warning("the rate limit was not asked: its table does not answer")  # the venue's own limit still holds
            return
        if wait_s > 0:
            why = self._limits.silence(limit.key) or "the venue's request limit is used up"
            raise NotSent(f"{why}; free again in {wait_s:.1f} s", wait_s)

    def _send(self, request: Request) -> Reply:
        import httpx  # noqa: PLC0415  see the class

        from fillpath_brokers.deadline import within  # noqa: PLC0415  the same

        client, host = self._made(), _host(request.url)
        try:
            written = _written(client, request)
        except (httpx.InvalidURL, ValueError) as exc:
            raise NotSent(f"a request to {host} cannot be written: {type(exc).__name__}") from None
        give_up = self._watch() + request.timeout_s
        try:
            with within(request.timeout_s), closing(client.send(written, stream=True)) as answer:
                return Reply(answer.status_code, answer.headers, self._body(answer, give_up))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as exc:
            why = _unreached(exc) if isinstance(exc, httpx.ConnectError | httpx.ConnectTimeout) else type(exc).__name__
            raise NotSent(f"{host} was not reached: {why}") from None
        except (httpx.HTTPError, TimeoutError) as exc:
            raise BrokerUnavailable(f"{host} gave no answer: {type(exc).__name__}") from None

    def _body(self, answer: "httpx.Response", give_up: float) -> bytes:
        """All of it; TimeoutError where it only trickles, BrokerUnavailable where it is endless."""
        body = bytearray()
        for piece in answer.iter_bytes():
            body += piece
            if self._watch() > give_up:
                raise TimeoutError
            if len(body) > LONGEST_ANSWER:
                raise BrokerUnavailable(f"{_host(str(answer.url))} gave an answer of more than {LONGEST_ANSWER} bytes")
        return bytes(body)

    def _made(self) -> "httpx.Client":
        import httpx  # noqa: PLC0415  see the class

        from fillpath_brokers.deadline import PunctualTransport  # noqa: PLC0415  the same

        with self._making:
            if self._client is None:
                self._client = httpx.Client(transport=PunctualTransport(), follow_redirects=False)
        return self._client


def _written(client: "httpx.Client", request: Request) -> "httpx.Request":
    import httpx  # noqa: PLC0415  see Web

    headers = dict(request.headers)
    if any(_CONTROL.search(value) for value in headers.values()):
        raise ValueError("a header has control characters")
    if request.json is not None:
        headers.setdefault("Content-Type", "application/json")
    return client.build_request(
        request.method,
        request.url,
        headers=headers,
        params=request.params,
        content=None if request.json is None else _encoder()(request.json),
        data=request.form,
        timeout=httpx.Timeout(request.timeout_s, connect=min(CONNECT_S, request.timeout_s)),
    )


def _unreached(failure: BaseException) -> str:
    """Why no connection was made, by the first cause: what to look at differs."""
    import socket  # noqa: PLC0415  see Web
    import ssl  # noqa: PLC0415  the same

    causes = [failure]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None:
        causes.append(cause)
    match causes[-1]:
        case socket.gaierror():
            return "there is no host of that name"
        case ConnectionRefusedError():
            return "nobody answers there (connection refused)"
        case ssl.SSLCertVerificationError():
            return "its certificate is not trusted"
        case ssl.SSLError():
            return "what answers there does not speak TLS; is it http instead of https?"
    return "nobody answers there"


def _host(url: str) -> str:
    try:
        host, port = urlsplit(url).hostname, urlsplit(url).port
    except ValueError:
        return "nowhere"
    return f"{host or 'nowhere'}{f':{port}' if port else ''}"


def _hidden(value: Any, hide: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, list):
        return [_hidden(each, hide) for each in value]
    if isinstance(value, dict):
        return {name: _hidden(each, hide) for name, each in value.items()}
    return value


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


@cache
def _encoder() -> Callable[[Any], bytes]:
    from msgspec.json import Encoder  # noqa: PLC0415  see Web

    return Encoder(decimal_format="number").encode
