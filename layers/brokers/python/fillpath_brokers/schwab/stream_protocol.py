"""Schwab's streamer without I/O: frames come in, quotes, bars and word of changed orders go out. One connection carries it all.

What is wanted is a set of topics: a service and a symbol of Schwab's, as `LEVELONE_FUTURES /ES`. Commands are sent one at a time,
the next when the one before is answered. Of quotes only what changed is told, so the rest is kept here. Bars and account activity
are numbered; a number left out in the latter means that something about orders was missed, and so does a record of it that cannot
be read. A refused command does not say which of its symbols is refused, so it is sent again in halves.

Of account activity only the order's id is used: whoever hears of it reads the order. Codes of answers and notices:

====================  =====================================================================================================
0, 26 to 29           done
3                     the token is refused: connect again with another one
12                    another connection of this user took over: do not fight it
19, 22 to 25          these symbols are not to be had
21                    our command cannot be read: a fault of ours
30 and all others     Schwab ends the connection, or something is wrong with it: connect again
====================  =====================================================================================================
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from fillpath.market.bars import Bar, Quote
from fillpath_brokers.documents import moment_of
from fillpath_brokers.facade import Feed
from fillpath_brokers.schwab.frames import ACCOUNT_ACTIVITY, ACTIVITY, BARS, QUOTES, Content, Data, Level, Notice, Response, read
from fillpath_brokers.streaming.commands import Commands
from fillpath_brokers.streaming.decoding import unread
from fillpath_brokers.streaming.protocol import (
    Action,
    End,
    Forget,
    Frame,
    GiveUp,
    Heard,
    Ready,
    Reconnect,
    Send,
    StreamProtocol,
    ended_as_usual,
)
from fillpath_brokers.streaming.topics import NotToBeHad, by_channel
from fillpath_brokers.streaming.topics import topic as topic_in

ORDERS = f"{ACCOUNT_ACTIVITY} Account Activity"
"""The topic of changed orders."""
_SERVICES = {
    (Feed.QUOTES, False): "LEVELONE_EQUITIES",
    (Feed.QUOTES, True): "LEVELONE_FUTURES",
    (Feed.BARS, False): "CHART_EQUITY",
    (Feed.BARS, True): "CHART_FUTURES",
}
_FIELDS = {
    ACCOUNT_ACTIVITY: "0,1,2,3",
    "LEVELONE_EQUITIES": "0,1,2,4,5,34",
    "LEVELONE_FUTURES": "0,1,2,4,5,10",
    "CHART_EQUITY": "0,1,2,3,4,5,6,7,8",
    "CHART_FUTURES": "0,1,2,3,4,5,6",
}
_DONE = {0, 26, 27, 28, 29}
_DENIED, _TAKEN_OVER, _LIMIT, _BAD_COMMAND = 3, 12, 19, 21
_NOT_TO_BE_HAD = {_LIMIT, 22, 23, 24, 25}
_LOGIN, _ADD, _LEAVE = "LOGIN", "ADD", "UNSUBS"
# Types of account activity after which an order is as it was: Schwab has asked an exchange, or watches.
_NO_CHANGE = {"SUBSCRIBED", "ExecutionRequested", "ExecutionRequestCreated", "ExecutionRequestCompleted"}


@dataclass(frozen=True, slots=True)
class Who:
    """As whom Schwab knows us at the streamer, and the access token."""

    customer_id: str
    correlation_id: str
    channel: str
    function_id: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Changed:
    """Something about an order of this account number is not as before; without an id it may be any order."""

    account: str | None
    order_id: str | None
    at: datetime


StreamerEvent = Quote | Bar | Changed
_Action = Action[StreamerEvent | NotToBeHad]


@dataclass(frozen=True, slots=True)
class _Command:
    service: str
    name: str
    keys: tuple[str, ...] = ()

    @property
    def topics(self) -> frozenset[str]:
        return frozenset(topic_in(self.service, key) for key in self.keys)


def topic(feed: Feed, symbol: str) -> str:
    """The topic of a symbol (Schwab's spelling) in a feed; KeyError for trades, which there are none of."""
    return topic_in(_SERVICES[feed, symbol.startswith("/")], symbol)


def topic_of(event: StreamerEvent) -> str | None:
    """What an event is about; None: it is for everybody."""
    match event:
        case Quote():
            return topic(Feed.QUOTES, event.symbol)
        case Bar():
            return topic(Feed.BARS, event.symbol)
        case Changed():
            return ORDERS


class StreamerProtocol(StreamProtocol[StreamerEvent | NotToBeHad]):
    """One connection. `shortest_s`: see `ended`."""

    silence_s = 45.0
    beat_s: float | None = 10.0

    def __init__(self, who: Who, topics: Iterable[str], shortest_s: float = 0.0) -> None:
        self._who = who
        self._wanted = sorted(topics)
        self._shortest_s = shortest_s
        self._carried: dict[str, set[str]] = {}
        self._commands: Commands[_Command] = Commands()
        self._requests = 0
        self._ready = False
        self._quotes: dict[str, dict[str, Any]] = {}
        self._sequence: int | None = None
        self._since: datetime | None = None
        self._until: datetime | None = None
        self.denied: str | None = None
        """Why the token was refused, once it was."""

    def opened(self) -> Sequence[_Action]:
        """Sign in."""
        self._commands.add([_Command("ADMIN", _LOGIN)])
        return self._next()

    def received(self, frame: Frame, at: datetime) -> Sequence[_Action]:
        """Answers, data and notices, in the order in which they come."""
        self._since, self._until = self._since or at, at
        message, whole = read(frame)
        actions: list[_Action] = [] if whole else [Heard(Changed(None, None, at))]
        for response in message.response:
            actions += self._answered(response)
        for data in message.data:
            actions += self._data(data, at)
        for notice in message.notify:
            actions += self._noticed(notice)
        return actions

    def beat(self) -> Sequence[_Action]:
        """Heartbeats come from Schwab; a command that is not answered between them never will be."""
        if self._commands.overdue() and (asked := self._commands.asked):
            return [Reconnect(f"no answer to {asked.name} of {asked.service}")]
        return ()

    def subscribe(self, add: Sequence[str], remove: Sequence[str]) -> Sequence[_Action]:
        """More topics first, so that there always is one; then fewer."""
        self._wish(_ADD, add)
        self._wish(_LEAVE, remove)
        for each in remove:
            self._quotes.pop(each, None)
        return self._next()

    def token_changed(self, token: str) -> Sequence[_Action]:
        """Asked only where a running connection must sign in again: it can do so on a new one only."""
        return [Reconnect("the access token was renewed", planned=True)]

    def ended(self, end: End, failures: int) -> Reconnect | GiveUp:
        """A connection that was Ready and ended within `shortest_s` (by the frames that came) is not made again."""
        lasted_s = (self._until - self._since).total_seconds() if self._since and self._until else 0.0
        if self._ready and end.status is None and lasted_s < self._shortest_s:
            advice = "it allows one connection for each login, so look whether another program uses it"
            return GiveUp(f"Schwab ended the stream after {lasted_s:.0f} s; {advice} (setting shortest_stream_s)")
        return ended_as_usual(end, failures)

    def _wish(self, name: str, topics: Iterable[str]) -> None:
        self._commands.add(_Command(service, name, tuple(keys)) for service, keys in by_channel(topics).items())

    def _next(self) -> list[_Action]:
        """The next command that there is something to do for, if none is on its way."""
        while (command := self._commands.next()) is not None:
            if (fitted := self._fitted(command)) is not None:
                return [self._sent(fitted)]
            self._commands.answered()
        return []

    def _fitted(self, command: _Command) -> _Command | None:
        """By what is carried by now: the first of a service subscribes, and what is not carried needs not be left."""
        carried = self._carried.setdefault(command.service, set())
        if command.name == _ADD and not carried:
            return replace(command, name="SUBS")
        if command.name != _LEAVE:
            return command
        keys = tuple(key for key in command.keys if key in carried)
        return replace(command, keys=keys) if keys else None

    def _sent(self, command: _Command) -> Send:
        self._requests += 1
        request = {
            "requestid": str(self._requests),
            "service": command.service,
            "command": command.name,
            "SchwabClientCustomerId": self._who.customer_id,
            "SchwabClientCorrelId": self._who.correlation_id,
            "parameters": self._parameters(command),
        }
        return Send(msgspec.json.encode({"requests": [request]}).decode())

    def _parameters(self, command: _Command) -> Mapping[str, str]:
        if command.name == _LOGIN:
            who = self._who
            names = {"SchwabClientChannel": who.channel, "SchwabClientFunctionId": who.function_id}
            return {"Authorization": who.token, **names}
        keys = {"keys": ",".join(command.keys)}
        return keys if command.name == _LEAVE else {**keys, "fields": _FIELDS[command.service]}

    def _answered(self, response: Response) -> list[_Action]:
        asked = self._commands.asked
        if asked is None or response.requestid != str(self._requests):
            return self._code(response.content) if response.content.code not in _DONE else []
        self._commands.answered()
        code = response.content.code
        if code not in _DONE and (code not in _NOT_TO_BE_HAD or asked.name == _LOGIN):
            return self._code(response.content)
        actions = self._refused(asked, response.content) if code in _NOT_TO_BE_HAD else self._done(asked)
        actions += self._next()
        if not self._ready and self._commands.asked is None:
            self._ready = True
            actions.append(Ready())
        return actions

    def _done(self, asked: _Command) -> list[_Action]:
        carried = self._carried[asked.service]
        if asked.name == _LOGIN:
            self._wish(_ADD, self._wanted)
        elif asked.name == _ADD:
            carried.update(asked.keys)
        else:
            carried.difference_update(asked.keys)
        return []

    def _refused(self, asked: _Command, content: Content) -> list[_Action]:
        if asked.name == _LEAVE:
            return self._done(asked)
        middle = len(asked.keys) // 2
        if middle:
            self._commands.again(replace(asked, keys=half) for half in (asked.keys[:middle], asked.keys[middle:]))
            return []
        text = f"Schwab does not stream {asked.keys[0]} of {asked.service} ({content.msg})"
        if content.code == _LIMIT:
            text = f"Schwab streams no more symbols of {asked.service} ({content.msg})"
        return [Heard(NotToBeHad(asked.topics, text)), Forget(asked.topics)]

    def _code(self, content: Content) -> list[_Action]:
        told = f"Schwab's streamer: {content.code} {content.msg}"
        if content.code == _TAKEN_OVER:
            return [GiveUp(f"another connection took over: Schwab allows one for each login ({content.msg})")]
        if content.code == _BAD_COMMAND:
            return [GiveUp(told)]
        if content.code == _DENIED:
            self.denied = content.msg or "login denied"
        return [Reconnect(told)]

    def _noticed(self, notice: Notice) -> list[_Action]:
        if notice.content is None or notice.content.code in _DONE:
            return []
        return self._code(notice.content)

    def _data(self, data: Data, at: datetime) -> Iterator[_Action]:
        for raw in data.content:
            try:
                event = self._event(data, raw, at)
            except (msgspec.DecodeError, ArithmeticError, ValueError) as exc:
                unread.count(f"schwab {data.service}", exc)
                event = Changed(None, None, at) if data.service == ACCOUNT_ACTIVITY else None
            if event is not None:
                yield Heard(event)

    def _event(self, data: Data, raw: msgspec.Raw, at: datetime) -> StreamerEvent | None:
        if data.service in QUOTES:
            return self._quote(data, QUOTES[data.service](raw), at)
        if data.service in BARS:
            bar = BARS[data.service](raw)
            return Bar(bar.key, moment_of(bar.start), bar.open, bar.high, bar.low, bar.close, bar.volume)
        return self._activity(raw, at) if data.service == ACCOUNT_ACTIVITY else None

    def _quote(self, data: Data, level: Level, at: datetime) -> Quote | None:
        """What is told of it now over what was told before; nothing before anything is known."""
        kept = self._quotes.setdefault(topic_in(data.service, level.key), {})
        told = {name: value for name in level.PARTS if (value := getattr(level, name)) is not msgspec.UNSET}
        kept.update(told)
        if not told or kept.keys() <= {"at"}:
            return None
        bid, ask = _price(kept, "bid"), _price(kept, "ask")
        return Quote(
            level.key,
            moment_of(kept.get("at") or data.timestamp),
            at,
            bid,
            ask,
            kept.get("bid_size") if bid is not None else None,
            kept.get("ask_size") if ask is not None else None,
        )

    def _activity(self, raw: msgspec.Raw, at: datetime) -> Changed | None:
        activity = ACTIVITY(raw)
        before, self._sequence = self._sequence, activity.seq
        if before is not None and activity.seq is not None and activity.seq > before + 1:
            return Changed(activity.account, None, at)
        if activity.type in _NO_CHANGE:
            return None
        return Changed(activity.account, activity.order_id, at)


def _price(kept: Mapping[str, Any], side: str) -> Decimal | None:
    """A price of 0 without any size says that this side of the book is empty."""
    price: Decimal | None = kept.get(side)
    return None if not price and not kept.get(f"{side}_size") else price
