"""What a venue's stream protocol looks like to the driver: frames come in, frames to send and events go out. No I/O, no clock.

A protocol object lives for one connection. Feeding it a recorded byte stream gives the same events again. Its methods are called
one at a time and never wait; what they raise is a fault of the program and ends the stream.

A connection's life: `opened`, then `received` per frame, `beat` on time, and after a Ready also `subscribe`. It ends with a
Reconnect or GiveUp that any of them gives, or with `ended` when the other side ended it, or with silence, which the driver finds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Protocol, TypeVar
from urllib.parse import urlsplit

Event = TypeVar("Event")

Frame = str | bytes


@dataclass(frozen=True, slots=True)
class Send:
    """Send this frame: str as a text frame, bytes as a binary one. A chunked HTTP stream cannot send."""

    frame: Frame = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ping:
    """Send a WebSocket ping. Its answer counts as heard.

    For venues that send nothing while nothing happens: `beat` gives one every few seconds, so that silence means a dead line.
    The connectors send no pings of their own; those of the venue they answer, which counts for nothing.
    """


@dataclass(frozen=True, slots=True)
class Ready:
    """The connection is signed in and carries what was asked for. Given once; what the driver waits for at most 30 s.

    After a reconnect the driver tells the Gap here: events given before it come out before the Gap.
    """


@dataclass(frozen=True, slots=True)
class Reconnect:
    """This connection is over; connect again, at the earliest after `after_s` (0: when the driver's back-off allows it).

    `planned`: it was our own wish on a connection that is Ready (another set of symbols, another token), so it is no failure and
    comes at once; a second later if it has been Ready for less than that. The reason goes to the log: no secrets.
    """

    reason: str
    after_s: float = 0.0
    planned: bool = False


@dataclass(frozen=True, slots=True)
class GiveUp:
    """No reconnect would help, or it would do harm (signed out, a second session that fights ours). A person is told why.

    Whoever iterates gets NeedsReauth or else StreamEnded with the reason, after the events that came before; no secrets in it.
    """

    reason: str
    needs_reauth: bool = False


@dataclass(frozen=True, slots=True)
class Forget:
    """The venue refuses these symbols: they are wanted no more, and the next connection is made without them.

    No `subscribe` follows that would leave them. Whoever iterates is told by an event before it. `otherwise` ends the stream if
    nothing else is wanted.
    """

    symbols: frozenset[str]
    otherwise: GiveUp | None = None


@dataclass(frozen=True, slots=True)
class Heard(Generic[Event]):
    """One event for whoever iterates."""

    event: Event


Action = Send | Ping | Ready | Reconnect | GiveUp | Forget | Heard[Event]


@dataclass(frozen=True, slots=True)
class End:
    """How the other side ended a connection, or refused it.

    `status`: of the HTTP answer that refused it; `retry_after_s`: what it said beside. `code`: of the WebSocket's close frame.
    With neither, the line broke or the chunked answer ended. `text`: the refusal's body or the close frame's reason, cut; it is
    the venue's own word and may repeat what was sent, so it does not go to logs.
    """

    status: int | None = None
    code: int | None = None
    text: str = field(default="", repr=False)
    retry_after_s: float | None = None


class StreamProtocol(Protocol[Event]):
    """One connection of one venue's stream.

    Inherit it for what most venues do: no heartbeats, nothing to change on a running connection, `ended_as_usual`.
    """

    @property
    def silence_s(self) -> float:
        """Without any frame (or answer to a Ping) for so long the connection is taken for dead, Ready or not. Never changes."""
        ...

    @property
    def beat_s(self) -> float | None:
        """How often `beat` is called, from `opened` on; None: never. Never changes."""
        return None

    def opened(self) -> Sequence[Action[Event]]:
        """The connection is there; what is sent first. Ready already here where nothing needs to be asked for."""
        ...

    def received(self, frame: Frame, at: datetime) -> Sequence[Action[Event]]:
        """A frame (of a chunked HTTP stream: whatever bytes arrived, cut anywhere) has arrived at this moment."""
        ...

    def beat(self) -> Sequence[Action[Event]]:
        """The heartbeat that is due."""
        return ()

    def subscribe(self, add: Sequence[str], remove: Sequence[str]) -> Sequence[Action[Event]]:
        """Symbols (the venue's own spelling, sorted) to add and to leave, on a connection that is ready.

        Several changes may come as one; what was added and left meanwhile does not come at all.
        """
        return ()

    def token_changed(self, token: str) -> Sequence[Action[Event]]:
        """The account has a new access token: sign in again on this connection, where the venue wants that."""
        return ()

    def ended(self, end: End, times: int, /) -> Reconnect | GiveUp:
        """The other side has refused or ended the connection: what now? `ended_as_usual` is the common answer.

        `times`: how many connections in a row, with this one, ended with this status and code before they were Ready; 0: this one
        was Ready. (Sign-ins that a venue refuses by simply closing: give up after some times.)
        """
        return ended_as_usual(end, times)


def ended_as_usual(end: End, times: int) -> Reconnect | GiveUp:
    """What most venues mean.

    401: a fresh token may help, but after the third time a person must sign in. 403, 404 and 410: no use. 429: when the venue
    says, else after 5 s. All else: try again.
    """
    match end.status:
        case 401 if times >= 3:
            return GiveUp("the venue refused the sign-in (401) three times", needs_reauth=True)
        case 403 | 404 | 410:
            return GiveUp(f"the venue refused the connection: {end.status}")
        case 429:
            return Reconnect("too many connections (429)", 5.0 if end.retry_after_s is None else end.retry_after_s)
        case None:
            return Reconnect("the line broke" if end.code is None else f"closed by the venue: {end.code}")
        case _:
            return Reconnect(f"the venue refused the connection: {end.status}", end.retry_after_s or 0.0)


@dataclass(frozen=True, slots=True, repr=False)
class Place:
    """Where to connect to: a WebSocket (ws, wss) or a long GET (http, https), and with which headers.

    Neither headers nor the query are shown: venues want tokens there.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname}{parts.path}"


class Opening(Protocol[Event]):
    """Makes each connection anew: where to, and its protocol."""

    def __call__(self, symbols: frozenset[str], /) -> tuple[Place, StreamProtocol[Event]]:
        """For the symbols that are wanted now (empty for streams of orders).

        Called in a thread, so it may ask token stores and venues. May raise NeedsReauth, which ends the stream, and
        BrokerUnavailable, which counts as a failed connection (NotSent's delay is a floor to the wait).
        """
        ...
