"""Clearing a lane's resting orders before another order acts, and keeping what protects a position to be placed again."""

from fillpath.orders.floor import Change, Floor, change
from fillpath.orders.legs import SEE_CANCELLED_S, cancel, look
from fillpath.orders.model import Operation, Order, OrderState, Side
from fillpath.orders.plan import Plan, Trade
from fillpath.orders.ports.order_store import LaneView, Working
from fillpath.orders.transitions import ended, is_protection, making_way

_EXITS = {Operation.EXIT_LONG: Side.SELL, Operation.EXIT_SHORT: Side.BUY}
_ENTRIES = {Operation.ENTER_LONG: Side.BUY, Operation.ENTER_SHORT: Side.SELL}


def in_the_way(order: Order, working: tuple[Working, ...], decision: Plan) -> tuple[Working, ...]:
    """The resting orders that must be cancelled before `order` acts.

    A close or target clears the lane (so does a reversal, in its own steps); a partial exit clears its own side, since that
    would exit the same quantity; an entry clears resting entries against it, and one that turns out to reduce what a partial exit
    clears. What only comes to rest itself, or is placed again, leaves protection alone.
    """
    if order.live_leg and (order.live_leg.status.ended or is_protection(order.live_leg.leg)):
        return ()
    if order.operation in _ENTRIES:
        side = _ENTRIES[order.operation]
        reduces = isinstance(decision, Trade) and decision.reduces and not order.resting
        return tuple(w for w in working if (not w.reduces and w.side is side.opposite) or (reduces and w.side is side))
    if order.resting:
        return tuple(w for w in working if not w.reduces and order.operation not in _EXITS)
    exits = _EXITS.get(order.operation)
    return working if exits is None else tuple(w for w in working if w.side is exits)


def with_exits_found(view: LaneView, floor: Floor) -> LaneView:
    """The lane once more if the broker shows a bracket whose outcome was unknown: its exits are in the way too.

    Whoever reduces without them would leave exits behind for a position that is gone. Raises BrokerError.
    """
    seen = False
    for each in view.unknown:
        order = floor.orders.get(each.order_id)
        leg = order.live_leg
        if order.protection_id and leg and leg.status.in_doubt:
            order = look(order, leg.leg, floor)
            found = order.live_leg
            seen |= found is not None and not found.status.in_doubt
    return floor.orders.lane(view.lane) if seen else view


def clear(order: Order, working: tuple[Working, ...], floor: Floor) -> bool:
    """Cancel these resting orders for `order`; False if one could not be seen ended. Safe to repeat at any point."""
    cleared = [_clear_one(order, each.order_id, floor) for each in working]
    return all(cleared)


def is_clear(order: Order, working: tuple[Working, ...], floor: Floor) -> bool:
    """Whether these resting orders are still out of the way, now that the position has been read."""
    resting = [floor.orders.get(each.order_id) for each in working]
    return all(_is_gone(each) or _has_nothing_to_exit(order, each, floor) for each in resting)


def _clear_one(by: Order, order_id: str, floor: Floor) -> bool:
    resting = floor.orders.get(order_id)
    if _is_gone(resting) or _has_nothing_to_exit(by, resting, floor):
        return True
    if not entry_cleared(by, resting, floor):
        return False
    resting = change(floor.orders.get(order_id), lambda o: making_way(o, by.order_id), floor)
    leg = resting.live_leg
    return _is_gone(resting) or leg is None or _is_gone(cancel(resting, leg.leg, SEE_CANCELLED_S, floor))


def _is_gone(resting: Order) -> bool:
    return resting.state.ended or resting.state is OrderState.QUEUED


def _has_nothing_to_exit(by: Order, resting: Order, floor: Floor) -> bool:
    """Exits of an entry that rests unfilled take nothing from a position, so that a partial exit leaves both of them alone."""
    if resting.parent_id is None or by.operation not in {*_EXITS, *_ENTRIES}:
        return False
    entry = floor.orders.get(resting.parent_id)
    if entry.state is not OrderState.WORKING or entry.live_leg is None:
        return False
    entry = look(entry, entry.live_leg.leg, floor)
    return entry.state is OrderState.WORKING and not entry.filled_quantity


def entry_cleared(by: Order, exits: Order, floor: Floor) -> bool:
    """Whether nothing rests any more of the entry that these exits belong to: it would fill without them, so it goes first."""
    return exits.parent_id is None or _clear_one(by, exits.parent_id, floor)


def cancel_for_good(order_ids: tuple[str, ...], floor: Floor) -> bool:
    """Cancel these orders, which rest or wait to be placed again, because that is what was asked for: they do not come back.

    All are marked before the first is cancelled, since a broker may end exits together with their entry.
    """
    marked = [change(floor.orders.get(each), _for_good(floor), floor) for each in order_ids]
    for order in marked:
        if order.live_leg and not order.state.ended:
            cancel(order, order.live_leg.leg, SEE_CANCELLED_S, floor)
    return all(floor.orders.get(each).state.ended for each in order_ids)


def _for_good(floor: Floor) -> Change:
    def marked(order: Order) -> Order:
        leg = order.live_leg
        if leg is None or order.state.ended or order.owns_lane:
            return order
        if order.state is OrderState.QUEUED:
            return ended(order, OrderState.CANCELLED, floor.clock.now(), "cancelled")
        return order.model_copy(update={"suspended_by": None}).with_leg(leg.model_copy(update={"reason": "cancelled"}))

    return marked
