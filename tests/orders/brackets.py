"""Brackets whose entry is filled or rests, and what of their exits is at work at the venue."""

from decimal import Decimal

import pytest

from fillpath.orders.model import Operation, Order, OrderState, OrderType
from tests.orders.floor import Fakes, bracket
from tests.orders.venue import DEDUPLICATES, FORGETFUL

BOTH = pytest.mark.parametrize("venue", [DEDUPLICATES, FORGETFUL], ids=["reduce-only", "no reduce-only"])


def entered(on: Fakes, quantity: int = 2, operation: Operation = Operation.ENTER_LONG) -> Order:
    """A bracket whose entry is filled."""
    order = bracket(on, operation, quantity)
    on.run()
    assert on.get(order).state is OrderState.FILLED
    return order


def at_limit(on: Fakes, quantity: int = 2, operation: Operation = Operation.ENTER_LONG, price: int = 95) -> Order:
    """A bracket whose entry rests at its limit."""
    order = bracket(on, operation, quantity, type=OrderType.LIMIT, limit_price=Decimal(price))
    on.run()
    assert on.get(order).state is OrderState.WORKING
    return order


def at_work(on: Fakes) -> int:
    """How much exits a position at the venue."""
    exits = [o for o in on.desk.working() if o.entry is not None or o.leg.reduce_only or o.leg.leg.startswith("protect")]
    return int(sum(on.desk.to_exit(o) - o.view.filled_quantity for o in exits))


def fill_exits(on: Fakes, entry: Order, quantity: int) -> None:
    """Have the exits that the venue placed with the entry fill, wholly or in part."""
    on.desk.execute(on.desk.exits(f"{entry.order_id}-main"), Decimal(quantity))


def live(on: Fakes, entry: Order) -> tuple[str, int]:
    """The leg that exits the bracket now, and for how much."""
    leg = on.exits(entry).live_leg
    assert leg is not None
    return leg.leg, int(leg.quantity)
