"""The simulated streamer: one WebSocket for each login; commands come in; answers, data with numbered fields, notices go out."""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from fillpath.market.bars import Bar, Quote, Trade
from tests.simulators.events import OrderEvent
from tests.simulators.exchange import SimulatedExchange
from tests.simulators.options import EXCHANGE, OPTIONS, SOCKETS
from tests.simulators.schwab.market_data import ms
from tests.simulators.schwab.schema import frame
from tests.simulators.schwab.state import CHANNEL, CORRELATION, CUSTOMER, FUNCTION, STATE, State
from tests.simulators.schwab.stream_fields import ACTIVITY, SERVICES, Told, activities, bar_fields, bar_services, quote_fields
from tests.simulators.schwab.symbols import contract_of
from tests.simulators.sockets import Sending, WebSocketLine

SUCCESS, DENIED, CLOSED, NO_LOGIN, BAD_COMMAND, BAD_SUBSCRIPTION, STOPPED = 0, 3, 12, 20, 21, 22, 30
ONLY = web.AppKey("schwab_streamer", dict[str, "_Connection"])


def add_routes(app: web.Application) -> None:
    """The streamer's route."""
    app[ONLY] = {}
    app.router.add_get("/ws", connect)


async def connect(request: web.Request) -> web.StreamResponse:
    """One connection, from its login to its end."""
    socket = web.WebSocketResponse(timeout=0.5)
    await socket.prepare(request)
    connection = _Connection(request, socket)
    sending = connection.line
    tasks = [asyncio.create_task(each) for each in (connection.beat(), connection.push(), connection.look())]
    try:
        async for message in socket:
            if message.type is WSMsgType.TEXT and not await connection.command(message.data):
                break
    except ConnectionResetError:
        pass
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        request.app[SOCKETS].remove(sending)
        if request.app[ONLY].get(CUSTOMER) is connection:
            del request.app[ONLY][CUSTOMER]
    with suppress(ConnectionResetError):
        await socket.close()
    return socket


@dataclass
class _Subscription:
    """The keys of one service, which fields of them, and what has been told of each."""

    keys: list[str] = field(default_factory=list)
    fields: tuple[str, ...] = ()
    told: dict[str, dict[str, Any]] = field(default_factory=dict)


