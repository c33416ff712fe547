"""Open streams of a simulator, WebSockets and long answers alike, so that faults can cut, halve or silence them.

A venue sends through a `Line`; it never writes to its WebSocketResponse or StreamResponse itself:

    line = request.app[SOCKETS].add(WebSocketLine(request, response))
    await line.send(frame)          # text or bytes
    ...
    request.app[SOCKETS].remove(line)
"""

import asyncio
from collections.abc import Iterator
from typing import Protocol

from aiohttp import web

Frame = str | bytes


class Line(Protocol):
    """One open stream to one client."""

    name: str

    async def write(self, frame: Frame) -> None:
        """Send it whole."""
        ...

    async def write_half(self, frame: Frame) -> None:
        """Send the first half of the bytes that make the frame."""
        ...

    def abort(self) -> None:
        """End the TCP connection without a goodbye."""
        ...


class _Aborting:
    """What both kinds have in common."""

    def __init__(self, request: web.Request, name: str) -> None:
        self._request = request
        self.name = name or request.path

    def abort(self) -> None:
        """End the TCP connection without a goodbye."""
        if self._request.transport is not None:
            self._request.transport.abort()


class WebSocketLine(_Aborting):
    """A WebSocket."""

    def __init__(self, request: web.Request, socket: web.WebSocketResponse, name: str = "") -> None:
        super().__init__(request, name)
        self._socket = socket

    async def write(self, frame: Frame) -> None:
        """Send it as a text or binary frame."""
        if isinstance(frame, str):
            await self._socket.send_str(frame)
        else:
            await self._socket.send_bytes(frame)

    async def write_half(self, frame: Frame) -> None:
        """Send a frame header that promises all of it, and half of what it promises."""
        payload = frame.encode() if isinstance(frame, str) else frame
        length = bytes([len(payload)]) if len(payload) < 126 else b"\x7e" + len(payload).to_bytes(2, "big")
        header = (b"\x81" if isinstance(frame, str) else b"\x82") + length
        if self._request.transport is not None:
            self._request.transport.write(header + payload[: len(payload) // 2])
            await asyncio.sleep(0.02)  # the bytes are to leave before the connection ends


class StreamLine(_Aborting):
    """A long, chunked HTTP answer."""

    def __init__(self, request: web.Request, answer: web.StreamResponse, name: str = "") -> None:
        super().__init__(request, name)
        self._answer = answer

    async def write(self, frame: Frame) -> None:
        """Send it as a chunk."""
        await self._answer.write(frame.encode() if isinstance(frame, str) else frame)

    async def write_half(self, frame: Frame) -> None:
        """Send the first half of the bytes as a chunk."""
        payload = frame.encode() if isinstance(frame, str) else frame
        await self._answer.write(payload[: len(payload) // 2])
        await asyncio.sleep(0.02)


class Sockets:
    """All open lines. `silent` swallows what is sent; `halve` makes the next frame of every line its last half.

    `without_data`: contracts of which market data is refused, in the venue's own way.
    """

    def __init__(self) -> None:
        self.silent = False
        self.without_data: set[str] = set()
        self._lines: dict[int, Line] = {}
        self._halved: set[int] = set()

    def add(self, line: Line) -> "Sending":
        """Keep a line; what comes back is what the venue sends through."""
        self._lines[id(line)] = line
        return Sending(self, line)

    def remove(self, sending: "Sending") -> None:
        """Forget a line that has ended."""
        self._lines.pop(id(sending.line), None)
        self._halved.discard(id(sending.line))

    def drop(self) -> int:
        """Cut every line; answers how many there were."""
        lines = list(self._lines.values())
        for line in lines:
            line.abort()
        return len(lines)

    def halve(self) -> int:
        """Of the next frame of every line send half, then cut it; answers how many lines there are."""
        self._halved = set(self._lines)
        return len(self._halved)

    async def send(self, line: Line, frame: Frame) -> None:
        """Send a frame as the faults want it; ConnectionResetError when the line has gone."""
        if self.silent:
            return
        if id(line) in self._halved:
            self._halved.discard(id(line))
            await line.write_half(frame)
            line.abort()
            raise ConnectionResetError("cut in the middle of a frame")
        await line.write(frame)

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[Line]:
        return iter(list(self._lines.values()))


class Sending:
    """A line as the venue has it."""

    def __init__(self, sockets: Sockets, line: Line) -> None:
        self._sockets = sockets
        self.line = line

    async def send(self, frame: Frame) -> None:
        """Send a frame; ConnectionResetError when the line has gone."""
        await self._sockets.send(self.line, frame)
