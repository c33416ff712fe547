"""A halt: the flag first, then the resting entries of its scope."""

from collections.abc import Callable
from typing import Any

import pytest

from cli.halting import halt, scope_of
from cli.problem import Problem
from fillpath.orders.model import Order, OrderState, OrderType, Side, new_leg
from tests.contract.records import NOW, an_order
from tests.fakes.controls import FakeControls
from tests.fakes.order_store import FakeOrderStore
from tests.fakes.tables import FakeTables


class Floor:
    """The tables, and a sweep that does what it should."""

    def __init__(self) -> None:
        self.tables = FakeTables()
        self.orders, self.controls = FakeOrderStore(self.tables), FakeControls(self.tables)

    def rests(self, **changes: Any) -> Order:
        order = an_order(state=OrderState.WORKING, type=OrderType.LIMIT, **changes)
        leg = new_leg(order, "main", order.contract, Side.BUY, order.quantity, reduce_only=False)
        order = order.model_copy(update={"legs": (leg,)})
        self.tables.put_order(order)
        return order

    def sweep(self) -> None:
        for order in tuple(self.orders.open_orders()):
            if not order.reduces and self.controls.halted(order.user_id, order.account_id):
                self.tables.put_order(order.model_copy(update={"state": OrderState.CANCELLED}))

    def halt(self, scope: str, sweep: Callable[[], object] | None = None) -> tuple[set[str], set[str]]:
        done = halt(scope, "why", NOW, self.controls, self.orders, sweep or self.sweep)
        return set(done.cancelled), set(done.still_open)


@pytest.mark.parametrize(
    ("scope", "cancelled"),
    [
        pytest.param(scope_of(None, None), {"acc-1", "acc-2", "acc-3"}, id="everything"),
        pytest.param(scope_of(None, "ann"), {"acc-1", "acc-2"}, id="user"),
        pytest.param(scope_of("acc-2", None), {"acc-2"}, id="account"),
    ],
)
def test_resting_entries_of_the_scope_are_cancelled(scope: str, cancelled: set[str]) -> None:
    floor = Floor()
    owners = {"acc-1": "ann", "acc-2": "ann", "acc-3": "bob"}
    orders = {account_id: floor.rests(account_id=account_id, user_id=user_id) for account_id, user_id in owners.items()}
    assert floor.halt(scope) == ({orders[account_id].order_id for account_id in cancelled}, set())


def test_what_reduces_and_what_was_not_sent_is_left_alone() -> None:
    floor = Floor()
    floor.rests(reduces=True)
    floor.tables.put_order(an_order(type=OrderType.LIMIT))
    assert floor.halt("environment") == (set(), set())


def test_the_flag_is_set_before_anything_is_cancelled() -> None:
    floor = Floor()
    seen = []
    floor.halt("environment", lambda: seen.append(floor.controls.halted("ann", "acc-1")))
    assert seen[0].reason == "why"


def test_what_could_not_be_cancelled_is_told() -> None:
    floor = Floor()
    order = floor.rests()
    assert floor.halt("environment", lambda: None) == (set(), {order.order_id})


def test_a_failed_sweep_is_told_and_the_flag_stays() -> None:
    floor = Floor()

    def fails() -> None:
        raise Problem("function sweep failed")

    with pytest.raises(Problem, match="entries are blocked, but resting entries could not be cancelled at once"):
        floor.halt("environment", fails)
    assert floor.controls.halted("ann", "acc-1") is not None
