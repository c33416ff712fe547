"""Faults: what goes wrong between a client and a simulated venue, told by `POST /_sim/faults`.

The body is one fault; each POST adds one, DELETE takes all away, GET lists them.

    {"latency_ms": 500}                                   the venue acts that much later; `after`: it acts, and answers later
    {"overdue_ms": 30000}                                 who waits hears nothing any more (the line ends, as if it had given
                                                          up), and the venue acts that much later, by its own clock
    {"rate_limits": "off" | "on" | "used up"}             requests are not counted; they are; nobody has one left (see limits.py)
    {"status": 503, "when": "after", "times": 1}          the venue acts, then answers so; `before`: it does not act
    {"status": 429, "headers": {"Retry-After": "2"}}      with headers, and with "body" instead of the venue's own error
    {"drop": true, "when": "after"}                       the TCP connection ends without an answer
    ... "match": {"method": "POST", "path": "^/v2/orders"}   only these requests; `times`: only so many of them
    {"sockets": "drop" | "half" | "silence" | "speak"}    cut open streams; cut them inside a frame; say nothing; speak again
    {"<name>": ...}                                       whatever a venue has added with `on(name, handler)`
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from threading import Event
from typing import Any

from aiohttp import web

from tests.simulators.sockets import Sockets

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ErrorBody = Callable[[int], Any]
"""A venue's own body of an error status."""
_LOOK_S = 0.002


@dataclass(frozen=True, slots=True)
class Overdue:
    """A request that nobody waits for any more: when the venue deals with it, and whether it has."""

    due: datetime
    done: Event = field(default_factory=Event)


@dataclass(slots=True)
class Fault:
    """One fault of requests; `times` None: until it is taken away."""

    latency_ms: int = 0
    overdue_ms: int = 0
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    drop: bool = False
    when: str = "before"
    times: int | None = None
    match: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.when not in ("before", "after"):
            raise ValueError(f"when: {self.when!r} is neither before nor after")

    def concerns(self, request: web.Request) -> bool:
        """Whether it is about this request, and not used up."""
        return (
            self.times != 0
            and self.match.get("method", request.method).upper() == request.method
            and re.search(self.match.get("path", ""), request.path_qs) is not None
        )

    def use(self) -> None:
        """Count it down."""
        if self.times:
            self.times -= 1

    @property
    def answers(self) -> bool:
        """Whether it takes the place of the venue's answer."""
        return self.drop or self.status is not None


class Faults:
    """The faults of one simulator."""

    def __init__(self, sockets: Sockets, now: Callable[[], datetime]) -> None:
        self.rules: list[Fault] = []
        self.overdue: list[Overdue] = []
        self.error_body: ErrorBody = lambda status: {"message": f"simulated status {status}"}
        self._sockets = sockets
        self._now = now
        self._venue: dict[str, Callable[[Any], None]] = {}

    def on(self, name: str, handler: Callable[[Any], None]) -> None:
        """Add a fault of the venue's own; the handler gets the value that was posted under `name`, at once."""
        self._venue[name] = handler

    def add(self, wanted: Mapping[str, Any]) -> None:
        """Take up what was posted. ValueError says what is wrong with it."""
        wanted = dict(wanted)
        for name in list(wanted):
            if name in self._venue:
                self._venue[name](wanted.pop(name))
        if (kind := wanted.pop("sockets", None)) is not None:
            self._touch_sockets(kind)
        if not wanted:
            return
        try:
            self.rules.append(Fault(**wanted))
        except TypeError as exc:
            raise ValueError(f"{exc}; the venue's own are: {', '.join(sorted(self._venue)) or 'none'}") from exc

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self.rules.clear()
        self._sockets.silent = False

    def listed(self) -> list[dict[str, Any]]:
        """Those that are not used up."""
        return [asdict(rule) for rule in self.rules if rule.times != 0]

    async def around(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer the request as the faults want it."""
        rules = [rule for rule in self.rules if rule.concerns(request)]
        for rule in rules:
            rule.use()
            await request.read()  # as long as somebody is there who sends it
        await _pass(rules, "before")
        if overdue_ms := sum(rule.overdue_ms for rule in rules):
            return await self._much_later(request, handler, overdue_ms)
        wrong = next((rule for rule in rules if rule.answers), None)
        acts = wrong is None or wrong.when == "after"
        answer = await handler(request) if acts else web.Response()
        await _pass(rules, "after")
        return answer if wrong is None else self._wrong_answer(request, wrong)

    async def _much_later(self, request: web.Request, handler: Handler, overdue_ms: int) -> web.StreamResponse:
        held = Overdue(self._now() + timedelta(milliseconds=overdue_ms))
        self.overdue.append(held)
        gone = _hung_up(request)
        while self._now() < held.due:  # noqa: ASYNC110  the clock may be one that a test moves
            await asyncio.sleep(_LOOK_S)
        try:
            await handler(request)
        finally:
            self.overdue.remove(held)
            held.done.set()
        return gone

    def _wrong_answer(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        if fault.drop:
            return _hung_up(request)
        status = fault.status or 500
        body = fault.body if fault.body is not None else self.error_body(status)
        if isinstance(body, str):
            return web.Response(status=status, text=body, headers=fault.headers)
        return web.json_response(body, status=status, headers=fault.headers)

    def _touch_sockets(self, kind: str) -> None:
        match kind:
            case "drop":
                self._sockets.drop()
            case "half":
                self._sockets.halve()
            case "silence" | "speak":
                self._sockets.silent = kind == "silence"
            case _:
                raise ValueError(f"sockets: {kind!r} is none of drop, half, silence, speak")


def _hung_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=499)


async def _pass(rules: Iterable[Fault], when: str) -> None:
    for rule in rules:
        if rule.when == when:
            await asyncio.sleep(rule.latency_ms / 1_000)
