"""What is sent to Schwab to place or to replace an order, and whether an order that Schwab shows is what was sent.

Numbers go out exactly as they are, as JSON numbers. A sale that does not reduce is a short sale; a purchase that reduces covers
one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

from fillpath.errors import BrokerUnavailable
from fillpath.orders.model import Leg, OrderType, Side
from fillpath_brokers.documents import number, number_or_none
from fillpath_brokers.facade import Change
from fillpath_brokers.pairs import pair_quantity_fits
from fillpath_brokers.schwab.settings import Settings
from fillpath_brokers.schwab.symbols import share
from fillpath_brokers.schwab.wire import OCO, SINGLE, TRIGGER, TYPES, Document, filled_of, instruction_of, is_group, symbol_of
from fillpath_brokers.window import quantity_fits

_DURATION = {"day": "DAY", "gtc": "GOOD_TILL_CANCEL", "ioc": "IMMEDIATE_OR_CANCEL", "fok": "FILL_OR_KILL"}
_INSTRUCTION = {
    (Side.BUY, False): "BUY",
    (Side.BUY, True): "BUY_TO_COVER",
    (Side.SELL, True): "SELL",
    (Side.SELL, False): "SELL_SHORT",
}
_KEPT = ("orderType", "session", "duration", "price", "stopPrice", "stopPriceLinkBasis", "stopPriceLinkType", "stopPriceOffset")
_NUMBERS = ("price", "stopPrice", "stopPriceOffset")
_WITH_PRICE, _WITH_STOP_PRICE = {"LIMIT", "STOP_LIMIT"}, {"STOP", "STOP_LIMIT"}

Basis = Literal["LAST", "BID", "ASK", "MARK"]
Body = dict[str, Any]


def body_of(leg: Leg, settings: Settings) -> Body:
    """The request that places the leg as the account's settings want it; Unsupported for what is no share."""
    extended, basis = settings.extended_hours, settings.trail_basis
    return order_body(leg, share(leg.contract), extended_hours=extended, trail_basis=basis)


def order_body(leg: Leg, symbol: str, *, extended_hours: bool = False, trail_basis: Basis = "LAST") -> Body:
    """The request that places the leg: a single order, a bracket, or an exit pair."""
    session = "SEAMLESS" if extended_hours and leg.type is OrderType.LIMIT else "NORMAL"
    exits = list(_exits(leg, symbol))
    if leg.type is OrderType.OCO:
        return _one_of(exits)
    prices = {"price": leg.limit_price, "stopPrice": leg.stop_price} | _trail(leg, trail_basis)
    entry = {
        "orderStrategyType": TRIGGER if exits else SINGLE,
        "orderType": TYPES[leg.type],
        "session": session,
        "duration": _DURATION[leg.time_in_force],
        **{name: value for name, value in prices.items() if value is not None},
        "orderLegCollection": [_order_leg(_INSTRUCTION[leg.side, leg.reduce_only], leg.quantity, symbol)],
    }
    return entry | ({"childOrderStrategies": exits if len(exits) == 1 else [_one_of(exits)]} if exits else {})


def closing_body(symbol: str, held: Decimal) -> Body:
    """The request that closes a position (signed) at the market."""
    instruction = _INSTRUCTION[Side.of(-held), True]
    return _single("MARKET", "DAY", {}, _order_leg(instruction, abs(held), symbol))


def replacement_body(order: Document, change: Change, quantity: Decimal) -> Body:
    """The request that puts an order in the place of this one: the same but for the change, with its exits, for this quantity."""
    prices = {"price": change.limit_price, "stopPrice": change.stop_price}
    body = _again(order, quantity) | {name: value for name, value in prices.items() if value is not None}
    children = order.get("childOrderStrategies") or ()
    return body | ({"childOrderStrategies": [_child(each, quantity) for each in children]} if children else {})


def may_be_what_was_sent(order: Document, body: Mapping[str, Any], leg: Leg) -> bool:
    """Whether the order that Schwab shows is what the leg's request placed; BrokerUnavailable where it lacks what would tell.

    What Schwab may write otherwise, or change by itself, is not compared: a wrong "no" would mean that nothing was placed. Of
    the exits behind an entry only their kinds are, for prices may have been moved and sizes follow what the entry fills.
    """
    wanted, shown = list(body.get("childOrderStrategies") or ()), list(order.get("childOrderStrategies") or ())
    _require_comparable(order, share(leg.contract))
    if "orderLegCollection" not in body:
        return is_group(order) and _each_is_one_of(wanted, shown, _same_kind_and_prices) and _is_for(leg, shown)
    if is_group(order) or not _same_kind_and_prices(order, body) or not quantity_fits(leg, _quantity(order)):
        return False
    if order.get("duration") != body["duration"]:
        return False
    return not shown if not wanted else not shown or _each_is_one_of(list(_flat(wanted)), list(_flat(shown)), _same_kind)


