"""What happens at a simulated exchange, and the bus that tells venues' streams about it.

with exchange.events.subscribe(OrderEvent) as events:      # in a coroutine; or Trade, Quote, Bar of fillpath.market.bars
    async for event in events:
        ...
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from threading import Lock
from types import TracebackType
from typing import Any, Self

from fillpath.market.bars import Bar, Quote, Trade
from fillpath.orders.model import LegStatus
from fillpath_brokers.exchange.orders import ExchangeOrder


@dataclass(frozen=True, slots=True)
class SimOrder:
    """One order as the exchange has it. `id` is the exchange's, and what links name (`state.parent`, `.other`, `.exits`).

    `state` has contract, side, quantity, type, prices, fills and status. `details` is whatever the venue wanted kept with it.
    """

    id: str
    client_order_id: str
    account: str
    state: ExchangeOrder
    created_at: datetime
    updated_at: datetime
    details: Mapping[str, Any] = field(default_factory=dict)
    replaces: str | None = None
    replaced_by: str | None = None

    @property
    def status(self) -> LegStatus:
        """WORKING, PARTIALLY_FILLED, FILLED, CANCELLED, REJECTED or EXPIRED."""
        return self.state.status

    @property
    def held(self) -> bool:
        """Whether it is an exit that waits for its entry to fill."""
        return not self.status.ended and self.state.withheld > 0 and self.state.withheld >= self.state.remaining

    @property
    def average_price(self) -> Decimal | None:
        """Of what is filled."""
        return self.state.average_price


@dataclass(frozen=True, slots=True)
class SimFill:
    """One execution; `position` is what is held of the contract after it."""

    id: str
    order_id: str
    contract: str
    side: str
    quantity: Decimal
    price: Decimal
    commission: Decimal
    position: Decimal
    at: datetime


class EventKind(StrEnum):
    """What happened to an order."""

    ACCEPTED = "accepted"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    REPLACED = "replaced"
    CHANGED = "changed"
    """Its quantity, or whether it is held, because of an order it is linked with."""


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """Something happened to an order, which is shown as it was right after it. `sequence` only grows."""

    sequence: int
    kind: EventKind
    order: SimOrder
    at: datetime
    fill: SimFill | None = None


Event = OrderEvent | Trade | Quote | Bar


class Subscription:
    """Events from now on, for one coroutine; a context manager."""

    def __init__(self, bus: "Bus", kinds: tuple[type, ...]) -> None:
        self._bus = bus
        self._kinds = kinds
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[Event] = asyncio.Queue()

    def offer(self, event: Event) -> None:
        """Take an event from any thread."""
        if isinstance(event, self._kinds) and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._queue.put_nowait, event)

    async def next(self, timeout_s: float | None = None) -> Event:
        """The next event; TimeoutError."""
        async with asyncio.timeout(timeout_s):
            return await self._queue.get()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        return await self._queue.get()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bus.drop(self)


class Bus:
    """Gives each event to whoever has subscribed to its kind, in the order in which they happened."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._subscriptions: list[Subscription] = []

    def subscribe(self, *kinds: type) -> Subscription:
        """Events of these classes (all without any), from now on. To be called in a coroutine."""
        subscription = Subscription(self, kinds or (OrderEvent, Trade, Quote, Bar))
        with self._lock:
            self._subscriptions.append(subscription)
        return subscription

    def __len__(self) -> int:
        """How many subscriptions there are."""
        return len(self._subscriptions)

    def drop(self, subscription: Subscription) -> None:
        """Tell it nothing more."""
        with self._lock:
            self._subscriptions.remove(subscription)

    def publish(self, event: Event) -> None:
        """Tell everybody, from any thread."""
        with self._lock:
            for subscription in self._subscriptions:
                subscription.offer(event)
