"""HTTP to venues: what a request that fails tells of itself, and to whom."""

import logging
import socket
import threading
import traceback
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest

from fillpath.errors import BrokerUnavailable, NotSent
from fillpath_brokers.web import Reply, Request, Web, part
from tests.fakes.clock import FakeClock
from tests.fakes.rate_limits import FakeRateLimits

URL = "https://venue.example/orders"
TOKEN = "t0ken"
"""No other line has it, for a traceback shows lines."""
HUSH = {"Authorization": f"Bearer {TOKEN}"}


def web(answer: httpx.Response | Exception, **given: Any) -> Web:
    """A pool whose venue answers so."""

    def handler(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return Web(FakeRateLimits(), FakeClock(), httpx.Client(transport=httpx.MockTransport(handler)), **given)


def told(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol])
def test_without_a_connection_nothing_was_sent(error: type[httpx.TransportError]) -> None:
    with pytest.raises(NotSent, match=r"venue\.example was not reached"):
        web(error(TOKEN)).call(Request("POST", URL))


@pytest.mark.parametrize("error", [httpx.ReadTimeout, httpx.WriteError, httpx.RemoteProtocolError, httpx.LocalProtocolError])
def test_without_an_answer_it_may_have_arrived_and_it_is_not_sent_again(error: type[httpx.TransportError]) -> None:
    with pytest.raises(BrokerUnavailable) as raised:
        web(error(f"Illegal header value b'Bearer {TOKEN}'")).call(Request("POST", URL, headers=HUSH))
    assert not isinstance(raised.value, NotSent)
    assert TOKEN not in told(raised.value)


@pytest.mark.parametrize(
    "request_",
    [
        Request("GET", "https://venue.example:port/"),
        Request("GET", "https://venue.example/\nx"),
        Request("POST", URL, headers={"Authorization": f"Bearer {TOKEN}\u2026"}),
        Request("POST", URL, headers={"Authorization": f"Bearer {TOKEN}\ntail"}),
    ],
    ids=["port", "line end", "header", "header's line end"],
)
def test_what_cannot_even_be_written_was_not_sent(request_: Request) -> None:
    with pytest.raises(NotSent, match="cannot be written") as raised:
        web(httpx.Response(200)).call(request_)
    assert TOKEN not in told(raised.value)


def test_no_log_has_addresses_or_headers(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    web(httpx.Response(200)).call(Request("GET", URL, params={"token": TOKEN}, headers=HUSH))
    assert TOKEN not in caplog.text
    assert "venue.example" not in caplog.text
    for library in ("httpx", "httpcore.http2", "hpack.hpack", "hpack.table", "websockets.client"):
        assert not logging.getLogger(library).isEnabledFor(logging.INFO), library


def test_a_request_shows_nothing_that_may_be_secret() -> None:
    shown = repr(Request("POST", URL, headers=HUSH, params={"t": TOKEN}, json={"t": TOKEN}, form={"t": TOKEN}))
    assert TOKEN not in shown


@pytest.mark.parametrize("body", ["NaN", '{"p": Infinity}', "[-Infinity]", "{"])
def test_numbers_that_are_none_are_no_json(body: str) -> None:
    with pytest.raises(BrokerUnavailable):
        Reply(200, {}, body.encode()).json()


def test_an_answer_that_only_trickles_is_given_up() -> None:
    seconds = iter(range(0, 1000, 4))

    class Trickle(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            while True:
                yield b" "

    with pytest.raises(BrokerUnavailable, match="gave no answer"):
        web(httpx.Response(200, stream=Trickle()), watch=lambda: float(next(seconds))).call(Request("POST", URL, timeout_s=8))
    assert next(seconds) < 30


def test_an_answer_that_does_not_end_is_given_up() -> None:
    class Endless(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            while True:
                yield b" " * 1024 * 1024

    with pytest.raises(BrokerUnavailable, match="more than"):
        web(httpx.Response(200, stream=Endless())).call(Request("GET", URL))


@pytest.mark.integration
@pytest.mark.enable_socket
def test_headers_that_only_trickle_meet_the_deadline_of_the_whole_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        over = threading.Event()

        def trickle() -> None:
            line, _ = server.accept()
            with line, suppress(OSError):
                line.sendall(b"HTTP/1.1 200 OK\r\nX: ")
                while not over.wait(0.05):
                    line.sendall(b"x")

        thread = threading.Thread(target=trickle)
        thread.start()
        venue = Web(FakeRateLimits(), FakeClock())
        with pytest.raises(BrokerUnavailable, match="ReadTimeout"):
            venue.call(Request("POST", f"http://127.0.0.1:{server.getsockname()[1]}/", timeout_s=0.3))
        over.set()
        thread.join(5)
        venue.close()


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("ESZ26", "ESZ26"),
        ("@ES", "@ES"),
        ("BRK.B", "BRK.B"),
        ("BRK/B", "BRK%2FB"),
        ("../x?y=1#z", "..%2Fx%3Fy%3D1%23z"),
        ("a b", "a%20b"),
    ],
)
def test_a_part_of_a_path_stays_one(text: str, written: str) -> None:
    assert part(text) == written


@pytest.mark.integration
@pytest.mark.enable_socket
def test_a_venue_is_offered_http_2() -> None:
    greeted: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            line, _ = server.accept()
            with line:
                greeted.append(line.recv(4096))  # what is offered stands unencrypted in the first message

        listening = threading.Thread(target=greet)
        listening.start()
        pool = Web(FakeRateLimits(), FakeClock())
        with pytest.raises(NotSent):
            pool.call(Request("GET", f"https://127.0.0.1:{server.getsockname()[1]}/"))
        listening.join(5)
        pool.close()
    assert b"\x02h2" in greeted[0]
