"""Placing, changing and cancelling, with Tradovate's answers written down beforehand."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from fillpath.errors import BrokerUnavailable, NotSent
from fillpath.market.ports.trading_hours import Session
from fillpath.orders.model import LegStatus, OrderType, Side
from fillpath.orders.outcomes import Accepted, Rejected, Unknown
from fillpath.orders.ports.desk import AccountRef
from fillpath_brokers.desk import BrokerDesk
from fillpath_brokers.facade import Change, OrderRef
from tests.brokers.tradovate.house import ACCOUNT_ID, FakeLine, House, leg, market, order, sample, version

PLACE, OSO, OCO = "order/placeorder", "order/placeoso", "order/placeoco"
BRACKET = {"take_profit": Decimal(5010), "stop_loss": Decimal(4995)}
PAIR = {"type": OrderType.OCO, "side": Side.SELL, "limit_price": Decimal("5000.25"), "stop_price": Decimal(4990)}


def test_an_accepted_order_is_known_by_its_id_at_once() -> None:
    house = House()
    house.venue.lay_down(PLACE, sample("placed"))
    outcome = house.broker.submit(leg())
    assert isinstance(outcome, Accepted)
    assert (outcome.view.status, outcome.view.broker_order_id, outcome.view.exits) == (LegStatus.WORKING, "210518", None)


def test_an_accepted_bracket_names_its_exits() -> None:
    house = House()
    house.venue.lay_down(OSO, sample("placed_oso"))
    outcome = house.broker.submit(leg(**BRACKET))
    assert isinstance(outcome, Accepted)
    assert outcome.view.exits is not None
    assert (outcome.view.broker_order_id, outcome.view.exits.broker_order_id) == ("210518", "210519+210520")
    assert outcome.view.exits.status is LegStatus.WORKING


def test_a_bracket_with_one_exit_names_that() -> None:
    house = House()
    house.venue.lay_down(OSO, sample("placed_oso_one_exit"))
    outcome = house.broker.submit(leg(stop_loss=Decimal(4995)))
    assert isinstance(outcome, Accepted)
    assert outcome.view.exits is not None
    assert outcome.view.exits.broker_order_id == "210519"


def test_an_accepted_pair_is_one_leg_with_both_ids() -> None:
    house = House()
    house.venue.lay_down(OCO, sample("placed_oco"))
    outcome = house.broker.submit(leg(**PAIR))
    assert isinstance(outcome, Accepted)
    assert outcome.view.broker_order_id == "210518+210519"


@pytest.mark.parametrize(
    ("endpoint", "answer", "fields"),
    [(PLACE, "command_taken", {}), (OSO, "placed_oso_one_exit", BRACKET), (OSO, "placed", BRACKET), (OCO, "placed", PAIR)],
)
def test_an_answer_without_all_ids_is_looked_up_later(endpoint: str, answer: str, fields: dict[str, Any]) -> None:
    house = House()
    house.venue.lay_down(endpoint, sample(answer))
    assert isinstance(house.broker.submit(leg(**fields)), Unknown)


@pytest.mark.parametrize("answer", [[], "not json"])
def test_an_answer_that_cannot_be_read_is_in_doubt(answer: Any) -> None:
    house = House()
    house.venue.lay_down(PLACE, answer)
    outcome = BrokerDesk(house.services).submit(AccountRef(ACCOUNT_ID, "tradovate"), leg())
    assert isinstance(outcome, Unknown)


def test_a_closed_market_says_when_it_opens() -> None:
    house = House()
    now = house.clock.now()
    house.hours.publish("CMES", (Session(now + timedelta(hours=2), now + timedelta(hours=25)),), now)
    house.venue.lay_down(PLACE, sample("refused_session_closed"))
    outcome = house.broker.submit(leg())
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "market_closed"
    assert outcome.text.startswith("The market is closed (Market closed: ESZ6 trades")
    assert "it opens again 2026-03-02 16:30 UTC" in outcome.text


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"quantity": Decimal("1.5")}, "invalid_quantity"),
        ({"type": OrderType.LIMIT}, "invalid_price"),
        ({"type": OrderType.STOP_LIMIT, "limit_price": Decimal(1)}, "invalid_price"),
        ({"type": OrderType.TRAILING_STOP}, "invalid_price"),
        ({"type": OrderType.TRAILING_STOP, "trail_percent": Decimal(1)}, "unsupported"),
        ({"time_in_force": "opg"}, "unsupported"),
    ],
)
def test_what_cannot_be_sent_is_not(fields: dict[str, Any], reason: str) -> None:
    house = House()
    outcome = house.broker.submit(leg(**fields))
    assert isinstance(outcome, Rejected)
    assert outcome.reason == reason
    assert house.venue.asked == []


def test_a_trailing_stop_begins_at_the_last_price_where_there_is_one() -> None:
    quote = f'a[{{"e":"md","d":{json.dumps(sample("quote"), default=float)}}}]'
    line = FakeLine("o", 'a[{"s":200,"i":0}]', 'a[{"s":200,"i":1,"d":{}}]', "h", quote)
    house = House(market(line), first_stop_within_s="2")
    house.venue.lay_down(PLACE, sample("placed"))
    house.broker.submit(leg(type=OrderType.TRAILING_STOP, side=Side.SELL, trail_percent=Decimal("0.1")))
    sent = house.venue.requests(PLACE)[0].body
    assert (sent["pegDifference"], sent["stopPrice"]) == (5.0, 4995.5)
    assert line.asked() == [("authorize", "md-1"), ("md/subscribeQuote", {"symbol": "ESZ6"})]


def test_without_market_data_a_trailing_stop_goes_out_with_its_distance_alone() -> None:
    house = House(market(FakeLine("o", 'a[{"s":401,"i":0,"d":"Access is denied"}]')), first_stop_within_s="2")
    house.venue.lay_down(PLACE, sample("placed"))
    house.broker.submit(leg(type=OrderType.TRAILING_STOP, side=Side.SELL, trail_amount=Decimal(5)))
    assert "stopPrice" not in house.venue.requests(PLACE)[0].body


def test_an_account_that_is_not_known_is_read_and_without_it_nothing_is_sent() -> None:
    house = House(account="DEMO123457")
    house.venue.lay_down("account/list", sample("accounts"))
    house.venue.lay_down(PLACE, sample("placed"))
    house.broker.submit(leg())
    assert house.venue.requests(PLACE)[0].body["accountSpec"] == "DEMO123457"
    broken = House(account="DEMO123457")
    broken.venue.lay_down("account/list", "", status=500)
    with pytest.raises(NotSent):
        broken.broker.submit(leg())
    assert broken.venue.requests(PLACE) == []


def test_a_change_keeps_the_id_and_sends_all_values() -> None:
    house = House()
    house.venue.lay_down("order/item", sample("order_working"))
    house.venue.lay_down("orderVersion/deps", sample("versions"))
    house.venue.lay_down("order/modifyorder", sample("command_taken"))
    outcome = house.broker.replace(OrderRef("c-1", "210518"), Change(limit_price=Decimal("4999.75")))
    assert isinstance(outcome, Accepted)
    assert outcome.view.broker_order_id == "210518"
    sent = house.venue.requests("order/modifyorder")[0].body
    assert (sent["orderQty"], sent["price"], sent["orderType"], sent["timeInForce"]) == (5, 4999.75, "Limit", "Day")


def test_a_change_to_a_part_of_a_contract_is_refused_and_not_cut() -> None:
    house = House()
    outcome = house.broker.replace(OrderRef("c-1", "2"), Change(quantity=Decimal("1.5")))
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "invalid_quantity"
    assert house.venue.asked == []


def test_of_a_pair_the_order_that_has_the_price_is_changed() -> None:
    house = House()
    house.venue.lay_down("order/items", [order(2), order(3)])
    house.venue.lay_down(
        "orderVersion/ldeps", [version(2, orderType="Limit", price=5010), version(3, orderType="Stop", stopPrice=4990)]
    )
    house.venue.lay_down("order/modifyorder", sample("command_taken"))
    ref = OrderRef("c-1", "2+3", leg(**PAIR))
    outcome = house.broker.replace(ref, Change(stop_price=Decimal(4992)))
    assert isinstance(outcome, Accepted)
    assert outcome.view.broker_order_id == "2+3"
    assert house.venue.requests("order/modifyorder")[0].body["orderId"] == 3
    both = house.broker.replace(ref, Change(limit_price=Decimal(1), stop_price=Decimal(2)))
    assert isinstance(both, Rejected)
    assert both.reason == "unsupported"


def test_a_change_of_what_is_not_there_or_cannot_be_read_is_not_sent() -> None:
    house = House()
    house.venue.lay_down("order/item", None, status=404)
    missing = house.broker.replace(OrderRef("c-1", "1"), Change(limit_price=Decimal(1)))
    assert isinstance(missing, Rejected)
    assert missing.reason == "not_found"
    house.venue.instead("order/item", "", status=500)
    with pytest.raises(NotSent):
        house.broker.replace(OrderRef("c-1", "1"), Change(limit_price=Decimal(1)))
    assert not house.venue.requests("order/modifyorder")


def test_a_pair_is_cancelled_as_two_orders_and_what_has_ended_is_no_problem() -> None:
    house = House()
    house.venue.lay_down("order/cancelorder", sample("refused_too_late"), sample("command_taken"))
    house.broker.cancel(OrderRef("c-1", "2+3"))
    assert [each.body for each in house.venue.requests("order/cancelorder")] == [
        {"orderId": 2, "isAutomated": True},
        {"orderId": 3, "isAutomated": True},
    ]


def test_a_cancellation_that_is_not_taken_is_told_after_all_were_asked_for() -> None:
    house = House()
    house.venue.lay_down("order/cancelorder", sample("refused_another_command"), sample("command_taken"))
    with pytest.raises(BrokerUnavailable, match="Another command is pending"):
        house.broker.cancel(OrderRef("c-1", "2+3"))
    assert len(house.venue.requests("order/cancelorder")) == 2


@pytest.mark.parametrize("status", ["Filled", "Completed", "Canceled", "Expired", "Rejected", "PendingCancel"])
def test_a_refused_cancellation_of_what_is_seen_to_have_ended_or_to_end_is_no_error(status: str) -> None:
    house = House()
    house.venue.lay_down("order/cancelorder", sample("refused_another_command"))
    house.venue.lay_down("order/item", order(2, ordStatus=status))
    house.broker.cancel(OrderRef("c-1", "2"))
    assert len(house.venue.requests("order/cancelorder")) == 1


@pytest.mark.parametrize("status", ["Working", "Suspended", "PendingReplace", "Unknown"])
def test_one_of_what_works_or_is_not_known_is_told(status: str) -> None:
    house = House()
    house.venue.lay_down("order/cancelorder", sample("refused_another_command"))
    house.venue.lay_down("order/item", order(2, ordStatus=status))
    with pytest.raises(BrokerUnavailable, match="cancellation of order 2"):
        house.broker.cancel(OrderRef("c-1", "2"))


def test_a_404_to_a_cancellation_counts_once_tradovate_s_list_has_no_such_order_either() -> None:
    house = House()
    house.venue.lay_down("order/cancelorder", "<html>no such page</html>", status=404)
    house.venue.lay_down("order/item", "<html>no such page</html>", status=404)
    house.venue.lay_down("order/deps", [order(1)])
    house.broker.cancel(OrderRef("c-1", "2"))
    with pytest.raises(BrokerUnavailable):
        house.broker.cancel(OrderRef("c-1", "1"))


def test_an_order_that_tradovate_does_not_show_cannot_be_cancelled_and_need_not() -> None:
    house = House()
    house.broker.cancel(OrderRef("c-1"))
    assert not house.venue.requests("order/cancelorder")


def test_cancel_all_asks_for_each_working_order() -> None:
    house = House()
    house.venue.lay_down("order/deps", [order(1), order(2, ordStatus="Filled"), order(3, ordStatus="Suspended")])
    house.venue.lay_down("order/cancelorder", sample("command_taken"))
    house.broker.cancel_all()
    assert [each.body["orderId"] for each in house.venue.requests("order/cancelorder")] == [1, 3]


def test_a_position_is_closed_by_tradovate_itself() -> None:
    house = House()
    house.venue.lay_down("contract/find", sample("contract"))
    house.venue.lay_down("position/deps", sample("positions"))
    house.venue.lay_down("order/liquidateposition", sample("placed"))
    house.broker.liquidate("ESZ6")
    [asked] = house.venue.requests("order/liquidateposition")
    assert asked.body == {"accountId": 123, "contractId": 560901, "admin": False}
    house.venue.instead("order/liquidateposition", sample("refused_session_closed"))
    with pytest.raises(BrokerUnavailable, match="market is closed"):
        house.broker.liquidate("ESZ6")


def test_nothing_happens_where_nothing_is_held() -> None:
    house = House()
    house.venue.lay_down("contract/find", sample("contract"))
    house.venue.lay_down("position/deps", sample("positions")[1:2])
    house.broker.liquidate("ESZ6")
    assert not house.venue.requests("order/liquidateposition")
