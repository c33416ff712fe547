"""Tradovate's endpoints, the same over REST and over its sockets: query and body come in, the document of the answer comes out.

A fault of their own: {"refuse": {"failureReason", "failureText", "times"?}} refuses what places orders.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from fillpath.market.instruments import instrument_of
from fillpath.orders.model import OrderType, Side
from fillpath_brokers.facade import Change
from tests.simulators.events import SimOrder
from tests.simulators.exchange import ACCOUNT, NewOrder, OrderRefused, SimulatedExchange
from tests.simulators.tradovate.gate import Gate
from tests.simulators.tradovate.schemas import is_request
from tests.simulators.tradovate.world import ACCOUNT_ID, ACCOUNT_NAME, TIMES, TYPES, World

Document = dict[str, Any]
_OURS = {theirs: ours for ours, theirs in TYPES.items()}
_TIMES = {theirs: ours for ours, theirs in TIMES.items()}
_FAILURES = {
    "invalid_symbol": "InvalidContract",
    "invalid_price": "InvalidPrice",
    "not_working": "TooLate",
    "market_closed": "SessionClosed",
}
_WORDS = {"market_closed": "The market is closed", "invalid_symbol": "Contract is not found"}


class Refusal(Exception):
    """An answer that is an HTTP error, with its text."""

    def __init__(self, status: int, text: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class Failure(Exception):
    """An answer of status 200 that refuses."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.document = {"failureReason": reason, "failureText": text}


@dataclass(slots=True)
class Desk:
    """What the endpoints work with; `refusals` are those that a fault wants."""

    exchange: SimulatedExchange
    world: World
    gate: Gate
    refusals: list[Document] = field(default_factory=list)

    def refuse(self, wanted: Document) -> None:
        """The next placing requests are refused so."""
        refusal = {name: wanted[name] for name in ("failureReason", "failureText")}
        self.refusals += [refusal] * int(wanted.get("times", 1))


def answer(desk: Desk, method: str, endpoint: str, query: Mapping[str, str], body: Any) -> Any:
    """The document that answers; Refusal."""
    desk.world.catch_up()
    if endpoint in _DOING:
        sent = {name: value for name, value in (body or {}).items() if name != "p-ticket"}
        if wrong := is_request(method, endpoint, sent):
            raise Refusal(400, wrong)
        desk.world.requests.append((endpoint, sent))
        try:
            return _DOING[endpoint](desk, sent)
        except Failure as failure:
            return failure.document
        finally:
            desk.world.catch_up()
    kind, _, how = endpoint.partition("/")
    if kind not in desk.world.entities or how not in _READING:
        raise Refusal(404, f"no such endpoint: {endpoint}")
    return _READING[how](desk.world, kind, query)


def _item(world: World, kind: str, query: Mapping[str, str]) -> Document:
    found = world.entities[kind].get(int(query["id"]))
    if found is None:
        raise Refusal(404)
    return found


def _find(world: World, kind: str, query: Mapping[str, str]) -> Document:
    found = next((each for each in world.entities[kind].values() if each.get("name") == query["name"]), None)
    if found is None:
        raise Refusal(404)
    return found


def _items(world: World, kind: str, query: Mapping[str, str]) -> list[Document]:
    return [world.entities[kind][each] for each in _numbers(query["ids"]) if each in world.entities[kind]]


def _suggest(world: World, kind: str, query: Mapping[str, str]) -> list[Document]:
    fronts = {each["id"] for each in world.entities["contractMaturity"].values() if each["isFront"]}
    found = [each for each in world.entities[kind].values() if str(each["name"]).startswith(query["t"])]
    found.sort(key=lambda each: (each.get("contractMaturityId") not in fronts, len(each["name"]), each["id"]))
    return found[: int(query.get("l", 10))]


_READING: dict[str, Callable[[World, str, Mapping[str, str]], Any]] = {
    "list": lambda world, kind, _: list(world.entities[kind].values()),
    "item": _item,
    "items": _items,
    "find": _find,
    "suggest": _suggest,
    "deps": lambda world, kind, query: world.of_masters(kind, {int(query["masterid"])}),
    "ldeps": lambda world, kind, query: world.of_masters(kind, set(_numbers(query["masterids"]))),
}


