"""Tradovate's socket frames: text comes in, what it says goes out; a request goes in, its frame comes out. No I/O.

The first character of a server's frame says what it is: `o` it is open, `h` a heartbeat, `c` it is closed, `a` an array of
messages. A message answers a request (`i` its number, `s` its status, `d` the data) or tells an event (`e` its kind, `d` the
data).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec

from fillpath_brokers.streaming.decoding import unread

HEARTBEAT = "[]"
HEARTBEAT_S = 2.5
OPEN, CLOSED = "o", "c"
OK = range(200, 300)
UNAUTHORIZED, TOO_MANY = 401, 429
AUTHORIZE_ID = 0
_SOURCE = "tradovate socket"


class Message(msgspec.Struct):
    """One message of an array: an answer, or an event."""

    e: str | None = None
    i: int | None = None
    s: int | None = None
    d: Any = None


@dataclass(frozen=True, slots=True)
class Request:
    """One request of ours: an endpoint without a slash before it, a number that is used once, query and body."""

    endpoint: str
    number: int
    query: str = ""
    body: Any = field(default=None, repr=False)

    @property
    def frame(self) -> str:
        """As it is sent. What authorizes is no JSON, but the token itself."""
        body = self.body if isinstance(self.body, str) else "" if self.body is None else _ENCODER.encode(self.body).decode()
        return f"{self.endpoint}\n{self.number}\n{self.query}\n{body}"


_ENCODER = msgspec.json.Encoder(decimal_format="number")
_MESSAGES = msgspec.json.Decoder(list[Message], float_hook=Decimal)
_PARTS = msgspec.json.Decoder(list[msgspec.Raw])
_MESSAGE = msgspec.json.Decoder(Message, float_hook=Decimal)


def authorize(token: str, number: int = AUTHORIZE_ID) -> Request:
    """The request that signs the connection in."""
    return Request("authorize", number, body=token)


def kind_of(frame: str | bytes) -> str:
    """What a frame is; empty for none."""
    return _text(frame)[:1]


def messages_in(frame: str | bytes) -> list[Message] | None:
    """The messages of an array, without those that cannot be read; none for other frames. None: nothing of it can be read.

    What cannot be read is counted.
    """
    text = _text(frame)
    if not text.startswith("a"):
        return []
    try:
        return _MESSAGES.decode(text[1:])
    except msgspec.DecodeError:
        return _one_by_one(text[1:])


def error_in(message: Message) -> str | None:
    """Why a request was refused: by its status, or inside an answer of status 200; None if it was not."""
    if message.s not in OK:
        return _said(message.d) or f"status {message.s}"
    return _said(message.d) or None if isinstance(message.d, Mapping) and message.d.get("errorText") else None


def _one_by_one(array: str) -> list[Message] | None:
    try:
        parts = _PARTS.decode(array)
    except msgspec.DecodeError as exc:
        unread.count(_SOURCE, exc)
        return None
    return [message for part in parts if (message := _read(part)) is not None]


def _read(part: msgspec.Raw) -> Message | None:
    try:
        return _MESSAGE.decode(part)
    except msgspec.DecodeError as exc:
        unread.count(f"{_SOURCE} message", exc)
        return None


def _said(data: Any) -> str:
    if isinstance(data, Mapping):
        return str(data.get("errorText") or data.get("failureText") or "")
    return data[:300] if isinstance(data, str) else ""


def _text(frame: str | bytes) -> str:
    return frame if isinstance(frame, str) else frame.decode("utf-8", "replace")
