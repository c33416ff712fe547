"""Connections as the driver sees them: frames in, frames out, an end. The scheme of a place decides what carries them."""

from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

from fillpath_brokers.streaming.protocol import End, Frame, Place

OPEN_WITHIN_S = 10.0
CLOSE_WITHIN_S = 1.0
LONGEST_WAIT_S = 900.0
"""A venue that asks for more is asked again after this."""
LONGEST_TEXT = 2_000
"""How much of a refusal's body is kept, in characters."""


class Ended(Exception):
    """The other side has ended the connection, or refused it."""

    def __init__(self, end: End) -> None:
        super().__init__(repr(end))
        self.end = end


class Connection(Protocol):
    """One open connection. Any number of tasks may send and ping, one receives; each of these calls may be cancelled."""

    async def receive(self) -> Frame:
        """The next frame, or the next bytes of a chunked answer; Ended after the last."""
        ...

    async def send(self, frame: Frame) -> None:
        """Send one frame; Ended if the connection has ended."""
        ...

    async def ping(self, answered: Callable[[], object]) -> None:
        """Send a ping and call `answered` once its answer is there; Ended if the connection has ended."""
        ...

    async def close(self) -> None:
        """Give it back, within a second, whatever the other side does. Never raises."""
        ...


class Connector(Protocol):
    """Opens connections."""

    async def connect(self, place: Place) -> Connection:
        """Within 10 s. Ended if the other side answered and refused, BrokerUnavailable if it could not be reached."""
        ...


def refusal(status: int, body: bytes, retry_after: str | None) -> Ended:
    """A refusal from an HTTP answer's status, (part of its) body and Retry-After header; a date there is not understood."""
    seconds = min(float(retry_after), LONGEST_WAIT_S) if retry_after and retry_after.isdecimal() else None
    return Ended(End(status=status, text=body.decode("utf-8", "replace")[:LONGEST_TEXT], retry_after_s=seconds))


class NetworkConnector:
    """The real ones: ws and wss are WebSockets, http and https a long GET."""

    async def connect(self, place: Place) -> Connection:
        """Within 10 s. Ended if the other side answered and refused, BrokerUnavailable if it could not be reached."""
        from fillpath_brokers.streaming import http_lines, websocket  # noqa: PLC0415  heavy; who opens no stream loads neither

        if urlsplit(place.url).scheme in ("ws", "wss"):
            return await websocket.connect(place)
        return await http_lines.connect(place)
