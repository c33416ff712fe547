"""Orders: POST, GET, PATCH and DELETE /v2/orders."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from aiohttp import web

from fillpath.market.instruments import instrument_of
from fillpath.orders.model import OrderType, Side
from fillpath_brokers.facade import Change
from tests.simulators.alpaca.errors import Refusal, signed
from tests.simulators.alpaca.rendering import order_json
from tests.simulators.alpaca.schemas import SCHEMAS
from tests.simulators.events import SimOrder
from tests.simulators.exchange import NewOrder, OrderRefused, SimulatedExchange
from tests.simulators.options import EXCHANGE

_TIF = {"day", "gtc", "opg", "cls", "ioc", "fok"}
_WORDS = {
    "invalid_symbol": (422, 42210000, 'asset "{}" not found'),
    "insufficient_margin": (403, 40310000, "insufficient buying power"),
    "short_not_allowed": (403, 40310000, "account is not allowed to short"),
}
UNLISTED = "ZZZZ"
"""A ticker that is no share at all."""
ROUTES = web.RouteTableDef()


@ROUTES.post("/v2/orders")
@signed
async def place(request: web.Request) -> web.StreamResponse:
    """Place an order of any class."""
    exchange, body = request.app[EXCHANGE], await _body(request)
    wanted = _new_order(body)
    _check(exchange, wanted)
    try:
        order = exchange.place(wanted)
    except OrderRefused as exc:
        status, code, words = _WORDS.get(exc.code, (422, 42210000, exc.text))
        raise Refusal(status, code, words.format(wanted.symbol)) from exc
    first = "pending_new" if order.state.type is OrderType.MARKET else None
    return SCHEMAS.answer(request, "Order", order_json(exchange, order, status=first))


@ROUTES.get("/v2/orders")
@signed
async def listed(request: web.Request) -> web.StreamResponse:
    """Orders by status, oldest or newest first, `limit` at a time."""
    exchange, query = request.app[EXCHANGE], request.query
    nested = query.get("nested") == "true"
    found = [order for order in exchange.orders() if _wanted(order, query) and not (nested and order.state.parent)]
    if query.get("direction", "desc") == "desc":
        found.reverse()
    page = found[: min(int(query.get("limit", 50)), 500)]
    return SCHEMAS.answer(request, "Orders", [order_json(exchange, order, nested=nested) for order in page])


@ROUTES.get("/v2/orders:by_client_order_id")
@signed
async def by_client_order_id(request: web.Request) -> web.StreamResponse:
    """The order of a client order id."""
    exchange = request.app[EXCHANGE]
    order = exchange.by_client_order_id(request.query["client_order_id"])
    if order is None:
        raise Refusal(404, 40410000, "order not found")
    return SCHEMAS.answer(request, "Order", order_json(exchange, order, nested=False))


@ROUTES.get("/v2/orders/{id}")
@signed
async def one(request: web.Request) -> web.StreamResponse:
    """One order."""
    exchange = request.app[EXCHANGE]
    order = _find(exchange, request)
    return SCHEMAS.answer(request, "Order", order_json(exchange, order, nested=request.query.get("nested") == "true"))


@ROUTES.patch("/v2/orders/{id}")
@signed
async def replace(request: web.Request) -> web.StreamResponse:
    """A new order in place of a working one."""
    exchange, body = request.app[EXCHANGE], await _body(request)
    order = _find(exchange, request)
    change = Change(_number(body, "qty"), _number(body, "limit_price"), _number(body, "stop_price"))
    try:
        fresh = exchange.replace(order.id, change, renew=True, client_order_id=body.get("client_order_id", ""))
    except OrderRefused as exc:
        raise Refusal(422, 42210000, exc.text) from exc
    return SCHEMAS.answer(request, "Order", order_json(exchange, fresh))


@ROUTES.delete("/v2/orders/{id}")
@signed
async def cancel(request: web.Request) -> web.StreamResponse:
    """Cancel a working order."""
    exchange = request.app[EXCHANGE]
    order = _find(exchange, request)
    if order.status.ended:
        raise Refusal(422, 42210000, f'order is already in "{order_json(exchange, order)["status"]}" state')
    exchange.cancel(order.id)
    return web.Response(status=204)


@ROUTES.delete("/v2/orders")
@signed
async def cancel_all(request: web.Request) -> web.StreamResponse:
    """Cancel every working order."""
    exchange = request.app[EXCHANGE]
    working = [order.id for order in exchange.orders(working=True)]
    for order_id in working:
        exchange.cancel(order_id)
    return SCHEMAS.answer(request, "Cancelled", [{"id": each, "status": 200} for each in working], status=207)


def reserved(exchange: SimulatedExchange, symbol: str, side: Side) -> Decimal:
    """What working orders of that side may still take of a position."""
    orders = [order for order in exchange.orders(working=True) if order.state.contract == symbol and order.state.side is side]
    singles = [order for order in orders if not (order.state.other and order.state.type is not OrderType.LIMIT)]
    return sum((order.state.remaining for order in singles), Decimal(0))


def _new_order(body: Mapping[str, Any]) -> NewOrder:
    symbol, tif = str(body.get("symbol", "")), body.get("time_in_force")
    known = instrument_of(symbol)
    if known is None or known.kind != "equity" or symbol == UNLISTED:
        raise Refusal(422, 42210000, f'asset "{symbol}" not found')
    if tif not in _TIF:
        raise Refusal(422, 42210000, "invalid time_in_force")
    quantity = _number(body, "qty")
    if quantity is None or quantity <= 0:
        raise Refusal(422, 40010001, "qty is required")
    kind, order_class = str(body.get("type")), str(body.get("order_class") or "")
    target, stop = body.get("take_profit") or {}, body.get("stop_loss") or {}
    pair = order_class == "oco"
    return NewOrder(
        symbol=symbol,
        side=Side(body["side"]),
        quantity=quantity,
        type=OrderType.OCO if pair else OrderType(kind),
        limit_price=_number(target, "limit_price") if pair else _number(body, "limit_price"),
        stop_price=_number(stop, "stop_price") if pair else _number(body, "stop_price"),
        trail_amount=_number(body, "trail_price"),
        trail_percent=_number(body, "trail_percent"),
        take_profit=None if pair else _number(target, "limit_price"),
        stop_loss=None if pair else _number(stop, "stop_price"),
        time_in_force=str(tif),
        client_order_id=str(body.get("client_order_id") or ""),
        details={"order_class": "" if order_class == "simple" else order_class, "extended_hours": body.get("extended_hours")},
    )


def _check(exchange: SimulatedExchange, wanted: NewOrder) -> None:
    if wanted.client_order_id and exchange.by_client_order_id(wanted.client_order_id):
        raise Refusal(422, 40010001, "client_order_id must be unique")
    for name in ("limit_price", "stop_price", "take_profit", "stop_loss"):
        price = getattr(wanted, name)
        if price is not None and price >= 1 and price != price.quantize(Decimal("0.01")):
            text = f"invalid {name} {price}. sub-penny increment does not fulfill minimum pricing criteria"
            raise Refusal(422, 42210000, text)
    if wanted.quantity % 1 and (wanted.take_profit or wanted.stop_loss):
        raise Refusal(422, 42210000, "fractional orders must be simple orders")
    _check_held(exchange, wanted)


def _check_held(exchange: SimulatedExchange, wanted: NewOrder) -> None:
    """No order goes through zero, and what other orders may take is not there twice."""
    held = exchange.positions().get(wanted.symbol)
    if held is None or wanted.side.sign * held.quantity > 0:
        return
    taken = reserved(exchange, wanted.symbol, wanted.side)
    available = abs(held.quantity) - taken
    if wanted.quantity > available:
        text = f"insufficient qty available for order (requested: {wanted.quantity}, available: {available})"
        extras = {"existing_qty": str(abs(held.quantity)), "held_for_orders": str(taken), "symbol": wanted.symbol}
        raise Refusal(403, 40310000, text, available=str(available), **extras)


def _wanted(order: SimOrder, query: Mapping[str, str]) -> bool:
    status, after = query.get("status", "open"), query.get("after")
    symbols = query.get("symbols")
    return (
        (status == "all" or order.status.ended is (status == "closed"))
        and (not after or order.created_at > datetime.fromisoformat(after.replace(" ", "+")))
        and (not symbols or order.state.contract in symbols.split(","))
    )


def _find(exchange: SimulatedExchange, request: web.Request) -> SimOrder:
    order = exchange.order(request.match_info["id"])
    if order is None:
        raise Refusal(404, 40410000, f"order not found for {request.match_info['id']}")
    return order


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refusal(400, 40010000, "request body format is invalid")
    return body


def _number(body: Mapping[str, Any], name: str) -> Decimal | None:
    try:
        return None if body.get(name) is None else Decimal(str(body[name]))
    except InvalidOperation as exc:
        raise Refusal(422, 40010001, f"{name} must be a number") from exc
