"""What Tradovate's sockets have in common, without I/O: frames come in, frames to send and what heirs make of messages go out.

Open, authorize, ask, hear. A penalty in an answer is waited for by counting heartbeats; a longer one than a connection may take
to be ready ends it, and so does a lock-out. A shutdown for too many connections is not answered with another connection.
"""

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from fillpath_brokers.streaming.protocol import Action, Event, Frame, GiveUp, Reconnect, Send, StreamProtocol
from fillpath_brokers.tradovate.frames import (
    AUTHORIZE_ID,
    CLOSED,
    HEARTBEAT,
    HEARTBEAT_S,
    OK,
    OPEN,
    TOO_MANY,
    Message,
    Request,
    authorize,
    error_in,
    kind_of,
    messages_in,
)
from fillpath_brokers.tradovate.penalty import Penalty, penalty_in
from fillpath_brokers.tradovate.settings import Settings

LONGEST_PENALTY_S = 25.0
_QUOTA = {"ConnectionQuotaReached", "IPQuotaReached"}
_MAINTENANCE_S = 30.0


class Door(Protocol):
    """Who is told whether Tradovate lets the stream in, over all of its connections."""

    def entered(self) -> None:
        """It did."""
        ...

    def denied(self, text: str) -> Reconnect | GiveUp:
        """It did not; what now?"""
        ...


@dataclass(slots=True)
class _Waiting:
    request: Request
    beats: int


class SocketProtocol(StreamProtocol[Event]):
    """One connection. Heirs say what comes after the sign-in, and what answers and events mean."""

    def __init__(self, token: str, settings: Settings, door: Door) -> None:
        self.settings = settings
        self._token = token
        self._door = door
        self._number = AUTHORIZE_ID
        self._asked: dict[int, Request] = {}
        self._waiting: list[_Waiting] = []
        self._signed_in = False

    @property
    def silence_s(self) -> float:
        """The server beats every 2.5 s."""
        return self.settings.silence_s

    @property
    def beat_s(self) -> float | None:
        """Tradovate drops who does not beat."""
        return HEARTBEAT_S

    def opened(self) -> Sequence[Action[Event]]:
        """Tradovate speaks first."""
        return ()

    def received(self, frame: Frame, at: datetime) -> Sequence[Action[Event]]:
        """Every message of the frame."""
        kind = kind_of(frame)
        if kind == OPEN:
            return [self._sign_in(AUTHORIZE_ID)]
        if kind == CLOSED:
            return [Reconnect("closed by Tradovate")]
        messages = messages_in(frame)
        if messages is None:
            return self.unreadable()
        return [action for message in messages for action in self._message(message, at)]

    def beat(self) -> Sequence[Action[Event]]:
        """The heartbeat, and requests whose penalty is over."""
        for waiting in self._waiting:
            waiting.beats -= 1
        due = [waiting.request for waiting in self._waiting if waiting.beats <= 0]
        self._waiting = [waiting for waiting in self._waiting if waiting.beats > 0]
        return [Send(HEARTBEAT), *(self._sent(request) for request in due)]

    def token_changed(self, token: str) -> Sequence[Action[Event]]:
        """Sign in again, on the same connection."""
        self._token = token
        return [self._sign_in(self._next())]

    def ask(self, endpoint: str, body: Mapping[str, Any] | None = None, query: str = "") -> tuple[int, Send]:
        """A request under a number of its own, to be sent."""
        request = Request(endpoint, self._next(), query, body)
        return request.number, self._sent(request)

    def unreadable(self) -> Sequence[Action[Event]]:
        """Nothing of a frame could be read: what was in it is lost."""
        return ()

    @abstractmethod
    def authorized(self) -> Sequence[Action[Event]]:
        """Signed in for the first time: what is asked for next."""

    @abstractmethod
    def answered(self, number: int, message: Message) -> Sequence[Action[Event]]:
        """The answer to a request of the heir's."""

    @abstractmethod
    def told(self, kind: str, data: Any, at: datetime) -> Sequence[Action[Event]]:
        """An event."""

    def _message(self, message: Message, at: datetime) -> Sequence[Action[Event]]:
        if message.e == "shutdown":
            return [_shutdown(message.d)]
        if message.e is not None:
            return self.told(message.e, message.d, at)
        request = self._asked.pop(message.i, None) if message.i is not None else None
        return self._answer(request, message) if request else ()

    def _answer(self, request: Request, message: Message) -> Sequence[Action[Event]]:
        if (penalty := penalty_in(message.d)) is not None:
            return self._punished(request, penalty)
        if message.s == TOO_MANY:
            return [Reconnect("locked out for asking too often (429)", self.settings.rate_limit_wait_s)]
        if request.endpoint != "authorize":
            return self.answered(request.number, message)
        if message.s not in OK:
            return [self._door.denied(error_in(message) or "")]
        self._door.entered()
        first, self._signed_in = not self._signed_in, True
        return self.authorized() if first else ()

    def _punished(self, request: Request, penalty: Penalty) -> Sequence[Action[Event]]:
        if penalty.captcha or penalty.wait_s > LONGEST_PENALTY_S or isinstance(request.body, str):
            return [Reconnect(penalty.text, penalty.wait_s)]
        again = replace(request, body={**(request.body or {}), **penalty.fields})
        self._waiting.append(_Waiting(again, math.ceil(penalty.wait_s / HEARTBEAT_S)))
        return ()

    def _sign_in(self, number: int) -> Send:
        return self._sent(authorize(self._token, number))

    def _sent(self, request: Request) -> Send:
        self._asked[request.number] = request
        return Send(request.frame)

    def _next(self) -> int:
        self._number += 1
        return self._number


def _shutdown(data: Any) -> Reconnect | GiveUp:
    reason = str(data.get("reasonCode") or "") if isinstance(data, Mapping) else ""
    if reason in _QUOTA:
        return GiveUp(f"Tradovate ended the connection ({reason}): the login has too many of them; close other programs first")
    return Reconnect(f"Tradovate shuts the connection down: {reason or 'without a reason'}", _MAINTENANCE_S)
