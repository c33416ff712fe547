"""Schwab's wire form of orders: legs of ours go in as request bodies, its order documents come out as views.

An order document is a tree. A bracket is a TRIGGER (the entry) whose child is an OCO of two SINGLEs (or one SINGLE); an exit pair
is an OCO. What is filled is told by `filledQuantity` and by the execution legs, never by the status alone. The status becomes
ours:

============================================================================  ==============================================
Schwab                                                                        ours
============================================================================  ==============================================
NEW, PENDING_ACKNOWLEDGEMENT, AWAITING_MANUAL_REVIEW, PENDING_ACTIVATION,     WORKING, or PARTIALLY_FILLED if something is
QUEUED, ACCEPTED, WORKING, AWAITING_PARENT_ORDER, AWAITING_CONDITION,         filled
AWAITING_STOP_CONDITION, AWAITING_RELEASE_TIME, AWAITING_UR_OUT,
PENDING_CANCEL, PENDING_REPLACE, PENDING_RECALL, UNKNOWN
FILLED                                                                        FILLED
CANCELED                                                                      CANCELLED
REPLACED                                                                      CANCELLED, or what its successor is
EXPIRED                                                                       EXPIRED
REJECTED                                                                      REJECTED
============================================================================  ==============================================

Whatever the status says, an order of which all is filled is FILLED. What is not in the table counts as WORKING.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from fillpath.errors import BrokerUnavailable
from fillpath.orders.model import LegStatus, OrderType, Side
from fillpath.orders.outcomes import LegView
from fillpath_brokers.documents import amount, filled_part, moment, number, number_or_none, readable
from fillpath_brokers.facade import BrokerOrder, Execution
from fillpath_brokers.schwab.refusals import reason_of

Document = Mapping[str, Any]

REPLACED = "REPLACED"
_ENDING = "PENDING_CANCEL"
SINGLE, TRIGGER, OCO = "SINGLE", "TRIGGER", "OCO"
_STATUS = {
    "FILLED": LegStatus.FILLED,
    "CANCELED": LegStatus.CANCELLED,
    REPLACED: LegStatus.CANCELLED,
    "EXPIRED": LegStatus.EXPIRED,
    "REJECTED": LegStatus.REJECTED,
}
TYPES = {
    OrderType.MARKET: "MARKET",
    OrderType.LIMIT: "LIMIT",
    OrderType.STOP: "STOP",
    OrderType.STOP_LIMIT: "STOP_LIMIT",
    OrderType.TRAILING_STOP: "TRAILING_STOP",
}
_OURS = {theirs: ours for ours, theirs in TYPES.items()}
_BUYS = {"BUY", "BUY_TO_COVER"}
_SELLS = {"SELL", "SELL_SHORT", "SELL_SHORT_EXEMPT"}
_REDUCING = {"SELL", "BUY_TO_COVER"}


@dataclass(frozen=True, slots=True)
class Filled:
    """What the execution legs of an order say: how much, for how much in all, and when the last was."""

    quantity: Decimal = Decimal(0)
    value: Decimal = Decimal(0)
    at: datetime | None = None


def order_id(order: Document) -> str:
    """The order's id; BrokerUnavailable if it has none."""
    if order.get("orderId") is None:
        raise BrokerUnavailable("Schwab shows an order without its id")
    return str(order["orderId"])


def is_ending(order: Document) -> bool:
    """Whether its cancellation is under way already."""
    return order.get("status") == _ENDING


def is_group(order: Document) -> bool:
    """Whether it is nothing but a frame around others."""
    return order.get("orderStrategyType") == OCO or not order.get("orderLegCollection")


def singles(orders: Iterable[Document]) -> Iterator[Document]:
    """Every single order of these trees, parents before their children."""
    for order in orders:
        if not is_group(order):
            yield order
        yield from singles(order.get("childOrderStrategies") or ())


def exits_of(order: Document) -> tuple[Document, ...]:
    """The exits that were placed with an entry, or the two of an exit pair."""
    return tuple(singles(order.get("childOrderStrategies") or ()))


