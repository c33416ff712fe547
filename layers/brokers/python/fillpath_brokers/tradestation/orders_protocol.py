"""TradeStation's order stream without I/O: first every order as it is, then each order that changes; updates go out.

What has ended stays ended: the same end may come twice, and frames may come out of turn. Fills are cumulative, so the largest
counts.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from fillpath.orders.model import LegStatus
from fillpath.orders.outcomes import LegView
from fillpath_brokers.facade import OrderUpdate
from fillpath_brokers.remembered import Remembered
from fillpath_brokers.streaming.protocol import Action, Heard, Ready
from fillpath_brokers.tradestation.stream_protocol import Message, TradeStationProtocol
from fillpath_brokers.tradestation.symbols import shown
from fillpath_brokers.tradestation.wire import own_view, side_of, symbol_of

_MOST_REMEMBERED = 5_000


class OrdersProtocol(TradeStationProtocol[OrderUpdate]):
    """Ready once the orders were told as they are; these come out as updates too."""

    def __init__(self) -> None:
        super().__init__("order stream")
        self._ended: Remembered[str, LegView] = Remembered(_MOST_REMEMBERED)

    def _heard(self, message: Message, at: datetime) -> Sequence[Action[OrderUpdate]]:
        if message.get("StreamStatus") == "EndSnapshot":
            return [Ready()]
        if "OrderID" not in message:
            return ()
        view = self._sticky(own_view(message))
        return [Heard(OrderUpdate("", shown(symbol_of(message)), side_of(message), view))]

    def _sticky(self, view: LegView) -> LegView:
        order_id = view.broker_order_id or ""
        before = self._ended.get(order_id)
        if before is not None:
            view = _later(before, view)
        if view.status.ended:
            self._ended.put(order_id, view)
        return view


def _later(before: LegView, now: LegView) -> LegView:
    """Of an order that had ended: a fill may have been told late, nothing else is news."""
    if now.filled_quantity > before.filled_quantity:
        return now if now.status is LegStatus.FILLED else replace(now, status=before.status)
    return before
