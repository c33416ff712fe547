"""flatten, cancel and venues --symbol: what they do to an account, and what they say."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from fillpath.orders.model import Leg, Listing, Operation, Order, OrderType, Side
from fillpath_brokers.facade import Broker
from tests.cli.local_stack import Stack
from tests.contract.records import an_order

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]


def broker(stack: Stack) -> Broker:
    return stack.target.broker(stack.directory.accounts()[0])


def place(stack: Stack, name: str, **fields: object) -> None:
    stack.target.prices.put("ESZ6", Decimal(5900), datetime.now(UTC))
    known = {"leg": "main", "client_order_id": name, "contract": "ESZ6", "side": Side.BUY, "quantity": Decimal(2)}
    broker(stack).submit(Leg(**{**known, **fields}))  # type: ignore[arg-type]  # the leg checks them itself


def test_flatten_past_the_lanes_cancels_and_closes_by_the_venues_own_means(stack: Stack) -> None:
    place(stack, "held")
    place(stack, "resting", type=OrderType.LIMIT, limit_price=Decimal(5000))
    ran = stack.run("flatten", "paper", "--at-venue", "--json")
    assert (ran.code, ran.json["liquidated"]) == (0, ["ESZ6"])
    assert (broker(stack).positions(), broker(stack).orders()) == ((), ())


def test_cancel_past_the_lanes_leaves_the_position(stack: Stack) -> None:
    place(stack, "held")
    place(stack, "resting", type=OrderType.LIMIT, limit_price=Decimal(5000))
    assert stack.run("cancel", "paper", "--at-venue").code == 0
    assert broker(stack).orders() == ()
    assert [position.quantity for position in broker(stack).positions()] == [2]


def test_an_account_with_nothing_to_end_says_so(stack: Stack) -> None:
    for command in ("flatten", "cancel"):
        ran = stack.run(command, "paper")
        assert ran.code == 0
        assert "nothing to do" in ran.out


def test_flatten_puts_a_close_into_each_lane_and_tells_when_it_is_not_through(stack: Stack) -> None:
    place(stack, "held")
    ran = stack.run("flatten", "paper", "--json", "--wait", "0")
    assert ran.code == 1
    [order] = ran.json
    assert (order["root"], order["action"], order["state"]) == ("ES", "flatten", "QUEUED")
    stored = stack.target.orders.get(order["order_id"])
    assert (stored.operation, stored.listing, stored.reduces) == (Operation.CLOSE, Listing.WAITING, True)
    assert "Not all of it has ended yet" in ran.err


def test_venues_for_a_symbol_tell_what_each_account_can_do(stack: Stack) -> None:
    [choice] = stack.run("venues", "--symbol", "ES1!", "--json").json
    assert (choice["label"], choice["venue"], choice["trades"], choice["data"]) == ("paper", "paper", True, False)
    assert "paper" in stack.run("venues", "--symbol", "AAPL").out


def test_venues_for_an_unknown_symbol_are_refused(stack: Stack) -> None:
    ran = stack.run("venues", "--symbol", "NOTHING")
    assert ran.code == 1
    assert "catalogue" in ran.err


def queued(stack: Stack, **changes: object) -> Order:
    seeded = {"user_id": stack.seeded["user"]["id"], "account_id": stack.seeded["account_id"]}
    order = an_order(datetime.now(UTC), **seeded, **changes)
    stack.target.orders.add(order)
    return order


def test_cancel_tells_of_an_order_that_does_not_rest_and_what_would_end_it(stack: Stack) -> None:
    order = queued(stack)
    ran = stack.run("cancel", "paper")
    assert ran.code == 1
    assert "nothing to do" not in ran.out
    assert f"not at rest, so not cancelled: {order.order_id[-6:]} (QUEUED)" in ran.err
    assert "flatten paper" in ran.err


def test_after_a_cancellation_at_the_venue_the_command_is_named_that_shows_orders(stack: Stack) -> None:
    assert stack.run("cancel", "paper", "--at-venue").err.splitlines()[-1].endswith(" orders")
