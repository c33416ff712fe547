"""The real connections against servers on this machine, alone and under the driver."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from fillpath.errors import BrokerUnavailable
from fillpath.market.bars import Gap
from fillpath_brokers.streaming import http_lines, websocket
from fillpath_brokers.streaming.connection import Connection, Ended, NetworkConnector
from fillpath_brokers.streaming.driver import Means, Stream
from fillpath_brokers.streaming.protocol import End, Place, StreamProtocol
from tests.brokers.streaming.chatter import Chatter

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
QUICK_S = 5.0
"""Far more than a loopback needs, far less than what would be waited for otherwise."""


@asynccontextmanager
async def http_server(*answers: bytes | Answer) -> AsyncIterator[tuple[str, list[str]]]:
    """Gives the n-th connection the n-th answer, the last one to all others, and keeps what was asked."""
    asked: list[str] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        answer = answers[min(len(asked), len(answers)) - 1]
        if isinstance(answer, bytes):
            writer.write(answer)
        else:
            await answer(reader, writer)
        writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


@asynccontextmanager
async def websocket_server(
    handler: Callable[[ServerConnection], Awaitable[None]],
    process_request: Callable[[ServerConnection, Request], Response | None] | None = None,
) -> AsyncIterator[str]:
    async with serve(handler, "127.0.0.1", 0, process_request=process_request, close_timeout=0.1, max_size=2**23) as server:
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"


async def end_of(connection: Connection) -> End:
    try:
        async with asyncio.timeout(QUICK_S):
            while True:
                await connection.receive()
    except Ended as exc:
        return exc.end


def test_frames_of_both_kinds_come_as_they_were_sent() -> None:
    async def echo(server: ServerConnection) -> None:
        assert server.request
        await server.send(server.request.headers["X-Key"])
        async for frame in server:
            await server.send(frame)

    async def story() -> None:
        async with websocket_server(echo) as url:
            connection = await NetworkConnector().connect(Place(f"{url}/x?y=z", {"X-Key": "hush"}))
            assert await connection.receive() == "hush"
            long = "x" * 3_000_000
            for frame in ("text", b"bytes", "", long):
                await connection.send(frame)
                assert await connection.receive() == frame
            await connection.close()

    asyncio.run(story())


def test_the_end_of_a_websocket_has_its_code_after_the_last_frames() -> None:
    async def story() -> None:
        async def leave(server: ServerConnection) -> None:
            await server.send("one")
            await server.close(4001, "too slow")

        async with websocket_server(leave) as url:
            connection = await websocket.connect(Place(url))
            assert await connection.receive() == "one"
            with pytest.raises(Ended) as caught:
                await connection.receive()
            assert caught.value.end == End(code=4001, text="too slow")
            for call in (connection.send("late"), connection.ping(lambda: None)):
                with pytest.raises(Ended):
                    await call
            await connection.close()

    asyncio.run(story())


def test_a_broken_line_has_no_code() -> None:
    async def story() -> None:
        async def vanish(server: ServerConnection) -> None:
            server.transport.abort()

        async with websocket_server(vanish) as url:
            connection = await websocket.connect(Place(url))
            assert (await end_of(connection)) == End()
            await connection.close()

    asyncio.run(story())


def test_the_answer_to_a_ping_is_told() -> None:
    async def story() -> None:
        async with websocket_server(ServerConnection.wait_closed) as url:
            connection = await websocket.connect(Place(url))
            answered = asyncio.Event()
            await connection.ping(answered.set)
            async with asyncio.timeout(QUICK_S):
                await answered.wait()
            await connection.close()

    asyncio.run(story())


def test_a_refused_handshake_tells_status_body_and_delay() -> None:
    def refuse(_connection: ServerConnection, _request: Request) -> Response:
        return Response(429, "Too Many Requests", Headers({"Retry-After": "7"}), b"slow down")

    async def story() -> None:
        async with websocket_server(ServerConnection.wait_closed, refuse) as url:
            with pytest.raises(Ended) as caught:
                await websocket.connect(Place(url))
        assert caught.value.end == End(status=429, text="slow down", retry_after_s=7.0)
        assert "slow down" not in str(caught.value)

    asyncio.run(story())


def test_a_redirect_is_a_refusal_and_not_followed() -> None:
    asked: list[str] = []

    def redirect(_connection: ServerConnection, request: Request) -> Response:
        asked.append(request.path)
        return Response(302, "Found", Headers({"Location": "/elsewhere"}))

    async def story() -> None:
        async with websocket_server(ServerConnection.wait_closed, redirect) as url:
            with pytest.raises(Ended) as caught:
                await websocket.connect(Place(f"{url}/here"))
        assert (caught.value.end.status, asked) == (302, ["/here"])
        async with http_server(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n") as (url, gets):
            with pytest.raises(Ended) as caught:
                await http_lines.connect(Place(f"{url}/here"))
        assert (caught.value.end.status, len(gets)) == (302, 1)

    asyncio.run(story())


@pytest.mark.parametrize("scheme", ["ws", "http"])
def test_a_server_that_is_not_there_or_never_answers_cannot_be_reached_and_no_token_is_told(scheme: str) -> None:
    async def mute(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def story() -> None:
        connect = websocket.connect if scheme == "ws" else http_lines.connect
        async with http_server(mute) as (url, _):
            place = Place(f"{url}/path?token=hush".replace("http", scheme), {"Authorization": "hush"})
            before = time.monotonic()
            with pytest.raises(BrokerUnavailable, match="TimeoutError") as slow:
                await connect(place, within_s=0.05)
            assert time.monotonic() - before < QUICK_S
        with pytest.raises(BrokerUnavailable, match=r"127\.0\.0\.1/path could not be reached") as gone:
            await connect(place)
        assert "hush" not in f"{slow.value}{gone.value}{place!r}"

    asyncio.run(story())


@pytest.mark.parametrize("url", ["ws:///?token=hush", "http:///?token=hush", "gopher://x/?token=hush"])
def test_an_address_that_is_none_cannot_be_reached(url: str) -> None:
    with pytest.raises(BrokerUnavailable, match="could not be reached") as caught:
        asyncio.run(NetworkConnector().connect(Place(url)))
    assert "hush" not in str(caught.value)


def test_closing_waits_for_nobody() -> None:
    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speaks HTTP, then neither reads nor closes."""
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        await writer.drain()
        await reader.read()

    async def busy(server: ServerConnection) -> None:
        server.transport.pause_reading()
        await gone.wait()

    gone = asyncio.Event()

    async def story() -> None:
        async with websocket_server(busy) as url, http_server(deaf) as (http_url, _):
            for connection in (await websocket.connect(Place(url)), await http_lines.connect(Place(http_url))):
                before = time.monotonic()
                await connection.close()
                assert time.monotonic() - before < QUICK_S
            gone.set()

    asyncio.run(story())


