"""Alpaca's market data stream (v2, shares) without I/O: arrays of messages come in, trades, quotes and minute bars go out.

One connection carries every feed: what is wanted is topics, a channel and a symbol, as `quotes AAPL`. Changes are sent one at a
time, so that a refusal is known to be about the last one; of several topics it does not say which, so they are asked for again in
halves. A bar is labelled by its start. It comes once the minute is over, and
again (`u`) when late trades have changed it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from fillpath.market.bars import Bar, Gap, Quote, Trade
from fillpath_brokers.facade import Feed, MarketEvent, NoData
from fillpath_brokers.streaming.commands import Commands
from fillpath_brokers.streaming.decoding import Decoder, kind_in
from fillpath_brokers.streaming.protocol import (
    Action,
    Forget,
    Frame,
    GiveUp,
    Heard,
    Ping,
    Ready,
    Reconnect,
    Send,
    StreamProtocol,
)
from fillpath_brokers.streaming.topics import NotToBeHad, by_channel, topic

_TRADES, _QUOTES, _BARS = "trades", "quotes", "bars"
_CHANNELS = {Feed.TICKS: _TRADES, Feed.QUOTES: _QUOTES, Feed.BARS: _BARS}
_LATER_BARS = "updatedBars"
_AUTH_FAILED, _TOO_MANY_SYMBOLS, _CONNECTION_LIMIT, _NOT_IN_PLAN = 402, 405, 406, 409
_FINAL = {
    _AUTH_FAILED: "Alpaca refuses the keys for its market data",
    _NOT_IN_PLAN: "the account's plan does not include this feed",
}
_NOT_TO_BE_HAD = {
    400: "Alpaca does not understand what was asked for",
    _TOO_MANY_SYMBOLS: "the account's plan allows no more symbols in one stream",
    410: "Alpaca's feed does not have it",
}
_OCCUPIED_S = 10.0
_Action = Action[MarketEvent | NotToBeHad]


class _Trade(msgspec.Struct):
    S: str
    p: Decimal
    s: Decimal
    t: datetime
    i: int | None = None
    c: tuple[str, ...] = ()


class _Quote(msgspec.Struct):
    S: str
    t: datetime
    bp: Decimal
    ap: Decimal
    bs: Decimal
    as_: Decimal = msgspec.field(name="as")


class _Bar(msgspec.Struct):
    S: str
    t: datetime
    o: Decimal
    h: Decimal
    l: Decimal  # noqa: E741  the venue's name
    c: Decimal
    v: Decimal


class _Success(msgspec.Struct):
    msg: str


class _Subscription(msgspec.Struct):
    pass


class _Error(msgspec.Struct):
    code: int
    msg: str = ""


_TYPES: dict[str, type[msgspec.Struct] | None] = {
    "t": _Trade,
    "q": _Quote,
    "b": _Bar,
    "u": _Bar,
    "success": _Success,
    "subscription": _Subscription,
    "error": _Error,
    # Corrections and cancellations come with every subscription to trades; a tick that was told stays told.
    "c": None,
    "x": None,
}
_DECODER: Decoder[msgspec.Struct] = Decoder("alpaca data", kind_in("T"), _TYPES)


@dataclass(frozen=True, slots=True)
class _Change:
    action: str
    topics: frozenset[str]


def topics(feed: Feed, symbols: Mapping[str, str]) -> dict[str, str]:
    """The topics of symbols (ours by Alpaca's spelling) in a feed, each with our spelling."""
    return {topic(_CHANNELS[feed], symbol): ours for symbol, ours in symbols.items()}


def topic_of(event: MarketEvent) -> str | None:
    """What an event is about; None: it is for everybody."""
    match event:
        case Trade():
            return topic(_TRADES, event.symbol)
        case Quote():
            return topic(_QUOTES, event.symbol)
        case Bar():
            return topic(_BARS, event.symbol)
        case Gap() | NoData():
            return None


class DataProtocol(StreamProtocol[MarketEvent | NotToBeHad]):
    """One connection: authenticate, subscribe, hear. Outside trading hours nothing comes, so that silence is judged by pings."""

    silence_s = 30.0
    beat_s = 10.0

    def __init__(self, credentials: Mapping[str, str], wanted: Iterable[str]) -> None:
        self._credentials = credentials
        self._wanted = frozenset(wanted)
        self._changes: Commands[_Change] = Commands()
        self._ready = False

    def opened(self) -> Sequence[_Action]:
        """Alpaca speaks first."""
        return ()

    def received(self, frame: Frame, at: datetime) -> Sequence[_Action]:
        """Every message of the frame."""
        return [action for message in _DECODER.every(frame) for action in self._one(message, at)]

    def beat(self) -> Sequence[_Action]:
        """Is the other side still there?"""
        if self._changes.overdue():
            return [Reconnect("Alpaca does not answer a subscription")]
        return [Ping()]

    def subscribe(self, add: Sequence[str], remove: Sequence[str]) -> Sequence[_Action]:
        """More topics, or fewer."""
        wanted = {"subscribe": frozenset(add), "unsubscribe": frozenset(remove)}
        self._changes.add(_Change(action, topics) for action, topics in wanted.items() if topics)
        return self._next()

    def _one(self, message: msgspec.Struct, at: datetime) -> Sequence[_Action]:
        match message:
            case _Trade():
                trade_id = None if message.i is None else str(message.i)
                return [Heard(Trade(message.S, message.t, at, message.p, message.s, trade_id, message.c))]
            case _Quote():
                return [Heard(_quote(message, at))]
            case _Bar():
                return [Heard(Bar(message.S, message.t, message.o, message.h, message.l, message.c, message.v))]
        return self._control(message)

    def _control(self, message: msgspec.Struct) -> Sequence[_Action]:
        match message:
            case _Success(msg="connected"):
                keys = {"key": self._credentials["key_id"], "secret": self._credentials["secret_key"]}
                return [_send({"action": "auth", **keys})]
            case _Success(msg="authenticated"):
                return self.subscribe(sorted(self._wanted), ()) or self._done()
            case _Subscription():
                self._changes.answered()
                return self._done()
            case _Error(code=code, msg=text):
                return self._refused(code, text)
        return ()

    def _refused(self, code: int, text: str) -> Sequence[_Action]:
        if code not in _NOT_TO_BE_HAD or self._changes.asked is None:
            return [_ended(code, text)]
        change = self._changes.answered()
        if change is None or change.action != "subscribe":
            return self._done()
        if len(change.topics) > 1:
            self._changes.again(replace(change, topics=half) for half in _halves(change.topics))
            return self._done()
        why = f"{_NOT_TO_BE_HAD[code]}: {', '.join(change.topics)} ({text})"
        return [Heard(NotToBeHad(change.topics, why)), Forget(change.topics), *self._done()]

    def _done(self) -> Sequence[_Action]:
        """A change was answered, or there was none to begin with."""
        if (actions := self._next()) or self._ready:
            return actions
        self._ready = True
        return [Ready()]

    def _next(self) -> Sequence[_Action]:
        change = self._changes.next()
        return [] if change is None else [_send({"action": change.action, **_listed(change.topics)})]


def _halves(topics: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
    listed = sorted(topics)
    middle = len(listed) // 2
    return frozenset(listed[:middle]), frozenset(listed[middle:])


def _listed(topics: Iterable[str]) -> dict[str, list[str]]:
    listed = by_channel(topics)
    return listed | ({_LATER_BARS: listed[_BARS]} if _BARS in listed else {})


def _quote(message: _Quote, at: datetime) -> Quote:
    """A price of 0 says that this side of the book is empty."""
    bid, ask = message.bp or None, message.ap or None
    return Quote(message.S, message.t, at, bid, ask, message.bs if bid else None, message.as_ if ask else None)


def _ended(code: int, text: str) -> GiveUp | Reconnect:
    if code in _FINAL:
        return GiveUp(f"{_FINAL[code]} ({text})", needs_reauth=code == _AUTH_FAILED)
    return Reconnect(f"Alpaca: {code} {text}", _OCCUPIED_S if code == _CONNECTION_LIMIT else 0.0)


def _send(message: Mapping[str, Any]) -> Send:
    return Send(msgspec.json.encode(message).decode())
