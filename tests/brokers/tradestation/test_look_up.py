"""Finding orders again: by their numbers, and after a lost answer by what was sent and when."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from fillpath.errors import BrokerUnavailable
from fillpath.orders.model import Leg, LegStatus, OrderType, Side
from fillpath_brokers.facade import OrderRef
from tests.brokers.tradestation.rig import BASE, BRACKET, NOW, PAIR, PRICED, Rig, leg, sample

QUARANTINE_S = 180


def sought(**fields: Any) -> OrderRef:
    of = leg(**fields)
    return OrderRef(of.client_order_id, None, of)


def opened(order: dict[str, Any], at: datetime) -> dict[str, Any]:
    return order | {"OpenedDateTime": f"{at:%Y-%m-%dT%H:%M:%SZ}"}


def numbered(order: dict[str, Any], number: str) -> dict[str, Any]:
    return order | {"OrderID": number}


def test_an_order_is_found_by_what_was_sent() -> None:
    rig = Rig()
    rig.shows(sample("order_stop"), sample("order_received"), sample("order_short_sale"))
    view = rig.broker.order(sought(**PRICED))
    assert view is not None
    assert (view.broker_order_id, view.status) == ("911249493", LegStatus.WORKING)


@pytest.mark.parametrize("name", ["order_filled", "order_filled_lower_case", "order_received_but_filled"])
def test_it_is_found_in_whatever_state_and_case_it_is(name: str) -> None:
    rig = Rig()
    rig.shows(sample(name))
    view = rig.broker.order(sought())
    assert view is not None
    assert view.status is LegStatus.FILLED


@pytest.mark.parametrize(
    "other",
    [
        {"side": Side.SELL},
        {"quantity": Decimal(3)},
        {"contract": "NQZ6"},
        {"limit_price": Decimal("5890.5")},
        {"type": OrderType.STOP, "limit_price": None, "stop_price": Decimal("5890.25")},
        {"type": OrderType.MARKET, "limit_price": None},
        {"prepared_at": NOW + timedelta(seconds=20), "submit_by": NOW + timedelta(seconds=30)},
        {"prepared_at": NOW - timedelta(hours=1), "submit_by": NOW - timedelta(minutes=55)},
    ],
)
def test_another_order_is_not_taken_for_it(other: dict[str, Any]) -> None:
    rig = Rig()
    rig.shows(sample("order_received"))
    assert rig.broker.order(sought(**{**PRICED, **other})) is None


@pytest.mark.parametrize(
    ("seconds", "found"),
    [(-6, False), (-5, True), (0, True), (10, True), (10 + QUARANTINE_S, True), (10 + QUARANTINE_S + 6, False)],
)
def test_it_must_have_been_opened_when_it_can_have_been(seconds: int, found: bool) -> None:
    rig = Rig()
    rig.shows(opened(sample("order_received"), NOW + timedelta(seconds=seconds)))
    assert (rig.broker.order(sought(**PRICED)) is not None) is found


@pytest.mark.parametrize("ahead", [-300, -120, -30, -6, 6, 30, 120, 300, 10_000])
def test_its_time_is_that_of_tradestations_clock(ahead: int) -> None:
    rig = Rig()
    rig.ahead = timedelta(seconds=ahead)
    for seconds, found in ((-6, False), (-5, True), (10 + QUARANTINE_S, True), (10 + QUARANTINE_S + 6, False)):
        rig.shows(opened(sample("order_received"), NOW + timedelta(seconds=ahead + seconds)))
        assert (rig.broker.order(sought(**PRICED)) is not None) is found


@pytest.mark.parametrize("seconds", [-300, -30, 10 + QUARANTINE_S + 30])
def test_without_that_clock_nothing_is_absent_while_another_looks_alike(seconds: int) -> None:
    rig = Rig()
    rig.ahead = None
    rig.shows(opened(sample("order_received"), NOW + timedelta(seconds=seconds)))
    with pytest.raises(BrokerUnavailable, match="does not tell its time"):
        rig.broker.order(sought(**PRICED))
    assert rig.broker.order(sought(**PRICED | {"limit_price": Decimal("5890.5")})) is None
    assert rig.broker.order(sought(**PRICED)._replace(others=frozenset({"911249493"}))) is None
    rig.shows(opened(sample("order_received"), NOW - timedelta(minutes=16)))
    assert rig.broker.order(sought(**PRICED)) is None


@pytest.mark.parametrize("missing", ["OrderType", "LimitPrice", "Legs", "OpenedDateTime"])
def test_an_order_that_does_not_tell_what_it_is_may_be_the_lost_one(missing: str) -> None:
    rig = Rig()
    rig.shows({name: value for name, value in sample("order_received").items() if name != missing})
    with pytest.raises(BrokerUnavailable, match="cannot be compared"):
        rig.broker.order(sought(**PRICED))


@pytest.mark.parametrize("missing", ["BuyOrSell", "QuantityOrdered", "Symbol"])
def test_a_leg_that_does_not_tell_what_it_is_may_be_that_of_the_lost_one(missing: str) -> None:
    rig, order = Rig(), sample("order_received")
    del order["Legs"][0][missing]
    rig.shows(order)
    with pytest.raises(BrokerUnavailable, match="cannot be compared"):
        rig.broker.order(sought(**PRICED))


def test_an_order_of_another_symbol_may_leave_out_what_it_wants() -> None:
    rig = Rig()
    rig.shows(sample("order_received") | {"Legs": [{"Symbol": "NQZ26"}]})
    assert rig.broker.order(sought(**PRICED)) is None


@pytest.mark.parametrize(("reduce_only", "quantity", "found"), [(True, 3, True), (True, 1, False), (False, 3, False)])
def test_what_only_reduces_at_the_market_may_have_been_cut_before_it_was_sent(
    reduce_only: bool, quantity: int, found: bool
) -> None:
    rig = Rig()
    rig.shows(sample("order_filled"))
    assert (rig.broker.order(sought(reduce_only=reduce_only, quantity=Decimal(quantity))) is not None) is found


@pytest.mark.parametrize("filled", ["3", "-1", "NaN", "Infinity", "1e400"])
def test_more_than_was_ordered_and_less_than_nothing_cannot_be_filled(filled: str) -> None:
    rig, order = Rig(), sample("order_received")
    order["Legs"][0]["ExecQuantity"] = filled
    rig.shows(order)
    with pytest.raises(BrokerUnavailable):
        rig.broker.order(sought(**PRICED))


def test_of_two_that_look_alike_nobody_can_tell_which_it_is() -> None:
    rig = Rig()
    rig.shows(sample("order_received"), numbered(sample("order_received"), "911249999"))
    with pytest.raises(BrokerUnavailable, match="cannot tell which"):
        rig.broker.order(sought(**PRICED))


def test_one_of_them_may_belong_to_a_bracket() -> None:
    rig = Rig()
    entry = sample("orders_bracket_sent")["Orders"][0]
    rig.shows(entry, sample("order_sent"))
    view = rig.broker.order(sought())
    assert view is not None
    assert view.broker_order_id == "911249493"


def test_an_exit_of_a_bracket_is_nobodys_own_order() -> None:
    rig = Rig()
    rig.shows(*sample("orders_bracket_working")["Orders"])
    assert rig.broker.order(sought(side=Side.SELL, type=OrderType.LIMIT, limit_price=Decimal(5920))) is None


def test_a_trailing_stop_is_found_by_its_trail_though_its_stop_moves() -> None:
    rig = Rig()
    rig.shows(sample("order_trailing_stop"), sample("order_stop"))
    trailing = {"side": Side.SELL, "type": OrderType.TRAILING_STOP}
    view = rig.broker.order(sought(**trailing, trail_amount=Decimal(20)))
    assert view is not None
    assert view.broker_order_id == "911249493"
    assert rig.broker.order(sought(**trailing, trail_amount=Decimal(21))) is None


def test_what_has_ended_since_is_sought_among_the_older_ones() -> None:
    rig = Rig()
    rig.shows(older=(sample("order_out_with_fills"),))
    view = rig.broker.order(sought(**PRICED))
    assert view is not None
    assert (view.status, view.filled_quantity) == (LegStatus.CANCELLED, 1)
    assert rig.asked[-1].url.params["since"] == "2026-11-24"


def test_absence_needs_both_listings() -> None:
    rig = Rig()
    rig.shows()
    rig.answers("GET", f"{BASE}/historicalorders", (500, {}))
    with pytest.raises(BrokerUnavailable):
        rig.broker.order(sought(**PRICED))


def test_without_what_was_sent_no_order_can_be_sought() -> None:
    rig = Rig()
    for ref in (OrderRef("c"), sought(prepared_at=None), sought(submit_by=None)):
        with pytest.raises(BrokerUnavailable, match=r"no ids of ours|is not known"):
            rig.broker.order(ref)


# --- brackets and pairs ---------------------------------------------------------------------------------------------------------


def children(rig: Rig, name: str) -> None:
    _, target, stop = sample(name)["Orders"]
    rig.answers("GET", f"{BASE}/orders/911249495,911249496", {"Orders": [target, stop], "Errors": []})


def test_a_bracket_is_found_with_its_exits() -> None:
    rig = Rig()
    rig.shows(*sample("orders_bracket_working")["Orders"], sample("order_filled"))
    children(rig, "orders_bracket_working")
    view = rig.broker.order(sought(**BRACKET))
    assert view is not None
    assert view.broker_order_id == "911249497"
    assert view.exits is not None
    assert view.exits.broker_order_id == "911249495+911249496"


def test_a_bracket_without_its_exits_is_no_answer() -> None:
    rig = Rig()
    rig.shows(sample("order_filled"))
    with pytest.raises(BrokerUnavailable, match="exits"):
        rig.broker.order(sought(**BRACKET))


def test_a_pair_is_found_as_one() -> None:
    rig = Rig()
    rig.shows(*sample("orders_exit_pair")["Orders"], *sample("orders_bracket_working")["Orders"])
    view = rig.broker.order(sought(**PAIR))
    assert view is not None
    assert view.broker_order_id == "911249498+911249499"


def test_a_pair_is_found_though_one_half_has_taken_from_the_other() -> None:
    rig = Rig()
    limit, stop = sample("orders_exit_pair")["Orders"]
    limit["Legs"][0] |= {"ExecQuantity": "1", "QuantityRemaining": "1", "ExecutionPrice": "5920"}
    stop["Legs"][0] |= {"QuantityOrdered": "1", "QuantityRemaining": "1"}
    rig.shows(limit, stop)
    view = rig.broker.order(sought(**PAIR))
    assert view is not None
    assert (view.status, view.filled_quantity) == (LegStatus.PARTIALLY_FILLED, 1)


@pytest.mark.parametrize("quantity", [1, 3])
def test_a_pair_of_another_size_is_another_pair(quantity: int) -> None:
    rig = Rig()
    rig.shows(*sample("orders_exit_pair")["Orders"])
    assert rig.broker.order(sought(**PAIR, quantity=Decimal(quantity))) is None


def test_half_a_pair_may_be_completed_until_nothing_can_appear_any_more() -> None:
    rig = Rig()
    half = sample("order_out") | {"LimitPrice": "5920", "Legs": [sample("order_out")["Legs"][0] | {"BuyOrSell": "Sell"}]}
    rig.shows(half)
    with pytest.raises(BrokerUnavailable, match="one half"):
        rig.broker.order(sought(**PAIR))
    rig.clock.sleep(10 + QUARANTINE_S + 6)
    view = rig.broker.order(sought(**PAIR))
    assert view is not None
    assert view.status is LegStatus.CANCELLED


def test_a_lost_order_is_cancelled_once_it_is_found() -> None:
    rig = Rig()
    rig.shows(*sample("orders_exit_pair")["Orders"])
    for number in ("911249498", "911249499"):
        rig.answers("DELETE", f"/v3/orderexecution/orders/{number}", sample("cancel_sent"))
    rig.broker.cancel(sought(**PAIR))
    assert len(rig.paths("DELETE")) == 2


def test_fills_are_those_of_orders_that_ended_since_or_still_work() -> None:
    rig = Rig()
    old = sample("order_filled") | {"OrderID": "1", "ClosedDateTime": "2026-11-25T14:00:00Z"}
    rig.shows(
        sample("order_partially_filled") | {"OrderID": "911249500"}, sample("order_filled"), old, older=(sample("order_filled"),)
    )
    fills = rig.broker.fills(NOW)
    assert [(each.broker_order_id, each.quantity) for each in fills] == [("911249500", 1), ("911249493", 2)]


def test_a_leg_of_somebody_elses_spread_is_not_ours() -> None:
    rig = Rig()
    rig.shows(sample("order_vertical_spread"))
    of: Leg = leg(type=OrderType.LIMIT, limit_price=Decimal("2.5"))
    assert rig.broker.order(OrderRef(of.client_order_id, None, of)) is None


@pytest.mark.parametrize("look", ["orders", "positions", "balances", "cancel"])
def test_no_error_that_comes_as_a_success_repeats_a_secret(look: str) -> None:
    rig = Rig()
    says = {"Errors": [{"AccountID": "1", "Error": "Forbidden", "Message": "the-token and the-s3cret are not welcome"}]}
    for path in ("orders", "historicalorders", "positions", "balances"):
        rig.answers("GET", f"{BASE}/{path}", says)
    rig.answers("GET", f"{BASE}/orders/1", says)
    rig.answers("DELETE", "/v3/orderexecution/orders/1", says)
    with pytest.raises(BrokerUnavailable, match="not welcome") as told:
        rig.broker.cancel(OrderRef("c-1", "1", leg())) if look == "cancel" else getattr(rig.broker, look)()
    assert "the-token" not in str(told.value)
    assert "the-s3cret" not in str(told.value)
