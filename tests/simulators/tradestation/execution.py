"""Order execution: placing (alone, with orders that follow, in groups), changing, cancelling, previewing."""

import secrets
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from aiohttp import web

from fillpath.orders.model import OrderType, Side
from fillpath_brokers.facade import Change
from tests.simulators.events import SimOrder
from tests.simulators.exchange import NewOrder, OrderRefused
from tests.simulators.options import EXCHANGE
from tests.simulators.schemas import WrongReply
from tests.simulators.tradestation.house import EXCHANGE_ACCOUNTS, HOUSE, SCHEMAS, TYPES, House, Refusal, signed
from tests.simulators.tradestation.names import behind, ours, theirs
from tests.simulators.tradestation.rendering import described, text

ORDERS, GROUPS = "/v3/orderexecution/orders", "/v3/orderexecution/ordergroups"
ROUTES = web.RouteTableDef()

_TYPES = {
    "Market": OrderType.MARKET,
    "Limit": OrderType.LIMIT,
    "StopMarket": OrderType.STOP,
    "StopLimit": OrderType.STOP_LIMIT,
}
_TIF = {"DAY": "day", "DYP": "day", "GTC": "gtc", "GCP": "gtc", "IOC": "ioc", "FOK": "fok"}
_EXTENDED = {"DYP", "GCP"}
_TEXTS = {
    "insufficient_margin": "You have insufficient funds to place this trade.",
    "invalid_symbol": "Invalid symbol.",
    "invalid_price": "Invalid price: it is no multiple of the minimum price increment.",
    "market_closed": "The market is closed for this symbol.",
    "short_not_allowed": "This symbol is hard to borrow: short sale not allowed.",
}
_LATE = {
    "duration": "No market or stop orders with TIF of 'Day+','GTC+','GTD+', or 'Fill-or-Kill'",
    "below": "Invalid Stop Price - Stop Price must be below current market.",
    "above": "Invalid Stop Price - Stop Price must be above current market.",
}


class Failed(Exception):
    """The order is refused with a 200."""


@ROUTES.post(ORDERS)
@signed("execution")
async def place(request: web.Request) -> web.StreamResponse:
    """One order, with those that follow its fill."""
    body = await _body(request, "OrderRequest")
    house = request.app[HOUSE]
    refused = house.refusal_of_exit() if body.get("OSOs") else ""
    if refused:
        body["OSOs"] = _without_last(body["OSOs"])
    try:
        taken = _placed(house, body, _with_exits(house, body))
    except Failed as exc:
        return _failed(request, str(exc))
    errors = {"Errors": [_error(house, refused)]} if refused else {}
    return SCHEMAS.answer(request, "OrderResponses", {"Orders": [_sent(house, each) for each in taken]} | errors)


@ROUTES.post(GROUPS)
@signed("execution")
async def place_group(request: web.Request) -> web.StreamResponse:
    """A limit and a stop that exit the same position; no other group is simulated."""
    body = await _body(request, "GroupOrderRequest")
    house = request.app[HOUSE]
    text_of_refusal = house.refusal_of_second()
    try:
        wanted, first = _pair(house, body)
        if text_of_refusal:
            taken = _placed(house, body["Orders"][0], _new_order(house, body["Orders"][0]))
            errors = [_error(house, text_of_refusal)]
            return SCHEMAS.answer(request, "OrderResponses", {"Orders": [_sent(house, each) for each in taken], "Errors": errors})
        taken = _placed(house, first, wanted)
    except Failed as exc:
        return _failed(request, str(exc))
    return SCHEMAS.answer(request, "OrderResponses", {"Orders": [_sent(house, each) for each in taken]})


@ROUTES.put(ORDERS + "/{order}")
@signed("execution")
async def replace(request: web.Request) -> web.StreamResponse:
    """Change a working order, which keeps its number."""
    body = await _body(request, "OrderReplaceRequest")
    order = _working(request, "Failed to Cancel/Replace order: Not an open order.")
    change = Change(_number(body, "Quantity"), _number(body, "LimitPrice"), _number(body, "StopPrice"))
    try:
        request.app[EXCHANGE].replace(order.id, change)
    except OrderRefused as exc:
        raise Refusal(400, f"Failed to Cancel/Replace order: {exc.text}") from exc
    return _acknowledged(request, "Cancel/Replace order sent.")


@ROUTES.delete(ORDERS + "/{order}")
@signed("execution")
async def cancel(request: web.Request) -> web.StreamResponse:
    """Cancel a working order alone; one of a pair leaves the other."""
    order = _working(request, "Not an open order.")
    request.app[EXCHANGE].cancel(order.id)
    return _acknowledged(request, "Cancel request sent")


