"""Orders act on their lane."""

from decimal import Decimal

import pytest

from fillpath.orders.model import Operation, OrderState
from tests.orders.floor import fakes, signal


@pytest.mark.parametrize(
    ("held", "operation", "quantity", "final"),
    [
        (0, Operation.ENTER_LONG, 1, 1),
        (1, Operation.ENTER_LONG, 1, 2),
        (0, Operation.ENTER_SHORT, 1, -1),
        (-1, Operation.ENTER_SHORT, 1, -2),
    ],
)
def test_an_entry_on_its_own_side_is_one_leg(held: int, operation: Operation, quantity: int, final: int) -> None:
    on = fakes()
    on.hold(held)
    order = signal(on, operation, quantity)

    assert on.run() is None

    order = on.get(order)
    assert order.state is OrderState.FILLED
    assert [leg.leg for leg in order.legs] == ["main"]
    assert on.held() == Decimal(final)
    assert on.orders.lane(order.lane).owner is None


@pytest.mark.parametrize(
    ("held", "operation", "quantity", "final"),
    [(-2, Operation.ENTER_LONG, 1, 1), (3, Operation.ENTER_SHORT, 1, -1)],
)
def test_an_opposite_entry_closes_sees_the_fill_and_opens(held: int, operation: Operation, quantity: int, final: int) -> None:
    on = fakes()
    on.hold(held)
    order = signal(on, operation, quantity)

    assert on.run() is None
    assert on.get(order).state is OrderState.CLOSING
    assert on.reverse(order) == ["prepare", "close", "poll_fill", "open"]

    order = on.get(order)
    assert order.state is OrderState.FILLED
    assert [(leg.leg, leg.quantity) for leg in order.legs] == [("close", abs(held)), ("open", quantity)]
    assert on.held() == Decimal(final)
    assert on.orders.lane(order.lane).owner is None
