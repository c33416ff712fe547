"""Flatten and cancel a whole account: one order per lane, each through its lane."""

from decimal import Decimal

from fillpath.accounts.model import Account
from fillpath.orders.model import Lane, Operation, Order, OrderState, OrderType
from fillpath.orders.outcomes import Position
from fillpath.orders.whole_account import cancel_account, flatten_account
from tests.orders.floor import ACCOUNT, CONTRACT, Fakes, at_rest, fakes, signal


def account(on: Fakes) -> Account:
    return Account(account_id=ACCOUNT, user_id="U1", venue="fake", label="mine", created_at=on.clock.now())


def run_all(on: Fakes, orders: tuple[Order, ...]) -> list[OrderState]:
    for order in orders:
        on.run(order.lane)
    return [on.get(order).state for order in orders]


def test_flatten_closes_every_held_root_and_clears_what_rests_there() -> None:
    on = fakes()
    on.hold(2)
    stop = at_rest(on, Operation.EXIT_LONG, 2, type=OrderType.STOP)
    on.hold(-3, "NQZ6")
    held = (Position(CONTRACT, "ES", Decimal(2)), Position("NQZ6", "NQ", Decimal(-3)))
    orders = flatten_account(account(on), held, on.orders, on.clock.now())
    assert [str(order.lane) for order in orders] == [f"{ACCOUNT}#ES", f"{ACCOUNT}#NQ"]
    assert run_all(on, orders) == [OrderState.FILLED] * 2
    assert {key: quantity for key, quantity in on.desk.held.items() if quantity} == {}
    on.run()
    assert on.state(stop) == (OrderState.CANCELLED, "position_closed")


def test_flatten_reaches_a_lane_in_which_something_only_rests() -> None:
    on = fakes()
    entry = at_rest(on, Operation.ENTER_LONG)
    orders = flatten_account(account(on), (), on.orders, on.clock.now())
    assert run_all(on, orders) == [OrderState.SKIPPED]
    assert on.get(entry).state is OrderState.CANCELLED
    assert on.desk.working() == []


def test_an_account_without_positions_and_orders_gets_none() -> None:
    on = fakes()
    assert flatten_account(account(on), (), on.orders, on.clock.now()) == ()
    assert cancel_account(account(on), on.orders, on.clock.now()) == ()


def test_cancel_ends_what_rests_and_leaves_positions_alone() -> None:
    on = fakes()
    on.hold(2)
    stop, entry = at_rest(on, Operation.EXIT_LONG, 2, type=OrderType.STOP), at_rest(on, Operation.ENTER_LONG)
    orders = cancel_account(account(on), on.orders, on.clock.now())
    assert run_all(on, orders) == [OrderState.CANCELLED]
    assert [on.state(each) for each in (stop, entry)] == [(OrderState.CANCELLED, "cancelled")] * 2
    assert on.held() == 2


def test_the_orders_of_other_accounts_are_left_alone() -> None:
    on = fakes()
    at_rest(on, Operation.ENTER_LONG)
    other = account(on).model_copy(update={"account_id": "A2"})
    assert cancel_account(other, on.orders, on.clock.now()) == ()
    assert on.lane(Lane(ACCOUNT, "ES")).waiting == ()


def test_flatten_calls_off_what_has_not_been_sent_yet() -> None:
    on = fakes()
    entry = signal(on, Operation.ENTER_LONG)
    orders = flatten_account(account(on), (), on.orders, on.clock.now())
    assert on.state(entry) == (OrderState.CANCELLED, "flatten")
    assert run_all(on, orders) == [OrderState.SKIPPED]
    assert on.held() == 0


def test_what_flatten_cannot_call_off_any_more_is_closed_behind_it() -> None:
    on = fakes()
    entry = signal(on, Operation.ENTER_LONG)
    view = on.lane()
    on.orders.take(view, on.get(entry), on.clock.now())
    orders = flatten_account(account(on), (), on.orders, on.clock.now())
    on.clock.sleep(30)
    on.settle()
    assert on.get(entry).state is OrderState.FILLED
    assert [on.get(order).state for order in orders] == [OrderState.FILLED]
    assert on.held() == 0
