"""Clearing a lane's resting orders before another order acts, and keeping what protects a position to be placed again."""

from fillpath.orders.floor import Floor, change
from fillpath.orders.legs import SEE_CANCELLED_S, cancel
from fillpath.orders.model import Operation, Order, OrderState, Side
from fillpath.orders.ports.order_store import Working
from fillpath.orders.transitions import is_protection, making_way

_EXITS = {Operation.EXIT_LONG: Side.SELL, Operation.EXIT_SHORT: Side.BUY}
_ENTRIES = {Operation.ENTER_LONG: Side.BUY, Operation.ENTER_SHORT: Side.SELL}


def in_the_way(order: Order, working: tuple[Working, ...]) -> tuple[Working, ...]:
    """The resting orders that must be cancelled before `order` acts.

    A close or target clears the lane (so does a reversal, in its own steps); a partial exit clears its own side, since that
    would exit the same quantity; an entry clears resting entries against it. What only comes to rest itself, or is placed
    again, leaves protection alone.
    """
    if order.live_leg and (order.live_leg.status.ended or is_protection(order.live_leg.leg)):
        return ()
    if order.operation in _ENTRIES:
        return tuple(w for w in working if not w.reduces and w.side is _ENTRIES[order.operation].opposite)
    if order.resting:
        return tuple(w for w in working if not w.reduces and order.operation not in _EXITS)
    side = _EXITS.get(order.operation)
    return working if side is None else tuple(w for w in working if w.side is side)


def clear(order: Order, working: tuple[Working, ...], floor: Floor) -> bool:
    """Cancel these resting orders for `order`; False if one could not be seen ended. Safe to repeat at any point."""
    cleared = [_clear_one(order, each.order_id, floor) for each in working]
    return all(cleared)


def _clear_one(by: Order, order_id: str, floor: Floor) -> bool:
    resting = floor.orders.get(order_id)
    leg = resting.live_leg
    if leg is None or resting.state.ended or resting.state is OrderState.QUEUED:
        return True
    resting = change(resting, lambda o: making_way(o, by.order_id), floor)
    resting = cancel(resting, leg.leg, SEE_CANCELLED_S, floor)
    return resting.state.ended or resting.state is OrderState.QUEUED


def cancel_for_good(working: tuple[Working, ...], floor: Floor) -> bool:
    """Cancel these resting orders because that is what was asked for: none of them is placed again."""
    seen = []
    for each in working:
        resting = floor.orders.get(each.order_id)
        leg = resting.live_leg
        if leg is None or resting.state.ended:
            continue
        resting = change(resting, lambda o: o.model_copy(update={"suspended_by": None}), floor)
        seen.append(cancel(resting, leg.leg, SEE_CANCELLED_S, floor, "cancelled").state.ended)
    return all(seen)
