"""A deadline for a whole exchange over HTTP. In: connections, and how long a request may take; out: connections that keep to it.

A library's time-outs are for one read at a time: an answer that comes a byte a second never meets them. Here each read, write and
connect gets what is left, and nothing is sent after the end: an order that got stuck on its way does not leave late.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from ssl import SSLContext
from typing import Any

import httpcore
import httpx

Watch = Callable[[], float]
_KEPT_S = 5.0
_MOST, _MOST_KEPT = 100, 20
_here = threading.local()


@contextmanager
def within(seconds: float, watch: Watch = time.monotonic) -> Iterator[None]:
    """What this thread does inside must be over in so many seconds."""
    _here.left = _left_until(watch() + seconds, watch)
    try:
        yield
    finally:
        del _here.left


class PunctualTransport(httpx.HTTPTransport):
    """The usual one, over connections that keep to the deadline."""

    def __init__(self) -> None:
        context = httpx.create_ssl_context()
        super().__init__(verify=context, http2=True)
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            http2=True,
            max_connections=_MOST,
            max_keepalive_connections=_MOST_KEPT,
            keepalive_expiry=_KEPT_S,
            network_backend=_Punctual(httpcore.SyncBackend()),
        )


class _Punctual(httpcore.NetworkBackend):
    def __init__(self, inner: httpcore.NetworkBackend) -> None:
        self._inner = inner

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return _PunctualStream(self._inner.connect_tcp(host, port, left, local_address, socket_options))

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


class _PunctualStream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return _PunctualStream(self._inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _left_until(end: float, watch: Watch) -> Watch:
    return lambda: end - watch()


def _left(timeout: float | None, over: type[Exception]) -> float | None:
    """The shorter of the time-out and what is left; `over` where nothing is."""
    known: Watch | None = getattr(_here, "left", None)
    if known is None:
        return timeout
    left = known()
    if left <= 0:
        raise over
    return left if timeout is None else min(timeout, left)