def _place(desk: Desk, body: Document, **more: Any) -> SimOrder:
    _may_place(desk, body)
    wanted = _wanted(body, **more)
    try:
        return desk.exchange.place(wanted)
    except OrderRefused as exc:
        if exc.code == "insufficient_margin":
            return desk.exchange.reject(wanted, exc.text)
        raise Failure(_FAILURES.get(exc.code, "UnknownReason"), _WORDS.get(exc.code, exc.text)) from exc


def _may_place(desk: Desk, body: Document) -> None:
    if desk.refusals:
        refusal = desk.refusals.pop(0)
        raise Failure(refusal["failureReason"], refusal["failureText"])
    if (body.get("accountId"), body.get("accountSpec")) != (ACCOUNT_ID, ACCOUNT_NAME):
        raise Failure("Unauthorized", "Access is denied")
    if desk.world.contract(body["symbol"]) is None:
        raise Failure("InvalidContract", f"Unknown contract {body['symbol']}")
    if body["orderType"] not in _OURS:
        raise Failure("Unsupported", f"{body['orderType']} is not simulated")


def _wanted(body: Document, **more: Any) -> NewOrder:
    kind = _OURS[body["orderType"]]
    trail = body.get("pegDifference")
    instrument = instrument_of(body["symbol"])
    prices = {name: _price(body, key) for name, key in (("limit_price", "price"), ("stop_price", "stopPrice"))}
    needed = {OrderType.LIMIT: ["price"], OrderType.STOP: ["stopPrice"], OrderType.STOP_LIMIT: ["price", "stopPrice"]}
    for name in needed.get(kind, []):
        if body.get(name) is None:
            raise Failure("InvalidPrice", f"{name} is missing")
        if instrument and _decimal(body[name]) % instrument.tick_size:
            raise Failure("InvalidPrice", f"{name} {body[name]} is no multiple of the tick size {instrument.tick_size}")
    if kind is OrderType.TRAILING_STOP and trail is None:
        raise Failure("InvalidPrice", "pegDifference is missing")
    return NewOrder(
        symbol=body["symbol"],
        side=Side(body["action"].lower()),
        quantity=Decimal(body["orderQty"]),
        time_in_force=_TIMES[body.get("timeInForce", "Day")],
        client_order_id=body.get("clOrdId", ""),
        **{"type": kind, **prices, "trail_amount": None if trail is None else abs(_decimal(trail)), **more},
    )


def _placed(desk: Desk, order: SimOrder, names: dict[str, str | None]) -> None:
    """Numbers in the order in which the answer has them, and client order ids, before anything is told."""
    for order_id, name in names.items():
        desk.world.order_id(order_id)
        if name:
            desk.world.names[order_id] = name


def _place_one(desk: Desk, body: Document) -> Document:
    order = _place(desk, body)
    _placed(desk, order, {order.id: body.get("clOrdId")})
    return {"orderId": desk.world.order_id(order.id)}


def _place_pair(desk: Desk, body: Document) -> Document:
    other = body["other"]
    by_type = {each["orderType"]: each for each in (body, other)}
    if set(by_type) != {"Limit", "Stop"} or body["action"] != other["action"]:
        raise Failure("Unsupported", "only a limit and a stop of one side are simulated")
    limit, stop = _price(by_type["Limit"], "price"), _price(by_type["Stop"], "stopPrice")
    order = _place(desk, body, type=OrderType.OCO, limit_price=limit, stop_price=stop)
    second = order.state.other or order.id
    _placed(desk, order, {order.id: by_type["Limit"].get("clOrdId"), second: by_type["Stop"].get("clOrdId")})
    ids = [desk.world.order_id(order.id), desk.world.order_id(second)]
    first_is_limit = body["orderType"] == "Limit"
    return {"orderId": ids[0 if first_is_limit else 1], "ocoId": ids[1 if first_is_limit else 0]}


