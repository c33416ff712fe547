"""Market data over REST: bars page by page, and the latest trade and quote."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from fillpath.market.bars import Bar
from tests.simulators.alpaca.errors import Refusal, signed
from tests.simulators.alpaca.rendering import stamp
from tests.simulators.alpaca.schemas import SCHEMAS
from tests.simulators.exchange import SimulatedExchange
from tests.simulators.options import EXCHANGE

_LENGTHS = {"Min": timedelta(minutes=1), "T": timedelta(minutes=1), "Hour": timedelta(hours=1), "Day": timedelta(days=1)}
_MOST = 10_000
ROUTES = web.RouteTableDef()


@ROUTES.get("/v2/stocks/bars")
@signed
async def bars(request: web.Request) -> web.StreamResponse:
    """Bars of several shares."""
    query, exchange = request.query, request.app[EXCHANGE]
    found = [bar for symbol in query["symbols"].split(",") for bar in _bars(exchange, symbol, request)]
    begin = int(base64.b64decode(query["page_token"])) if query.get("page_token") else 0
    end = begin + min(int(query.get("limit", 1000)), _MOST)
    page: dict[str, list[dict[str, Any]]] = {}
    for bar in found[begin:end]:
        page.setdefault(bar.symbol, []).append(bar_json(bar))
    token = base64.b64encode(str(end).encode()).decode() if end < len(found) else None
    return SCHEMAS.answer(request, "Bars", {"bars": page, "next_page_token": token})


@ROUTES.get("/v2/stocks/{symbol}/trades/latest")
@signed
async def latest_trade(request: web.Request) -> web.StreamResponse:
    """The last trade."""
    symbol = request.match_info["symbol"]
    return SCHEMAS.answer(request, "LatestTrade", {"symbol": symbol, "trade": _trade(request.app[EXCHANGE], symbol)})


@ROUTES.get("/v2/stocks/trades/latest")
@signed
async def latest_trades(request: web.Request) -> web.StreamResponse:
    """The last trade of several shares."""
    exchange = request.app[EXCHANGE]
    found = {each: _trade(exchange, each) for each in request.query["symbols"].split(",")}
    return SCHEMAS.answer(request, "LatestTrades", {"trades": found})


def bar_json(bar: Bar) -> dict[str, Any]:
    """One bar as REST tells it; numbers are numbers here."""
    values = {"o": bar.open, "h": bar.high, "l": bar.low, "c": bar.close, "v": bar.volume, "vw": bar.close}
    return {"t": f"{bar.start:%Y-%m-%dT%H:%M:%SZ}", "n": 10, **{name: float(value) for name, value in values.items()}}


def _trade(exchange: SimulatedExchange, symbol: str) -> dict[str, Any]:
    at = stamp(exchange.now())
    return {"t": at, "x": "V", "p": float(exchange.price(symbol)), "s": 100, "c": ["@"], "i": 1, "z": "C"}


def _bars(exchange: SimulatedExchange, symbol: str, request: web.Request) -> tuple[Bar, ...]:
    query = request.query
    now = exchange.now()
    start = datetime.fromisoformat(query.get("start") or now.replace(hour=0, minute=0, second=0, microsecond=0).isoformat())
    end = datetime.fromisoformat(query["end"]) if query.get("end") else now
    return exchange.bars(symbol, _aware(start), _aware(end) + timedelta(microseconds=1), _length(query.get("timeframe", "1Min")))


def _length(text: str) -> timedelta:
    number = text.rstrip("MinTHourDay")
    unit = text[len(number) :]
    if unit not in _LENGTHS:
        raise Refusal(400, 40010000, f"invalid timeframe: {text}")
    return int(number) * _LENGTHS[unit]


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)
