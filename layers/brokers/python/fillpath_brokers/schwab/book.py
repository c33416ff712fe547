"""What became of orders at Schwab. In: references, instants; out: views, working orders, fills."""

from datetime import datetime

from fillpath.errors import BrokerUnavailable
from fillpath.orders.outcomes import LegView
from fillpath_brokers.documents import readable
from fillpath_brokers.facade import BrokerOrder, Execution, OrderRef
from fillpath_brokers.schwab.bodies import body_of
from fillpath_brokers.schwab.look_up import LookUp
from fillpath_brokers.schwab.settings import Settings
from fillpath_brokers.schwab.symbols import shown
from fillpath_brokers.schwab.trader import Trader
from fillpath_brokers.schwab.wire import executions, singles, symbol_of, view_of, working_order


class OrderBook:
    """One account's orders, as far as they are looked at. Raises BrokerUnavailable."""

    def __init__(self, trader: Trader, look_up: LookUp, settings: Settings) -> None:
        self._trader = trader
        self._look_up = look_up
        self._settings = settings

    def order(self, ref: OrderRef) -> LegView | None:
        """The order, the pair, or the entry with its exits; None if Schwab shows no such order."""
        if ref.broker_order_id:
            return self._look_up.by_name(ref.broker_order_id, ref.leg)
        if ref.leg is None:
            raise BrokerUnavailable(f"Schwab keeps no client order ids: {ref.client_order_id} alone says nothing")
        return self._look_up.by_content(ref.leg, body_of(ref.leg, self._settings), ref.others)

    def name(self, ref: OrderRef) -> str | None:
        """What the order is called at Schwab; None: it shows no such order."""
        if ref.broker_order_id:
            return ref.broker_order_id
        view = self.order(ref)
        return None if view is None else view.broker_order_id

    def orders(self) -> tuple[BrokerOrder, ...]:
        """Every working order, exits that wait for their entry included."""
        with readable("Schwab's orders"):
            seen = [(order, view_of(order)) for order in singles(self._trader.recent_orders())]
            return tuple(working_order(order, shown(symbol_of(order)), view) for order, view in seen if not view.status.ended)

    def fills(self, since: datetime) -> tuple[Execution, ...]:
        """What was filled since then, the oldest first, of every order that may have been; Schwab's times are whole seconds."""
        begin = since.replace(microsecond=0)
        with readable("Schwab's fills"):
            orders = singles(self._trader.recent_orders(since))
            found = [each for order in orders for each in executions(order, shown(symbol_of(order))) if each.at >= begin]
        return tuple(sorted(found, key=lambda each: each.at))