def _place_bracket(desk: Desk, body: Document) -> Document:
    brackets = [body[name] for name in ("bracket1", "bracket2") if body.get(name)]
    by_type = {each["orderType"]: each for each in brackets}
    if not set(by_type) <= {"Limit", "Stop"} or len(by_type) != len(brackets):
        raise Failure("Unsupported", "only one limit and one stop are simulated")
    target, stop = by_type.get("Limit"), by_type.get("Stop")
    exits = {
        "take_profit": _price(target, "price") if target else None,
        "stop_loss": _price(stop, "stopPrice") if stop else None,
    }
    order = _place(desk, body, **exits)
    first = desk.exchange.order(order.state.exits) if order.state.exits else None
    ids = {"Limit" if target else "Stop": first.id} if first else {}
    if first and first.state.other:
        ids["Stop"] = first.state.other
    _placed(desk, order, {order.id: body.get("clOrdId")} | {ids[kind]: by_type[kind].get("clOrdId") for kind in ids})
    numbers = [desk.world.order_id(ids[each["orderType"]]) for each in brackets if each["orderType"] in ids]
    return {"orderId": desk.world.order_id(order.id), **{f"oso{n}Id": number for n, number in enumerate(numbers, 1)}}


def _modify(desk: Desk, body: Document) -> Document:
    order = _known(desk, body["orderId"])
    state = order.state
    if TYPES[state.type] != body["orderType"]:
        raise Failure("Unsupported", "the type of an order cannot be changed")
    for name, value in (("price", state.limit_price), ("stopPrice", state.stop_price)):
        if value is not None and body.get(name) is None:
            raise Failure("InvalidPrice", f"{name} is missing: all values must be sent")
    change = Change(Decimal(body["orderQty"]), _price(body, "price"), _price(body, "stopPrice"))
    try:
        desk.exchange.replace(order.id, change)
    except OrderRefused as exc:
        raise Failure(_FAILURES.get(exc.code, "UnknownReason"), exc.text) from exc
    return {"commandId": desk.world.command(body["orderId"], "Modify", body.get("clOrdId", ""))}


def _cancel(desk: Desk, body: Document) -> Document:
    order = _known(desk, body["orderId"])
    if order.status.ended:
        raise Failure("TooLate", "The order is already completed")
    command = desk.world.command(body["orderId"], "Cancel", body.get("clOrdId", ""))
    desk.exchange.cancel(order.id)
    return {"commandId": command}


def _liquidate(desk: Desk, body: Document) -> Document:
    name = desk.world.entities["contract"][body["contractId"]]["name"]
    for order in desk.exchange.orders(working=True):
        if order.state.contract == name:
            desk.exchange.cancel(order.id)
    held = desk.exchange.positions(ACCOUNT).get(name)
    if held is None:
        return {}
    order = desk.exchange.place(NewOrder(name, Side.of(-held.quantity), abs(held.quantity)))
    return {"orderId": desk.world.order_id(order.id)}


def _balance(desk: Desk, body: Document) -> Document:
    if body["accountId"] != ACCOUNT_ID:
        return {"errorText": "Access is denied"}
    worth = desk.exchange.balances(ACCOUNT)
    return {
        "totalCashValue": float(worth.cash),
        "totalPnL": float(worth.realised_pnl + worth.unrealised_pnl),
        "initialMargin": float(worth.margin_used),
        "maintenanceMargin": float(worth.margin_used),
        "netLiq": float(worth.equity),
        "openPnL": float(worth.unrealised_pnl),
        "realizedPnL": float(worth.realised_pnl),
        "weekRealizedPnL": float(worth.realised_pnl),
    }


_DOING: dict[str, Callable[[Desk, Document], Document]] = {
    "order/placeorder": _place_one,
    "order/placeoco": _place_pair,
    "order/placeoso": _place_bracket,
    "order/modifyorder": _modify,
    "order/cancelorder": _cancel,
    "order/liquidateposition": _liquidate,
    "cashBalance/getcashbalancesnapshot": _balance,
}


def _known(desk: Desk, number: int) -> SimOrder:
    order_id = desk.world.exchange_id(number)
    order = desk.exchange.order(order_id) if order_id else None
    if order is None:
        raise Refusal(404)
    return order


def _numbers(text: str) -> list[int]:
    return [int(each) for each in text.split(",") if each]


def _price(body: Document, name: str) -> Decimal | None:
    return None if body.get(name) is None else _decimal(body[name])


def _decimal(value: Any) -> Decimal:
    return Decimal(str(value))
