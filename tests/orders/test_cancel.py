"""A cancel signal takes back what rests in its lane, for good; contracts of a flip count what is closed."""

from decimal import Decimal

import pytest

from fillpath.orders.model import Operation, OrderState, OrderType
from fillpath.orders.plan import Plan, Reversal, Trade, plan
from tests.orders.floor import at_rest, fakes, signal


def test_a_cancel_takes_back_entries_and_protection_and_places_nothing_again() -> None:
    on = fakes()
    on.hold(2)
    entry = at_rest(on, Operation.ENTER_LONG)
    stop = at_rest(on, Operation.EXIT_LONG, 2, type=OrderType.STOP)
    cancel = signal(on, Operation.CANCEL, None)
    on.run()
    on.run()
    assert on.state(cancel) == (OrderState.CANCELLED, "cancelled")
    assert on.get(entry).state is OrderState.CANCELLED
    assert on.get(stop).state is OrderState.CANCELLED
    assert on.desk.working() == []
    assert on.held() == 2


def test_a_cancel_with_nothing_to_cancel_says_so() -> None:
    on = fakes()
    cancel = signal(on, Operation.CANCEL, None)
    on.run()
    assert on.state(cancel) == (OrderState.SKIPPED, "nothing_to_cancel")


def test_a_cancel_waits_while_the_broker_does_not_answer() -> None:
    on = fakes()
    at_rest(on, Operation.ENTER_LONG)
    cancel = signal(on, Operation.CANCEL, None)
    on.desk.down = True
    assert on.run() is not None
    assert on.get(cancel).state is OrderState.QUEUED
    on.desk.down = False
    on.run()
    assert on.get(cancel).state is OrderState.CANCELLED


@pytest.mark.parametrize(
    ("held", "contracts", "expected"),
    [
        (-2, 3, Reversal),
        (-2, 2, Trade),
        (-3, 2, Trade),
        (0, 3, Trade),
        (1, 3, Trade),
    ],
)
def test_contracts_of_a_flip_open_only_what_the_close_leaves(held: int, contracts: int, expected: type[Plan]) -> None:
    on = fakes()
    order = signal(on, Operation.ENTER_LONG, contracts, includes_close=True)
    decision = plan(order, Decimal(held))
    assert isinstance(decision, expected)
    final = held + contracts if held < 0 else None
    if isinstance(decision, Reversal):
        assert decision.quantity == final
    elif isinstance(decision, Trade) and held < 0:
        assert decision.reduces
        assert decision.quantity == contracts