def _each_is_one_of(wanted: list[Document], shown: list[Document], same: Callable[[Document, Document], bool]) -> bool:
    return len(wanted) == len(shown) and all(any(same(other, each) for other in shown) for each in wanted)


def _same_kind(order: Document, body: Document) -> bool:
    return _identity(order) == _identity(body)


def _same_kind_and_prices(order: Document, body: Document) -> bool:
    return _same_kind(order, body) and all(
        number_or_none(order.get(name)) == number_or_none(body[name]) for name in _NUMBERS if name in body
    )


def _identity(order: Document) -> tuple[Any, ...]:
    return order.get("orderType"), symbol_of(order), instruction_of(order)


def _quantity(order: Document) -> Decimal:
    return number(order["orderLegCollection"][0]["quantity"])


def _is_for(leg: Leg, exits: Sequence[Document]) -> bool:
    """Whether a pair exits what the leg does. What has filled of one may have been taken off the other by now."""
    return pair_quantity_fits(leg, [_quantity(each) for each in exits], [filled_of(each) for each in exits])


def _require_comparable(order: Document, symbol: str) -> None:
    """All that may be ours by its symbol has to tell what it is: what is left out is no evidence of another order."""
    if order.get("orderStrategyType") == OCO:
        missing = not order.get("childOrderStrategies")
    else:
        known = symbol_of(order)
        missing = not known or (known == symbol and not all(_told(order)))
    if missing:
        raise BrokerUnavailable(f"Schwab shows an order that cannot be compared: {order.get('orderId')}")
    for child in order.get("childOrderStrategies") or ():
        _require_comparable(child, symbol)


def _told(order: Document) -> Iterator[bool]:
    kind = order.get("orderType")
    yield bool(kind and instruction_of(order) and order.get("duration"))
    yield order["orderLegCollection"][0].get("quantity") is not None
    yield kind not in _WITH_PRICE or order.get("price") is not None
    yield kind not in _WITH_STOP_PRICE or order.get("stopPrice") is not None


def _flat(orders: Iterable[Document]) -> Iterator[Document]:
    for order in orders:
        if order.get("orderLegCollection"):
            yield order
        yield from _flat(order.get("childOrderStrategies") or ())


def _exits(leg: Leg, symbol: str) -> Iterator[Body]:
    """Of an exit pair itself, or of what is placed with an entry. Exits do not end at once, whatever the entry does."""
    pair = leg.type is OrderType.OCO
    target, stop = (leg.limit_price, leg.stop_price) if pair else (leg.take_profit, leg.stop_loss)
    duration = _DURATION["gtc" if leg.time_in_force == "gtc" else "day"]
    order_leg = _order_leg(_INSTRUCTION[leg.side if pair else leg.side.opposite, True], leg.quantity, symbol)
    if target is not None:
        yield _single("LIMIT", duration, {"price": target}, order_leg)
    if stop is not None:
        yield _single("STOP", duration, {"stopPrice": stop}, order_leg)


def _single(kind: str, duration: str, prices: Mapping[str, Decimal], order_leg: Body) -> Body:
    frame = {"orderStrategyType": SINGLE, "orderType": kind, "session": "NORMAL", "duration": duration}
    return {**frame, **prices, "orderLegCollection": [order_leg]}


def _one_of(orders: Sequence[Body]) -> Body:
    return {"orderStrategyType": OCO, "childOrderStrategies": list(orders)}


def _trail(leg: Leg, basis: Basis) -> Body:
    offset = leg.trail_amount if leg.trail_amount is not None else leg.trail_percent
    if leg.type is not OrderType.TRAILING_STOP or offset is None:
        return {}
    kind = "VALUE" if leg.trail_amount is not None else "PERCENT"
    return {"stopPrice": None, "stopPriceLinkBasis": basis, "stopPriceLinkType": kind, "stopPriceOffset": offset}


def _order_leg(instruction: str, quantity: Decimal, symbol: str) -> Body:
    whole = int(quantity) if quantity == quantity.to_integral_value() else quantity
    return {"instruction": instruction, "quantity": whole, "instrument": {"symbol": symbol, "assetType": "EQUITY"}}


def _child(order: Document, quantity: Decimal) -> Body:
    if is_group(order):
        return _one_of([_child(each, quantity) for each in order.get("childOrderStrategies") or ()])
    return _again(order, quantity)


def _again(order: Document, quantity: Decimal) -> Body:
    body = {name: order[name] for name in _KEPT if order.get(name) is not None}
    strategy = TRIGGER if order.get("childOrderStrategies") else SINGLE
    return {
        "orderStrategyType": strategy,
        **body,
        "orderLegCollection": [_order_leg(instruction_of(order), quantity, symbol_of(order))],
    }
