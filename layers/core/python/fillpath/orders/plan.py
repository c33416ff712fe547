"""What an order means for the position that is held: pure, from a record and figures to one decision.

Quantities run from the account's filled position. What reduces never crosses zero; what goes through zero is a reversal.
"""

from dataclasses import dataclass
from decimal import Decimal

from fillpath.accounts.model import Gate
from fillpath.orders.model import Operation, Order, Side


@dataclass(frozen=True, slots=True)
class Nothing:
    """There is nothing to do, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """It must not be done, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Trade:
    """One leg."""

    side: Side
    quantity: Decimal
    reduces: bool


@dataclass(frozen=True, slots=True)
class Reversal:
    """Close everything that is held, then open."""

    side: Side
    quantity: Decimal


Plan = Nothing | Refusal | Trade | Reversal

_ENTRY_SIDE = {Operation.ENTER_LONG: Side.BUY, Operation.ENTER_SHORT: Side.SELL}
_EXIT_SIDE = {
    Operation.EXIT_LONG: Side.SELL,
    Operation.CLOSE_LONG: Side.SELL,
    Operation.EXIT_SHORT: Side.BUY,
    Operation.CLOSE_SHORT: Side.BUY,
}


def surely_reduces(operation: Operation, target: Decimal | None, prev: Decimal | None) -> bool:
    """Whether the signal can only bring a position nearer to zero, as far as its own words tell."""
    if operation in _ENTRY_SIDE:
        return False
    if operation is not Operation.TARGET:
        return True
    return target == 0 or (prev is not None and target is not None and _kind(prev, target) == "exit")


def plan(order: Order, position: Decimal, unresolved: Decimal = Decimal(0)) -> Plan:
    """The decision for a filled `position` (signed), of which `unresolved` (positive) may already be leaving."""
    if order.only_from is not None and _sign(position) not in order.only_from:
        return Nothing("not_from_here")
    free = _nearer_to_zero(position, unresolved)
    if order.operation in _ENTRY_SIDE:
        return _gated(order, position) or _enter(order, _ENTRY_SIDE[order.operation], position, free)
    if order.operation is Operation.TARGET:
        return _target(order, position, free)
    return _exit(order, free) if free or not position else Nothing("spoken_for")


def _gated(order: Order, position: Decimal) -> Refusal | None:
    return Refusal("position_mismatch") if order.gate is Gate.REJECT and _mismatch(order, position) else None


def _mismatch(order: Order, position: Decimal) -> bool:
    if order.prev is not None:
        return order.prev != position
    return order.prev_side is not None and order.prev_side != _sign(position)


def _enter(order: Order, side: Side, position: Decimal, free: Decimal) -> Plan:
    quantity = order.quantity or Decimal(0)
    if quantity <= 0:
        return Nothing("no_quantity")
    if _sign(position) != -side.sign:
        return Trade(side, quantity, reduces=False)
    if not order.includes_close:
        return Reversal(side, quantity)
    opens = quantity - abs(position)
    if opens > 0:
        return Reversal(side, opens)
    return Trade(side, min(quantity, abs(free)), reduces=True) if free else Nothing("spoken_for")


def _exit(order: Order, free: Decimal) -> Plan:
    if free == 0:
        return Nothing("flat")
    side = Side.of(-free)
    wanted = _EXIT_SIDE.get(order.operation)
    if wanted is not None and wanted is not side:
        return Nothing("other_side_held")
    partial = order.operation in {Operation.EXIT_LONG, Operation.EXIT_SHORT} and order.quantity is not None
    quantity = min(order.quantity or Decimal(0), abs(free)) if partial else abs(free)
    return Trade(side, quantity, reduces=True) if quantity > 0 else Nothing("no_quantity")


def _target(order: Order, position: Decimal, free: Decimal) -> Plan:
    target = order.target if order.target is not None else Decimal(0)
    mismatch = _mismatch(order, position)
    prev = None if order.gate is Gate.RESYNC and mismatch else _believed(order, target)
    if _kind(position if prev is None else prev, target) == "exit":
        return _reduce_to(target, free)
    if order.gate is Gate.REJECT and mismatch:
        return Refusal("position_mismatch")
    return _grow_to(target, position)


def _believed(order: Order, target: Decimal) -> Decimal | None:
    """The position the strategy came from; a bare side tells the kind only where it is not the target's own."""
    if order.prev is not None or order.prev_side is None:
        return order.prev
    return None if order.prev_side == _sign(target) else Decimal(order.prev_side)


def _kind(prev: Decimal, new: Decimal) -> str:
    """`exit` toward zero, `entry` away from it or through it."""
    return "exit" if new == 0 or (_sign(prev) == _sign(new) and abs(new) <= abs(prev)) else "entry"


def _reduce_to(target: Decimal, free: Decimal) -> Plan:
    """From what is held toward the target, but never past zero and never away from it."""
    goal = target if _sign(target) == _sign(free) else Decimal(0)
    change = goal - free
    if change == 0 or abs(goal) >= abs(free):
        return Nothing("flat" if free == 0 else "already_there")
    return Trade(Side.of(change), abs(change), reduces=True)


def _grow_to(target: Decimal, position: Decimal) -> Plan:
    """From what is held to a target that is farther from zero or on its other side."""
    if target == 0 or (_sign(position) == _sign(target) and abs(position) >= abs(target)):
        return Nothing("already_there")
    if _sign(position) == -_sign(target):
        return Reversal(Side.of(target), abs(target))
    change = target - position
    return Trade(Side.of(change), abs(change), reduces=False)


def _nearer_to_zero(position: Decimal, by: Decimal) -> Decimal:
    return Decimal(_sign(position)) * max(Decimal(0), abs(position) - by)


def _sign(value: Decimal) -> int:
    return (value > 0) - (value < 0)
