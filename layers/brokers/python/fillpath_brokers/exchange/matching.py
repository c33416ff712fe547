"""Matching: orders and what prices did come in; what fills, rests or ends goes out. Pure; time and prices are the caller's.

A look takes in all that a price did since the last one, step by step and over all orders in the order of time, so that it does
not matter how often anybody looks. A reduce-only order fills no more than is held at that moment, and is cancelled once nothing
is left to reduce. Of what one step touches, the order that was placed first comes first.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from fillpath.orders.model import LegStatus
from fillpath_brokers.exchange import links
from fillpath_brokers.exchange.orders import ExchangeOrder, Fill
from fillpath_brokers.exchange.path import Kind, Market, Step, point
from fillpath_brokers.exchange.touch import instrument_behind, met, trailed
from fillpath_brokers.exchange.turn import Turn

REMEMBER_AFTER = timedelta(minutes=5)
"""How old what an order has seen may be before a look that changes nothing is remembered: looks are many, writes cost."""
_AT_ONCE = {"ioc": "immediate_or_cancel", "fok": "fill_or_kill"}


def place(turn: Turn, orders: Sequence[ExchangeOrder], market: Market) -> Turn:
    """Take new orders (one, a pair, an entry with its exits): fill what fills at once, let the rest work or end."""
    leading = orders[0]
    step = point(market.now, market.price(leading.contract))
    turn = replace(turn, placed=leading.order_id)
    for order in orders:
        turn = turn.having(turn.book, trailed(order, step))
    if leading.reduce_only and not turn.book.reducible(leading.contract, leading.side):
        return links.end(turn, turn.orders[leading.order_id], LegStatus.CANCELLED, "nothing_to_reduce")
    for order in reversed(orders):
        turn = _at_once(turn, order.order_id, step)
    return turn


def advance(turn: Turn, orders: Iterable[ExchangeOrder], market: Market) -> Turn:
    """Take in what prices did since these working orders have last seen them: expire what is over, fill what was touched."""
    return _Walk(turn, orders, market).taken()


def cancel(turn: Turn, order_id: str) -> Turn:
    """Take a working order out, and the other one of its pair; one that has ended stays as it is."""
    order = turn.working(order_id)
    return links.end(turn, order, LegStatus.CANCELLED, "cancelled") if order else turn


def look_again(turn: Turn, order_id: str, market: Market) -> Turn:
    """Take in the present price for a working order that has been changed."""
    order = turn.working(order_id)
    return _at_once(turn, order_id, point(market.now, market.price(order.contract))) if order else turn


@dataclass(frozen=True, slots=True)
class _Event:
    """The next thing that happens to an order, which is shown as it is then; no `price` is: it only ends or is triggered."""

    at: datetime
    kind: Kind
    order: ExchangeOrder
    step: int
    price: Decimal | None = None
    expires: bool = False

    @property
    def when(self) -> tuple[datetime, bool, Kind, datetime, str]:
        return self.at, not self.expires, self.kind, self.order.placed_at, self.order.order_id


class _Walk:
    """All orders along what their prices did: each order's next event is known, the earliest one happens."""

    def __init__(self, turn: Turn, orders: Iterable[ExchangeOrder], market: Market) -> None:
        self._turn = turn
        self._market = market
        self._steps: dict[str, Sequence[Step]] = {}
        self._next: dict[str, _Event] = {}
        self._quiet: dict[str, ExchangeOrder] = {}
        self._begun: dict[str, int] = {}
        by_contract: dict[str, list[ExchangeOrder]] = {}
        for order in orders:
            by_contract.setdefault(order.contract, []).append(order)
        for contract, those in by_contract.items():
            self._steps[contract] = market.steps(contract, min(order.since for order in those), _instants(those, market.now))
            for order in those:
                self._scan(order, 0)

    def taken(self) -> Turn:
        while self._next and not self._turn.full:
            self._happen(min(self._next.values(), key=lambda event: event.when))
        if not self._turn.full:
            for order in self._quiet.values():
                self._remember(order)
        return self._turn

    def _happen(self, event: _Event) -> None:
        order = event.order
        if event.expires:
            self._turn = links.end(self._turn, order, LegStatus.EXPIRED, "end_of_day")
        else:
            self._turn = _executed(self._turn, order, event.price, event.at)
        beyond = bisect_right(self._steps[order.contract], event.at, key=lambda step: step.at)
        touched = {order.order_id: beyond}
        for each in links.linked(self._turn, order):
            begin = beyond if each.parent == order.order_id else event.step
            touched[each.order_id] = max(begin, self._begun.get(each.order_id, 0))
        for order_id in (order.other, *touched):
            if order_id:
                self._next.pop(order_id, None)
                self._quiet.pop(order_id, None)
        self._forget_ended()
        for order_id, begin in touched.items():
            if working := self._turn.working(order_id):
                self._scan(working, begin)

    def _forget_ended(self) -> None:
        for known in (self._next, self._quiet):
            for order_id in [each for each in known if each not in self._turn.book.working]:
                del known[order_id]

    def _scan(self, order: ExchangeOrder, begin: int) -> None:
        self._begun[order.order_id] = begin
        found = _next_event(order, self._steps[order.contract], begin, self._market.now)
        if isinstance(found, _Event):
            self._next[order.order_id] = found
        else:
            self._quiet[order.order_id] = found

    def _remember(self, order: ExchangeOrder) -> None:
        changed = order.order_id in self._turn.orders or order != self._turn.working(order.order_id)
        if changed or self._market.now - order.since > REMEMBER_AFTER:
            self._turn = self._turn.noting(replace(order, seen_at=max(order.since, self._market.now)))


