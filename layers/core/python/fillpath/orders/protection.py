"""Protection: the exits that a broker places with a bracket, kept as an order of their own that rests in the lane.

From there on they are like any resting exit: watched, cancelled when another order needs the lane, placed again for what is held.
"""

from datetime import datetime

from fillpath.ids import client_order_id
from fillpath.orders.model import Event, Leg, LegStatus, Listing, Operation, Order, OrderState, OrderType, Side
from fillpath.orders.transitions import EXITS

_EXIT = {Side.BUY: Operation.EXIT_LONG, Side.SELL: Operation.EXIT_SHORT}


def exits_are_named(order: Order) -> bool:
    """Whether the broker has placed the exits of a bracket, and said how it calls them."""
    return any(leg.exits_ref for leg in order.legs)


def protection_of(order: Order, at: datetime) -> Order | None:
    """The order that keeps the exits of this one's bracket, once its broker has named them; the same again at each call."""
    entry = next((leg for leg in order.legs if leg.exits_ref), None)
    if entry is None or order.protection_id is None:
        return None
    exits = _exits(order.protection_id, entry, at)
    return Order(
        order_id=order.protection_id,
        parent_id=order.order_id,
        alert_id=order.alert_id,
        user_id=order.user_id,
        account_id=order.account_id,
        venue=order.venue,
        simulation=order.simulation,
        webhook_id=order.webhook_id,
        source=order.source,
        symbol=order.symbol,
        root=order.root,
        contract=entry.contract,
        action=exits.side.value,
        order_type="exit",
        operation=_EXIT[entry.side],
        type=exits.type,
        quantity=exits.quantity,
        limit_price=exits.limit_price,
        stop_price=exits.stop_price,
        time_in_force=exits.time_in_force,
        alert_time=order.alert_time,
        received_at=at,
        state=OrderState.WORKING,
        submitted_at=at,
        reduces=True,
        legs=(exits,),
        events=(Event(at=at, to_state=OrderState.WORKING, reason="placed_with_entry"),),
        listing=Listing.WORKING,
    )


def _exits(order_id: str, entry: Leg, at: datetime) -> Leg:
    both = entry.take_profit is not None and entry.stop_loss is not None
    alone = OrderType.LIMIT if entry.take_profit is not None else OrderType.STOP
    return Leg(
        leg=EXITS,
        client_order_id=client_order_id(order_id, EXITS),
        broker_order_id=entry.exits_ref,
        contract=entry.contract,
        side=entry.side.opposite,
        quantity=entry.quantity,
        reduce_only=True,
        type=OrderType.OCO if both else alone,
        limit_price=entry.take_profit,
        stop_price=entry.stop_loss,
        time_in_force=entry.time_in_force,
        status=LegStatus.WORKING,
        prepared_at=at,
        submitted_at=at,
        attempts=1,
    )
