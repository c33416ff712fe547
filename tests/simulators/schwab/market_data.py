"""The simulated market data API: quotes and bars."""

from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from fillpath.market.instruments import instrument_of
from tests.simulators.exchange import SimulatedExchange
from tests.simulators.options import EXCHANGE
from tests.simulators.schwab.auth import signed_in
from tests.simulators.schwab.errors import market_error, traced
from tests.simulators.schwab.schema import SCHEMAS
from tests.simulators.schwab.symbols import contract_of, dated

_MINUTES = {"1", "5", "10", "15", "30"}
_LONGEST = timedelta(days=10)


def add_routes(app: web.Application) -> None:
    """The routes of this part."""
    app.router.add_get("/marketdata/v1/quotes", quotes)
    app.router.add_get("/marketdata/v1/pricehistory", price_history)


@signed_in
async def quotes(request: web.Request) -> web.StreamResponse:
    """Of several symbols; those that are not known are named beside."""
    if not request.query.get("symbols"):
        return market_error(request, 400, "symbols is missing", "symbols")
    exchange = request.app[EXCHANGE]
    body: dict[str, Any] = {}
    unknown: list[str] = []
    for symbol in request.query["symbols"].split(","):
        contract = contract_of(symbol, exchange.now().date())
        if contract is None:
            unknown.append(symbol)
        else:
            body[symbol] = _quote(exchange, symbol, contract)
    if unknown:
        body["errors"] = {"invalidSymbols": unknown}
    return SCHEMAS.answer(request, "Quotes", body, headers=traced())


@signed_in
async def price_history(request: web.Request) -> web.StreamResponse:
    """Bars of a share; of futures there are none."""
    query, exchange = request.query, request.app[EXCHANGE]
    symbol = query.get("symbol", "")
    contract = contract_of(symbol, exchange.now().date())
    if contract is None:
        return market_error(request, 400, f"{symbol} is not a valid symbol", "symbol")
    daily = query.get("frequencyType") == "daily"
    if (query.get("periodType", "day") == "day") == daily:
        return market_error(request, 400, "frequencyType does not go with periodType", "frequencyType")
    if not daily and query.get("frequency", "1") not in _MINUTES:
        return market_error(request, 400, "valid values are 1, 5, 10, 15, 30", "frequency")
    length = timedelta(days=1) if daily else timedelta(minutes=int(query.get("frequency", "1")))
    until = _moment(query["endDate"]) if "endDate" in query else exchange.now()
    since = _moment(query["startDate"]) if "startDate" in query else until - _LONGEST
    if not daily:
        since = max(since, until - _LONGEST)
    bars = () if symbol.startswith("/") else exchange.bars(contract, since, until, length)
    candles = [
        {
            "open": bar.open,
            "high": bar.high,
            "low": bar.low,
            "close": bar.close,
            "volume": int(bar.volume),
            "datetime": ms(bar.start),
        }
        for bar in bars
    ]
    return SCHEMAS.answer(request, "CandleList", {"symbol": symbol, "empty": not candles, "candles": candles}, headers=traced())


def ms(at: datetime) -> int:
    """Milliseconds since 1970."""
    return int(at.timestamp() * 1000)


def _quote(exchange: SimulatedExchange, symbol: str, contract: str) -> dict[str, Any]:
    instrument = instrument_of(contract)
    assert instrument is not None
    price, at = exchange.price(contract), ms(exchange.now())
    quote = {
        "bidPrice": price - instrument.tick_size,
        "askPrice": price + instrument.tick_size,
        "lastPrice": price,
        "mark": price,
        "bidSize": 10,
        "askSize": 12,
        "lastSize": 1,
        "quoteTime": at,
        "tradeTime": at,
        "totalVolume": 100_000,
    }
    common = {"symbol": symbol, "realtime": True, "ssid": sum(contract.encode()), "quote": quote}
    if instrument.kind == "equity":
        reference = {"cusip": "000000000", "description": instrument.name, "exchange": "Q", "isShortable": True}
        return {**common, "assetMainType": "EQUITY", "quoteType": "NBBO", "reference": reference}
    reference = {
        "description": instrument.name,
        "futureActiveSymbol": dated(contract, exchange.now().date()),
        "futureIsActive": True,
        "futureMultiplier": instrument.multiplier,
        "futurePriceFormat": "D,D",
        "product": f"/{instrument.root}",
    }
    return {**common, "assetMainType": "FUTURE", "reference": reference}


def _moment(text: str) -> datetime:
    return datetime.fromtimestamp(int(text) / 1000, UTC)
