"""The streams: long answers of JSON lines, with a heartbeat after five seconds of silence.

Orders come as they are first, then as they change, with the oddities of the real thing: what has filled is told once before it is
called filled, ends come twice, first without a closing time, and symbols may be written in lower case.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from aiohttp import web

from fillpath.market.bars import Bar, Quote, Trade
from fillpath.orders.model import LegStatus
from tests.simulators.events import Event, OrderEvent
from tests.simulators.options import EXCHANGE, OPTIONS, SOCKETS
from tests.simulators.sockets import Sending, StreamLine
from tests.simulators.tradestation.data import bar_json, quote_json
from tests.simulators.tradestation.house import EXCHANGE_ACCOUNTS, HOUSE, SCHEMAS, House, Notice, Refusal, accounts_in, signed
from tests.simulators.tradestation.names import ours
from tests.simulators.tradestation.rendering import order_json, stamp, text

HEARTBEAT_S = 5.0
_MARKET, _BROKERAGE = (f"application/vnd.tradestation.streams.v{number}+json" for number in (2, 3))
_CHUNK = 700
_MINUTE = timedelta(minutes=1)
ROUTES = web.RouteTableDef()

Say = Callable[[Any], Awaitable[None]]


@ROUTES.get("/v3/brokerage/stream/accounts/{accounts}/orders")
@signed("order streams")
async def orders(request: web.Request) -> web.StreamResponse:
    """Every order as it is, then every change."""
    house, (known, errors) = request.app[HOUSE], accounts_in(request)
    if errors:
        raise Refusal(404, errors[0]["Message"])
    own = {EXCHANGE_ACCOUNTS[each] for each in known}
    snapshot = [order_json(house, order) for account in sorted(own) for order in house.exchange.orders(account)]

    def told(event: Event) -> list[dict[str, Any]]:
        if not isinstance(event, OrderEvent) or event.order.account not in own:
            return []
        return _frames(house, event)

    first = [*snapshot, {"StreamStatus": "EndSnapshot"}]
    return await _follow(request, _BROKERAGE, "Order1", first, told, (OrderEvent,))


@ROUTES.get("/v3/marketdata/stream/quotes/{symbols}")
@signed("quote streams")
async def quotes(request: web.Request) -> web.StreamResponse:
    """Whole quotes, then what changes of them."""
    house, known, first = request.app[HOUSE], {}, []
    wanted = request.match_info["symbols"].split(",")
    if len(wanted) > 100:
        raise Refusal(400, "At most 100 symbols in one stream.")
    for symbol in wanted:
        contract = ours(symbol, house.exchange.now().date())
        if contract is None or contract in request.app[SOCKETS].without_data:
            first.append({"Symbol": symbol, "Error": "FAILED, INVALID SYMBOL"})
            continue
        house.exchange.watch(contract)
        known[contract] = _Shown(symbol)
        first.append(quote_json(house, symbol, contract, known[contract].volume))

    def told(event: Event) -> list[dict[str, Any]]:
        shown = known.get(event.symbol) if isinstance(event, Trade | Quote) else None
        return [shown.changed(event)] if shown and isinstance(event, Trade | Quote) else []

    return await _follow(request, _MARKET, "QuoteStream", first, told, (Trade, Quote))


@ROUTES.get("/v3/marketdata/stream/barcharts/{symbol}")
@signed("bars")
async def bars(request: web.Request) -> web.StreamResponse:
    """Finished minute bars, then the running one at each trade, and as it ends."""
    house = request.app[HOUSE]
    now = house.exchange.now()
    contract = ours(request.match_info["symbol"], now.date())
    if contract is None:
        raise Refusal(404, "Invalid symbol.")
    if contract in request.app[SOCKETS].without_data:
        refusal = {"Error": "Failed", "Message": "Not entitled to data for this symbol"}
        return await _follow(request, _MARKET, "Bar", [refusal], lambda _: [], ())
    house.exchange.watch(contract)
    back = int(request.query.get("barsback", "1"))
    past = house.exchange.bars(contract, now - _MINUTE * (back + 1), now)[-back:]
    running = _Running(contract)

    def told(event: Event) -> list[dict[str, Any]]:
        if not isinstance(event, Trade | Bar) or event.symbol != contract:
            return []
        return [bar_json(running.after(event), _MINUTE)]

    return await _follow(request, _MARKET, "Bar", [bar_json(bar, _MINUTE) for bar in past], told, (Trade, Bar))


@dataclass(slots=True)
class _Shown:
    """What was shown of a symbol: only what has changed is told."""

    symbol: str
    volume: Decimal = Decimal(100_000)
    last: Decimal | None = None

    def changed(self, event: Trade | Quote) -> dict[str, Any]:
        """The fields of a trade or a quote that are new."""
        if isinstance(event, Quote):
            return {"Symbol": self.symbol, "Bid": text(event.bid), "Ask": text(event.ask)}
        self.volume += event.size
        fields = {"Symbol": self.symbol, "Volume": text(self.volume), "LastSize": text(event.size), "TradeTime": stamp(event.at)}
        if event.price != self.last:
            self.last = event.price
            fields["Last"] = text(event.price)
        return fields


@dataclass(slots=True)
class _Running:
    """The minute that is not over."""

    contract: str
    bar: Bar | None = None

    def after(self, event: Trade | Bar) -> Bar:
        """The running bar with this trade in it, or the finished one."""
        if isinstance(event, Bar):
            self.bar = None
            return event
        start, price = event.at.replace(second=0, microsecond=0), event.price
        before = self.bar if self.bar and self.bar.start == start else None
        self.bar = Bar(
            self.contract,
            start,
            before.open if before else price,
            max(before.high, price) if before else price,
            min(before.low, price) if before else price,
            price,
            (before.volume if before else Decimal(0)) + event.size,
            final=False,
        )
        return self.bar


def _frames(house: House, event: OrderEvent) -> list[dict[str, Any]]:
    order = event.order
    document = order_json(house, order)
    if not order.status.ended:
        return [document]
    twice = [order_json(house, order, closed=False), document]
    twice[0]["Legs"][0]["Symbol"] = twice[0]["Legs"][0]["Symbol"].lower()
    if order.status is LegStatus.FILLED and order.state.filled_quantity >= order.state.quantity:
        return [order_json(house, order, status="ACK", closed=False), *twice]
    return twice


async def _follow(
    request: web.Request,
    content_type: str,
    schema: str,
    first: list[dict[str, Any]],
    told: Callable[[Event], list[dict[str, Any]]],
    kinds: tuple[type, ...],
) -> web.StreamResponse:
    """Say what is first, then what events mean, until the client has gone or a notice ends it."""
    number = 0
    with request.app[EXCHANGE].events.subscribe(*kinds, Notice) as events:
        async with _opened(request, content_type) as (answer, line):
            with suppress(ConnectionResetError):
                await _say(line, _checked(request, schema, first))
                while True:
                    try:
                        event: Any = await events.next(HEARTBEAT_S)
                    except TimeoutError:
                        number += 1
                        await _say(line, [{"Heartbeat": number, "Timestamp": stamp(request.app[EXCHANGE].now())}])
                        continue
                    if isinstance(event, Notice):
                        await _say(line, [event.message])
                        break
                    await _say(line, _checked(request, schema, told(event)))
    return answer


def _checked(request: web.Request, schema: str, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for message in messages:
        if "StreamStatus" not in message and "Error" not in message:
            SCHEMAS.told(request.app[OPTIONS], schema, message)
    return messages


async def _say(line: Sending, messages: Any) -> None:
    """As JSON lines, in chunks that end anywhere."""
    lines = "".join(json.dumps(message) + "\n" for message in messages).encode()
    for begin in range(0, len(lines), _CHUNK):
        await line.send(lines[begin : begin + _CHUNK])


@asynccontextmanager
async def _opened(request: web.Request, content_type: str) -> AsyncIterator[tuple[web.StreamResponse, Sending]]:
    answer = web.StreamResponse(headers={"Content-Type": content_type})
    answer.enable_chunked_encoding()
    await answer.prepare(request)
    line = request.app[SOCKETS].add(StreamLine(request, answer))
    try:
        yield answer, line
    finally:
        request.app[SOCKETS].remove(line)
