"""Alpaca's market data stream (v2, shares) without I/O: arrays of messages come in, trades, quotes and minute bars go out.

A bar is labelled by its start. It comes once the minute is over, and again (`u`) when late trades have changed it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from fillpath.market.bars import Bar, Quote, Trade
from fillpath_brokers.facade import Feed, MarketEvent
from fillpath_brokers.streaming.decoding import Decoder, kind_in
from fillpath_brokers.streaming.protocol import Action, Frame, GiveUp, Heard, Ping, Ready, Reconnect, Send, StreamProtocol

_CHANNELS = {Feed.TICKS: ("trades",), Feed.QUOTES: ("quotes",), Feed.BARS: ("bars", "updatedBars")}
_AUTH_FAILED, _TOO_MANY_SYMBOLS, _CONNECTION_LIMIT, _NOT_ENABLED = 402, 405, 406, 409
_FINAL = {
    _AUTH_FAILED: "Alpaca refuses the keys for its market data",
    _TOO_MANY_SYMBOLS: "the account's plan allows no more symbols in one stream",
    _NOT_ENABLED: "the account's plan does not include this feed",
}
_OCCUPIED_S = 10.0


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


class DataProtocol(StreamProtocol[MarketEvent]):
    """One connection: authenticate, subscribe, hear. Outside trading hours nothing comes, so that silence is judged by pings."""

    silence_s = 30.0
    beat_s = 10.0

    def __init__(self, credentials: Mapping[str, str], feed: Feed, symbols: Iterable[str]) -> None:
        self._credentials = credentials
        self._channels = _CHANNELS[feed]
        self._symbols = sorted(symbols)
        self._ready = False

    def opened(self) -> Sequence[Action[MarketEvent]]:
        """Alpaca speaks first."""
        return ()

    def received(self, frame: Frame, at: datetime) -> Sequence[Action[MarketEvent]]:
        """Every message of the frame."""
        return [action for message in _DECODER.every(frame) for action in self._one(message, at)]

    def beat(self) -> Sequence[Action[MarketEvent]]:
        """Is the other side still there?"""
        return [Ping()]

    def subscribe(self, add: Sequence[str], remove: Sequence[str]) -> Sequence[Action[MarketEvent]]:
        """More symbols, or fewer."""
        wanted = {"subscribe": list(add), "unsubscribe": list(remove)}
        return [self._subscription(action, symbols) for action, symbols in wanted.items() if symbols]

    def _one(self, message: msgspec.Struct, at: datetime) -> Sequence[Action[MarketEvent]]:
        match message:
            case _Trade():
                trade_id = None if message.i is None else str(message.i)
                return [Heard(Trade(message.S, message.t, at, message.p, message.s, trade_id, message.c))]
            case _Quote():
                return [Heard(_quote(message, at))]
            case _Bar():
                return [Heard(Bar(message.S, message.t, message.o, message.h, message.l, message.c, message.v))]
        return self._control(message)

    def _control(self, message: msgspec.Struct) -> Sequence[Action[MarketEvent]]:
        match message:
            case _Success(msg="connected"):
                keys = {"key": self._credentials["key_id"], "secret": self._credentials["secret_key"]}
                return [_send({"action": "auth", **keys})]
            case _Success(msg="authenticated"):
                return [self._subscription("subscribe", self._symbols)] if self._symbols else [Ready()]
            case _Subscription() if not self._ready:
                self._ready = True
                return [Ready()]
            case _Error(code=code, msg=text):
                return [_ended(code, text)]
        return ()

    def _subscription(self, action: str, symbols: list[str]) -> Send:
        return _send({"action": action, **dict.fromkeys(self._channels, symbols)})


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
