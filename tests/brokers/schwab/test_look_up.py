"""Finding an order again at a venue that keeps no client order ids: by what was sent, and by names that follow replacements."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from fillpath.errors import BrokerUnavailable
from fillpath.orders.model import LegStatus, OrderType, Side
from fillpath_brokers.facade import OrderRef
from tests.brokers.schwab.site import HASH, NOW, Bench, answers, dumped, leg, listing, sample

LIST = f"GET /accounts/{HASH}/orders"
NO_SUCH_ORDER = httpx.Response(404, json={"message": "Order not found", "errors": []})
LIMIT: dict[str, Any] = {"type": OrderType.LIMIT, "limit_price": Decimal("229.05")}
ENTRY = LIMIT | {"take_profit": Decimal(240), "stop_loss": Decimal(220)}
PAIR: dict[str, Any] = {
    "side": Side.SELL,
    "type": OrderType.OCO,
    "limit_price": Decimal(240),
    "stop_price": Decimal(220),
    "reduce_only": True,
}


def lost(**fields: Any) -> OrderRef:
    wanted = leg(**fields)
    return OrderRef(wanted.client_order_id, None, wanted)


def asked_for(at: Bench) -> tuple[datetime, datetime]:
    [request] = at.site.asked("fromEnteredTime")
    query = parse_qs(urlsplit(str(request.url)).query)
    return datetime.fromisoformat(query["fromEnteredTime"][0]), datetime.fromisoformat(query["toEnteredTime"][0])


def test_the_one_order_that_agrees_is_the_lost_one() -> None:
    at = Bench({LIST: listing("order_filled", "order_awaiting_stop", "bracket_working")})
    view = at.broker.order(lost(**LIMIT))
    assert view is not None
    assert (view.broker_order_id, view.status) == ("1002881234001", LegStatus.FILLED)


def test_only_the_time_in_which_it_may_have_been_entered_is_asked_for_however_clocks_differ() -> None:
    at = Bench({LIST: listing()}, look_up_skew_s="7", quarantine_s="90")
    assert at.broker.order(lost(**LIMIT)) is None
    since, until = asked_for(at)
    assert since == NOW - timedelta(seconds=2 + 7, minutes=15)
    assert until == NOW + timedelta(seconds=8 + 90 + 7, minutes=15)


def test_by_a_clock_that_is_hours_away_the_time_is_asked_for_by_that_clock() -> None:
    at = Bench({LIST: listing("order_working")})
    at.site.now = NOW + timedelta(hours=3)
    wanted = lost(**LIMIT, prepared_at=NOW - timedelta(hours=3, seconds=2), submit_by=NOW - timedelta(hours=3, seconds=-8))
    view = at.broker.order(wanted)
    assert view is not None
    assert view.broker_order_id == "1002881234001"


LATER: dict[str, Any] = {"prepared_at": NOW + timedelta(seconds=30), "submit_by": NOW + timedelta(seconds=40)}


def test_without_its_time_schwabs_listing_proves_no_absence_while_another_looks_alike() -> None:
    at = Bench({LIST: listing("order_working")})
    at.site.now = None
    with pytest.raises(BrokerUnavailable, match="does not tell its time"):
        at.broker.order(lost(**LIMIT, **LATER))
    assert at.broker.order(lost(**LIMIT | {"limit_price": Decimal("229.06")}, **LATER)) is None
    assert at.broker.order(lost(**LIMIT)) is not None
    wanted = lost(**LIMIT, **LATER)
    assert at.broker.order(wanted._replace(others=frozenset({"1002881234001"}))) is None


@pytest.mark.parametrize("missing", ["orderType", "price", "orderLegCollection", "duration"])
def test_an_order_that_does_not_tell_what_it_is_may_be_the_lost_one(missing: str) -> None:
    at = Bench({LIST: dumped([{name: value for name, value in sample("order_working").items() if name != missing}])})
    with pytest.raises(BrokerUnavailable, match="cannot be compared"):
        at.broker.order(lost(**LIMIT))
    assert at.broker.order(lost(**LIMIT, **{name: at_ + timedelta(hours=1) for name, at_ in LATER.items()})) is None


@pytest.mark.parametrize("missing", ["instruction", "quantity", "instrument"])
def test_a_leg_that_does_not_tell_what_it_is_may_be_that_of_the_lost_one(missing: str) -> None:
    order = sample("order_working")
    del order["orderLegCollection"][0][missing]
    with pytest.raises(BrokerUnavailable, match="cannot be compared"):
        Bench({LIST: dumped([order])}).broker.order(lost(**LIMIT))


def test_an_order_of_another_symbol_may_leave_out_what_it_wants() -> None:
    order = sample("order_working")
    order["orderLegCollection"][0] = {"instrument": {"symbol": "MSFT"}}
    assert Bench({LIST: dumped([order])}).broker.order(lost(**LIMIT)) is None


def test_a_pair_of_another_size_is_another_pair_unless_something_of_it_has_filled() -> None:
    pair = sample("oco_working")
    at = Bench({LIST: dumped([pair])})
    assert at.broker.order(lost(**PAIR, quantity=Decimal(11))) is None
    assert at.broker.order(lost(**PAIR, quantity=Decimal(9))) is None
    for half, quantity, filled in zip(pair["childOrderStrategies"], (9, 9), (1, 1), strict=True):
        half |= {"quantity": quantity, "filledQuantity": filled}
        half["orderLegCollection"][0]["quantity"] = quantity
    at.site.table[LIST] = dumped([pair])
    view = at.broker.order(lost(**PAIR))
    assert view is not None
    assert (view.status, view.filled_quantity) == (LegStatus.PARTIALLY_FILLED, 2)


def test_a_pair_whose_halves_have_shrunk_works_until_all_of_its_leg_is_filled() -> None:
    target, stop = sample("oco_working")["childOrderStrategies"]
    for half in (target, stop):
        half |= {"quantity": 6, "filledQuantity": 4}
    at = Bench({"GET /orders/1002881234021": dumped(target), "GET /orders/1002881234022": dumped(stop)})
    view = at.broker.order(OrderRef("", "1002881234021+1002881234022", leg(**PAIR)))
    assert view is not None
    assert (view.status, view.filled_quantity) == (LegStatus.PARTIALLY_FILLED, 8)


@pytest.mark.parametrize(("reduce_only", "quantity", "found"), [(True, 12, True), (True, 9, False), (False, 12, False)])
def test_what_only_reduces_at_the_market_may_have_been_cut_before_it_was_sent(
    reduce_only: bool, quantity: int, found: bool
) -> None:
    order = sample("order_working") | {"orderType": "MARKET", "price": None}
    order["orderLegCollection"][0]["instruction"] = "BUY_TO_COVER" if reduce_only else "BUY"
    wanted = lost(reduce_only=reduce_only, quantity=Decimal(quantity))
    assert (Bench({LIST: dumped([order])}).broker.order(wanted) is not None) is found


def test_what_does_not_say_how_much_of_it_is_filled_is_no_answer() -> None:
    order = {name: value for name, value in sample("order_filled").items() if name != "filledQuantity"}
    with pytest.raises(BrokerUnavailable):
        Bench({"GET /orders/1002881234001": dumped(order)}).broker.order(OrderRef("", "1002881234001"))


@pytest.mark.parametrize("filled", [11, -1, Decimal("NaN"), "Infinity", "1e400"])
def test_more_than_was_ordered_and_less_than_nothing_cannot_be_filled(filled: Any) -> None:
    order = sample("order_working") | {"filledQuantity": str(filled)}
    with pytest.raises(BrokerUnavailable):
        Bench({"GET /orders/1002881234001": dumped(order)}).broker.order(OrderRef("", "1002881234001"))


def test_what_was_entered_outside_that_time_is_another_order() -> None:
    at = Bench({LIST: listing("order_working")})
    assert at.broker.order(lost(**LIMIT, prepared_at=NOW + timedelta(seconds=30), submit_by=NOW + timedelta(seconds=40))) is None


def test_of_two_that_agree_nobody_can_tell_which() -> None:
    at = Bench({LIST: dumped([sample("order_working"), {**sample("order_working"), "orderId": 1002881234099}])})
    with pytest.raises(BrokerUnavailable, match="cannot tell which of the orders 1002881234001, 1002881234099"):
        at.broker.order(lost(**LIMIT))


def test_an_order_that_is_known_to_be_another_is_not_taken_for_the_lost_one() -> None:
    at = Bench({LIST: listing("order_working"), "GET /orders/1002881234001": answers("order_working")})
    other = leg(**LIMIT, client_order_id="FP-0-main")
    assert at.broker.order(OrderRef("FP-0-main", "1002881234001", other)) is not None
    assert at.broker.order(lost(**LIMIT)) is None
    assert at.broker.order(OrderRef("FP-0-main", None, other)) is not None


@pytest.mark.parametrize("fields", [{"prepared_at": None}, {"submit_by": None}])
def test_without_its_time_an_order_cannot_be_found(fields: dict[str, Any]) -> None:
    with pytest.raises(BrokerUnavailable):
        Bench({LIST: listing("order_working")}).broker.order(lost(**LIMIT, **fields))


def test_a_client_order_id_alone_says_nothing() -> None:
    with pytest.raises(BrokerUnavailable, match="no client order ids"):
        Bench().broker.order(OrderRef("FP-1-main"))


def test_a_lost_bracket_is_found_with_its_exits() -> None:
    view = Bench({LIST: listing("bracket_target_filled", "order_filled")}).broker.order(lost(**ENTRY))
    assert view is not None
    assert view.broker_order_id == "1002881234010"
    assert view.exits is not None
    assert (view.exits.status, view.exits.filled_quantity, view.exits.average_price) == (LegStatus.FILLED, 10, Decimal("240.02"))


def test_a_bracket_without_its_exits_is_no_answer() -> None:
    bare = {name: value for name, value in sample("bracket_working").items() if name != "childOrderStrategies"}
    with pytest.raises(BrokerUnavailable, match="exits"):
        Bench({LIST: dumped([bare])}).broker.order(lost(**ENTRY))


def test_a_lost_exit_pair_is_found_as_a_pair() -> None:
    view = Bench({LIST: listing("oco_working", "order_awaiting_stop")}).broker.order(lost(**PAIR))
    assert view is not None
    assert view.broker_order_id == "1002881234021+1002881234022"


def test_a_pair_is_one_view_of_both_orders() -> None:
    target, stop = sample("bracket_target_filled")["childOrderStrategies"][0]["childOrderStrategies"]
    at = Bench({"GET /orders/1002881234012": dumped(target), "GET /orders/1002881234013": dumped(stop)})
    view = at.broker.order(OrderRef("", "1002881234012+1002881234013"))
    assert view is not None
    assert (view.status, view.filled_quantity) == (LegStatus.FILLED, 10)


def test_half_a_pair_is_no_answer_and_none_of_it_is_no_order() -> None:
    at = Bench({"GET /orders/1": answers("order_working"), "GET /orders/2": NO_SUCH_ORDER})
    with pytest.raises(BrokerUnavailable, match="only one"):
        at.broker.order(OrderRef("", "1+2"))
    at.site.table["GET /orders/1"] = NO_SUCH_ORDER
    assert at.broker.order(OrderRef("", "1+2")) is None


def test_a_replaced_order_is_what_its_successor_is() -> None:
    at = Bench(
        {"GET /orders/1002881234001": answers("order_replaced"), "GET /orders/1002881234002": answers("order_replacement")}
    )
    view = at.broker.order(OrderRef("", "1002881234001"))
    assert view is not None
    assert (view.status, view.filled_quantity) == (LegStatus.PARTIALLY_FILLED, 4)
    assert view.broker_order_id == "1002881234001>1002881234002"


def test_a_predecessor_that_filled_nothing_is_left_out_of_the_name() -> None:
    old = {**sample("order_replaced"), "filledQuantity": 0, "orderActivityCollection": []}
    at = Bench({"GET /orders/1002881234001": dumped(old), "GET /orders/1002881234002": answers("order_replacement")})
    view = at.broker.order(OrderRef("", "1002881234001"))
    assert view is not None
    assert (view.broker_order_id, view.status) == ("1002881234002", LegStatus.WORKING)


def unnamed() -> dict[str, Any]:
    return {name: value for name, value in sample("order_replaced").items() if name != "replacingOrderCollection"}


def test_a_successor_that_is_not_named_is_the_one_like_it_that_was_entered_then() -> None:
    at = Bench({"GET /orders/1002881234001": dumped(unnamed()), LIST: listing("order_replacement", "order_trailing_stop")})
    view = at.broker.order(OrderRef("", "1002881234001"))
    assert view is not None
    assert view.broker_order_id == "1002881234001>1002881234002"


@pytest.mark.parametrize("there", [[], ["order_replacement", "order_replacement"]])
def test_a_successor_that_cannot_be_told_is_no_end_of_the_order(there: list[str]) -> None:
    orders = [{**sample(name), "orderId": 1002881234002 + n} for n, name in enumerate(there)]
    at = Bench({"GET /orders/1002881234001": dumped(unnamed()), LIST: dumped(orders)})
    with pytest.raises(BrokerUnavailable, match="cannot tell which order replaced"):
        at.broker.order(OrderRef("", "1002881234001"))


def test_an_order_that_schwab_does_not_show_is_none_and_trouble_is_not() -> None:
    at = Bench({"GET /orders/9": NO_SUCH_ORDER})
    assert at.broker.order(OrderRef("", "9")) is None
    for answer in (
        httpx.Response(500),
        httpx.Response(400),
        httpx.Response(200, content=b"[]"),
        httpx.Response(404),
        httpx.Response(404, html="<h1>404 Not Found</h1>"),
        httpx.Response(404, json={"fault": {"faultstring": "not found"}}),
    ):
        at.site.table["GET /orders/9"] = answer
        with pytest.raises(BrokerUnavailable):
            at.broker.order(OrderRef("", "9"))


def test_a_listing_that_is_too_long_for_the_gateway_is_asked_for_in_halves() -> None:
    entered = datetime.fromisoformat(sample("order_working")["enteredTime"])
    orders = [
        {**sample("order_working"), "orderId": 1000 + n, "enteredTime": (entered - timedelta(days=n)).isoformat()}
        for n in range(8)
    ]

    def answer(request: httpx.Request) -> httpx.Response:
        query = parse_qs(urlsplit(str(request.url)).query)
        since, until = (datetime.fromisoformat(query[name][0]) for name in ("fromEnteredTime", "toEnteredTime"))
        found = [each for each in orders if since <= datetime.fromisoformat(each["enteredTime"]) <= until]
        return dumped(found) if len(found) <= 2 else answers("fault_too_big", 502)

    at = Bench({LIST: answer}, requests_per_minute="100000")
    assert sorted(each.view.broker_order_id or "" for each in at.broker.orders()) == [str(1000 + n) for n in range(8)]


def test_a_listing_that_stays_too_long_is_no_answer() -> None:
    at = Bench({LIST: answers("fault_too_big", 502)}, requests_per_minute="100000", orders_reach_days="1")
    with pytest.raises(BrokerUnavailable):
        at.broker.orders()
