"""From word of changed orders to the orders: what a listener hears comes in, the orders as they are now go out.

Schwab's word may come before its own orders show the change, so an order that still works is read once more a little later. What
could not be read is told as a Gap, after which all orders must be read.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable, Iterator
from datetime import datetime
from typing import Any

from fillpath.errors import BrokerUnavailable
from fillpath.market.bars import Gap
from fillpath.orders.outcomes import LegView
from fillpath_brokers.facade import OrderUpdate
from fillpath_brokers.remembered import Remembered
from fillpath_brokers.schwab.look_up import Found, LookUp
from fillpath_brokers.schwab.settings import Settings
from fillpath_brokers.schwab.stream_protocol import Changed, StreamerEvent
from fillpath_brokers.schwab.symbols import shown
from fillpath_brokers.schwab.wire import side_of, symbol_of
from fillpath_brokers.streaming.listener import Listener, Told

_MOST_REMEMBERED = 5_000
Item = Told[StreamerEvent]


class OrderWatch:
    """For one listener, from `begun` on. `in_thread` is how a call that may block is made."""

    def __init__(self, look_up: LookUp, settings: Settings, in_thread: Callable[..., Awaitable[Any]], begun: datetime) -> None:
        self._look_up = look_up
        self._in_thread = in_thread
        self._settings = settings
        self._told: Remembered[str, LegView] = Remembered(_MOST_REMEMBERED)
        self._heard_at = begun

    async def updates(self, listener: Listener[StreamerEvent]) -> AsyncGenerator[OrderUpdate | Gap, None]:
        """Every order that is not as it was told before; ends with the listener."""
        again: set[str] = set()
        while (heard := await self._heard(listener, again)) is not None:
            for gap in self._gaps(heard):
                yield gap
            names = self._names(heard) if heard else again
            again = again | names if heard else set()
            try:
                found = await self._in_thread(self._read, names)
            except BrokerUnavailable:
                yield Gap(self._heard_at, listener.now())
                continue
            for update in self._news(found):
                yield update
            again -= {name for name, orders in found.items() if orders and all(each.view.status.ended for each in orders)}

    async def _heard(self, listener: Listener[StreamerEvent], again: Collection[str]) -> list[Item] | None:
        """What has come; nothing: it is time to read once more; None: the end."""
        try:
            first = await listener.next_within(self._settings.read_again_s if again else None)
        except TimeoutError:
            return []
        return None if first is None else [first, *listener.more()]

    def _gaps(self, heard: Iterable[Item]) -> Iterator[Gap]:
        for event in heard:
            if isinstance(event, Gap):
                yield event
            elif isinstance(event, Changed):
                if event.order_id is None:
                    yield Gap(self._heard_at, event.at)
                self._heard_at = event.at

    def _names(self, heard: Iterable[Item]) -> set[str]:
        ours = self._settings.account
        changed = [each for each in heard if isinstance(each, Changed) and (not ours or each.account in (None, ours))]
        return {each.order_id for each in changed if each.order_id}

    def _read(self, names: Collection[str]) -> dict[str, list[Found]]:
        return {name: self._look_up.around(name) for name in sorted(names)}

    def _news(self, found: dict[str, list[Found]]) -> Iterator[OrderUpdate]:
        for each in (each for orders in found.values() for each in orders):
            view = each.view
            name = view.broker_order_id or ""
            if self._told.get(name) != view:
                self._told.put(name, view)
                yield OrderUpdate("", shown(symbol_of(each.order)), side_of(each.order), view)
