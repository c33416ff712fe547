"""Tradovate's wire form of orders: legs of ours go in as request bodies, its entities come out as views.

An order is told in parts: the order itself (its status), its versions (quantity, type and prices; the newest id counts) and its
fills. There is no status for a part that is filled, so quantities decide. `ordStatus` becomes ours so:

===========================================  ======================================================================
Tradovate                                    ours
===========================================  ======================================================================
PendingNew, Working, Suspended               WORKING, PARTIALLY_FILLED once something is filled
PendingCancel, PendingReplace                the same
Filled, Completed                            FILLED if the fills come to the whole quantity, else the same: they follow
Canceled                                     CANCELLED
Expired                                      EXPIRED
Rejected                                     REJECTED; CANCELLED if something was filled before
Unknown                                      no answer: it is looked at again
===========================================  ======================================================================

Whatever the status, what is filled completely is FILLED. A fill that was busted (`active` is false) does not count.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, NamedTuple

from fillpath.errors import BrokerUnavailable
from fillpath.orders.model import Leg, LegStatus, OrderType, Side
from fillpath.orders.outcomes import LegView, Rejected
from fillpath_brokers.canonical import instrument_behind
from fillpath_brokers.documents import filled_part, moment, number, number_or_none, readable
from fillpath_brokers.facade import BrokerOrder, Change, Execution
from fillpath_brokers.window import quantity_fits

Document = Mapping[str, Any]

TYPES = {
    OrderType.MARKET: "Market",
    OrderType.LIMIT: "Limit",
    OrderType.STOP: "Stop",
    OrderType.STOP_LIMIT: "StopLimit",
    OrderType.TRAILING_STOP: "TrailingStop",
}
_OURS = {theirs: ours for ours, theirs in TYPES.items()} | {
    "MIT": OrderType.STOP,
    "QTS": OrderType.MARKET,
    "TrailingStopLimit": OrderType.TRAILING_STOP,
}
_TIMES = {"day": "Day", "gtc": "GTC", "ioc": "IOC", "fok": "FOK"}
_ENDS = {"Canceled": LegStatus.CANCELLED, "Expired": LegStatus.EXPIRED, "Rejected": LegStatus.REJECTED}
_LIVE = {"PendingNew", "Working", "Suspended", "PendingCancel", "PendingReplace"}
_DONE = {"Filled", "Completed"}
_ENDING = "PendingCancel"
_SIDES = {Side.BUY: "Buy", Side.SELL: "Sell"}
_KEPT = ("orderType", "orderQty", "price", "stopPrice", "maxShow", "pegDifference", "timeInForce", "expireTime", "text")
_FEES = ("clearingFee", "exchangeFee", "nfaFee", "brokerageFee", "ipFee", "commission", "orderRoutingFee")
TAKE_PROFIT, STOP_LOSS = "-tp", "-sl"
"""What the client order ids of exits end with; the one before is their entry's, or of a pair its limit order's."""


class VenueAccount(NamedTuple):
    """The account as orders name it."""

    number: int
    name: str


@dataclass(frozen=True, slots=True)
class Trail:
    """A trailing stop in numbers: its distance as it is sent, and where it begins, if that is known."""

    distance: Decimal
    begins_at: Decimal | None = None


def side_of(document: Document) -> Side:
    """Which side an order or fill is."""
    return Side.BUY if document["action"] == "Buy" else Side.SELL


def order_body(leg: Leg, symbol: str, account: VenueAccount, trail: Trail | None = None) -> tuple[str, dict[str, Any]]:
    """The endpoint that places the leg, and what is sent to it: a single order, a pair, an entry with its exits."""
    body: dict[str, Any] = {
        "accountSpec": account.name,
        "accountId": account.number,
        "clOrdId": leg.client_order_id,
        "action": _SIDES[leg.side],
        "symbol": symbol,
        "orderQty": int(leg.quantity),
        "timeInForce": _TIMES[leg.time_in_force],
        "isAutomated": True,
    }
    if leg.type is OrderType.OCO:
        other = _exit(leg, leg.side, stop=leg.stop_price)
        return "order/placeoco", body | {"orderType": "Limit", "price": leg.limit_price, "other": other}
    body |= {"orderType": TYPES[leg.type]} | _prices(leg, trail)
    exits = _exits(leg)
    if not exits:
        return "order/placeorder", body
    return "order/placeoso", body | {f"bracket{n}": each for n, each in enumerate(exits, 1)}


def change_body(order_id: str, version: Document, change: Change) -> dict[str, Any]:
    """The request that changes an order: everything that its newest version has, and what is to be different."""
    wanted = {
        "orderQty": None if change.quantity is None else int(change.quantity),
        "price": change.limit_price,
        "stopPrice": change.stop_price,
    }
    kept = {name: version[name] for name in _KEPT if version.get(name) is not None}
    return {
        "orderId": int(order_id),
        **kept,
        **{name: value for name, value in wanted.items() if value is not None},
        "isAutomated": True,
    }


def cancel_body(order_id: str) -> dict[str, Any]:
    """The request that cancels an order."""
    return {"orderId": int(order_id), "isAutomated": True}


def trail_of(leg: Leg, price: Decimal | None, sign: str) -> Trail | None:
    """The numbers of a trailing stop, from the last price where it is known; None where a percentage stands alone."""
    instrument = instrument_behind(leg.contract)
    distance = leg.trail_amount
    if distance is None and leg.trail_percent is not None and price is not None:
        distance = price * leg.trail_percent / 100
    if distance is None:
        return None
    distance = max(_on_tick(distance, instrument.tick_size), instrument.tick_size)
    begins_at = leg.stop_price
    if begins_at is None and price is not None:
        begins_at = _on_tick(price + leg.side.sign * distance, instrument.tick_size)
    return Trail(distance * leg.side.sign if sign == "signed" else distance, begins_at)


def newest(versions: Iterable[Document]) -> Document | None:
    """The version that counts."""
    return max(versions, key=lambda version: int(version.get("id", 0)), default=None)


def counted(fills: Iterable[Document]) -> list[Document]:
    """The fills that were not busted."""
    return [fill for fill in fills if fill.get("active", True)]


def filled_quantity(fills: Iterable[Document]) -> Decimal:
    """How much they come to."""
    return sum((_traded(fill) for fill in counted(fills)), Decimal(0))


def is_live(order: Document) -> bool:
    """Whether the order may still do something."""
    return order.get("ordStatus") in _LIVE


def is_over(order: Document) -> bool:
    """Whether it has ended, or its cancellation is under way already."""
    return order.get("ordStatus") in {*_ENDS, *_DONE, _ENDING}


def is_done(order: Document) -> bool:
    """Whether Tradovate says that it is filled."""
    return order.get("ordStatus") in _DONE


def view_of(
    order: Document,
    fills: Sequence[Document],
    quantity: Decimal,
    *,
    commission: Decimal = Decimal(0),
    why: Rejected | None = None,
) -> LegView:
    """The order from its parts; BrokerUnavailable if they cannot be read."""
    with readable("Tradovate's order"):
        kept = counted(fills)
        filled = filled_quantity(kept)
        filled = filled_part(filled, quantity or filled)
        value = sum((number(fill["qty"]) * number(fill["price"]) for fill in kept), Decimal(0))
        return LegView(
            status=_status(order["ordStatus"], filled, quantity),
            broker_order_id=str(order["id"]),
            filled_quantity=filled,
            average_price=value / filled if filled else None,
            commission=commission,
            filled_at=max((moment(fill["timestamp"]) for fill in kept), default=None),
            reason=why.reason if why else None,
            text=why.text if why else None,
            open_quantity=quantity - filled if quantity else None,
        )


def working_order(order: Document, version: Document, view: LegView, contract: str, client_order_id: str) -> BrokerOrder:
    """An order of the listing."""
    return BrokerOrder(
        client_order_id=client_order_id,
        contract=contract,
        side=side_of(order),
        quantity=number(version["orderQty"]),
        type=_OURS.get(version["orderType"], OrderType.MARKET),
        limit_price=_price(version, "price"),
        stop_price=_price(version, "stopPrice"),
        reduce_only=False,
        view=view,
    )


def execution(fill: Document, contract: str) -> Execution:
    """A fill of the listing."""
    return Execution(
        execution_id=str(fill["id"]),
        broker_order_id=str(fill["orderId"]),
        contract=contract,
        side=side_of(fill),
        quantity=number(fill["qty"]),
        price=number(fill["price"]),
        at=moment(fill["timestamp"]),
    )


def is_as_sent(leg: Leg, version: Document) -> bool:
    """Whether an order has what the leg (of a pair its limit order) was sent with: cut, where it only reduces at the market."""
    kind = OrderType.LIMIT if leg.type is OrderType.OCO else leg.type
    prices = {
        "price": leg.limit_price if kind in {OrderType.LIMIT, OrderType.STOP_LIMIT} else None,
        "stopPrice": leg.stop_price if kind in {OrderType.STOP, OrderType.STOP_LIMIT} else None,
    }
    same = version["orderType"] == TYPES[kind] and quantity_fits(leg, number(version["orderQty"]))
    return same and all(_price(version, name) == price for name, price in prices.items() if price is not None)


def fees_in(fees: Iterable[Document]) -> Decimal:
    """What fills cost."""
    return sum((number(fee.get(name) or 0) for fee in fees for name in _FEES), Decimal(0))


def _exits(leg: Leg) -> list[dict[str, Any]]:
    side = leg.side.opposite
    exits = []
    if leg.take_profit is not None:
        exits.append(_exit(leg, side, limit=leg.take_profit))
    if leg.stop_loss is not None:
        exits.append(_exit(leg, side, stop=leg.stop_loss))
    return exits


def _exit(leg: Leg, side: Side, *, limit: Decimal | None = None, stop: Decimal | None = None) -> dict[str, Any]:
    """Symbol and quantity are the other order's. What must fill at once cannot be an exit that waits."""
    common = {"action": _SIDES[side], "timeInForce": "GTC" if leg.time_in_force == "gtc" else "Day"}
    if limit is not None:
        return common | {"orderType": "Limit", "price": limit, "clOrdId": leg.client_order_id + TAKE_PROFIT}
    return common | {"orderType": "Stop", "stopPrice": stop, "clOrdId": leg.client_order_id + STOP_LOSS}


