"""The two streams: trade_updates (binary frames of JSON text, as the paper host sends them); share data in JSON or msgpack."""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import msgspec
from aiohttp import WSMessage, WSMsgType, web

from fillpath.market.bars import Bar, Quote, Trade
from tests.simulators.alpaca.data import bar_json
from tests.simulators.alpaca.errors import KEYS
from tests.simulators.alpaca.rendering import order_json, stamp, text
from tests.simulators.alpaca.schemas import SCHEMAS
from tests.simulators.events import EventKind, OrderEvent, Subscription
from tests.simulators.options import EXCHANGE, OPTIONS, SOCKETS
from tests.simulators.sockets import Sending, WebSocketLine

_EVENTS = {
    EventKind.ACCEPTED: "new",
    EventKind.PARTIALLY_FILLED: "partial_fill",
    EventKind.FILLED: "fill",
    EventKind.CANCELLED: "canceled",
    EventKind.EXPIRED: "expired",
    EventKind.REJECTED: "rejected",
    EventKind.REPLACED: "replaced",
    EventKind.CHANGED: "restated",
}
_FILLS = {"fill", "partial_fill"}
_FRAMES = {"authorization": "AuthorizationFrame", "listening": "ListeningFrame", "trade_updates": "UpdateFrame"}
_MESSAGES = {
    "success": "DataSuccess",
    "error": "DataError",
    "subscription": "DataSubscription",
    "t": "DataTrade",
    "q": "DataQuote",
    "b": "DataBar",
    "u": "DataBar",
    "x": "DataCancel",
}
_CHANNELS = {"trades": Trade, "quotes": Quote, "bars": Bar}
OCCUPANTS: web.AppKey[list[web.Request]] = web.AppKey("occupants", list)
"""Who is signed in to market data: of one key, one at a time."""
_LISTS = ("trades", "quotes", "bars", "updatedBars", "dailyBars", "statuses", "lulds", "corrections", "cancelErrors")
ROUTES = web.RouteTableDef()


@ROUTES.get("/stream")
async def trade_updates(request: web.Request) -> web.StreamResponse:
    """Sign in, listen, hear of every order."""
    socket = web.WebSocketResponse(autoping=False)
    await socket.prepare(request)
    line = request.app[SOCKETS].add(WebSocketLine(request, socket))
    telling: asyncio.Task[None] | None = None
    try:
        async for message in socket:
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                await _answer_ping(request, socket, message)
                continue
            asked = json.loads(message.data)
            if asked.get("action") in {"auth", "authenticate"}:
                keys = asked.get("data") or {"key_id": asked.get("key"), "secret_key": asked.get("secret")}
                right = request.app[KEYS].let_in(keys.get("key_id"), keys.get("secret_key"))
                status = "authorized" if right else "unauthorized"
                await line.send(
                    _framed(request, {"stream": "authorization", "data": {"status": status, "action": "authenticate"}})
                )
                if not right:
                    break
            elif asked.get("action") == "listen" and telling is None:
                events = request.app[EXCHANGE].events.subscribe(OrderEvent)
                telling = asyncio.create_task(_tell_orders(request, line, events))
                await line.send(_framed(request, {"stream": "listening", "data": {"streams": ["trade_updates"]}}))
    finally:
        request.app[SOCKETS].remove(line)
        if telling:
            telling.cancel()
    return socket


@ROUTES.get("/v2/{feed:iex|sip|delayed_sip}")
async def market_data(request: web.Request) -> web.StreamResponse:
    """Sign in, subscribe, hear."""
    socket = web.WebSocketResponse(autoping=False)
    await socket.prepare(request)
    line = request.app[SOCKETS].add(WebSocketLine(request, socket))
    session = _DataSession(request, line)
    try:
        await session.say({"T": "success", "msg": "connected"})
        async for message in socket:
            await _answer_ping(request, socket, message)
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY) and not await session.asked(message.data):
                break
    finally:
        request.app[SOCKETS].remove(line)
        session.close()
    return socket


async def _answer_ping(request: web.Request, socket: web.WebSocketResponse, message: WSMessage) -> None:
    """Unless nothing is to be said: a client takes the answer for a sign of life."""
    if message.type is WSMsgType.PING and not request.app[SOCKETS].silent:
        await socket.pong(message.data)


