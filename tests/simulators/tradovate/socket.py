"""Tradovate's WebSocket: authorize, then any endpoint, a user's synchronization with its events, and market data.

On the real venue orders and market data have hosts of their own; here one socket serves both, whatever was asked for first.
"""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from aiohttp import WSMsgType, web

from fillpath.market.bars import Bar, Quote, Trade
from tests.simulators.events import Event, OrderEvent
from tests.simulators.options import OPTIONS, SOCKETS
from tests.simulators.sockets import WebSocketLine
from tests.simulators.tradovate.calls import Refusal, answer
from tests.simulators.tradovate.charts import Chart, bar_json, chart_rows
from tests.simulators.tradovate.gate import DENIED, Token
from tests.simulators.tradovate.quotes import Board
from tests.simulators.tradovate.rest import DESK, endpoint_named
from tests.simulators.tradovate.schemas import SCHEMAS, definition

BEAT_S = 2.5
NO_LICENCE = "Market data subscription is required: you are not subscribed to this data"
ROUTES = web.RouteTableDef()
TALKS: web.AppKey[set["Talk"]] = web.AppKey("talks", set)


@ROUTES.get("/v1/websocket")
async def websocket(request: web.Request) -> web.StreamResponse:
    """One connection."""
    response = web.WebSocketResponse(heartbeat=None)
    await response.prepare(request)
    sending = request.app[SOCKETS].add(WebSocketLine(request, response))
    talk = Talk(request.app, sending.send)
    talks = request.app[TALKS]
    talks.add(talk)
    beats = asyncio.create_task(talk.beat(response))
    happenings = asyncio.create_task(talk.happenings())
    try:
        await talk.begin()
        async for message in response:
            if message.type is WSMsgType.TEXT:
                await talk.hear(message.data)
    except ConnectionResetError:
        pass
    finally:
        talks.discard(talk)
        request.app[SOCKETS].remove(sending)
        for task in (beats, happenings):
            task.cancel()
        await asyncio.gather(beats, happenings, return_exceptions=True)
    return response


def shut_down(app: web.Application, reason: str) -> None:
    """Tell every connection that it is ended, and why; from any thread."""
    for talk in list(app[TALKS]):
        talk.loop.call_soon_threadsafe(talk.end, reason)