class _Connection:
    def __init__(self, request: web.Request, socket: web.WebSocketResponse) -> None:
        self._app = request.app
        self._exchange: SimulatedExchange = request.app[EXCHANGE]
        self._state: State = request.app[STATE]
        self._socket = socket
        self._signed_in = False
        self._over = False
        self._subscribed = asyncio.Event()
        self.services: dict[str, _Subscription] = {}
        self._sequences: dict[str, int] = {}
        self._empty_since = asyncio.get_running_loop().time()
        self.line: Sending = request.app[SOCKETS].add(WebSocketLine(request, socket))

    async def command(self, text: str) -> bool:
        """Answer every request of a frame; False: this connection is over."""
        try:
            requests = json.loads(text)["requests"]
        except (ValueError, KeyError, TypeError):
            await self._answer({"service": "ADMIN", "command": "", "requestid": "0"}, BAD_COMMAND, "Bad command formatting")
            return True
        for each in requests:
            if self._over or not await self._one(each):
                return False
        return True

    async def _one(self, request: dict[str, Any]) -> bool:
        command = request.get("command")
        if command == "LOGIN":
            return await self._login(request)
        if not self._signed_in:
            await self._answer(request, NO_LOGIN, "Stream connection not found")
            return False
        if command == "LOGOUT":
            await self._answer(request, SUCCESS, "SUCCESS")
            return False
        service, parameters = request.get("service"), request.get("parameters") or {}
        if service not in SERVICES or command not in {"SUBS", "ADD", "UNSUBS", "VIEW"}:
            await self._answer(request, BAD_COMMAND, "Bad command formatting")
            return True
        code = self._subscribe(service, command, parameters)
        said = "command succeeded" if code == SUCCESS else "command failed"
        await self._answer(request, code, f"{command} {said}")
        if service == ACTIVITY and code == SUCCESS and command in {"SUBS", "ADD"}:
            await self._activity("SUBSCRIBED", "", "")
        return True

    async def _login(self, request: dict[str, Any]) -> bool:
        told = request.get("parameters") or {}
        good = (
            request.get("SchwabClientCustomerId") == CUSTOMER
            and request.get("SchwabClientCorrelId") == CORRELATION
            and told.get("SchwabClientChannel") == CHANNEL
            and told.get("SchwabClientFunctionId") == FUNCTION
            and self._state.lets_in(str(told.get("Authorization")), self._exchange.now())
        )
        if not good:
            await self._answer(request, DENIED, "Login Denied.: token is invalid or has expired.")
            return False
        before = self._app[ONLY].get(CUSTOMER)
        self._app[ONLY][CUSTOMER] = self
        if before is not None and before is not self:
            await before.end(CLOSED, "Connection closed: another connection of this user")
        self._signed_in = True
        self._empty_since = asyncio.get_running_loop().time()
        await self._answer(request, SUCCESS, "server=s0000sim-1;status=NP")
        return True

    def _subscribe(self, service: str, command: str, parameters: dict[str, str]) -> int:
        keys = [key for key in parameters.get("keys", "").split(",") if key]
        fields = tuple(parameters.get("fields", "").split(","))
        if not keys and command != "VIEW":
            return BAD_SUBSCRIPTION
        if service != ACTIVITY and not self._watches(keys):
            return BAD_SUBSCRIPTION
        known = self.services.setdefault(service, _Subscription())
        match command:
            case "SUBS":
                self.services[service] = _Subscription(keys, fields)
            case "ADD":
                known.keys += [key for key in keys if key not in known.keys]
                known.fields = fields if parameters.get("fields") else known.fields
            case "UNSUBS":
                known.keys = [key for key in known.keys if key not in keys]
                known.told = {key: value for key, value in known.told.items() if key not in keys}
            case "VIEW":
                known.fields = fields
        self._empty_since = asyncio.get_running_loop().time()
        self._subscribed.set()
        return SUCCESS

    def _watches(self, keys: list[str]) -> bool:
        """Whether there is data of them all."""
        contracts = {contract_of(key, self._exchange.now().date()) for key in keys}
        if contracts & self._app[SOCKETS].without_data:
            return False
        for contract in filter(None, contracts):
            self._exchange.watch(contract)
        return True

    async def push(self) -> None:
        """Tell what happens, from the first subscription on."""
        await self._subscribed.wait()
        last: dict[str, Trade] = {}
        with self._exchange.events.subscribe(OrderEvent, Trade, Quote, Bar) as events:
            async for event in events:
                with suppress(ConnectionResetError):
                    match event:
                        case Trade():
                            last[event.symbol] = event
                        case Quote():
                            await self._quote(event, last.get(event.symbol))
                        case Bar():
                            await self._bar(event)
                        case OrderEvent():
                            await self._order(event)

    async def beat(self) -> None:
        """Heartbeats."""
        while True:
            await asyncio.sleep(self._state.heartbeat_s)
            with suppress(ConnectionResetError):
                await self._send("notify", [{"heartbeat": str(ms(self._exchange.now()))}])

    async def look(self) -> None:
        """A connection on which nothing is asked for is ended."""
        while True:
            await asyncio.sleep(self._state.empty_s / 10)
            empty = not any(each.keys for each in self.services.values())
            if self._signed_in and empty and asyncio.get_running_loop().time() - self._empty_since > self._state.empty_s:
                await self.end(STOPPED, "Stop streaming due to empty subscription")

    async def end(self, code: int, text: str) -> None:
        """Say why, and close."""
        self._over = True
        with suppress(ConnectionResetError):
            content = {"code": code, "msg": text}
            await self._send("notify", [{"service": "ADMIN", "timestamp": ms(self._exchange.now()), "content": content}])
        await self._socket.close()

    async def _quote(self, quote: Quote, trade: Trade | None) -> None:
        told = Told(quote, trade, self._state.volumes.get(quote.symbol, 0))
        for service, known in self.services.items():
            for key in known.keys:
                if self._is(key, quote.symbol) and (values := quote_fields(service, told, self._exchange.now().date())):
                    await self._changed(service, known, key, values)

    async def _changed(self, service: str, known: _Subscription, key: str, values: dict[str, Any]) -> None:
        before = known.told.get(key)
        wanted = {name: value for name, value in values.items() if name in known.fields}
        changed = {name: value for name, value in wanted.items() if before is None or before.get(name) != value}
        known.told[key] = wanted
        if not changed:
            return
        kind = "FUTURES" if key.startswith("/") else "EQUITY"
        first = {"delayed": False, "assetMainType": kind} if before is None else {}
        await self._data(service, [{"key": key, **first, **changed}])

    async def _bar(self, bar: Bar) -> None:
        self._state.volumes[bar.symbol] = self._state.volumes.get(bar.symbol, 0) + int(bar.volume)
        for service, known in self.services.items():
            for key in known.keys:
                if service in bar_services(key) and self._is(key, bar.symbol):
                    await self._data(service, [{**bar_fields(service, bar), "seq": self._next(service), "key": key}])

    async def _order(self, event: OrderEvent) -> None:
        if ACTIVITY in self.services and self.services[ACTIVITY].keys:
            number = self._state.number(event.order.id)
            for kind, account, message in activities(event, number):
                await self._activity(kind, account, message)

    async def _activity(self, kind: str, account: str, message: str) -> None:
        for key in self.services[ACTIVITY].keys:
            content = {"seq": self._next(ACTIVITY), "key": key, "1": account, "2": kind, "3": message}
            await self._data(ACTIVITY, [content])

    def _is(self, key: str, contract: str) -> bool:
        return contract_of(key, self._exchange.now().date()) == contract

    def _next(self, service: str) -> int:
        self._sequences[service] = self._sequences.get(service, -1) + 1
        return self._sequences[service]

    async def _data(self, service: str, content: list[dict[str, Any]]) -> None:
        frame = {"service": service, "timestamp": ms(self._exchange.now()), "command": "SUBS", "content": content}
        await self._send("data", [frame])

    async def _answer(self, request: dict[str, Any], code: int, text: str) -> None:
        response = {
            "service": request.get("service", ""),
            "command": request.get("command", ""),
            "requestid": str(request.get("requestid", "")),
            "SchwabClientCorrelId": CORRELATION,
            "timestamp": ms(self._exchange.now()),
            "content": {"code": code, "msg": text},
        }
        await self._send("response", [response])

    async def _send(self, name: str, rows: list[dict[str, Any]]) -> None:
        await self.line.send(frame({name: rows}, self._app[OPTIONS]))
