"""WebSockets over the library `websockets`: a place comes in, a connection goes out; foreign errors are translated here.

The library's keepalive is off: it takes a connection for dead when a ping's answer lies unread because whoever iterates is slow.
Pings are the protocols' business, and the driver knows when it is not listening. The library answers the venue's pings itself.
"""

import asyncio
from collections.abc import Callable

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from fillpath.errors import BrokerUnavailable
from fillpath_brokers import wire_logs
from fillpath_brokers.streaming.connection import CLOSE_WITHIN_S, OPEN_WITHIN_S, Ended, refusal
from fillpath_brokers.streaming.protocol import End, Frame, Place

_LARGEST_FRAME = 2**26
"""In bytes: some venues send all that an account holds as one frame."""
wire_logs.hush()


async def connect(place: Place, within_s: float = OPEN_WITHIN_S) -> "WebSocket":
    """A connection within so many seconds. Ended if the handshake was refused, BrokerUnavailable if nobody answered it."""
    try:
        connection = await _OpenHere(
            place.url,
            additional_headers=dict(place.headers),
            open_timeout=within_s,
            close_timeout=CLOSE_WITHIN_S,
            ping_interval=None,
            max_size=_LARGEST_FRAME,
        )
    except InvalidStatus as exc:
        answer = exc.response
        raise refusal(answer.status_code, bytes(answer.body), answer.headers.get("Retry-After")) from None
    except (OSError, WebSocketException) as exc:  # the library's texts may name the whole address, with the token in it
        raise BrokerUnavailable(f"{place!r} could not be reached: {type(exc).__name__}") from None
    return WebSocket(connection)


class WebSocket:
    """One open WebSocket."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def receive(self) -> Frame:
        """The next frame: str if it was a text frame, bytes if a binary one. Ended after the last."""
        try:
            return await self._connection.recv()
        except ConnectionClosed as exc:
            raise _ended(exc) from None

    async def send(self, frame: Frame) -> None:
        """Send a text or binary frame; Ended if the connection has ended."""
        try:
            await self._connection.send(frame)
        except ConnectionClosed as exc:
            raise _ended(exc) from None

    async def ping(self, answered: Callable[[], object]) -> None:
        """Send a ping and call `answered` once its answer is there; Ended if the connection has ended."""

        def settled(pong: asyncio.Future[float]) -> None:
            if not pong.cancelled() and pong.exception() is None:
                answered()

        try:
            pong = await self._connection.ping()
        except ConnectionClosed as exc:
            raise _ended(exc) from None
        asyncio.ensure_future(pong).add_done_callback(settled)

    async def close(self) -> None:
        """Say goodbye; after a second, or if cancelled, just let go."""
        try:
            await self._connection.close()
        finally:
            self._connection.transport.abort()


class _OpenHere(open_websocket):
    """Follows no redirect: what signs us in is for the place that was meant."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Any redirect is a refusal."""
        return exc


def _ended(exc: ConnectionClosed) -> Ended:
    said = exc.rcvd or exc.sent
    return Ended(End(code=said.code, text=said.reason) if said else End())