def test_chunks_of_a_long_answer_come_as_they_arrive() -> None:
    async def story() -> None:
        said = asyncio.Event()

        async def slowly(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"a"\r\n')
            await writer.drain()
            await said.wait()
            writer.write(b"4\r\n:1}\n\r\n0\r\n\r\n")
            await writer.drain()

        async with http_server(slowly) as (url, asked):
            connection = await NetworkConnector().connect(Place(f"{url}/stream?symbols=ES", {"Authorization": "Bearer hush"}))
            assert await connection.receive() == b'{"a"'
            said.set()
            assert await connection.receive() == b":1}\n"
            assert await end_of(connection) == End()
            await connection.close()
        assert asked[0].startswith("GET /stream?symbols=ES HTTP/1.1\r\n")
        assert "authorization: bearer hush\r\n" in asked[0].lower()
        assert "accept-encoding: identity\r\n" in asked[0].lower()

    asyncio.run(story())


@pytest.mark.parametrize("length", [12, 1_000_000])
def test_a_refused_get_tells_status_delay_and_the_beginning_of_its_body_and_hangs_up(length: int) -> None:
    async def story() -> None:
        hung_up = asyncio.Event()

        async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(f"HTTP/1.1 401 Unauthorized\r\nRetry-After: soon\r\nContent-Length: {length}\r\n\r\n".encode())
            writer.write((b"no entrance " + b"x" * 100_000)[:length])  # of the longer one the rest never comes
            with suppress(ConnectionError):
                await reader.read()
            hung_up.set()

        async with http_server(refuse) as (url, _):
            with pytest.raises(Ended) as caught:
                await http_lines.connect(Place(url))
            async with asyncio.timeout(QUICK_S):
                await hung_up.wait()
        end = caught.value.end
        assert (end.status, end.retry_after_s, end.text[:12], len(end.text)) == (401, None, "no entrance ", min(length, 2_000))

    asyncio.run(story())


def test_an_answer_that_breaks_off_has_ended() -> None:
    async def story() -> None:
        async with http_server(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel") as (url, _):
            connection = await http_lines.connect(Place(url))
            assert await end_of(connection) == End()
            await connection.close()

    asyncio.run(story())


def test_nobody_sends_into_a_get() -> None:
    async def story() -> None:
        async with http_server(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n") as (url, _):
            connection = await http_lines.connect(Place(url))
            for call in (connection.send("x"), connection.ping(lambda: None)):
                with pytest.raises(TypeError):
                    await call
            await connection.close()

    asyncio.run(story())


def test_not_even_the_wire_log_has_tokens(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def story() -> None:
        async with websocket_server(ServerConnection.wait_closed) as url:
            connection = await websocket.connect(Place(f"{url}/?token=hush", {"Authorization": "hush"}))
            await connection.send("hush")
            await connection.close()
        async with http_server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as (url, _):
            await (await http_lines.connect(Place(f"{url}/?token=hush", {"Authorization": "hush"}))).close()

    asyncio.run(story())
    assert not [record for record in caplog.records if "hush" in record.getMessage() and "server" not in record.name]


def test_the_driver_keeps_a_real_websocket_up() -> None:
    signed_in: list[str] = []

    async def venue(server: ServerConnection) -> None:
        signed_in.append(str(await server.recv()))
        await server.send("welcome")
        await server.send(f"event {len(signed_in)}")
        if len(signed_in) < 3:
            return
        async for _ in server:
            pass

    async def story() -> None:
        async with websocket_server(venue) as url:

            def opening(symbols: frozenset[str]) -> tuple[Place, StreamProtocol[str]]:
                return Place(url), Chatter(symbols)

            stream: Stream[str] = Stream(opening, ["ES"], Means(jitter=lambda: 0.0))
            heard: list[str | Gap] = []
            async with asyncio.timeout(QUICK_S):
                async for event in stream.events():
                    heard.append(event)
                    if event == "event 3":
                        stream.close()
            first, gap, second, later_gap, third = heard
            assert (first, second, third) == ("event 1", "event 2", "event 3")
            assert isinstance(gap, Gap)
            assert isinstance(later_gap, Gap)
            assert gap.since < gap.until <= later_gap.since < later_gap.until
            assert signed_in == ["hello ES"] * 3

    asyncio.run(story())