def _prices(leg: Leg, trail: Trail | None) -> dict[str, Decimal]:
    if trail is not None:
        return {"pegDifference": trail.distance} | ({} if trail.begins_at is None else {"stopPrice": trail.begins_at})
    prices = {"price": leg.limit_price, "stopPrice": leg.stop_price}
    return {name: price for name, price in prices.items() if price is not None}


def _status(theirs: str, filled: Decimal, quantity: Decimal) -> LegStatus:
    if filled >= quantity > 0:
        return LegStatus.FILLED
    if theirs == "Rejected" and filled:
        return LegStatus.CANCELLED
    if theirs in _ENDS:
        return _ENDS[theirs]
    if theirs not in _LIVE | _DONE:
        raise BrokerUnavailable(f"Tradovate does not know the order's status yet ({theirs})")
    return LegStatus.PARTIALLY_FILLED if filled else LegStatus.WORKING


def _traded(fill: Document) -> Decimal:
    quantity = number(fill["qty"])
    if quantity <= 0:
        raise ValueError("a fill of nothing")
    return quantity


def _on_tick(price: Decimal, tick: Decimal) -> Decimal:
    return (price / tick).quantize(Decimal(1), ROUND_HALF_EVEN) * tick


def _price(version: Document, name: str) -> Decimal | None:
    return number_or_none(version.get(name))
