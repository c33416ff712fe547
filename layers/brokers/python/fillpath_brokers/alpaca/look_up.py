"""Look-ups: which orders at Alpaca a reference means. In: a reference; out: Alpaca's documents, followed to what replaced them.

An order is known by its id, else by our client order id. An exit pair is one order at Alpaca, the take profit, with the stop as
its leg; our name of it has both ids.
"""

from fillpath.errors import BrokerUnavailable
from fillpath.orders.model import Leg, OrderType
from fillpath_brokers.alpaca.calls import Calls, Document
from fillpath_brokers.facade import OrderRef
from fillpath_brokers.pairs import ids_of
from fillpath_brokers.web import part

_MOST_REPLACED = 10
_NESTED = {"nested": "true"}
_WITHOUT_LEGS = {"", "simple", None}


class LookUp:
    """Looks orders up in one account. Raises BrokerUnavailable."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def order(self, ref: OrderRef) -> Document | None:
        """The order with its legs; of an exit pair the take profit, as far as the reference tells. None: there is none."""
        if ref.broker_order_id:
            return self._one(ids_of(ref.broker_order_id)[0], nested=True)
        found = self._calls.one("/v2/orders:by_client_order_id", {"client_order_id": ref.client_order_id}, urgent=True)
        if found and found.get("order_class") not in _WITHOUT_LEGS and not found.get("legs"):
            return self._one(str(found["id"]), nested=True)
        return found

    def newest(self, order: Document) -> Document:
        """What took the place of a replaced order; of any other itself."""
        for _ in range(_MOST_REPLACED):
            if order.get("status") != "replaced" or not order.get("replaced_by"):
                return order
            order = self._one(str(order["replaced_by"])) or order
        return order

    def pair(self, order: Document, broker_order_id: str | None) -> list[Document]:
        """The orders of an exit pair as they are now: those that its name tells, or without one the order and its legs."""
        known = {str(each["id"]): each for each in (order, *(order.get("legs") or ()))}
        names = ids_of(broker_order_id) if broker_order_id else ()
        found = [known.get(name) or self._one(name) for name in (names if len(names) > 1 else known)]
        if None in found:
            raise BrokerUnavailable("Alpaca shows one order of the pair only")
        return [self.newest(each) for each in found if each is not None]

    def _one(self, order_id: str, *, nested: bool = False) -> Document | None:
        return self._calls.one(f"/v2/orders/{part(order_id)}", _NESTED if nested else None, urgent=True)


def is_pair(order: Document, leg: Leg | None) -> bool:
    """Whether it is an exit pair, by Alpaca's word or by ours."""
    return order.get("order_class") == "oco" or (leg is not None and leg.type is OrderType.OCO)