class Talk:
    """What is said on one connection."""

    def __init__(self, app: web.Application, send: Callable[[str], Any]) -> None:
        self.loop = asyncio.get_running_loop()
        self._app = app
        self._desk = app[DESK]
        self._send = send
        self._token: Token | None = None
        self._heard = self.loop.time()
        self._told: int | None = None
        self._board = Board(self._desk.world)
        self._charts: dict[int, Chart] = {}
        self._numbers = count(30)
        self._ending: set[asyncio.Task[None]] = set()
        self._wanted = asyncio.Event()

    async def begin(self) -> None:
        """The first frame."""
        await self._send("o")

    def end(self, reason: str) -> None:
        """Say goodbye, and close."""
        task = self.loop.create_task(self._end(reason))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _end(self, reason: str) -> None:
        with suppress(ConnectionResetError):
            await self._tell([{"e": "shutdown", "d": {"reasonCode": reason, "reason": f"simulated: {reason}"}}])
            await self._send('c[3000,"Go away!"]')

    async def beat(self, response: web.WebSocketResponse) -> None:
        """Heartbeats; who sends none himself is dropped."""
        with suppress(ConnectionResetError):
            while True:
                await asyncio.sleep(BEAT_S)
                if self.loop.time() - self._heard > self._desk.gate.silence_s:
                    await response.close()
                await self._send("h")

    async def happenings(self) -> None:
        """Tell what happens at the exchange, as far as it was asked for, and once it was."""
        await self._wanted.wait()
        with suppress(ConnectionResetError), self._desk.exchange.events.subscribe(OrderEvent, Trade, Quote, Bar) as events:
            await self._props()
            async for event in events:
                await self._happened(event)

    async def hear(self, text: str) -> None:
        """A frame of the client's: a heartbeat, or a request of four lines."""
        self._heard = self.loop.time()
        if text == "[]":
            return
        endpoint, number, query, body = text.split("\n", 3)
        if endpoint == "authorize":
            await self._authorize(int(number), body)
            return
        await self._ask(endpoint_named(endpoint), int(number), _query(query), json.loads(body) if body else {})

    async def _authorize(self, number: int, name: str) -> None:
        token = self._desk.gate.token(name, self._desk.exchange.now())
        self._token = token
        await self._tell([{"s": 200, "i": number} if token else {"s": 401, "i": number, "d": DENIED}])

    async def _ask(self, endpoint: str, number: int, query: dict[str, str], body: dict[str, Any]) -> None:
        if self._token is None:
            await self._tell([{"s": 401, "i": number, "d": DENIED}])
            return
        if self._desk.gate.is_too_often():
            await self._tell([{"s": 429, "i": number}])
            return
        ticket = body.pop("p-ticket", None) or query.get("p-ticket")
        if penalty := self._desk.gate.penalty(endpoint, ticket):
            await self._tell([{"s": 200, "i": number, "d": penalty}])
            return
        try:
            document = await self._answer(endpoint, query, body)
        except Refusal as refusal:
            await self._tell([{"s": refusal.status, "i": number, "d": refusal.text}])
            return
        await self._tell([{"s": 200, "i": number, "d": document}])
        await self._afterwards(endpoint, document, body)

    async def _answer(self, endpoint: str, query: dict[str, str], body: dict[str, Any]) -> Any:
        if endpoint.startswith("md/"):
            return self._market(endpoint.removeprefix("md/"), body)
        if endpoint == "user/syncrequest":
            if self._token is not None and self._token.data_only:
                raise Refusal(401, DENIED)
            snapshot = self._desk.world.snapshot()
            self._told = len(self._desk.world.journal)
            self._check("SyncMessage", snapshot)
            return snapshot
        method = "POST" if body else "GET"
        document = answer(self._desk, method, endpoint, query, body)
        if (name := definition(method, endpoint, "reply")) is not None:
            self._check(name, document)
        return document

    def _market(self, what: str, body: dict[str, Any]) -> dict[str, Any]:
        if self._desk.gate.without_data:
            return {"errorText": NO_LICENCE, "errorCode": "UnknownSymbol", "mode": "None"}
        if what == "cancelchart":
            self._charts.pop(int(body["subscriptionId"]), None)
            return {}
        contract = self._contract(body["symbol"])
        if contract is None or contract in self._app[SOCKETS].without_data:
            return {"errorText": f"Symbol is inaccessible: {body['symbol']}", "errorCode": "UnknownSymbol", "mode": "None"}
        if what == "subscribequote":
            self._desk.exchange.watch(contract)
            self._board.add(contract)
            return {}
        if what == "unsubscribequote":
            self._board.remove(contract)
            return {}
        if what != "getchart":
            raise Refusal(404, f"no such endpoint: md/{what}")
        self._desk.exchange.watch(contract)
        history, live = next(self._numbers), next(self._numbers)
        self._charts[live] = Chart(history, live, contract, body)
        return {"historicalId": history, "realtimeId": live}

    async def _afterwards(self, endpoint: str, document: Any, body: dict[str, Any]) -> None:
        """What follows an answer: the first quote, a chart's history, or what has happened because of it."""
        if endpoint == "user/syncrequest" or endpoint.startswith("md/"):
            self._wanted.set()
        if endpoint == "md/subscribequote" and (contract := self._contract(body["symbol"])) and not document.get("errorText"):
            exchange = self._desk.exchange
            await self._quote(self._board.first(contract, exchange.price(contract), exchange.now()))
        if endpoint == "md/getchart" and not document.get("errorText"):
            await self._history(self._charts[document["realtimeId"]])
        await self._props()

    async def _history(self, chart: Chart) -> None:
        for rows in chart_rows(self._desk.exchange, chart):
            await self._chart({"id": chart.history, "td": _trade_date(self._desk.exchange.now()), "bars": rows})
        await self._chart({"id": chart.history, "eoh": True})

    async def _happened(self, event: Event) -> None:
        if isinstance(event, OrderEvent):
            await self._props()
        elif isinstance(event, Quote):
            await self._quote(self._board.quote(event))
        elif isinstance(event, Trade):
            await self._quote(self._board.trade(event))
            for chart in list(self._charts.values()):
                if chart.contract == event.symbol and (bar := chart.traded(event)) is not None:
                    await self._chart({"id": chart.live, "td": _trade_date(event.at), "bars": [bar_json(bar)]})

    async def _props(self) -> None:
        if self._told is None:
            return
        world = self._desk.world
        world.catch_up()
        news, self._told = world.journal[self._told :], len(world.journal)
        events = [{"entityType": each.kind, "eventType": each.event, "entity": each.entity} for each in news]
        for each in events:
            self._check("Props", each)
        for start in range(0, len(events), 3):  # several messages may share a frame
            await self._tell([{"e": "props", "d": each} for each in events[start : start + 3]])

    async def _quote(self, quote: dict[str, Any] | None) -> None:
        if quote is not None:
            self._check("Quote", quote)
            await self._tell([{"e": "md", "d": {"quotes": [quote]}}])

    async def _chart(self, chart: dict[str, Any]) -> None:
        self._check("Chart", chart)
        await self._tell([{"e": "chart", "d": {"charts": [chart]}}])

    def _contract(self, symbol: Any) -> str | None:
        return self._board.named(symbol, self._desk.exchange.now().date())

    def _check(self, name: str, document: Any) -> None:
        SCHEMAS.told(self._app[OPTIONS], name, document)

    async def _tell(self, messages: list[dict[str, Any]]) -> None:
        await self._send("a" + json.dumps(messages, separators=(",", ":")))


def _query(text: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in text.split("&") if "=" in part)


def _trade_date(at: datetime) -> int:
    return int(f"{at + timedelta(hours=6):%Y%m%d}")
