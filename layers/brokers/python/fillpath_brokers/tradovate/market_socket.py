"""A market data socket for as long as one question takes: requests go in, what answers them comes out, within a deadline.

For callers that wait, as those who read bars do; who wants to go on hearing uses the streams.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from fillpath.errors import BrokerUnavailable, NotSent, Unsupported
from fillpath_brokers import wire_logs
from fillpath_brokers.tradovate.frames import (
    CLOSED,
    HEARTBEAT,
    HEARTBEAT_S,
    OPEN,
    TOO_MANY,
    UNAUTHORIZED,
    Message,
    Request,
    authorize,
    error_in,
    kind_of,
    messages_in,
)
from fillpath_brokers.tradovate.penalty import penalty_in
from fillpath_brokers.tradovate.settings import Settings

NO_DATA = (
    "Tradovate gives no market data to this login: data through the API needs a licence of its own (CME sub-vendor); "
    "trading works without it, with prices from elsewhere"
)
_LARGEST_FRAME = 2**24
wire_logs.hush()


class Line(Protocol):
    """A WebSocket of which one waits for frames."""

    def send(self, message: str) -> None:
        """Send a text frame."""
        ...

    def recv(self, timeout: float | None = None) -> str | bytes:
        """The next frame; TimeoutError."""
        ...


class Watch(Protocol):
    """How long something takes."""

    def __call__(self) -> float:
        """Seconds since some moment."""
        ...


class MarketSocket:
    """One connection that is signed in. Events are given once, to whoever asks for them."""

    def __init__(self, line: Line, settings: Settings, watch: Watch, within_s: float) -> None:
        self._line = line
        self._settings = settings
        self._watch = watch
        self._until = watch() + within_s
        self._beats = watch() + HEARTBEAT_S
        self._number = 0
        self._events: deque[tuple[str, Any]] = deque()

    def sign_in(self, token: str) -> None:
        """Wait for the socket to be open, and sign in; Unsupported where there is no licence."""
        while kind_of(self._frame()) != OPEN:
            continue
        request = authorize(token)
        self._line.send(request.frame)
        answer = self._answer(request.number)
        if answer.s == UNAUTHORIZED:
            raise Unsupported(NO_DATA)
        self._require(answer, "sign-in")

    def ask(self, endpoint: str, body: Mapping[str, Any]) -> Any:
        """The data that answers; Unsupported where there is no licence, BrokerUnavailable."""
        self._number += 1
        request = Request(endpoint, self._number, body=body)
        self._line.send(request.frame)
        answer = self._answer(request.number)
        self._require(answer, endpoint)
        return answer.d

    def tell(self, endpoint: str, body: Mapping[str, Any]) -> None:
        """Send a request whose answer nobody needs."""
        self._number += 1
        self._line.send(Request(endpoint, self._number, body=body).frame)

    def event(self) -> tuple[str, Any]:
        """The next event: its kind and its data; BrokerUnavailable at the deadline."""
        while not self._events:
            self._take()
        return self._events.popleft()

    def _answer(self, number: int) -> Message:
        while True:
            for message in self._take():
                if message.i == number:
                    return message

    def _take(self) -> list[Message]:
        """The answers of the next frame; its events are kept."""
        messages = messages_in(self._frame()) or ()
        self._events.extend((message.e, message.d) for message in messages if message.e)
        return [message for message in messages if message.i is not None]

    def _frame(self) -> str | bytes:
        while True:
            left_s = self._until - self._watch()
            if left_s <= 0:
                raise BrokerUnavailable("Tradovate's market data did not come in time")
            if self._watch() >= self._beats:
                self._line.send(HEARTBEAT)
                self._beats = self._watch() + HEARTBEAT_S
            try:
                frame = self._line.recv(timeout=max(0.0, min(left_s, self._beats - self._watch())))
            except TimeoutError:
                continue
            if kind_of(frame) == CLOSED:
                raise BrokerUnavailable("Tradovate closed the market data socket")
            return frame

    def _require(self, answer: Message, what: str) -> None:
        if (penalty := penalty_in(answer.d)) is not None:
            raise NotSent(penalty.text, penalty.wait_s)
        if answer.s == TOO_MANY:
            raise NotSent("Tradovate has locked the login out for asking too often (429)", self._settings.rate_limit_wait_s)
        error = error_in(answer)
        if error is not None and self._settings.is_without_data(error):
            raise Unsupported(f"{NO_DATA} (it says: {error})")
        if error is not None:
            raise BrokerUnavailable(f"Tradovate refuses {what}: {error}")


@contextmanager
def connected(url: str, within_s: float) -> Iterator[Line]:
    """A line to Tradovate, closed afterwards. NotSent if it was not reached, BrokerUnavailable if it broke."""
    from websockets.exceptions import WebSocketException  # noqa: PLC0415  who asks for no data does not load it
    from websockets.sync.client import connect  # noqa: PLC0415  the same

    try:
        line = connect(url, open_timeout=within_s, close_timeout=1, ping_interval=None, max_size=_LARGEST_FRAME)
    except (OSError, WebSocketException) as exc:
        raise NotSent(f"Tradovate's market data was not reached: {type(exc).__name__}") from None
    with line:
        try:
            yield line
        except (OSError, WebSocketException) as exc:
            raise BrokerUnavailable(f"Tradovate's market data broke off: {type(exc).__name__}") from None
