"""The account's orders behind references: from an id, or from what was sent, to TradeStation's documents, and to views of them.

A bracket's view always has its exits, a pair's always both of its orders: what is shown in part only is no answer. An exit that
was refused, or that still does not show when nothing can appear any more, has a name of its own and has ended.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from fillpath.clock import Clock
from fillpath.errors import BrokerError, BrokerUnavailable
from fillpath.orders.model import Leg, OrderType
from fillpath.orders.outcomes import LegView
from fillpath_brokers.documents import readable
from fillpath_brokers.facade import BrokerOrder, Execution, OrderRef
from fillpath_brokers.pairs import exits_wanted, ids_in, ids_of
from fillpath_brokers.tradestation.listing import Listing
from fillpath_brokers.tradestation.look_up import may_be_exits_of, orders_of
from fillpath_brokers.tradestation.settings import Settings
from fillpath_brokers.tradestation.symbols import shown, to_venue
from fillpath_brokers.tradestation.wire import (
    Document,
    entry_view,
    execution,
    exits_view,
    filled_of,
    gone_exit,
    gone_view,
    in_order,
    is_gone,
    is_over,
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
        return self.view(orders, ref) if orders or _all_gone(ref) else None

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
        """The order, or both of a pair as far as they are not gone; none: TradeStation shows no such order."""
        if ref.broker_order_id is None:
            return self._sought(ref)
        ids = self.ids(ref)
        found = self._listing.by_id(ids, ref.leg.prepared_at if ref.leg else None) if ids else []
        if 0 < len(found) < len(ids):
            raise BrokerUnavailable(f"TradeStation shows {len(found)} of the orders {', '.join(ids)}")
        return tuple(found)

    def ids(self, ref: OrderRef) -> list[str]:
        """The ids of what there is of it; those that its name has are not looked up."""
        if ref.broker_order_id is None:
            return [str(order["OrderID"]) for order in self._sought(ref)]
        return [each for each in ids_of(ref.broker_order_id) if not is_gone(each)]

    def is_over(self, order_id: str) -> bool:
        """Whether the order is shown ended, or on its way there; not where it cannot be seen."""
        try:
            return any(is_over(order) for order in self._listing.shown([order_id]))
        except BrokerError:  # whatever it is, nothing was seen
            return False

    def view(self, orders: Sequence[Document], ref: OrderRef) -> LegView:
        """As what the caller knows it: an exit pair, or an order with the exits that were placed with it."""
        leg, gone = ref.leg, _gone(ref)
        if gone or len(orders) > 1 or (leg is not None and leg.type is OrderType.OCO):
            return exits_view(_in_order(orders), leg.quantity if leg else None, gone)
        return self.entry_view(orders[0], leg, ref.others)

    def entry_view(self, order: Document, leg: Leg | None, others: Collection[str] = ()) -> LegView:
        """One order, with its exits where it has any, or should have. `others`: names of orders that are known not to be its."""
        known = ids_of(leg.exits_ref) if leg is not None and leg.exits_ref else ()
        names = known or in_order(related(order, "OSO"))
        wanted = len(names) if known or leg is None else max(len(names), exits_wanted(leg))
        if not wanted:
            return own_view(order)
        shown = self._shown(names, leg)
        missing = wanted - len(shown)
        if missing and (leg is None or not self._are_gone(leg, order, [*shown, *ids_in(others)])):
            raise BrokerUnavailable(f"TradeStation does not show all exits of the order {order['OrderID']}")
        if known:
            return entry_view(order, [shown.get(each) or gone_view(each) for each in known])
        return entry_view(order, [*shown.values(), *([gone_view(gone_exit(str(order["OrderID"])))] if missing else [])])

    def _shown(self, names: Sequence[str], leg: Leg | None) -> dict[str, LegView]:
        """These exits as far as they are there; those that are gone are known to have ended."""
        ids = [each for each in names if not is_gone(each)]
        orders = self._listing.shown(ids, leg.prepared_at if leg else None) if ids else []
        seen = {str(order["OrderID"]): own_view(order) for order in orders}
        return {each: seen[each] if each in seen else gone_view(each) for each in names if each in seen or is_gone(each)}

    def _are_gone(self, leg: Leg, entry: Document, others: Collection[str]) -> bool:
        """Whether exits that are not shown never will be: their time is over, and nothing at work may be one of them."""
        if leg.submit_by is None or self._clock.now() <= leg.submit_by + timedelta(seconds=self._settings.quarantine_s):
            return False
        window = self._window(leg)
        present = self._listing.present()
        like = may_be_exits_of(leg, symbol_of(entry), present, window.by(self._listing.venue_clock.apart))
        return all(str(order["OrderID"]) in others for order in like)

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
        window = self._window(leg)
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

    def _window(self, leg: Leg) -> Window:
        return Window.of(leg, self._settings.clock_skew_s, self._settings.quarantine_s)


def _gone(ref: OrderRef) -> tuple[str, ...]:
    return tuple(each for each in ids_of(ref.broker_order_id or "") if is_gone(each))


def _all_gone(ref: OrderRef) -> bool:
    return ref.broker_order_id is not None and all(map(is_gone, ids_of(ref.broker_order_id)))


def _in_order(orders: Sequence[Document]) -> list[Document]:
    by_id = {str(order["OrderID"]): order for order in orders}
    return [by_id[each] for each in in_order(by_id)]
