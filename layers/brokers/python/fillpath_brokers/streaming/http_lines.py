"""Long chunked GETs over httpx: a place comes in, a connection goes out whose frames are bytes as they arrive, cut anywhere."""

import asyncio
import ssl
from collections.abc import Callable
from functools import cache

import httpx

from fillpath.errors import BrokerUnavailable
from fillpath_brokers import wire_logs
from fillpath_brokers.streaming.connection import CLOSE_WITHIN_S, LONGEST_TEXT, OPEN_WITHIN_S, Ended, refusal
from fillpath_brokers.streaming.protocol import End, Frame, Place

# No limit to reading: how long silence may last is the protocol's to say and the driver's to watch.
_TIMEOUT = httpx.Timeout(OPEN_WITHIN_S, read=None)
# Compression would hold back what has been sent until a block is full.
_HEADERS = {"Accept-Encoding": "identity"}
wire_logs.hush()


async def connect(place: Place, within_s: float = OPEN_WITHIN_S) -> "HttpLines":
    """An answer with a 2xx status within so many seconds. Ended if it had another, BrokerUnavailable if there was none."""
    # One client for each: a stream must not share a line, or a pool's limit, with others. HTTP/1.1 for the same reason.
    client = httpx.AsyncClient(timeout=_TIMEOUT, headers=_HEADERS, follow_redirects=False, verify=_tls())
    try:
        async with asyncio.timeout(within_s):
            answer = await client.send(client.build_request("GET", place.url, headers=dict(place.headers)), stream=True)
            await _check(answer)
    except BaseException as exc:
        await _let_go(client)
        if isinstance(exc, httpx.HTTPError | httpx.InvalidURL | TimeoutError | UnicodeError):
            raise BrokerUnavailable(f"{place!r} could not be reached: {type(exc).__name__}") from None
        raise
    return HttpLines(client, answer)


class HttpLines:
    """One open answer. (What its lines mean is the protocol's to find out.)"""

    def __init__(self, client: httpx.AsyncClient, answer: httpx.Response) -> None:
        self._client = client
        self._chunks = answer.aiter_bytes()

    async def receive(self) -> Frame:
        """The bytes that arrived next; Ended when the answer is complete or the line broke."""
        try:
            return await anext(self._chunks)
        except (StopAsyncIteration, httpx.HTTPError, httpx.StreamError):
            raise Ended(End()) from None

    async def send(self, frame: Frame) -> None:
        """A GET has one direction."""
        raise TypeError("a chunked HTTP stream cannot send")

    async def ping(self, answered: Callable[[], object]) -> None:
        """A GET has one direction."""
        raise TypeError("a chunked HTTP stream cannot ping")

    async def close(self) -> None:
        """Hang up."""
        await _let_go(self._client)


async def _check(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    body = b""
    async for chunk in answer.aiter_bytes():
        body += chunk
        if len(body) >= LONGEST_TEXT:
            break
    raise refusal(answer.status_code, body, answer.headers.get("Retry-After"))


async def _let_go(client: httpx.AsyncClient) -> None:
    try:
        async with asyncio.timeout(CLOSE_WITHIN_S):
            await client.aclose()
    except (TimeoutError, httpx.HTTPError, OSError):
        pass


@cache
def _tls() -> ssl.SSLContext:
    """Read once: it takes as long as a handshake."""
    return httpx.create_ssl_context()
