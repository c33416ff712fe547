"""What must hold on any floor once all is quiet, whatever went wrong before: read off the venue and the table, not the code."""

from collections import Counter
from decimal import Decimal

from fillpath.orders.model import Leg, LegStatus, Order, OrderState
from tests.fakes.desk import VenueOrder
from tests.orders.floor import ACCOUNT, LANE, Fakes


def faults(on: Fakes, start: Decimal) -> list[str]:
    """Everything that is wrong, in words; `start` is what was held at first."""
    orders = list(on.tables.orders.values())
    wrong = [*_doubled(on), *_unseen(on, orders), *_stuck(on, orders), *_untold(on, orders, start), *_unsafe(on)]
    return [*wrong, *_unprotected(on, orders)]


def _doubled(on: Fakes) -> list[str]:
    placed = Counter(order.leg.client_order_id for order in on.desk.orders)
    return [f"{name} is {count} orders at the venue" for name, count in placed.items() if count > 1]


def _unseen(on: Fakes, orders: list[Order]) -> list[str]:
    """Each leg is recorded as the venue has it."""
    wrong = []
    for placed in on.desk.orders:
        leg = _recorded(placed, orders)
        if leg is None:
            wrong.append(f"{placed.leg.client_order_id} is in no record")
        elif (leg.filled_quantity, leg.status.ended) != (placed.view.filled_quantity, placed.view.status.ended):
            wrong.append(f"{leg.leg} is {leg.status} {leg.filled_quantity}, at the venue {placed.view}")
        elif (leg.quantity, leg.side) != (placed.leg.quantity, placed.leg.side):
            wrong.append(f"{leg.leg} is recorded as {leg.side} {leg.quantity}, was sent as {placed.leg.quantity}")
    return wrong


def _recorded(placed: VenueOrder, orders: list[Order]) -> Leg | None:
    """The leg of an order at the venue: by its client id; exits of a bracket have none of ours, but what the venue calls them."""
    legs = [leg for order in orders for leg in order.legs]
    if placed.entry is not None:
        return next((leg for leg in legs if leg.leg == "exits" and leg.broker_order_id == placed.view.broker_order_id), None)
    return next((leg for leg in legs if leg.client_order_id == placed.leg.client_order_id), None)


def _stuck(on: Fakes, orders: list[Order]) -> list[str]:
    resting = {OrderState.WORKING, OrderState.PARTIALLY_FILLED}
    hopeless = on.desk.known.quarantine_s is None
    wrong = [
        f"{order.operation} stays {order.state}({order.reason})"
        for order in orders
        if not order.state.ended
        and not (order.resting and order.state in resting)
        and not (hopeless and order.state is OrderState.UNKNOWN)
        and not (hopeless and on.lane().unknown and order.reduces)
    ]
    lane = on.orders.lane(LANE)
    return [*wrong, f"the lane stays with {lane.owner}"] if lane.owner else wrong


def _untold(on: Fakes, orders: list[Order], start: Decimal) -> list[str]:
    """The records add up to what is held, and each end is what happened."""
    wrong = []
    told = start + sum((leg.side.sign * leg.filled_quantity for order in orders for leg in order.legs), Decimal(0))
    if told != on.held():
        wrong.append(f"the records add up to {told}, held are {on.held()}")
    for order in orders:
        filled = any(leg.filled_quantity for leg in order.legs)
        if order.state in {OrderState.REJECTED, OrderState.SKIPPED, OrderState.EXPIRED} and filled:
            wrong.append(f"{order.operation} is {order.state}({order.reason}) and has fills")
        if order.state is OrderState.FILLED and any(leg.status is not LegStatus.FILLED for leg in order.legs[-1:]):
            wrong.append(f"{order.operation} is FILLED and its last leg is {order.legs[-1].status}")
        if order.state is OrderState.ABORTED and len(orders) == 1 and order.held != on.held():
            wrong.append(f"told that {order.held} is held, held are {on.held()}")
    return wrong


def _unsafe(on: Fakes) -> list[str]:
    """What still works for an exit can neither open nor enlarge a position."""
    held, wrong, orders = on.held(), [], list(on.tables.orders.values())
    for order in on.desk.working():
        leg = _recorded(order, orders)
        left = on.desk.to_exit(order) - order.view.filled_quantity
        if leg and leg.reduce_only and (leg.side.sign * held >= 0 or left > abs(held)) and order.account_id == ACCOUNT:
            wrong.append(f"{leg.leg} {leg.side} {left} works while {held} is held")
    return wrong


def _unprotected(on: Fakes, orders: list[Order]) -> list[str]:
    """What is held of a bracket has one order with exits at work for it; where nothing is held, its exits have ended."""
    wrong = []
    hopeless = on.desk.known.quarantine_s is None and on.lane().unknown
    for order in orders:
        entry = next((leg for leg in order.legs if leg.exits_ref), None)
        if entry is None or not order.state.ended or hopeless:
            continue
        exits = on.exits(order)
        live = exits.live_leg
        held = max(Decimal(0), entry.side.sign * on.held())
        due = min(held, entry.filled_quantity - exits.filled_quantity)
        at_work = [o for o in on.desk.working() if live and _recorded(o, orders) == live]
        quantity = sum((on.desk.to_exit(o) - o.view.filled_quantity for o in at_work), Decimal(0))
        if quantity != due or exits.state.ended != (due == 0):
            wrong.append(f"exits of {order.operation} are {exits.state}({exits.reason}) for {quantity}, {due} is to be protected")
    return wrong
