"""Market data: quotes, bars and what is known of symbols."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from aiohttp import web

from fillpath.market.bars import Bar
from tests.simulators.options import EXCHANGE
from tests.simulators.tradestation.house import HOUSE, SCHEMAS, House, Refusal, signed
from tests.simulators.tradestation.names import behind, ours, theirs
from tests.simulators.tradestation.rendering import stamp, text

MOST_BARS = 57_600
_BASE = "/v3/marketdata"
_DAY = timedelta(days=1)
_DAY_CLOSES = time(21)
ROUTES = web.RouteTableDef()


@ROUTES.get(_BASE + "/symbols/{symbols}")
@signed("symbols")
async def symbols(request: web.Request) -> web.StreamResponse:
    """What is known of symbols; of a continuous one also the contract behind it."""
    now, found, errors = request.app[EXCHANGE].now(), [], []
    for symbol in request.match_info["symbols"].split(","):
        contract = ours(symbol, now.date())
        if contract is None:
            errors.append({"Symbol": symbol, "Error": "FAILED", "Message": "Invalid symbol."})
            continue
        found.append(_details(symbol, contract, now))
    return SCHEMAS.answer(request, "SymbolDetailsResponse", {"Symbols": found, "Errors": errors})


@ROUTES.get(_BASE + "/quotes/{symbols}")
@signed("quotes")
async def quotes(request: web.Request) -> web.StreamResponse:
    """The quotes of the moment."""
    house, found, errors = request.app[HOUSE], [], []
    for symbol in request.match_info["symbols"].split(","):
        contract = ours(symbol, house.exchange.now().date())
        if contract is None:
            errors.append({"Symbol": symbol, "Error": "FAILED, INVALID SYMBOL"})
            continue
        found.append(quote_json(house, symbol, contract, Decimal(100_000)))
    return SCHEMAS.answer(request, "QuoteSnapshot", {"Quotes": found, "Errors": errors})


@ROUTES.get(_BASE + "/barcharts/{symbol}")
@signed("bars")
async def bars(request: web.Request) -> web.StreamResponse:
    """Bars that close in a stretch of time, or so many back."""
    exchange, query = request.app[EXCHANGE], request.query
    contract = ours(request.match_info["symbol"], exchange.now().date())
    if contract is None:
        return SCHEMAS.answer(request, "ErrorResponse", {"Error": "Failed", "Message": "Invalid symbol."}, status=404)
    length = timedelta(minutes=int(query.get("interval", "1"))) if query.get("unit") == "Minute" else _DAY
    last = _moment(query["lastdate"]) if "lastdate" in query else exchange.now()
    first = _moment(query["firstdate"]) if "firstdate" in query else last - length * int(query.get("barsback", "1"))
    if length < _DAY and (last - first) / length > MOST_BARS:
        raise Refusal(400, f"At most {MOST_BARS} bars are told at once.")
    found = exchange.bars(contract, first - length, last, length)
    closing = [bar_json(bar, length) for bar in found]
    shown = [each for each in closing if first <= _moment(each["TimeStamp"]) <= last]
    return SCHEMAS.answer(request, "Bars", {"Bars": shown})


def quote_json(house: House, symbol: str, contract: str, volume: Decimal) -> dict[str, Any]:
    """A whole quote."""
    price, tick = house.exchange.price(contract), behind(contract).tick_size
    past = {"High52WeekTimestamp": "2026-10-30T00:00:00Z", "Low52WeekTimestamp": "2026-04-08T00:00:00Z"}
    return {
        "Symbol": symbol,
        **dict.fromkeys(("Open", "High", "Low", "Close", "PreviousClose", "VWAP", "High52Week", "Low52Week"), text(price)),
        **past,
        "Last": text(price),
        "LastSize": "1",
        "Ask": text(price + tick),
        "AskSize": "12",
        "Bid": text(price - tick),
        "BidSize": "10",
        "LastVenue": behind(contract).exchange,
        "NetChange": "0",
        "NetChangePct": "0",
        "PreviousVolume": "1500000",
        "DailyOpenInterest": "0",
        "TickSizeTier": "0",
        "Volume": text(volume),
        "TradeTime": stamp(house.exchange.now()),
        "MarketFlags": {"IsDelayed": False, "IsHardToBorrow": False, "IsBats": False, "IsHalted": False},
    }


def bar_json(bar: Bar, length: timedelta) -> dict[str, Any]:
    """A bar, labelled by its close."""
    close = bar.start + length
    if length == _DAY:
        close = datetime.combine(bar.start.date(), _DAY_CLOSES, UTC)
    half = int(bar.volume) // 2
    return {
        "High": text(bar.high),
        "Low": text(bar.low),
        "Open": text(bar.open),
        "Close": text(bar.close),
        "TimeStamp": stamp(close),
        "TotalVolume": text(bar.volume),
        "DownTicks": half,
        "DownVolume": half,
        "UpTicks": half,
        "UpVolume": int(bar.volume) - half,
        "TotalTicks": 2 * half,
        "OpenInterest": "0",
        "IsRealtime": not bar.final,
        "IsEndOfHistory": False,
        "Epoch": int(close.timestamp() * 1000),
        "BarStatus": "Closed" if bar.final else "Open",
    }


def _details(symbol: str, contract: str, now: datetime) -> dict[str, Any]:
    instrument = behind(contract)
    form = {"Format": "Decimal", "Decimals": "2", "IncrementStyle": "Simple"}
    whole = {"Format": "Decimal", "Decimals": "0", "IncrementStyle": "Simple", "Increment": "1", "MinimumTradeQuantity": "1"}
    document: dict[str, Any] = {
        "AssetType": "FUTURE" if instrument.months else "STOCK",
        "Country": "United States",
        "Currency": instrument.currency,
        "Description": instrument.name,
        "Exchange": instrument.exchange,
        "Symbol": symbol,
        "Root": symbol.lstrip("@")[:-3] if instrument.months and not symbol.startswith("@") else symbol.lstrip("@"),
        "PriceFormat": {**form, "Increment": text(instrument.tick_size), "PointValue": text(instrument.multiplier)},
        "QuantityFormat": whole,
    }
    if symbol.startswith("@"):
        document |= {"FutureType": "Electronic", "Underlying": theirs(contract, now.date())}
    return document


def _moment(value: str) -> datetime:
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        raise Refusal(400, f"{value} is no date") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
