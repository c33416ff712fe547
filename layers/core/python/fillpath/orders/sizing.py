"""Sizes: what of a position is free to be reduced, and how much of it a protective order is to protect.

In: an order, what is held, and the lane as it stands. Quantities are positive unless they are positions.
"""

from decimal import Decimal

from fillpath.orders.floor import Floor, account_of
from fillpath.orders.legs import look
from fillpath.orders.model import Leg, LegStatus, Operation, Order, Side
from fillpath.orders.outcomes import Position
from fillpath.orders.ports.order_store import LaneView
from fillpath.orders.transitions import EXITS, VANISHED, is_protection


def may_reduce(order: Order) -> bool:
    """Whether the order may turn out to reduce: it waits for the resolution of an unknown order where nothing is left."""
    if order.operation is Operation.CANCEL:
        return False
    return order.reduces or order.includes_close or order.operation is Operation.TARGET


def net(positions: tuple[Position, ...]) -> Decimal:
    """What is held of a root over all its contracts, signed."""
    return sum((p.quantity for p in positions), Decimal(0))


def free(position: Position, taken: dict[str, Decimal]) -> Decimal:
    """How much of a held contract nobody else may take."""
    return max(Decimal(0), abs(position.quantity) - taken.get(position.contract, Decimal(0)))


def spoken_for(order: Order, view: LaneView, floor: Floor) -> dict[str, Decimal]:
    """What other orders may still take from each contract: reductions in doubt, and (for what will rest itself) resting ones.

    To be asked after the position was read: what an entry has filled since counts as taken. Raises BrokerError.
    """
    taken: dict[str, Decimal] = {}
    for other in [*(floor.orders.get(each.order_id) for each in view.unknown), *_beside(order, view, floor)]:
        for leg in other.legs:
            if leg.reduce_only and not leg.status.ended and leg.status is not LegStatus.QUEUED:
                taken[leg.contract] = taken.get(leg.contract, Decimal(0)) + may_take(other, leg, floor)
    return taken


def look_beside(order: Order, view: LaneView, floor: Floor) -> None:
    """Record what has filled of the resting orders that count beside this one; to be done before the position is read.

    The other way round, a fill that nobody has recorded yet would count twice: as gone from the position and as still to come.
    """
    for other in _beside(order, view, floor):
        if other.live_leg and not other.state.ended:
            look(other, other.live_leg.leg, floor)


def _beside(order: Order, view: LaneView, floor: Floor) -> list[Order]:
    """The resting reductions that something which will rest itself must leave room for.

    Where the venue knows reduce-only orders, what rests cannot open a position and may overlap, but for exits of brackets with
    each other.
    """
    if not order.resting or not may_reduce(order):
        return []
    overlaps = floor.desk.capabilities(account_of(order)).reduce_only
    listed = [each.order_id for each in view.working if each.reduces and each.order_id != order.order_id]
    others = [floor.orders.get(order_id) for order_id in listed]
    return [other for other in others if not overlaps or (order.parent_id and other.parent_id)]


def may_take(order: Order, leg: Leg, floor: Floor) -> Decimal:
    """What may still fill of a leg that reduces; the exits of a bracket exit no more than its entry has filled."""
    if leg.leg != EXITS or order.parent_id is None:
        return leg.remaining
    entry = floor.orders.get(order.parent_id)
    if entry.live_leg and not entry.state.ended:
        entry = look(entry, entry.live_leg.leg, floor)
    return max(Decimal(0), min(leg.remaining, filled_at_most(entry) - order.filled_quantity))


def placed_before(order: Order) -> Leg | None:
    """The last leg of a protective order that is to be placed again."""
    leg = order.live_leg
    return leg if leg and (leg.status.ended or is_protection(leg.leg)) else None


def reducible(order: Order, positions: tuple[Position, ...]) -> tuple[Position, ...]:
    """The positions that an order may reduce.

    What is placed again protects the contract that it was placed for (another one only if that has gone), and the exits of a
    bracket never another one.
    """
    leg = order.live_leg if order.parent_id else placed_before(order)
    own = tuple(position for position in positions if leg and position.contract == leg.contract)
    return own if own or order.parent_id else positions


def to_protect(order: Order, leg: Leg, positions: tuple[Position, ...], taken: dict[str, Decimal], floor: Floor) -> Decimal:
    """What a protective order is to be placed for: what is held on its side and free, but no more than is left of it.

    Of the exits of a bracket there is left what its entry has filled and they have not exited.
    """
    left = unprotected(order, floor)
    held = exitable(leg, reducible(order, positions), taken)
    return max(Decimal(0), min(held, leg.remaining if left is None else left))


def exitable(leg: Leg, positions: tuple[Position, ...], taken: dict[str, Decimal]) -> Decimal:
    """What is held on the side that the leg reduces, and free."""
    return sum((free(each, taken) for each in positions if Side.of(-each.quantity) is leg.side), Decimal(0))


def unprotected(order: Order, floor: Floor) -> Decimal | None:
    """What the exits of a bracket still have to exit: no more than their entry has filled. None where they belong to no entry."""
    if order.parent_id is None:
        return None
    return filled_at_most(floor.orders.get(order.parent_id)) - order.filled_quantity


def filled_at_most(entry: Order) -> Decimal:
    """What an entry has filled; of one that its broker has forgotten, what it may have."""
    leg = entry.live_leg
    forgotten = leg is not None and leg.reason == VANISHED
    return max(entry.filled_quantity, leg.quantity) if leg and forgotten else entry.filled_quantity


def has_nothing_to_protect(order: Order, floor: Floor) -> bool:
    """Whether these are exits of a bracket that has nothing (more) to exit, whatever is in doubt on the lane."""
    left = unprotected(order, floor)
    return left is not None and left <= 0
