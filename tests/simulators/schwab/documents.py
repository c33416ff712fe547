"""Orders of the exchange as Schwab's order documents: a tree of singles, triggers (entries with exits) and pairs."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from fillpath.orders.model import LegStatus, OrderType, Side
from tests.simulators.events import SimFill, SimOrder
from tests.simulators.exchange import SimulatedExchange
from tests.simulators.schwab.state import State

Document = dict[str, Any]

_DURATION = {"day": "DAY", "gtc": "GOOD_TILL_CANCEL", "ioc": "IMMEDIATE_OR_CANCEL", "fok": "FILL_OR_KILL"}
_ENDED = {
    LegStatus.FILLED: "FILLED",
    LegStatus.CANCELLED: "CANCELED",
    LegStatus.EXPIRED: "EXPIRED",
    LegStatus.REJECTED: "REJECTED",
}
_STOPS = {OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP}


class Documents:
    """All orders of one account as they are at this moment."""

    def __init__(self, exchange: SimulatedExchange, state: State, number: str, account: str) -> None:
        self._state = state
        self._number = number
        self._orders = {order.id: order for order in exchange.orders(account)}
        self._fills: dict[str, list[SimFill]] = {}
        for fill in exchange.fills(account):
            self._fills.setdefault(fill.order_id, []).append(fill)

    def top(self) -> Iterator[tuple[SimOrder, Document]]:
        """What was entered by itself, the newest first, each with its first order."""
        for order in reversed(list(self._orders.values())):
            if order.state.parent is None and not self._is_second(order):
                yield order, self._pair(order) if order.state.other else self.single(order)

    def of(self, key: str) -> Document | None:
        """The document of an order, or of a group; None: there is none of this account."""
        order = self._orders.get(key.removeprefix("group:"))
        if order is None:
            return None
        return self._pair(order) if key.startswith("group:") else self.single(order)

    def single(self, order: SimOrder) -> Document:
        """One order with the exits that wait for it."""
        state = order.state
        children = [] if order.replaced_by else self._exits(order)
        if order.status is LegStatus.REJECTED:
            children = [self._never_placed(order, body) for body in order.details.get("children", ())]
        ended = order.status.ended
        document: Document = {
            "session": order.details.get("session", "NORMAL"),
            "duration": _DURATION[state.time_in_force],
            "orderType": state.type.name,
            "complexOrderStrategyType": "NONE",
            "quantity": state.quantity,
            "filledQuantity": state.filled_quantity,
            "remainingQuantity": Decimal(0) if ended else state.remaining,
            "requestedDestination": "AUTO",
            "destinationLinkName": "AutoRoute",
            **self._prices(order),
            "orderLegCollection": [self._leg(order)],
            "orderStrategyType": "TRIGGER" if children else "SINGLE",
            "orderId": self._state.number(order.id),
            "cancelable": not ended,
            "editable": not ended,
            "status": _status(order),
            "enteredTime": stamp(order.created_at),
            "accountNumber": int(self._number),
        }
        if ended:
            document["closeTime"] = stamp(order.updated_at)
        if order.status is LegStatus.REJECTED and state.reason:
            document["statusDescription"] = state.reason
        if order.replaced_by:
            document["replacingOrderCollection"] = [self.single(self._orders[order.replaced_by])]
        if fills := self._fills.get(order.id):
            document["orderActivityCollection"] = list(_activities(fills, state.quantity))
        return document | ({"childOrderStrategies": children} if children else {})

    def _is_second(self, order: SimOrder) -> bool:
        return order.state.other is not None and order.state.type is not OrderType.LIMIT

    def _exits(self, order: SimOrder) -> list[Document]:
        first = self._orders.get(order.state.exits or "")
        if first is None:
            return []
        return [self._pair(first) if first.state.other else self.single(first)]

    def _pair(self, order: SimOrder) -> Document:
        """The group around two exits, which is named by its limit order even when that has been replaced."""
        newest = order
        while newest.replaced_by:
            newest = self._orders[newest.replaced_by]
        both = [newest, *([self._orders[other]] if (other := newest.state.other) else [])]
        working = [each for each in both if not each.status.ended]
        return {
            "orderStrategyType": "OCO",
            "orderId": self._state.number(f"group:{_oldest(order, self._orders)}"),
            "cancelable": bool(working),
            "editable": False,
            "status": _status(working[0] if working else both[0]),
            "enteredTime": stamp(order.created_at),
            "accountNumber": int(self._number),
            "childOrderStrategies": [self.single(each) for each in both],
        }

    def _never_placed(self, order: SimOrder, body: Mapping[str, Any], place: str = "0") -> Document:
        """What came with an order that was rejected."""
        children = [
            self._never_placed(order, each, f"{place}.{n}") for n, each in enumerate(body.get("childOrderStrategies", ()))
        ]
        number = self._state.number(f"{order.id}:{place}")
        common = {"orderId": number, "status": "REJECTED", "enteredTime": stamp(order.created_at), "cancelable": False}
        document = {**body, **common, "filledQuantity": 0} | ({"childOrderStrategies": children} if children else {})
        if legs := body.get("orderLegCollection"):
            document["quantity"] = legs[0]["quantity"]
        return document

    def _leg(self, order: SimOrder) -> Document:
        return {
            "orderLegType": "EQUITY",
            "legId": 1,
            "instrument": {
                "assetType": "EQUITY",
                "cusip": "000000000",
                "symbol": order.state.contract,
                "instrumentId": sum(order.state.contract.encode()),
            },
            "instruction": instruction(order),
            "positionEffect": "CLOSING" if order.state.reduce_only else "OPENING",
            "quantity": order.details["quantity"],
        }

    def _prices(self, order: SimOrder) -> Mapping[str, Any]:
        state = order.state
        if state.type is OrderType.TRAILING_STOP:
            kind, offset = ("VALUE", state.trail_amount) if state.trail_amount is not None else ("PERCENT", state.trail_percent)
            basis = order.details.get("basis", "LAST")
            return {
                "stopPrice": state.stop_price,
                "stopPriceLinkBasis": basis,
                "stopPriceLinkType": kind,
                "stopPriceOffset": offset,
                "stopType": "STANDARD",
            }
        known = {"price": state.limit_price, "stopPrice": state.stop_price}
        return {name: value for name, value in known.items() if value is not None}


def instruction(order: SimOrder) -> str:
    """What it was sent as."""
    if order.state.side is Side.BUY:
        return "BUY_TO_COVER" if order.state.reduce_only else "BUY"
    return "SELL" if order.state.reduce_only else "SELL_SHORT"


def stamp(at: datetime) -> str:
    """Schwab's times have whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def _oldest(order: SimOrder, orders: Mapping[str, SimOrder]) -> str:
    while order.replaces:
        order = orders[order.replaces]
    return order.id


def _status(order: SimOrder) -> str:
    if order.replaced_by:
        return "REPLACED"
    if order.status.ended:
        return _ENDED[order.status]
    if order.held:
        return "AWAITING_PARENT_ORDER"
    return "AWAITING_STOP_CONDITION" if order.state.waits_for_trigger and order.state.type in _STOPS else "WORKING"


def _activities(fills: list[SimFill], quantity: Decimal) -> Iterator[Document]:
    left = quantity
    for fill in fills:
        left -= fill.quantity
        leg = {
            "legId": 1,
            "quantity": fill.quantity,
            "mismarkedQuantity": 0,
            "price": fill.price,
            "time": stamp(fill.at),
            "instrumentId": sum(fill.contract.encode()),
        }
        yield {
            "activityType": "EXECUTION",
            "executionType": "FILL",
            "quantity": fill.quantity,
            "orderRemainingQuantity": max(left, Decimal(0)),
            "executionLegs": [leg],
        }
