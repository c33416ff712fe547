"""Linked orders: what the fill or the end of one does to its pair, and what an entry does to its exits."""

from dataclasses import replace

from fillpath.orders.model import LegStatus
from fillpath_brokers.exchange.orders import ZERO, ExchangeOrder, Fill
from fillpath_brokers.exchange.turn import Turn

OTHER_FILLED = "other_filled"
"""Why the one of a pair ends whose other one has filled all."""


def end(turn: Turn, order: ExchangeOrder, status: LegStatus, reason: str) -> Turn:
    """End an order, the other one of its pair in the same way, and give its exits the size of what it has filled."""
    turn = turn.having(turn.book, order.ended(status, reason))
    if other := turn.working(order.other):
        turn = turn.having(turn.book, other.ended(status, reason))
    for each in exits_of(turn, order):
        turn = _settled(turn, each, reason)
    return turn


def after_fill(turn: Turn, order: ExchangeOrder, fill: Fill) -> Turn:
    """Take what an order has filled off the other one of its pair, and hand it over to its exits."""
    if other := turn.working(order.other):
        left = replace(other, quantity=other.quantity - fill.quantity, seen_at=fill.at)
        turn = turn.having(turn.book, left if left.remaining else other.ended(LegStatus.CANCELLED, OTHER_FILLED))
    for each in exits_of(turn, order):
        turn = turn.having(turn.book, replace(each, withheld=each.withheld - fill.quantity, seen_at=fill.at))
    return turn


def exits_of(turn: Turn, order: ExchangeOrder) -> tuple[ExchangeOrder, ...]:
    """The working exits of an entry, its stop first."""
    first = turn.working(order.exits)
    if first is None:
        return ()
    second = turn.working(first.other)
    return (second, first) if second else (first,)


def linked(turn: Turn, order: ExchangeOrder) -> tuple[ExchangeOrder, ...]:
    """The working orders that an event of this one may have changed."""
    other = turn.working(order.other)
    return (*((other,) if other else ()), *exits_of(turn, order))


def _settled(turn: Turn, exit_: ExchangeOrder, reason: str) -> Turn:
    exit_ = replace(exit_, quantity=exit_.quantity - exit_.withheld, withheld=ZERO)
    if not exit_.remaining:
        exit_ = exit_.ended(LegStatus.FILLED if exit_.filled_quantity else LegStatus.CANCELLED, reason)
    return turn.having(turn.book, exit_)