def _instants(orders: Iterable[ExchangeOrder], now: datetime) -> list[datetime]:
    """When these orders may begin to fill (more)."""
    return [at for order in orders for at in (order.fills_from, order.cap_until) if at and order.since < at <= now]


def _next_event(order: ExchangeOrder, steps: Sequence[Step], begin: int, now: datetime) -> _Event | ExchangeOrder:
    """The next event of an order from a step on; without one, the order as it is after all steps."""
    for index in range(begin, len(steps)):
        step = steps[index]
        at = max(step.at, order.since)
        if step.at <= order.since and not step.standing:
            continue
        if order.expires_at and at >= order.expires_at:
            break
        if not order.fillable(at):
            order = trailed(order, step)
            continue
        after, price = met(order, step)
        if price is not None or after.triggered is not order.triggered:
            return _Event(at, step.kind, after, index, price)
        order = after
    if order.expires_at and now >= order.expires_at:
        return _Event(max(order.expires_at, order.since), Kind.POINT, order, len(steps), expires=True)
    return order


def _at_once(turn: Turn, order_id: str, step: Step) -> Turn:
    """Let an order that has just begun to work meet the present price; what may not rest ends."""
    order = turn.working(order_id)
    if order is None:
        return turn
    if order.fillable(step.at):
        order, price = met(order, step, rested=False)
        if not _kills(turn, order, step.at):
            turn = _executed(turn, order, price, step.at)
    order = turn.working(order_id)
    if order and not order.parent and order.time_in_force in _AT_ONCE:
        turn = links.end(turn, order, LegStatus.CANCELLED, _AT_ONCE[order.time_in_force])
    return turn


def _kills(turn: Turn, order: ExchangeOrder, at: datetime) -> bool:
    return order.time_in_force == "fok" and _quantity(turn, order, at) < order.remaining


def _quantity(turn: Turn, order: ExchangeOrder, at: datetime) -> Decimal:
    quantity = order.fillable(at)
    return min(quantity, turn.book.reducible(order.contract, order.side)) if order.reduce_only else quantity


def _executed(turn: Turn, order: ExchangeOrder, price: Decimal | None, at: datetime) -> Turn:
    """Fill what may be filled at the price; the order itself may have been triggered just now."""
    quantity = _quantity(turn, order, at) if price is not None else Decimal(0)
    if price is not None and quantity:
        turn = _filled(turn, order, quantity, price, at)
        for each in links.exits_of(turn, order):
            turn = _at_once(turn, each.order_id, point(at, price))
    elif order != turn.working(order.order_id):
        turn = turn.having(turn.book, replace(order, seen_at=at))
    return _nothing_left_to_reduce(turn, turn.working(order.order_id), touched=price is not None)


def _filled(turn: Turn, order: ExchangeOrder, quantity: Decimal, price: Decimal, at: datetime) -> Turn:
    instrument = instrument_behind(order.contract)
    book, realised, commission = turn.book.traded(instrument, order.contract, order.side.sign * quantity, price)
    fill = Fill(
        order_id=order.order_id,
        n=order.fill_count + 1,
        contract=order.contract,
        side=order.side,
        quantity=quantity,
        price=price,
        commission=commission,
        realised_pnl=realised,
        at=at,
        serial=book.fill_count,
    )
    return links.after_fill(turn.having(book, order.filled(fill), fill), order, fill)


def _nothing_left_to_reduce(turn: Turn, order: ExchangeOrder | None, *, touched: bool) -> Turn:
    """An exit whose entry may still fill is left alone: there may be something to reduce soon."""
    if order is None or not touched or not order.reduce_only or order.withheld:
        return turn
    if turn.book.reducible(order.contract, order.side):
        return turn
    return links.end(turn, order, LegStatus.CANCELLED, "nothing_to_reduce")
