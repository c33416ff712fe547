"""From Schwab's order bodies to the exchange's orders: a body comes in, what is to be placed or why it is refused goes out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

from fillpath.market.instruments import instrument_of
from fillpath.orders.model import OrderType, Side
from fillpath_brokers.facade import Change
from tests.simulators.events import SimOrder
from tests.simulators.orders import NewOrder

Body = Mapping[str, Any]

_TYPES = {each.name: each for each in OrderType if each is not OrderType.OCO}
_TIMES = {"DAY": "day", "GOOD_TILL_CANCEL": "gtc", "IMMEDIATE_OR_CANCEL": "ioc", "FILL_OR_KILL": "fok"}
_SIDES = {"BUY": Side.BUY, "BUY_TO_COVER": Side.BUY, "SELL": Side.SELL, "SELL_SHORT": Side.SELL}
_REDUCING = {"BUY_TO_COVER", "SELL"}


class BadOrder(Exception):
    """A body that Schwab answers with 400; `errors` are its own sentences."""

    def __init__(self, *errors: str) -> None:
        super().__init__("; ".join(errors))
        self.errors = errors


def new_order(body: Body) -> NewOrder:
    """What is to be placed; BadOrder."""
    strategy, children = body.get("orderStrategyType"), body.get("childOrderStrategies") or []
    if strategy == "OCO":
        return _pair(children)
    if strategy not in {"SINGLE", "TRIGGER"}:
        raise BadOrder(f"orderStrategyType {strategy!r} is not valid")
    order = _single(body)
    order = replace(order, details={**order.details, "children": children})
    if strategy == "SINGLE":
        if children:
            raise BadOrder("A SINGLE order has no child orders.")
        return order
    if len(children) != 1:
        raise BadOrder("A TRIGGER order has one child strategy.")
    [child] = children
    exits = child.get("childOrderStrategies") or [] if child.get("orderStrategyType") == "OCO" else [child]
    return _with_exits(order, [_single(each) for each in exits])


def change_of(body: Body, old: SimOrder) -> tuple[Change, Decimal]:
    """What a replacement changes about an order, and its own quantity, which counts nothing of what was filled; BadOrder."""
    new, state = _single(body), old.state
    grown = new.quantity != state.remaining
    change = Change(
        quantity=new.quantity + state.filled_quantity if grown else None,
        limit_price=new.limit_price if new.limit_price != state.limit_price else None,
        stop_price=new.stop_price if new.stop_price != state.stop_price else None,
    )
    return change, new.quantity


def oversold(order: NewOrder, held: Decimal) -> str | None:
    """Why Schwab rejects an order because of what is held."""
    after = held + order.side.sign * order.quantity
    if order.reduce_only:
        crosses = held * order.side.sign >= 0 or after * held < 0
        return "Position_Sys_0001: this order may result in an oversold/overbought position in your account." if crosses else None
    if held * order.side.sign < 0:
        return "Position_Sys_0001: close the opposite position first; the order may result in an oversold/overbought position."
    return None


def _with_exits(order: NewOrder, exits: Sequence[NewOrder]) -> NewOrder:
    if not exits or any(each.side is order.side or each.quantity != order.quantity for each in exits):
        raise BadOrder("The child orders do not close what the parent opens.")
    target = next((each.limit_price for each in exits if each.type is OrderType.LIMIT), None)
    stop = next((each.stop_price for each in exits if each.type is OrderType.STOP), None)
    if len(exits) != (target is not None) + (stop is not None):
        raise BadOrder("This combination of child orders is not simulated.")
    return replace(order, take_profit=target, stop_loss=stop, exits_reduce_only=True)


def _pair(children: Sequence[Body]) -> NewOrder:
    exits = [_single(each) for each in children]
    limit = next((each for each in exits if each.type is OrderType.LIMIT), None)
    stop = next((each for each in exits if each.type is OrderType.STOP), None)
    if limit is None or stop is None or len(exits) != 2 or limit.quantity != stop.quantity:
        raise BadOrder("An OCO has two child orders; a limit and a stop of one quantity are simulated.")
    return replace(limit, type=OrderType.OCO, stop_price=stop.stop_price)


def _single(body: Body) -> NewOrder:
    try:
        [leg] = body["orderLegCollection"]
        symbol, kind = leg["instrument"]["symbol"], leg["instrument"]["assetType"]
        instruction, order_type = leg["instruction"], _TYPES[body["orderType"]]
        time_in_force, quantity = _TIMES[body["duration"]], Decimal(str(leg["quantity"]))
        side = _SIDES[instruction]
    except (KeyError, ValueError, TypeError, InvalidOperation) as exc:
        raise BadOrder(f"The order could not be read: {exc}") from exc
    instrument = instrument_of(symbol)
    if kind != "EQUITY" or instrument is None or instrument.kind != "equity":
        raise BadOrder(f"Instrument for {symbol} does not exist.")
    if quantity <= 0 or quantity % 1:
        raise BadOrder("Quantity must be a whole number of shares.")
    basis = body.get("stopPriceLinkBasis", "LAST")
    order = NewOrder(
        symbol=symbol,
        side=side,
        quantity=quantity,
        type=order_type,
        time_in_force=time_in_force,
        reduce_only=instruction in _REDUCING,
        details={"session": body.get("session", "NORMAL"), "basis": basis, "quantity": quantity},
    )
    return replace(order, **_prices(body, order_type))


def _prices(body: Body, order_type: OrderType) -> dict[str, Decimal]:
    names: dict[OrderType, tuple[tuple[str, str], ...]] = {
        OrderType.LIMIT: (("limit_price", "price"),),
        OrderType.STOP: (("stop_price", "stopPrice"),),
        OrderType.STOP_LIMIT: (("limit_price", "price"), ("stop_price", "stopPrice")),
    }
    found: dict[str, Decimal] = {}
    wanted = ((_trail(body), "stopPriceOffset"),) if order_type is OrderType.TRAILING_STOP else names.get(order_type, ())
    for ours, theirs in wanted:
        try:
            found[ours] = Decimal(str(body[theirs]))
        except (KeyError, InvalidOperation) as exc:
            raise BadOrder(f"{theirs} is required for a {order_type.name} order.") from exc
        if found[ours] <= 0 or (ours.endswith("_price") and found[ours] % Decimal("0.01")):
            raise BadOrder(f"{theirs} must be a positive multiple of the price increment.")
    return found


def _trail(body: Body) -> str:
    kind = body.get("stopPriceLinkType")
    if kind not in {"VALUE", "PERCENT"}:
        raise BadOrder("stopPriceLinkType must be VALUE or PERCENT.")
    return "trail_amount" if kind == "VALUE" else "trail_percent"
