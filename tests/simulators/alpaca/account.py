"""Account, clock, calendar, assets, positions and account activities."""

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from aiohttp import web

from fillpath.market.instruments import instrument_of
from fillpath.orders.model import Side
from tests.simulators.alpaca.errors import Refusal, signed
from tests.simulators.alpaca.rendering import asset_id, fill_json, order_json, position_json, stamp, text
from tests.simulators.alpaca.schemas import SCHEMAS
from tests.simulators.events import SimOrder
from tests.simulators.exchange import NewOrder, SimulatedExchange
from tests.simulators.options import EXCHANGE

_NUMBER = "PA3SIMULATED"
_ID = "e6fe16f3-64a4-4921-8928-cadf02f92f98"
ROUTES = web.RouteTableDef()


@ROUTES.get("/v2/account")
@signed
async def account(request: web.Request) -> web.StreamResponse:
    """The account, with twice its free equity as buying power."""
    worth = request.app[EXCHANGE].balances()
    free = max(Decimal(0), worth.equity - worth.margin_used)
    power = text(free)
    document = {
        "id": _ID,
        "account_number": _NUMBER,
        "status": "ACTIVE",
        "currency": "USD",
        "cash": text(worth.cash),
        "buying_power": power,
        "regt_buying_power": power,
        "daytrading_buying_power": power,
        "non_marginable_buying_power": power,
        "equity": text(worth.equity),
        "last_equity": text(worth.equity),
        "portfolio_value": text(worth.equity),
        "long_market_value": "0",
        "short_market_value": "0",
        "initial_margin": text(worth.margin_used),
        "maintenance_margin": text(worth.margin_used),
        "multiplier": "1",
        "sma": "0",
        "shorting_enabled": True,
        "trading_blocked": False,
        "account_blocked": False,
        "transfers_blocked": False,
        "trade_suspended_by_user": False,
        "accrued_fees": "0",
        "created_at": "2024-01-02T15:00:00.000000000Z",
    }
    return SCHEMAS.answer(request, "Account", document)


@ROUTES.get("/v2/clock")
@signed
async def clock(request: web.Request) -> web.StreamResponse:
    """The market is always open here."""
    now = request.app[EXCHANGE].now()
    document = {
        "timestamp": now.isoformat(),
        "is_open": True,
        "next_open": (now + timedelta(days=1)).isoformat(),
        "next_close": (now + timedelta(hours=6)).isoformat(),
    }
    return SCHEMAS.answer(request, "Clock", document)


@ROUTES.get("/v2/assets/{symbol}")
@signed
async def asset(request: web.Request) -> web.StreamResponse:
    """A share of the catalogue."""
    symbol = request.match_info["symbol"]
    known = instrument_of(symbol)
    if known is None or known.kind != "equity":
        raise Refusal(404, 40410000, f"asset not found for {symbol}")
    document = {
        "id": asset_id(symbol),
        "class": "us_equity",
        "exchange": known.exchange,
        "symbol": symbol,
        "name": known.name,
        "status": "active",
        "tradable": True,
        "marginable": True,
        "shortable": True,
        "easy_to_borrow": True,
        "fractionable": True,
    }
    return SCHEMAS.answer(request, "Asset", document)


@ROUTES.get("/v2/positions")
@signed
async def positions(request: web.Request) -> web.StreamResponse:
    """Everything that is held."""
    exchange = request.app[EXCHANGE]
    held = exchange.positions()
    return SCHEMAS.answer(request, "Positions", [position_json(each, held[each], exchange.price(each)) for each in held])


@ROUTES.get("/v2/positions/{symbol}")
@signed
async def position(request: web.Request) -> web.StreamResponse:
    """One position."""
    exchange, symbol = request.app[EXCHANGE], request.match_info["symbol"]
    held = exchange.positions().get(symbol)
    if held is None:
        raise Refusal(404, 40410000, "position does not exist")
    return SCHEMAS.answer(request, "Position", position_json(symbol, held, exchange.price(symbol)))


@ROUTES.delete("/v2/positions/{symbol}")
@signed
async def close(request: web.Request) -> web.StreamResponse:
    """Close a position at the market."""
    exchange, symbol = request.app[EXCHANGE], request.match_info["symbol"]
    if symbol not in exchange.positions():
        raise Refusal(404, 40410000, f"position not found: {symbol}")
    return SCHEMAS.answer(request, "Order", order_json(exchange, _closed(exchange, symbol)))


@ROUTES.delete("/v2/positions")
@signed
async def close_all(request: web.Request) -> web.StreamResponse:
    """Close everything, after cancelling orders where that is asked for."""
    exchange = request.app[EXCHANGE]
    if request.query.get("cancel_orders") == "true":
        for order in exchange.orders(working=True):
            exchange.cancel(order.id)
    closed = [
        {"symbol": each, "status": 200, "body": order_json(exchange, _closed(exchange, each))} for each in exchange.positions()
    ]
    return SCHEMAS.answer(request, "Closed", closed, status=207)


@ROUTES.get("/v2/account/activities/FILL")
@ROUTES.get("/v2/account/activities")
@signed
async def fills(request: web.Request) -> web.StreamResponse:
    """Executions, page by page."""
    exchange, query = request.app[EXCHANGE], request.query
    rows = _fill_rows(exchange)
    if query.get("after"):
        after = datetime.fromisoformat(query["after"].replace(" ", "+"))
        rows = [row for row in rows if row["transaction_time"] > (stamp(after) or "")]
    if query.get("direction", "desc") == "desc":
        rows.reverse()
    if token := query.get("page_token"):
        rows = rows[next(index for index, row in enumerate(rows) if row["id"] == token) + 1 :]
    return SCHEMAS.answer(request, "Activities", rows[: int(query.get("page_size", 100))])


def _fill_rows(exchange: SimulatedExchange) -> list[dict[str, Any]]:
    done: dict[str, Decimal] = defaultdict(Decimal)
    rows = []
    for fill in exchange.fills():
        done[fill.order_id] += fill.quantity
        rows.append(fill_json(exchange, fill, done[fill.order_id]))
    return rows


def _closed(exchange: SimulatedExchange, symbol: str) -> SimOrder:
    quantity = exchange.positions()[symbol].quantity
    return exchange.place(NewOrder(symbol, Side.of(-quantity), abs(quantity), reduce_only=True))