@ROUTES.post("/v3/orderexecution/orderconfirm")
@signed("execution")
async def confirm(request: web.Request) -> web.StreamResponse:
    """What an order would cost."""
    body = await _body(request, "OrderRequest")
    house = request.app[HOUSE]
    try:
        wanted = _new_order(house, body)
    except Failed as exc:
        return _failed(request, str(exc))
    instrument, price = behind(wanted.symbol), wanted.limit_price or house.exchange.price(wanted.symbol)
    cost = price * wanted.quantity * instrument.multiplier
    shown: dict[str, Any] = {
        "AccountID": body["AccountID"],
        "OrderAssetCategory": "FUTURE" if instrument.months else "EQUITY",
        "Currency": "USD",
        "Route": body.get("Route", "Intelligent"),
        "TimeInForce": {"Duration": body["TimeInForce"]["Duration"]},
        "OrderConfirmID": secrets.token_urlsafe(16),
        "EstimatedPrice": text(price),
        "EstimatedCost": text(cost),
        "EstimatedCommission": text(instrument.commission * wanted.quantity),
        "SummaryMessage": f"{body['TradeAction']} {body['Quantity']} {body['Symbol']}",
    }
    if instrument.months:
        shown["InitialMarginDisplay"] = f"{instrument.margin * wanted.quantity:,.2f} USD"
    return SCHEMAS.answer(request, "OrderConfirmResponses", {"Confirmations": [shown]})


def _placed(house: House, body: Mapping[str, Any], wanted: NewOrder) -> list[SimOrder]:
    """Every order that comes of it, those that follow first, as TradeStation lists them."""
    account = EXCHANGE_ACCOUNTS[body["AccountID"]]
    _check_once(house, body)
    if (late := _rejected_later(house, wanted)) is not None:
        return [house.exchange.reject(wanted, late, account)]
    try:
        order = house.exchange.place(wanted, account)
    except OrderRefused as exc:
        raise Failed(_TEXTS.get(exc.code, exc.text)) from exc
    taken = [found for each in _follow(house, order) if (found := house.exchange.order(each))]
    for each in taken:
        house.number(each.id)
    return taken


def _follow(house: House, order: SimOrder) -> list[str]:
    first = house.exchange.order(order.state.exits) if order.state.exits else None
    others = [first.id, first.state.other] if first else [order.state.other]
    return [*(each for each in others if each), order.id]