def view_of(order: Document, before: Iterable[Document] = ()) -> LegView:
    """One single order as Schwab shows it; BrokerUnavailable if it cannot be read. What filled of those `before` it counts, too.

    `reason` is our code for why it was rejected.
    """
    with readable("Schwab's order"):
        quantity = amount(order["quantity"])
        told = filled_part(filled_of(order), quantity)
        earlier = tuple(before)
        filled = told + sum((filled_of(each) for each in earlier), Decimal(0))
        parts = [executed(each) for each in (*earlier, order)]
        status = _STATUS.get(str(order["status"]), LegStatus.WORKING)
        if told >= quantity > 0:
            status = LegStatus.FILLED
        elif status is LegStatus.WORKING and filled:
            status = LegStatus.PARTIALLY_FILLED
        executions = sum((part.quantity for part in parts), Decimal(0))
        return LegView(
            status=status,
            broker_order_id=order_id(order),
            filled_quantity=filled,
            average_price=sum((part.value for part in parts), Decimal(0)) / executions if executions else None,
            filled_at=max((part.at for part in parts if part.at), default=None),
            reason=reason_of(str(order.get("statusDescription") or "")) if status is LegStatus.REJECTED else None,
            text=order.get("statusDescription") if status is LegStatus.REJECTED else None,
            open_quantity=quantity - told,
        )


def executed(order: Document) -> Filled:
    """What the order's executions add up to."""
    legs = list(_execution_legs(order))
    quantity = sum((leg[1] for leg in legs), Decimal(0))
    value = sum((leg[1] * leg[2] for leg in legs), Decimal(0))
    return Filled(quantity, value, max((leg[3] for leg in legs), default=None))


def executions(order: Document, contract: str) -> Iterator[Execution]:
    """Every execution of a single order. Schwab gives them no ids, so they are numbered."""
    side = side_of(order)
    for name, quantity, price, at in _execution_legs(order):
        yield Execution(f"{order_id(order)}:{name}", order_id(order), contract, side, quantity, price, at)


def working_order(order: Document, contract: str, view: LegView) -> BrokerOrder:
    """A single order of the listing."""
    return BrokerOrder(
        client_order_id="",
        contract=contract,
        side=side_of(order),
        quantity=amount(order["quantity"]),
        type=_OURS.get(str(order.get("orderType")), OrderType.MARKET),
        limit_price=number_or_none(order.get("price")),
        stop_price=number_or_none(order.get("stopPrice")),
        reduce_only=instruction_of(order) in _REDUCING,
        view=view,
    )


def symbol_of(order: Document) -> str:
    """Schwab's symbol of a single order; empty where it tells none."""
    return str(_leg(order).get("instrument", {}).get("symbol") or "")


def instruction_of(order: Document) -> str:
    """BUY, SELL, SELL_SHORT or BUY_TO_COVER (or what options have)."""
    return str(_leg(order).get("instruction") or "")


def side_of(order: Document) -> Side:
    """Which way a single order changes the position; BrokerUnavailable if that cannot be read."""
    instruction = instruction_of(order)
    if instruction in _BUYS or instruction.startswith("BUY_"):
        return Side.BUY
    if instruction in _SELLS or instruction.startswith("SELL_"):
        return Side.SELL
    raise BrokerUnavailable(f"Schwab shows an order with the instruction {instruction!r}")


def entered_at(order: Document) -> datetime | None:
    """When the order was entered; of a group that does not say, when its first was."""
    text = order.get("enteredTime") or next((each.get("enteredTime") for each in singles([order])), None)
    return moment(text) if text else None


def filled_of(order: Document) -> Decimal:
    """What is filled of a single order, by its own word."""
    return amount(order["filledQuantity"])


def _leg(order: Document) -> Document:
    legs: list[Document] = order.get("orderLegCollection") or [{}]
    return legs[0]


def _execution_legs(order: Document) -> Iterator[tuple[str, Decimal, Decimal, datetime]]:
    for index, activity in enumerate(order.get("orderActivityCollection") or ()):
        if activity.get("activityType") == "EXECUTION":
            for place, leg in enumerate(activity.get("executionLegs") or ()):
                yield f"{index}.{place}", amount(leg["quantity"]), number(leg["price"]), moment(leg["time"])
