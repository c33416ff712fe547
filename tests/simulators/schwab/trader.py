"""The simulated trader API: accounts, orders, transactions, preferences."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from aiohttp import web

from fillpath.orders.model import LegStatus
from tests.simulators.exchange import OrderRefused, SimulatedExchange
from tests.simulators.options import EXCHANGE, OPTIONS
from tests.simulators.orders import NewOrder
from tests.simulators.schwab.auth import signed_in
from tests.simulators.schwab.documents import Documents, stamp
from tests.simulators.schwab.errors import service_error, too_long, traced
from tests.simulators.schwab.placing import BadOrder, change_of, new_order, oversold
from tests.simulators.schwab.schema import SCHEMAS
from tests.simulators.schwab.state import ACCOUNTS, CHANNEL, CORRELATION, CUSTOMER, FUNCTION, HASHES, STATE

ORDERS = "/trader/v1/accounts/{hash}/orders"
ORDER = ORDERS + "/{order_id}"
_WORDS = {
    "invalid_symbol": "Instrument for {} does not exist.",
    "market_closed": "This order cannot be accepted: the market is closed.",
    "short_not_allowed": "This security is hard to borrow and cannot be sold short at this time.",
}
_BUYING_POWER = "REJECTED: Your buying power will be below zero ($0.00) if this order is accepted."


def add_routes(app: web.Application) -> None:
    """The routes of this part."""
    router = app.router
    router.add_get("/trader/v1/accounts/accountNumbers", account_numbers)
    router.add_get("/trader/v1/accounts", accounts)
    router.add_get("/trader/v1/accounts/{hash}", account)
    router.add_get(ORDERS, list_orders)
    router.add_post(ORDERS, place)
    router.add_get(ORDER, get_order)
    router.add_put(ORDER, replace_order)
    router.add_delete(ORDER, cancel_order)
    router.add_post("/trader/v1/accounts/{hash}/previewOrder", preview)
    router.add_get("/trader/v1/accounts/{hash}/transactions", transactions)
    router.add_get("/trader/v1/userPreference", user_preference)


@signed_in
async def account_numbers(request: web.Request) -> web.StreamResponse:
    """The accounts that the person let the app see."""
    body = [{"accountNumber": number, "hashValue": HASHES[number]} for number in ACCOUNTS]
    return SCHEMAS.answer(request, "AccountNumbers", body, headers=traced())


@signed_in
async def accounts(request: web.Request) -> web.StreamResponse:
    """All of them with their balances."""
    body = [_account(request, number) for number in ACCOUNTS]
    return SCHEMAS.answer(request, "Accounts", body, headers=traced())


@signed_in
async def account(request: web.Request) -> web.StreamResponse:
    """One."""
    number = _number(request)
    if number is None:
        return _no_account(request)
    return SCHEMAS.answer(request, "Account", _account(request, number), headers=traced())


@signed_in
async def place(request: web.Request) -> web.StreamResponse:
    """An order; the answer is its address alone."""
    number = _number(request)
    if number is None:
        return _no_account(request)
    exchange, name = request.app[EXCHANGE], ACCOUNTS[number]
    try:
        wanted = new_order(await _body(request))
    except BadOrder as exc:
        return service_error(request, 400, "A validation error occurred while processing the request.", exc.errors)
    try:
        key = _placed(exchange, wanted, name)
    except OrderRefused as exc:
        return service_error(request, 400, _WORDS.get(exc.code, exc.text).format(wanted.symbol))
    return _created(request, number, key)


@signed_in
async def replace_order(request: web.Request) -> web.StreamResponse:
    """Another order in the place of a working one."""
    number, exchange = _number(request), request.app[EXCHANGE]
    key = request.app[STATE].key(request.match_info["order_id"])
    order = exchange.order(key) if key else None
    if number is None or order is None or order.account != ACCOUNTS[number]:
        return _no_order(request)
    if order.status.ended:
        return service_error(request, 400, "Order cannot be replaced in its current status.")
    try:
        change, quantity = change_of(await _body(request), order)
        new = exchange.replace(order.id, change, renew=True, details={**order.details, "quantity": quantity})
    except BadOrder as exc:
        return service_error(request, 400, "A validation error occurred while processing the request.", exc.errors)
    except OrderRefused as exc:
        return service_error(request, 400, exc.text)
    return _created(request, number, new.id)


@signed_in
async def cancel_order(request: web.Request) -> web.StreamResponse:
    """The end of a working order."""
    number, exchange = _number(request), request.app[EXCHANGE]
    key = request.app[STATE].key(request.match_info["order_id"])
    order = exchange.order(key.removeprefix("group:")) if key else None
    if number is None or order is None or order.account != ACCOUNTS[number]:
        return _no_order(request)
    if order.status.ended:
        return service_error(request, 400, "Order cannot be canceled in its current status.")
    exchange.cancel(order.id)
    return web.Response(status=200, headers=traced())


@signed_in
async def get_order(request: web.Request) -> web.StreamResponse:
    """One order, or a group, with what belongs to it."""
    number = _number(request)
    key = request.app[STATE].key(request.match_info["order_id"])
    document = _documents(request, number).of(key) if number and key else None
    if document is None:
        return _no_order(request)
    return SCHEMAS.answer(request, "Order", document, headers=traced())


@signed_in
async def list_orders(request: web.Request) -> web.StreamResponse:
    """What was entered in a time."""
    number = _number(request)
    if number is None:
        return _no_account(request)
    try:
        since, until = _moment(request.query["fromEnteredTime"]), _moment(request.query["toEnteredTime"])
        most = int(request.query.get("maxResults", 3000))
    except (KeyError, ValueError) as exc:
        return service_error(request, 400, "fromEnteredTime and toEnteredTime are required in ISO-8601", [str(exc)])
    status = request.query.get("status")
    found = [
        document
        for order, document in _documents(request, number).top()
        if since <= order.created_at <= until and status in (None, document["status"])
    ]
    if len(found) > request.app[STATE].most_orders:
        return too_long(request)
    return SCHEMAS.answer(request, "Orders", found[:most], headers=traced())


@signed_in
async def preview(request: web.Request) -> web.StreamResponse:
    """What would become of an order."""
    number = _number(request)
    if number is None:
        return _no_account(request)
    try:
        wanted = new_order(await _body(request))
    except BadOrder as exc:
        return service_error(request, 400, "A validation error occurred while processing the request.", exc.errors)
    why = oversold(wanted, _held(request.app[EXCHANGE], wanted.symbol, ACCOUNTS[number]))
    detail = {"validationRuleName": "Position", "message": why or "", "activityMessage": why or "", "originalSeverity": "REJECT"}
    result: dict[str, Any] = {name: [] for name in ("alerts", "accepts", "rejects", "reviews", "warns")}
    if why:
        result["rejects"] = [detail | {"overrideName": "", "overrideSeverity": "REJECT"}]
    body = {
        "orderId": 0,
        "orderStrategy": {"accountNumber": number, "quantity": wanted.quantity},
        "orderValidationResult": result,
    }
    return SCHEMAS.answer(request, "PreviewOrder", body, headers=traced())


@signed_in
async def transactions(request: web.Request) -> web.StreamResponse:
    """The trades."""
    number = _number(request)
    if number is None:
        return _no_account(request)
    try:
        since, until = _moment(request.query["startDate"]), _moment(request.query["endDate"])
    except (KeyError, ValueError) as exc:
        return service_error(request, 400, "startDate and endDate are required in ISO-8601", [str(exc)])
    fills = request.app[EXCHANGE].fills(ACCOUNTS[number])
    body = [
        {
            "activityId": index,
            "time": stamp(fill.at),
            "accountNumber": number,
            "type": "TRADE",
            "status": "VALID",
            "subAccount": "MARGIN",
            "tradeDate": stamp(fill.at),
            "orderId": request.app[STATE].number(fill.order_id),
            "netAmount": -fill.quantity * fill.price if fill.side == "buy" else fill.quantity * fill.price,
            "transferItems": [
                {
                    "instrument": {"assetType": "EQUITY", "symbol": fill.contract},
                    "amount": fill.quantity if fill.side == "buy" else -fill.quantity,
                    "price": fill.price,
                }
            ],
        }
        for index, fill in enumerate(fills, 1)
        if since <= fill.at <= until
    ]
    return SCHEMAS.answer(request, "Transactions", body, headers=traced())


@signed_in
async def user_preference(request: web.Request) -> web.StreamResponse:
    """Where the streamer is."""
    streamer = {
        "streamerSocketUrl": f"{request.app[OPTIONS].base_url.replace('http', 'ws', 1)}/ws",
        "schwabClientCustomerId": CUSTOMER,
        "schwabClientCorrelId": CORRELATION,
        "schwabClientChannel": CHANNEL,
        "schwabClientFunctionId": FUNCTION,
    }
    shown = [
        {"accountNumber": number, "primaryAccount": not index, "type": "BROKERAGE", "nickName": f"Sim {index + 1}"}
        for index, number in enumerate(ACCOUNTS)
    ]
    body = {"accounts": shown, "streamerInfo": [streamer], "offers": [{"level2Permissions": True, "mktDataPermission": "NP"}]}
    return SCHEMAS.answer(request, "UserPreference", body, headers=traced())


def _placed(exchange: SimulatedExchange, wanted: NewOrder, account: str) -> str:
    """The key of the new order; what Schwab finds wrong later is there, rejected. OrderRefused."""
    why = oversold(wanted, _held(exchange, wanted.symbol, account))
    try:
        order = exchange.reject(wanted, why, account) if why else exchange.place(wanted, account)
    except OrderRefused as exc:
        if exc.code != "insufficient_margin":
            raise
        order = exchange.reject(wanted, _BUYING_POWER, account)
    return f"group:{order.id}" if order.state.other and order.status is not LegStatus.REJECTED else order.id


def _created(request: web.Request, number: str, key: str) -> web.Response:
    order_id = request.app[STATE].number(key)
    location = f"https://api.schwabapi.com/trader/v1/accounts/{HASHES[number]}/orders/{order_id}"
    return web.Response(status=201, headers={**traced(), "Location": location})


def _account(request: web.Request, number: str) -> dict[str, Any]:
    exchange, name = request.app[EXCHANGE], ACCOUNTS[number]
    worth = exchange.balances(name)
    positions = [_position(exchange, contract, held) for contract, held in exchange.positions(name).items()]
    free = worth.equity - worth.margin_used
    balances = {
        "availableFunds": free,
        "buyingPower": free,
        "equity": worth.equity,
        "maintenanceRequirement": worth.margin_used,
        "longMarginValue": sum((each["marketValue"] for each in positions if each["longQuantity"]), Decimal(0)),
        "shortMarginValue": sum((each["marketValue"] for each in positions if each["shortQuantity"]), Decimal(0)),
        "marginBalance": Decimal(0),
    }
    shown: dict[str, Any] = {
        "type": "MARGIN",
        "accountNumber": number,
        "roundTrips": 0,
        "isDayTrader": False,
        "isClosingOnlyRestricted": False,
        "pfcbFlag": False,
        "initialBalances": {"cashBalance": worth.cash, "equity": worth.equity, "liquidationValue": worth.equity},
        "currentBalances": balances,
        "projectedBalances": {"availableFunds": free, "buyingPower": free},
    }
    if positions and request.query.get("fields") == "positions":
        shown["positions"] = positions
    return {"securitiesAccount": shown}


def _position(exchange: SimulatedExchange, contract: str, held: Any) -> dict[str, Any]:
    price = exchange.price(contract)
    result = held.quantity * (price - held.average_price)
    long = held.quantity > 0
    return {
        "longQuantity": max(held.quantity, Decimal(0)),
        "shortQuantity": max(-held.quantity, Decimal(0)),
        "averagePrice": held.average_price,
        "marketValue": held.quantity * price,
        "longOpenProfitLoss" if long else "shortOpenProfitLoss": result,
        "instrument": {"assetType": "EQUITY", "cusip": "000000000", "symbol": contract, "netChange": Decimal(0)},
    }


def _held(exchange: SimulatedExchange, contract: str, account: str) -> Decimal:
    held = exchange.positions(account).get(contract)
    return held.quantity if held else Decimal(0)


def _documents(request: web.Request, number: str) -> Documents:
    return Documents(request.app[EXCHANGE], request.app[STATE], number, ACCOUNTS[number])


def _number(request: web.Request) -> str | None:
    wanted = request.match_info["hash"]
    return next((number for number, known in HASHES.items() if known == wanted), None)


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.read(), parse_float=Decimal)
    except ValueError as exc:
        raise BadOrder("The request could not be read.") from exc
    if not isinstance(body, dict):
        raise BadOrder("The request could not be read.")
    return body


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _no_account(request: web.Request) -> web.Response:
    return service_error(request, 404, "Account not found")


def _no_order(request: web.Request) -> web.Response:
    return service_error(request, 404, "Order not found")