def _without_last(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    orders = groups[-1]["Orders"][:-1]
    return [*groups[:-1], *([{**groups[-1], "Orders": orders}] if orders else [])]


def _with_exits(house: House, body: Mapping[str, Any]) -> NewOrder:
    wanted = _new_order(house, body)
    groups = body.get("OSOs") or []
    if not groups:
        return wanted
    exits = [_new_order(house, each, follows=wanted) for group in groups for each in group["Orders"]]
    kinds = {each.type for each in exits}
    if len(groups) > 1 or len(kinds) != len(exits) or not kinds <= {OrderType.LIMIT, OrderType.STOP}:
        raise Failed("not simulated: other orders to follow than a limit and a stop")
    fields = {name: getattr(wanted, name) for name in NewOrder.__slots__}
    target, stop = (next((each for each in exits if each.type is kind), None) for kind in (OrderType.LIMIT, OrderType.STOP))
    details = {**wanted.details, "exits_duration": groups[0]["Orders"][0]["TimeInForce"]["Duration"]}
    levels = {"take_profit": target and target.limit_price, "stop_loss": stop and stop.stop_price}
    return NewOrder(**fields | levels | {"details": details, "exits_reduce_only": True})


def _pair(house: House, body: Mapping[str, Any]) -> tuple[NewOrder, Mapping[str, Any]]:
    orders: Sequence[Mapping[str, Any]] = body["Orders"]
    halves = [_new_order(house, each) for each in orders]
    if body["Type"] != "BRK" or {half.type for half in halves} != {OrderType.LIMIT, OrderType.STOP} or len(halves) != 2:
        raise Failed("not simulated: other groups than a bracket of a limit and a stop")
    limit, stop = sorted(halves, key=lambda half: half.type is OrderType.STOP)
    if (limit.symbol, limit.side) != (stop.symbol, stop.side):
        raise Failed("Bracket orders must be for the same symbol and on the same side of the market.")
    held = house.exchange.positions(EXCHANGE_ACCOUNTS[orders[0]["AccountID"]]).get(limit.symbol)
    if held is None or held.quantity * limit.side.sign >= 0:
        raise Failed("Bracket orders must close an open position.")
    for each in orders[1:]:
        _check_once(house, each)
    fields = {name: getattr(limit, name) for name in NewOrder.__slots__}
    details = {**limit.details, "closes": True}
    return NewOrder(**fields | {"type": OrderType.OCO, "stop_price": stop.stop_price, "details": details}), orders[0]


def _new_order(house: House, body: Mapping[str, Any], follows: NewOrder | None = None) -> NewOrder:
    account, action = body["AccountID"], str(body["TradeAction"]).upper()
    if account not in TYPES:
        raise Refusal(403, "Invalid Account ID.")
    contract = None if body["Symbol"].startswith("@") else ours(body["Symbol"], house.exchange.now().date())
    if contract is None:
        raise Failed("Invalid symbol.")
    duration, quantity = body["TimeInForce"]["Duration"], _number(body, "Quantity")
    if duration not in _TIF or quantity is None or quantity <= 0 or quantity % 1:
        raise Refusal(400, "Invalid TimeInForce or Quantity.")
    _check_action(house, account, contract, action, quantity, follows)
    tick = behind(contract).tick_size
    if any((_number(body, name) or 0) % tick for name in ("LimitPrice", "StopPrice")):
        raise Failed(_TEXTS["invalid_price"])
    trail = (body.get("AdvancedOptions") or {}).get("TrailingStop") or {}
    return NewOrder(
        symbol=contract,
        side=Side.BUY if action.startswith("BUY") else Side.SELL,
        quantity=quantity,
        type=OrderType.TRAILING_STOP if trail else _TYPES[body["OrderType"]],
        limit_price=_number(body, "LimitPrice"),
        stop_price=None if trail else _number(body, "StopPrice"),
        trail_amount=_number(trail, "Amount"),
        trail_percent=_number(trail, "Percent"),
        time_in_force=_TIF[duration],
        details={
            "action": action,
            "duration": duration,
            "exits_duration": duration,
            "route": body.get("Route", "Intelligent"),
            "closes": action == "BUYTOCOVER",
        },
    )


def _check_action(house: House, account: str, contract: str, action: str, quantity: Decimal, follows: NewOrder | None) -> None:
    kind = behind(contract).kind
    if (kind == "future") != (TYPES[account] == "Futures"):
        raise Failed("Request not supported for account type.")
    if kind == "future" or follows is not None:
        if kind == "future" and action not in {"BUY", "SELL"}:
            raise Failed(f"Invalid trade action {action} for a future.")
        return
    holding = house.exchange.positions(EXCHANGE_ACCOUNTS[account]).get(contract)
    held = holding.quantity if holding else Decimal(0)
    if action == "SELLSHORT" and held > 0:
        raise Failed('EC804: Boxed positions are not permitted. To close long position, try a "Sell" order')
    if action == "BUY" and held < 0:
        raise Failed('EC804: Boxed positions are not permitted. To close short position, try a "Buy to Cover" order')
    if (action == "SELL" and quantity > held) or (action == "BUYTOCOVER" and quantity > -held):
        raise Failed("You do not have enough of a position: insufficient position to close.")


def _check_once(house: House, body: Mapping[str, Any]) -> None:
    """A confirmation id is taken once."""
    confirm_id = body.get("OrderConfirmID")
    if confirm_id is None:
        return
    if confirm_id in house.confirmed:
        raise Failed("Duplicate order.")
    house.confirmed.add(confirm_id)


def _rejected_later(house: House, wanted: NewOrder) -> str | None:
    """Why an order is taken first and rejected then."""
    plain = wanted.type in {OrderType.MARKET, OrderType.STOP, OrderType.TRAILING_STOP}
    if plain and wanted.details["duration"] in _EXTENDED:
        return _LATE["duration"]
    price = house.exchange.price(wanted.symbol)
    if wanted.type in {OrderType.STOP, OrderType.STOP_LIMIT} and wanted.stop_price is not None:
        if wanted.side is Side.SELL and wanted.stop_price >= price:
            return _LATE["below"]
        if wanted.side is Side.BUY and wanted.stop_price <= price:
            return _LATE["above"]
    return None


def _sent(house: House, order: SimOrder) -> dict[str, str]:
    symbol = theirs(order.state.contract, house.exchange.now().date())
    return {"Message": f"Sent order: {described(order, symbol)}", "OrderID": house.number(order.id)}


def _failed(request: web.Request, reason: str) -> web.Response:
    return SCHEMAS.answer(request, "OrderResponses", {"Orders": [], "Errors": [_error(request.app[HOUSE], reason)]})


def _error(house: House, reason: str) -> dict[str, str]:
    return {"Error": "FAILED", "Message": f"Order failed. Reason: {reason}", "OrderID": house.number(secrets.token_hex(8))}


def _acknowledged(request: web.Request, message: str) -> web.Response:
    return SCHEMAS.answer(request, "OrderResponse", {"Message": message, "OrderID": request.match_info["order"]})


def _working(request: web.Request, ended: str) -> SimOrder:
    order = request.app[HOUSE].order(request.match_info["order"])
    if order is None:
        raise Refusal(400, "Invalid order ID.")
    if order.status.ended:
        raise Refusal(400, ended)
    return order


async def _body(request: web.Request, name: str) -> dict[str, Any]:
    try:
        body: dict[str, Any] = await request.json()
        SCHEMAS.check(name, body)
    except (ValueError, WrongReply) as exc:
        raise Refusal(400, f"The request is invalid: {exc}") from exc
    return body


def _number(body: Mapping[str, Any], name: str) -> Decimal | None:
    try:
        return Decimal(str(body[name])) if name in body else None
    except InvalidOperation as exc:
        raise Refusal(400, f"{name} must be a number") from exc
