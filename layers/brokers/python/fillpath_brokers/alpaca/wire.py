"""Alpaca's wire form of orders: legs of ours go in as request bodies, its order objects come out as views.

Numbers are JSON strings. Its status becomes ours so:

===========================================================================  =================
Alpaca                                                                       ours
===========================================================================  =================
pending_new, accepted, accepted_for_bidding, held, new, calculated, stopped  WORKING
suspended, pending_cancel, pending_replace, done_for_day                     WORKING
partially_filled                                                             PARTIALLY_FILLED
filled                                                                       FILLED
canceled                                                                     CANCELLED
replaced                                                                     CANCELLED, or what its successor is
expired                                                                      EXPIRED
rejected                                                                     REJECTED
===========================================================================  =================

What is not in the table counts as WORKING: it is looked at again.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from fillpath.orders.model import Leg, LegStatus, OrderType, Side
from fillpath.orders.outcomes import LegView
from fillpath_brokers.documents import filled_part, moment, moment_or_none, number, number_or_none, plain, readable
from fillpath_brokers.facade import BrokerOrder, Change, Execution
from fillpath_brokers.pairs import pair_view

Document = Mapping[str, Any]

_STATUS = {
    "partially_filled": LegStatus.PARTIALLY_FILLED,
    "filled": LegStatus.FILLED,
    "canceled": LegStatus.CANCELLED,
    "replaced": LegStatus.CANCELLED,
    "expired": LegStatus.EXPIRED,
    "rejected": LegStatus.REJECTED,
}
_ENDING = "pending_cancel"
_TYPES = {each.value: each for each in OrderType if each is not OrderType.OCO}


def order_body(leg: Leg, symbol: str, *, extended_hours: bool = False) -> dict[str, Any]:
    """The request that places the leg: simple, bracket, oto or oco."""
    body: dict[str, Any] = {
        "symbol": symbol,
        "qty": plain(leg.quantity),
        "side": leg.side.value,
        "type": "limit" if leg.type is OrderType.OCO else leg.type.value,
        "time_in_force": leg.time_in_force,
        "client_order_id": leg.client_order_id,
    }
    if leg.type is OrderType.OCO:
        return body | {"order_class": "oco", "take_profit": _target(leg.limit_price), "stop_loss": _stop(leg.stop_price)}
    body |= dict(_prices(leg))
    if extended_hours and leg.type is OrderType.LIMIT:
        body["extended_hours"] = True
    exits = {"take_profit": _target(leg.take_profit), "stop_loss": _stop(leg.stop_loss)}
    known = {name: value for name, value in exits.items() if value is not None}
    return body | ({"order_class": "bracket" if len(known) == 2 else "oto"} if known else {}) | known


def change_body(change: Change) -> dict[str, str]:
    """The request that replaces an order."""
    values = {"qty": change.quantity, "limit_price": change.limit_price, "stop_price": change.stop_price}
    return {name: plain(value) for name, value in values.items() if value is not None}


def own_view(order: Document) -> LegView:
    """One order as Alpaca shows it, whatever belongs to it left out; BrokerUnavailable if it cannot be read."""
    with readable("Alpaca's order"):
        filled, ordered = number(order["filled_qty"]), number_or_none(order.get("qty"))
        filled = filled_part(filled, abs(filled) if ordered is None else ordered)
        return LegView(
            status=_STATUS.get(order["status"], LegStatus.PARTIALLY_FILLED if filled else LegStatus.WORKING),
            broker_order_id=order["id"],
            filled_quantity=filled,
            average_price=number_or_none(order.get("filled_avg_price")),
            filled_at=moment_or_none(order.get("filled_at")),
            open_quantity=None if ordered is None else ordered - filled,
        )


def is_over(order: Document) -> bool:
    """Whether it has ended, or its cancellation is under way already."""
    return order.get("status") == _ENDING or own_view(order).status.ended


def exits_view(order: Document) -> LegView | None:
    """The exits that were placed with a bracket; None for an order that is none."""
    if order.get("order_class") not in {"bracket", "oto"} or not order.get("legs"):
        return None
    with readable("Alpaca's order"):
        return pair_of(order["legs"], number(order["qty"]))


def pair_of(exits: Sequence[Document], quantity: Decimal | None = None) -> LegView:
    """These exits as one. `quantity`: what they were sent for, where it is known; what fills of one is taken off the other."""
    with readable("Alpaca's order"):
        size = max(number(each["qty"]) for each in exits) if quantity is None else quantity
        return pair_view([own_view(each) for each in exits], size)


def working_order(order: Document, contract: str) -> BrokerOrder:
    """An order of the listing."""
    return BrokerOrder(
        client_order_id=order["client_order_id"],
        contract=contract,
        side=Side(order["side"]),
        quantity=number_or_none(order.get("qty")) or Decimal(0),
        type=_TYPES.get(order["type"], OrderType.MARKET),
        limit_price=number_or_none(order.get("limit_price")),
        stop_price=number_or_none(order.get("stop_price")),
        reduce_only=False,
        view=own_view(order),
    )


def execution(activity: Document, contract: str) -> Execution:
    """A fill of the account's activities."""
    return Execution(
        execution_id=activity["id"],
        broker_order_id=activity["order_id"],
        contract=contract,
        side=Side.BUY if activity["side"] == "buy" else Side.SELL,
        quantity=number(activity["qty"]),
        price=number(activity["price"]),
        at=moment(activity["transaction_time"]),
    )


def _prices(leg: Leg) -> Iterator[tuple[str, str]]:
    prices = {
        "limit_price": leg.limit_price,
        "stop_price": leg.stop_price,
        "trail_price": leg.trail_amount,
        "trail_percent": leg.trail_percent,
    }
    for name, value in prices.items():
        if value is not None:
            yield name, plain(value)


def _target(price: Decimal | None) -> dict[str, str] | None:
    return None if price is None else {"limit_price": plain(price)}


def _stop(price: Decimal | None) -> dict[str, str] | None:
    return None if price is None else {"stop_price": plain(price)}
