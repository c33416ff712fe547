"""What became of orders, also of those whose answer was lost, with Tradovate's answers written down beforehand."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from fillpath.errors import BrokerUnavailable
from fillpath.orders.model import LegStatus, OrderType, Side
from fillpath_brokers.facade import OrderRef
from tests.brokers.tradovate.house import House, command, leg, order, sample, version

PLACE, OSO, OCO = "order/placeorder", "order/placeoso", "order/placeoco"
BRACKET = {"take_profit": Decimal(5010), "stop_loss": Decimal(4995)}
PAIR = {"type": OrderType.OCO, "side": Side.SELL, "limit_price": Decimal("5000.25"), "stop_price": Decimal(4990)}


def test_a_look_at_a_working_order_costs_two_reads() -> None:
    house = House()
    house.venue.lay_down("order/item", sample("order_working"))
    view = house.broker.order(OrderRef("c-1", "210518", leg()))
    assert view is not None
    assert view.status is LegStatus.WORKING
    assert [each.endpoint for each in house.venue.asked] == ["order/item", "fill/deps"]


def test_a_filled_order_has_its_fees_too() -> None:
    house = House()
    house.venue.lay_down("order/item", sample("order_filled"))
    house.venue.lay_down("fill/deps", sample("fills_complete"))
    house.venue.lay_down("fillFee/ldeps", sample("fill_fees"))
    view = house.broker.order(OrderRef("c-1", "210518", leg()))
    assert view is not None
    assert (view.status, view.filled_quantity, view.commission) == (LegStatus.FILLED, 3, Decimal("8.26"))
    assert house.venue.requests("fillFee/ldeps")[0].query == {"masterids": "210530,210531"}
    assert not house.venue.requests("orderVersion/deps")


def test_where_the_fills_are_not_what_was_sent_the_version_says_how_large_the_order_is() -> None:
    house = House()
    house.venue.lay_down("order/item", sample("order_working"))
    house.venue.lay_down("fill/deps", sample("fills_complete"))
    house.venue.lay_down("orderVersion/deps", sample("versions"))
    view = house.broker.order(OrderRef("c-1", "210518", leg()))
    assert view is not None
    assert (view.status, view.filled_quantity) == (LegStatus.PARTIALLY_FILLED, 3)


def test_a_rejected_order_says_why() -> None:
    house = House()
    house.venue.lay_down("order/item", sample("order_rejected"))
    house.venue.lay_down("command/deps", sample("commands")[:1])
    house.venue.lay_down("commandReport/ldeps", [sample("command_report_risk_rejected")])
    view = house.broker.order(OrderRef("c-1", "210518", leg()))
    assert view is not None
    assert view.status is LegStatus.REJECTED
    assert (view.reason, view.text) == (
        "insufficient_margin",
        "Insufficient funds: initial margin 13,000.00, available 812.40",
    )


def test_an_order_that_tradovate_does_not_have_is_none() -> None:
    house = House()
    house.venue.lay_down("order/item", None, status=404)
    assert house.broker.order(OrderRef("c-1", "1")) is None


def test_a_404_alone_is_no_absence() -> None:
    house = House()
    house.venue.lay_down("order/item", "<html>no such page</html>", status=404)
    house.venue.lay_down("order/deps", [order(2), order(1, ordStatus="Canceled")])
    view = house.broker.order(OrderRef("c-1", "1", leg()))
    assert view is not None
    assert (view.broker_order_id, view.status) == ("1", LegStatus.CANCELLED)
    house.venue.instead("order/deps", "<html>no such page</html>", status=404)
    with pytest.raises(BrokerUnavailable):
        house.broker.order(OrderRef("c-1", "1", leg()))


@pytest.mark.parametrize("answer", [None, [], "gone", {}, {"id": 2}])
def test_what_is_no_order_is_no_absence_of_one(answer: Any) -> None:
    house = House()
    house.venue.lay_down("order/item", answer)
    with pytest.raises(BrokerUnavailable):
        house.broker.order(OrderRef("c-1", "1"))


def test_of_a_pair_that_is_not_listed_its_first_order_is_asked_for() -> None:
    house = House()
    house.venue.lay_down("order/items", [])
    house.venue.lay_down("order/item", None, status=404)
    assert house.broker.order(OrderRef("c-1", "1+2")) is None


def test_an_order_is_found_by_its_client_order_id() -> None:
    house = House()
    house.venue.lay_down("command/list", sample("commands"))
    house.venue.lay_down("order/item", sample("order_working"))
    view = house.broker.order(OrderRef("01JDN3V6Q0XH8R2YB4M7C9K5TD-open"))
    assert view is not None
    assert view.broker_order_id == "210518"
    assert house.broker.order(OrderRef("01JDN3V6Q0XH8R2YB4M7C9K5TD-change")) is None


def test_a_lost_bracket_is_found_with_its_exits() -> None:
    house = House()
    house.venue.lay_down("command/list", [command(1, "c-1"), command(3, "c-1-sl"), command(2, "c-1-tp")])
    house.venue.lay_down("order/items", [order(1), order(2, ordStatus="Suspended"), order(3, ordStatus="Suspended")])
    view = house.broker.order(OrderRef("c-1", None, leg(**BRACKET)))
    assert view is not None
    assert view.exits is not None
    assert (view.broker_order_id, view.exits.broker_order_id, view.exits.status) == ("1", "2+3", LegStatus.WORKING)
    assert house.venue.requests("order/items")[0].query == {"ids": "1,2,3"}


def test_exits_without_ids_of_ours_are_found_by_their_entry() -> None:
    house = House()
    house.venue.lay_down("command/list", [command(1, "c-1")])
    exits = [order(each, action="Sell", parentId=1, ordStatus="Suspended") for each in (3, 2)]
    house.venue.lay_down("order/deps", [order(1), *exits, order(4, action="Sell"), order(5, parentId=1)])
    house.venue.lay_down("order/items", [order(1), *exits])
    view = house.broker.order(OrderRef("c-1", "1", leg(**BRACKET)))
    assert view is not None
    assert view.exits is not None
    assert view.exits.broker_order_id == "2+3"


def test_a_bracket_without_its_exits_is_no_answer() -> None:
    house = House()
    house.venue.lay_down("command/list", [command(1, "c-1"), command(2, "c-1-tp")])
    house.venue.lay_down("order/deps", [order(1), order(2, action="Sell", parentId=1)])
    with pytest.raises(BrokerUnavailable, match="exits"):
        house.broker.order(OrderRef("c-1", "1", leg(**BRACKET)))


def test_exits_that_are_known_are_not_looked_for() -> None:
    house = House()
    house.venue.lay_down("order/items", [order(1), order(2), order(3, ordStatus="Canceled")])
    view = house.broker.order(OrderRef("c-1", "1", leg(**BRACKET, exits_ref="2+3")))
    assert view is not None
    assert view.exits is not None
    assert view.exits.status is LegStatus.WORKING
    assert not house.venue.requests("command/list")


def test_a_lost_order_that_somebody_else_is_known_to_have_placed_is_not_taken() -> None:
    house = House()
    now = house.clock.now()
    house.venue.lay_down("contract/find", sample("contract"))
    mine = {"contractId": sample("contract")["id"], "timestamp": now.isoformat(), "action": "Buy"}
    house.venue.lay_down("order/deps", [order(1, **mine), order(2, **mine)])
    house.venue.lay_down("orderVersion/ldeps", [version(1), version(2)])
    house.venue.lay_down("orderVersion/deps", [version(2)])
    house.venue.lay_down("order/item", order(2, **mine))
    lost = leg(prepared_at=now, submit_by=now + timedelta(seconds=10))
    with pytest.raises(BrokerUnavailable, match="cannot tell which"):
        house.broker.order(OrderRef("c-1", None, lost))
    view = house.broker.order(OrderRef("c-1", None, lost, frozenset({"1"})))
    assert view is not None
    assert view.broker_order_id == "2"


def test_a_pair_is_shown_as_one() -> None:
    house = House()
    house.venue.lay_down("order/items", [order(2, ordStatus="Filled"), order(3, ordStatus="Canceled")])
    house.venue.lay_down("fill/ldeps", [each | {"orderId": 2} for each in sample("fills_complete")])
    view = house.broker.order(OrderRef("c-1", "2+3", leg(**PAIR)))
    assert view is not None
    assert (view.status, view.filled_quantity, view.broker_order_id) == (LegStatus.FILLED, 3, "2+3")


def test_half_a_pair_is_no_answer() -> None:
    house = House()
    house.venue.lay_down("order/items", [order(2)])
    with pytest.raises(BrokerUnavailable):
        house.broker.order(OrderRef("c-1", "2+3", leg(**PAIR)))


def test_a_lost_pair_is_found_by_its_links_where_one_has_no_id_of_ours() -> None:
    house = House()
    house.venue.lay_down("command/list", [command(2, "c-1")])
    house.venue.lay_down("order/deps", [order(2, ocoId=3), order(3, ocoId=2), order(4)])
    house.venue.lay_down("order/items", [order(2), order(3)])
    view = house.broker.order(OrderRef("c-1", None, leg(**PAIR)))
    assert view is not None
    assert view.broker_order_id == "2+3"
    house.venue.instead("order/deps", [order(2), order(3)])
    with pytest.raises(BrokerUnavailable):
        house.broker.order(OrderRef("c-1", None, leg(**PAIR)))


def lost(**fields: Any) -> Any:
    """A leg that was sent at half past two, and of which nothing was heard."""
    at = House().clock.now()
    return leg(prepared_at=at, submit_by=at + timedelta(seconds=10), **fields)


def house_with(*orders: dict[str, Any], **fields: Any) -> House:
    house = House()
    house.venue.lay_down("contract/find", sample("contract"))
    house.venue.lay_down("order/deps", list(orders))
    house.venue.lay_down("orderVersion/deps", [version(orders[0]["id"], **fields)] if orders else [])
    house.venue.lay_down("orderVersion/ldeps", [version(each["id"], **fields) for each in orders])
    house.venue.lay_down("order/item", orders[0] if orders else None)
    return house


SENT_AT = "2026-03-02T14:30:04.000Z"


def test_an_order_without_an_id_of_ours_is_found_by_what_was_sent_and_when() -> None:
    house = house_with(order(1, timestamp=SENT_AT))
    view = house.broker.order(OrderRef("c-1", None, lost()))
    assert view is not None
    assert view.broker_order_id == "1"


@pytest.mark.parametrize(
    "fields",
    [
        {"timestamp": "2026-03-02T14:29:50.000Z"},
        {"timestamp": "2026-03-02T14:32:20.000Z"},
        {"timestamp": SENT_AT, "action": "Sell"},
        {"timestamp": SENT_AT, "contractId": 5},
        {"timestamp": SENT_AT, "parentId": 77},
    ],
)
def test_an_order_that_is_another_one_is_not_taken_for_it(fields: dict[str, Any]) -> None:
    assert house_with(order(1, **fields)).broker.order(OrderRef("c-1", None, lost())) is None


@pytest.mark.parametrize("fields", [{"orderQty": 2}, {"orderType": "Limit"}])
def test_an_order_of_another_size_or_type_is_not_taken_for_it(fields: dict[str, Any]) -> None:
    assert house_with(order(1, timestamp=SENT_AT), **fields).broker.order(OrderRef("c-1", None, lost())) is None


@pytest.mark.parametrize(("fields", "found"), [({"reduce_only": True}, True), ({}, False)])
def test_what_only_reduces_at_the_market_may_have_been_cut_before_it_was_sent(fields: dict[str, Any], found: bool) -> None:
    house = house_with(order(1, timestamp=SENT_AT, action="Sell", ordStatus="Filled"), orderQty=2)
    house.venue.lay_down("fill/deps", [sample("fills_complete")[1] | {"orderId": 1, "action": "Sell"}])
    view = house.broker.order(OrderRef("c-1", None, lost(side=Side.SELL, **fields)))
    assert (view is not None) is found
    if view is not None:
        assert (view.status, view.filled_quantity) == (LegStatus.FILLED, 2)


@pytest.mark.parametrize(("ahead_s", "at"), [(300, "2026-03-02T14:35:04.000Z"), (-300, "2026-03-02T14:25:04.000Z")])
def test_times_are_read_by_the_clock_that_tradovates_answers_show(ahead_s: int, at: str) -> None:
    house = house_with(order(1, timestamp=at))
    house.venue.ahead = timedelta(seconds=ahead_s)
    view = house.broker.order(OrderRef("c-1", None, lost()))
    assert view is not None
    assert view.broker_order_id == "1"
    house.venue.ahead = timedelta()
    assert house.broker.order(OrderRef("c-1", None, lost())) is None


def test_where_tradovate_does_not_tell_its_time_one_placed_at_another_is_no_absence() -> None:
    house = house_with(order(1, timestamp="2026-03-02T14:28:34.000Z"))
    house.venue.ahead = None
    with pytest.raises(BrokerUnavailable, match="does not tell its time"):
        house.broker.order(OrderRef("c-1", None, lost()))


def test_an_order_that_has_another_id_of_ours_is_not_taken_for_it() -> None:
    house = house_with(order(1, timestamp=SENT_AT))
    house.venue.lay_down("command/list", [command(1, "c-0")])
    assert house.broker.order(OrderRef("c-1", None, lost())) is None


def test_of_two_that_look_alike_none_is_taken() -> None:
    house = house_with(order(1, timestamp=SENT_AT), order(2, timestamp=SENT_AT))
    with pytest.raises(BrokerUnavailable, match="cannot tell which"):
        house.broker.order(OrderRef("c-1", None, lost()))


def test_without_a_list_of_commands_absence_proves_nothing() -> None:
    house = House()
    house.venue.lay_down("command/list", "", status=500)
    with pytest.raises(BrokerUnavailable):
        house.broker.order(OrderRef("c-1", None, lost()))


def test_every_working_order_of_the_account_is_listed_the_oldest_first() -> None:
    house = House()
    house.venue.lay_down(
        "order/deps",
        [order(2, timestamp="2026-11-25T15:04:09.000Z"), order(1, ordStatus="Suspended"), order(3, ordStatus="Filled")],
    )
    house.venue.lay_down(
        "orderVersion/ldeps", [version(1, orderType="Stop", stopPrice=4990), version(2), version(2) | {"orderQty": 9}]
    )
    house.venue.lay_down("command/list", [command(1, "c-1-sl")])
    house.venue.lay_down("contract/items", [sample("contract")])
    first, second = house.broker.orders()
    assert (first.client_order_id, first.type, first.stop_price, first.contract) == ("c-1-sl", OrderType.STOP, 4990, "ESZ6")
    assert second.client_order_id == ""
    assert house.venue.requests("order/deps")[0].query == {"masterid": "123"}


def test_a_working_order_that_cannot_be_read_is_not_left_out() -> None:
    house = House()
    house.venue.lay_down("order/deps", [order(1), order(2)])
    house.venue.lay_down("orderVersion/ldeps", [version(1)])
    with pytest.raises(BrokerUnavailable, match="order 2"):
        house.broker.orders()


def test_fills_of_the_account_come_the_oldest_first_without_busted_ones() -> None:
    house = House()
    complete, busted = sample("fills_complete"), sample("fills_busted")[1:]
    house.venue.lay_down("fill/list", [*reversed(complete), *busted, complete[0] | {"id": 9, "orderId": 7}])
    house.venue.lay_down("order/deps", [sample("order_filled")])
    house.venue.lay_down("contract/items", [sample("contract")])
    since = house.clock.now()
    fills = house.broker.fills(since)
    assert [(each.execution_id, each.quantity, each.price, each.contract) for each in fills] == [
        ("210530", 1, Decimal("5000.25"), "ESZ6"),
        ("210531", 2, Decimal("5001.0"), "ESZ6"),
    ]
    assert house.broker.fills(fills[1].at) == fills[1:]
