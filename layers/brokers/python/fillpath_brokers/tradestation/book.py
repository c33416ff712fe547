"""The account's orders behind references: from an id, or from what was sent, to TradeStation's documents, and to views of them.

A bracket's view always has its exits, a pair's always both of its orders: what is shown in part only is no answer.
"""

from collections.abc import Sequence
from datetime import datetime

from fillpath.clock import Clock
from fillpath.errors import BrokerUnavailable
from fillpath.orders.model import Leg, OrderType
from fillpath.orders.outcomes import LegView
from fillpath_brokers.documents import readable
from fillpath_brokers.facade import BrokerOrder, Execution, OrderRef
from fillpath_brokers.pairs import exits_wanted, ids_in, ids_of
from fillpath_brokers.tradestation.listing import Listing
from fillpath_brokers.tradestation.look_up import orders_of
from fillpath_brokers.tradestation.settings import Settings
from fillpath_brokers.tradestation.symbols import shown, to_venue
from fillpath_brokers.tradestation.wire import (
    Document,
    entry_view,
    execution,
    exits_view,
    filled_of,
    in_order,
    own_view,
    related,
    symbol_of,
    working_order,
)
from fillpath_brokers.window import Window


class OrderBook:
    """One account's orders, as far as they are looked at. Raises BrokerUnavailable."""

    def __init__(self, listing: Listing, settings: Settings, clock: Clock) -> None:
        self._listing = listing
        self._settings = settings
        self._clock = clock

    def order(self, ref: OrderRef) -> LegView | None:
        """The order, the pair, or the entry with its exits; None if TradeStation shows no such order."""
        orders = self.find(ref)
        return self.view(orders, ref.leg) if orders else None

    def orders(self) -> tuple[BrokerOrder, ...]:
        """Every working order, exits that wait for their entry included."""
        present = self._listing.present()
        with readable("TradeStation's orders"):
            oldest_first = sorted(present, key=lambda order: (order.get("OpenedDateTime") or "", str(order["OrderID"])))
            listed = [working_order(order, shown(symbol_of(order))) for order in oldest_first]
        return tuple(order for order in listed if not order.view.status.ended)

    def working(self) -> list[str]:
        """The ids of all working orders but of those that are cancelled with their entry."""
        present = self._listing.present()
        with readable("TradeStation's orders"):
            working = {str(order["OrderID"]) for order in present if not own_view(order).status.ended}
            children = {str(order["OrderID"]) for order in present if working.intersection(related(order, "OSP"))}
        return sorted(working - children)

    def fills(self, since: datetime) -> tuple[Execution, ...]:
        """What was filled of each order since then. TradeStation tells no single fills: one order is one fill here."""
        every = self.every(since)
        with readable("TradeStation's orders"):
            found = [execution(order, since) for order in every if filled_of(order)]
        new = (each for each in found if each.at >= since)
        return tuple(sorted(new, key=lambda each: (each.at, len(each.broker_order_id), each.broker_order_id)))

    def find(self, ref: OrderRef) -> tuple[Document, ...]:
        """The order, or both of a pair; none: TradeStation shows no such order."""
        if ref.broker_order_id is None:
            return self._sought(ref)
        ids = ids_of(ref.broker_order_id)
        found = self._listing.by_id(ids, ref.leg.prepared_at if ref.leg else None)
        if 0 < len(found) < len(ids):
            raise BrokerUnavailable(f"TradeStation shows {len(found)} of the orders {', '.join(ids)}")
        return tuple(found)

    def view(self, orders: Sequence[Document], leg: Leg | None) -> LegView:
        """As what the caller knows it: an exit pair, or an order with the exits that were placed with it."""
        if len(orders) > 1 or (leg is not None and leg.type is OrderType.OCO):
            return exits_view(_in_order(orders), leg.quantity if leg else None)
        return self.entry_view(orders[0], leg)

    def entry_view(self, order: Document, leg: Leg | None) -> LegView:
        """One order, with its exits where it has any, or should have."""
        children = in_order(related(order, "OSO"))
        wanted = exits_wanted(leg) if leg else len(children)
        if not children and not wanted:
            return own_view(order)
        exits = self._listing.by_id(children) if children else []
        if len(exits) < max(len(children), wanted):
            raise BrokerUnavailable(f"TradeStation does not show all exits of the order {order['OrderID']}")
        return entry_view(order, exits)

    def every(self, since: datetime) -> list[Document]:
        """The orders of today, the open ones, and those that have ended since then."""
        present = self._listing.present()
        known = {order["OrderID"] for order in present}
        return [*present, *(order for order in self._listing.ended(since) if order["OrderID"] not in known)]

    def _sought(self, ref: OrderRef) -> tuple[Document, ...]:
        """By what was sent. What ended since may have left the list of today."""
        leg = ref.leg
        if leg is None:
            raise BrokerUnavailable(f"TradeStation keeps no ids of ours: {ref.client_order_id} cannot be looked up by it")
        window = Window.of(leg, self._settings.clock_skew_s, self._settings.quarantine_s)
        symbol, wanted = to_venue(leg.contract, self._clock.now().date()), 2 if leg.type is OrderType.OCO else 1
        others = ids_in(ref.others)

        def among(orders: Sequence[Document]) -> tuple[Document, ...]:
            by_its_clock = window.by(self._listing.venue_clock.apart)
            return orders_of(leg, symbol, [order for order in orders if order.get("OrderID") not in others], by_its_clock)

        found = among(self._listing.present())
        if len(found) < wanted:
            found = among(self.every(window.opens))
        if 0 < len(found) < wanted and self._clock.now() <= window.closes:
            raise BrokerUnavailable(f"TradeStation shows one half of {ref.client_order_id} only")
        return found


def _in_order(orders: Sequence[Document]) -> list[Document]:
    by_id = {str(order["OrderID"]): order for order in orders}
    return [by_id[each] for each in in_order(by_id)]
