"""What became of orders at Alpaca. In: references, instants; out: views, working orders, fills."""

from dataclasses import replace
from datetime import datetime, timedelta

from fillpath.errors import BrokerUnavailable
from fillpath.orders.model import Leg
from fillpath.orders.outcomes import LegView
from fillpath_brokers.alpaca.calls import Calls, Document
from fillpath_brokers.alpaca.look_up import LookUp, is_pair
from fillpath_brokers.alpaca.symbols import shown
from fillpath_brokers.alpaca.wire import execution, exits_view, own_view, pair_of, working_order
from fillpath_brokers.documents import moment, paged, readable
from fillpath_brokers.facade import BrokerOrder, Execution, OrderRef
from fillpath_brokers.pairs import exits_wanted

_MOST_ORDERS, _MOST_FILLS = 500, 100


class OrderBook:
    """One account's orders, as far as they are looked at. Raises BrokerUnavailable."""

    def __init__(self, calls: Calls, look_up: LookUp) -> None:
        self._calls = calls
        self._look_up = look_up

    def order(self, ref: OrderRef) -> LegView | None:
        """The order, the pair, or the entry with its exits; None if Alpaca shows no such order."""
        found = self._look_up.order(ref)
        return None if found is None else self.view(found, ref.leg, ref.broker_order_id)

    def view(self, order: Document, leg: Leg | None, broker_order_id: str | None = None) -> LegView:
        """As what the caller knows it: an exit pair, or an order with the exits that were placed with it."""
        if is_pair(order, leg):
            return pair_of(self._look_up.pair(order, broker_order_id), leg.quantity if leg else None)
        view = own_view(self._look_up.newest(order))
        exits = exits_view(order)
        if exits is None and leg is not None and exits_wanted(leg):
            raise BrokerUnavailable(f"Alpaca does not show the exits of {leg.client_order_id} yet")
        return replace(view, exits=exits)

    def orders(self) -> tuple[BrokerOrder, ...]:
        """Every working order, the oldest first, exits that wait for their entry included."""
        found = {str(order["id"]): order for order in paged(self._working, "Alpaca's working orders")}
        with readable("Alpaca's working orders"):
            return tuple(working_order(order, shown(order["symbol"])) for order in found.values())

    def fills(self, since: datetime) -> tuple[Execution, ...]:
        """What was filled since then, the oldest first."""

        def page(token: str | None) -> tuple[list[Document], str | None]:
            params = {"after": since.isoformat(), "direction": "asc", "page_size": str(_MOST_FILLS)}
            found = self._calls.listed("/v2/account/activities/FILL", params | ({"page_token": token} if token else {}))
            return found, str(found[-1]["id"]) if len(found) >= _MOST_FILLS else None

        with readable("Alpaca's fills"):
            return tuple(execution(each, shown(each["symbol"])) for each in paged(page, "Alpaca's fills"))

    def _working(self, after: str | None) -> tuple[list[Document], str | None]:
        """A page of those that were submitted after that moment. Orders of one moment may be parted by the end of a page."""
        params = {"status": "open", "limit": str(_MOST_ORDERS), "direction": "asc", "nested": "false"}
        found = self._calls.listed("/v2/orders", params | ({"after": after} if after else {}), urgent=True)
        with readable("Alpaca's working orders"):
            last = moment(found[-1]["submitted_at"]) if len(found) >= _MOST_ORDERS else None
        return found, None if last is None else (last - timedelta(microseconds=1)).isoformat()
