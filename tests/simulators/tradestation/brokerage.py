"""The brokerage: accounts, balances, positions and orders as they are listed."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from tests.simulators.events import SimOrder
from tests.simulators.options import EXCHANGE
from tests.simulators.tradestation.house import EXCHANGE_ACCOUNTS, HOUSE, SCHEMAS, TYPES, Refusal, accounts_in, signed, today
from tests.simulators.tradestation.rendering import balance_json, order_json, position_json

_BASE = "/v3/brokerage/accounts"
_MOST = 600
ROUTES = web.RouteTableDef()


@ROUTES.get(_BASE)
@signed("accounts")
async def accounts(request: web.Request) -> web.StreamResponse:
    """Every account of the login."""
    found = [{"AccountID": name, "AccountType": kind, "Currency": "USD", "Status": "Active"} for name, kind in TYPES.items()]
    return SCHEMAS.answer(request, "Accounts", {"Accounts": found})


@ROUTES.get(_BASE + "/{accounts}/balances")
@signed("balances")
async def balances(request: web.Request) -> web.StreamResponse:
    """Cash and equity."""
    known, errors = accounts_in(request)
    found = [balance_json(each, request.app[EXCHANGE].balances(EXCHANGE_ACCOUNTS[each])) for each in known]
    return SCHEMAS.answer(request, "Balances", {"Balances": found, "Errors": errors})


@ROUTES.get(_BASE + "/{accounts}/positions")
@signed("positions")
async def positions(request: web.Request) -> web.StreamResponse:
    """What is held."""
    house, (known, errors) = request.app[HOUSE], accounts_in(request)
    found = [
        position_json(house, each, contract, held)
        for each in known
        for contract, held in house.exchange.positions(EXCHANGE_ACCOUNTS[each]).items()
    ]
    return SCHEMAS.answer(request, "Positions", {"Positions": found, "Errors": errors})


@ROUTES.get(_BASE + "/{accounts}/orders")
@signed("orders")
async def orders(request: web.Request) -> web.StreamResponse:
    """The orders of today and the open ones."""
    return _listed(request, "Orders", _is_present(request))


@ROUTES.get(_BASE + "/{accounts}/historicalorders")
@signed("orders")
async def historical_orders(request: web.Request) -> web.StreamResponse:
    """The orders of former days that have ended."""
    return _listed(request, "HistoricalOrders", _is_past(request))


@ROUTES.get(_BASE + "/{accounts}/orders/{orders}")
@signed("orders")
async def orders_by_id(request: web.Request) -> web.StreamResponse:
    """Some of today's or open orders."""
    return _by_id(request, "OrdersById", _is_present(request))


@ROUTES.get(_BASE + "/{accounts}/historicalorders/{orders}")
@signed("orders")
async def historical_orders_by_id(request: web.Request) -> web.StreamResponse:
    """Some of the orders of former days."""
    return _by_id(request, "HistoricalOrdersById", _is_past(request))


def _is_present(request: web.Request) -> Callable[[SimOrder], bool]:
    begins = today(request)
    return lambda order: not order.status.ended or order.updated_at >= begins


def _is_past(request: web.Request) -> Callable[[SimOrder], bool]:
    try:
        since = datetime.strptime(request.query["since"], "%Y-%m-%d").replace(tzinfo=UTC)
    except (KeyError, ValueError):
        raise Refusal(400, "since: a date is missing") from None
    begins = today(request)
    if (begins - since).days > 90:
        raise Refusal(400, "since: at most 90 days before today")
    return lambda order: order.status.ended and since <= order.updated_at < begins


def _listed(request: web.Request, name: str, wanted: Callable[[SimOrder], bool]) -> web.StreamResponse:
    house, (known, errors) = request.app[HOUSE], accounts_in(request)
    found = [order for each in known for order in house.exchange.orders(EXCHANGE_ACCOUNTS[each]) if wanted(order)]
    found.reverse()
    size = int(request.query.get("pageSize", _MOST))
    if not 1 <= size <= _MOST:
        raise Refusal(400, "pageSize: 1 to 600")
    begin = int(base64.b64decode(request.query["nextToken"])) if "nextToken" in request.query else 0
    page: dict[str, Any] = {"Orders": [order_json(house, order) for order in found[begin : begin + size]], "Errors": errors}
    if begin + size < len(found):
        page["NextToken"] = base64.b64encode(str(begin + size).encode()).decode()
    return SCHEMAS.answer(request, name, page)


def _by_id(request: web.Request, name: str, wanted: Callable[[SimOrder], bool]) -> web.StreamResponse:
    house, (known, errors) = request.app[HOUSE], accounts_in(request)
    own = {EXCHANGE_ACCOUNTS[each] for each in known}
    found = []
    for number in request.match_info["orders"].split(","):
        order = house.order(number)
        if order and order.account in own and wanted(order):
            found.append(order_json(house, order))
        else:
            errors.append({"AccountID": known[0], "OrderID": number, "Error": "NotFound", "Message": "Order not found."})
    return SCHEMAS.answer(request, name, {"Orders": found, "Errors": errors})