class _DataSession:
    """One connection to the data stream. A client that connects with msgpack as its content type gets and sends that."""

    def __init__(self, request: web.Request, line: Sending) -> None:
        self._request = request
        self._line = line
        packed = request.headers.get("Content-Type") == "application/msgpack"
        self._encode: Callable[[Any], Any] = msgspec.msgpack.encode if packed else lambda value: json.dumps(value, default=stamp)
        self._decode: Callable[[Any], Any] = msgspec.msgpack.decode if packed else json.loads
        self._wanted: dict[str, set[str]] = {name: set() for name in _LISTS}
        self._signed_in = False
        self._telling: asyncio.Task[None] | None = None

    async def say(self, *messages: dict[str, Any]) -> None:
        """One frame."""
        for message in json.loads(json.dumps(messages, default=stamp)):
            SCHEMAS.told(self._request.app[OPTIONS], definition_of(message), message)
        await self._line.send(self._encode(list(messages)))

    async def asked(self, data: Any) -> bool:
        """Do what the client wants; False: it is shown out."""
        wanted = self._decode(data)
        match wanted.get("action"):
            case "auth":
                return await self._sign_in(wanted)
            case _ if not self._signed_in:
                await self.say({"T": "error", "code": 401, "msg": "not authenticated"})
            case "subscribe" | "unsubscribe" as action:
                await self._subscribe(wanted, add=action == "subscribe")
            case _:
                await self.say({"T": "error", "code": 400, "msg": "invalid syntax"})
        return True

    def close(self) -> None:
        """Stop telling, and make room for another one."""
        if self._request in self._request.app[OCCUPANTS]:
            self._request.app[OCCUPANTS].remove(self._request)
        if self._telling:
            self._telling.cancel()

    async def _sign_in(self, wanted: dict[str, Any]) -> bool:
        if not self._request.app[KEYS].let_in(wanted.get("key"), wanted.get("secret")):
            await self.say({"T": "error", "code": 402, "msg": "auth failed"})
            return False
        if self._is_occupied():
            await self.say({"T": "error", "code": 406, "msg": "connection limit exceeded"})
            return False
        self._request.app[OCCUPANTS].append(self._request)
        self._signed_in = True
        await self.say({"T": "success", "msg": "authenticated"})
        return True

    def _is_occupied(self) -> bool:
        """The plan allows one connection of a key: whether there is another one that has not ended."""
        others = self._request.app[OCCUPANTS]
        return any(each.transport is not None and not each.transport.is_closing() for each in others)

    async def _subscribe(self, wanted: dict[str, Any], *, add: bool) -> None:
        refused = self._request.app[SOCKETS].without_data
        if add and any(symbol in refused for name in _LISTS for symbol in wanted.get(name) or ()):
            await self.say({"T": "error", "code": 400, "msg": "invalid syntax"})
            return
        for name in _LISTS:
            symbols = set(wanted.get(name) or ())
            self._wanted[name] = self._wanted[name] | symbols if add else self._wanted[name] - symbols
            for symbol in symbols if add else ():
                self._request.app[EXCHANGE].watch(symbol)
        if self._telling is None:
            events = self._request.app[EXCHANGE].events.subscribe(*_CHANNELS.values())
            self._telling = asyncio.create_task(self._tell(events))
        await self.say({"T": "subscription", **{name: sorted(symbols) for name, symbols in self._wanted.items()}})

    async def _tell(self, events: Subscription) -> None:
        with events:
            async for event in events:
                name = next(name for name, kind in _CHANNELS.items() if isinstance(event, kind))
                if event.symbol in self._wanted[name]:  # type: ignore[union-attr]  # only market data was subscribed to
                    await self.say(_data_json(event))


async def _tell_orders(request: web.Request, line: Sending, events: Subscription) -> None:
    exchange = request.app[EXCHANGE]
    with events:
        async for event in events:
            assert isinstance(event, OrderEvent)
            data: dict[str, Any] = {"event": _EVENTS[event.kind], "timestamp": stamp(event.at)}
            if event.fill:
                fill = event.fill
                data |= {
                    "execution_id": str(uuid5(NAMESPACE_URL, fill.id)),
                    "price": text(fill.price),
                    "qty": text(fill.quantity),
                }
                data["position_qty"] = text(fill.position)
            data["order"] = order_json(exchange, event.order)
            await line.send(_framed(request, {"stream": "trade_updates", "data": data}))


def _framed(request: web.Request, message: dict[str, Any]) -> bytes:
    SCHEMAS.told(request.app[OPTIONS], definition_of(message), message)
    return json.dumps(message).encode()


def definition_of(message: dict[str, Any]) -> str:
    """The definition of a message of either stream."""
    if "T" in message:
        return _MESSAGES[message["T"]]
    return "FillFrame" if message["data"].get("event") in _FILLS else _FRAMES[message["stream"]]


def _data_json(event: Any) -> dict[str, Any]:
    match event:
        case Trade(symbol=symbol, at=at, price=price, size=size, trade_id=number):
            return {
                "T": "t",
                "S": symbol,
                "i": int(number or 0),
                "x": "V",
                "p": float(price),
                "s": int(size),
                "t": at,
                "c": ["@"],
                "z": "C",
            }
        case Quote(symbol=symbol, at=at):
            sides = {"bp": float(event.bid), "bs": int(event.bid_size), "ap": float(event.ask), "as": int(event.ask_size)}
            return {"T": "q", "S": symbol, "bx": "V", "ax": "V", **sides, "t": at, "c": ["R"], "z": "C"}
    moment: datetime = event.start
    return {"T": "b", "S": event.symbol, **bar_json(event), "t": moment}
