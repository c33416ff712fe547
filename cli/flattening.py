"""Flatten past the lanes, by the venue's own means. In: an account's broker; out: what was asked for, and all that is left.

Everything is cancelled first, and what was not taken once more, one by one. A contract is closed as soon as nothing works in it.
Where an order that would close it goes on working, it stays as it is: that order may be what protects it, and would open a
position the other way if it filled after the close. An order that works the other way, or only reduces, holds nothing up.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from cli.order_view import in_ticks, number
from cli.patience import patiently
from fillpath.clock import Clock
from fillpath.errors import FillpathError
from fillpath.orders.model import Side
from fillpath.orders.outcomes import Position
from fillpath_brokers.facade import Broker, BrokerOrder, OrderRef

LOOK_EVERY_S = 1.0
WAITS = 3

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Flattened:
    """What came of it. `asked`: contracts that the venue was asked to close; `failed`: why others were not.

    `working` and `held`: what was left at the last look, None where the venue did not show it; `troubles`: what it refused or did
    not answer on the way.
    """

    asked: tuple[str, ...]
    failed: dict[str, str]
    working: tuple[BrokerOrder, ...] | None
    held: tuple[Position, ...] | None
    troubles: tuple[str, ...]

    @property
    def done(self) -> bool:
        """Whether nothing is left, for certain."""
        return self.working == () and self.held == ()


def flatten_at_venue(broker: Broker, clock: Clock, patience_s: float) -> Flattened:
    """Cancel and close everything. It waits up to `WAITS` times `patience_s`: for cancellations, again, and for the closes.

    Raises the venue's error where it neither takes nor shows anything.
    """
    return _Flattening(broker, clock, patience_s).run()


def flattened_record(account_id: str, left: Flattened) -> dict[str, Any]:
    """The same for programs, exact numbers as text; null for what the venue did not show."""
    return {
        "account_id": account_id,
        "liquidated": list(left.asked),
        "failed": left.failed,
        "working": None if left.working is None else [_order_record(order) for order in left.working],
        "held": None if left.held is None else [{"symbol": p.contract, "quantity": number(p.quantity)} for p in left.held],
        "troubles": list(left.troubles),
    }


def in_words(order: BrokerOrder) -> str:
    """What an order does, and its number at the venue."""
    prices = [in_ticks(str(each), order.contract) for each in (order.limit_price, order.stop_price) if each is not None]
    words = [order.side.value, number(order.quantity), order.contract, order.type.value, *prices]
    return f"{' '.join(words)} (order {order.view.broker_order_id})"


class _Flattening:
    """The steps, and what came of them so far."""

    def __init__(self, broker: Broker, clock: Clock, patience_s: float) -> None:
        self._broker, self._clock, self._patience_s = broker, clock, patience_s
        self._asked: list[str] = []
        self._failed: dict[str, str] = {}
        self._troubles: dict[str, None] = {}
        self._working: tuple[BrokerOrder, ...] | None = None
        self._held: tuple[Position, ...] | None = None

    def run(self) -> Flattened:
        refused = self._trouble(self._broker.cancel_all)
        self._watch(self._all_closed)
        if refused and self._working is None and self._held is None:
            raise refused
        if again := [order for order in self._working or () if order.contract not in self._asked]:  # the others are the closes
            for order in again:
                self._trouble(partial(self._broker.cancel, OrderRef(order.client_order_id, order.view.broker_order_id)))
            self._watch(self._all_closed)
        self._close(each.contract for each in self._open() if not self._why_not(each, all_asked=refused is None))
        self._watch(lambda: self._all_closed() and not any(each.contract in self._asked for each in self._held or ()))
        left = {
            each.contract: self._why_not(each, all_asked=False) or "it was filled at the last moment" for each in self._open()
        }
        return Flattened(tuple(self._asked), self._failed | left, self._working, self._held, tuple(self._troubles))

    def _all_closed(self) -> bool:
        """Close each contract in which nothing works any more; whether that goes for all."""
        if self._working is not None:
            busy = {order.contract for order in self._working}
            self._close(each.contract for each in self._open() if each.contract not in busy)
        return self._working == () and self._held is not None

    def _why_not(self, position: Position, *, all_asked: bool) -> str:
        """Why a position is not to be closed though patience has ended: what works in it still, or may, could fill after that."""
        if self._working is None:
            return "" if all_asked else "what works in it still cannot be read"
        exits = ", ".join(in_words(order) for order in self._working if _could_cross_zero(order, position))
        return f"an order that closes it works still, and would open a position after: {exits}" if exits else ""

    def _close(self, contracts: Iterable[str]) -> None:
        for contract in contracts:
            error = self._error(partial(self._broker.liquidate, contract))
            if error:
                self._failed[contract] = str(error)
            else:
                self._asked.append(contract)

    def _open(self) -> list[Position]:
        """What is held and was neither asked to be closed nor given up."""
        return [each for each in self._held or () if each.contract not in {*self._asked, *self._failed}]

    def _watch(self, done: Callable[[], bool]) -> None:
        """Look at orders, then at positions, until it is done or patience ends."""
        until = self._clock.now() + timedelta(seconds=self._patience_s)
        while True:
            self._working, self._held = self._seen(self._broker.orders), self._seen(self._broker.positions)
            if done() or self._clock.now() >= until:
                return
            self._clock.sleep(LOOK_EVERY_S)

    def _seen(self, look: Callable[[], Answer]) -> Answer | None:
        try:
            return self._ask(look)
        except FillpathError as error:
            self._troubles[str(error)] = None
            return None

    def _trouble(self, ask: Callable[[], None]) -> FillpathError | None:
        error = self._error(ask)
        if error:
            self._troubles[str(error)] = None
        return error

    def _error(self, ask: Callable[[], None]) -> FillpathError | None:
        try:
            self._ask(ask)
        except FillpathError as error:
            return error
        return None

    def _ask(self, ask: Callable[[], Answer]) -> Answer:
        return patiently(ask, sleep=self._clock.sleep, now=lambda: self._clock.now().timestamp())


def _could_cross_zero(order: BrokerOrder, position: Position) -> bool:
    same = order.contract == position.contract
    return same and order.side is Side.of(-position.quantity) and not order.reduce_only


def _order_record(order: BrokerOrder) -> dict[str, Any]:
    return {
        "broker_order_id": order.view.broker_order_id,
        "symbol": order.contract,
        "side": order.side.value,
        "quantity": number(order.quantity),
        "type": order.type.value,
        "limit_price": None if order.limit_price is None else number(order.limit_price),
        "stop_price": None if order.stop_price is None else number(order.stop_price),
    }
