"""TradeStation's listings: page by page, by number, and what their errors say of an order, which is little."""

from typing import Any

import pytest

from fillpath.errors import BrokerUnavailable
from fillpath.orders.model import LegStatus
from fillpath_brokers.facade import OrderRef
from tests.brokers.tradestation.rig import BASE, PAIR, PRICED, Rig, leg, sample


def test_every_page_is_read() -> None:
    rig = Rig()
    rig.answers("GET", f"{BASE}/orders", sample("orders_first_page"), sample("orders_last_page"))
    assert [each.view.broker_order_id for each in rig.broker.orders()] == ["911249400", "911249493"]
    assert [each.url.params.get("nextToken") for each in rig.asked] == [None, "eyJvcmRlcklkIjoiOTExMjQ5NDkzIn0="]


@pytest.mark.parametrize("answer", [sample("orders_wrong_account"), {"Orders": None}, (200, "no json"), (403, {}), []])
def test_a_listing_with_errors_is_no_answer(answer: Any) -> None:
    rig = Rig()
    rig.answers("GET", f"{BASE}/orders", answer)
    with pytest.raises(BrokerUnavailable):
        rig.broker.orders()


NOTHING_FOUND: list[Any] = [
    (404, {"Error": "NotFound", "Message": "Account not found"}),
    (404, {"Error": "Not Found", "Message": "HTTP 404 Not Found"}),
    (404, {"Error": "NotFound", "Message": "Order not found."}),
    (404, {"Orders": [], "Errors": []}),
    (404, "<html><h1>404 Not Found</h1></html>"),
    {"Orders": [], "Errors": [{"AccountID": "SIM1", "Message": "Account SIM1 not found"}]},
    {"Orders": [], "Errors": [{"AccountID": "SIM1", "Error": "NotFound", "Message": "No orders found."}]},
    {"Orders": [], "Errors": ["Order not found."]},
    {"Orders": [], "Errors": "Order not found."},
    {"Orders": [], "Error": "NotFound", "Message": "Order not found."},
    sample("orders_not_found"),
]
"""Whatever a whole listing says with an error, it does not say that there are no orders."""


@pytest.mark.parametrize("answer", NOTHING_FOUND)
@pytest.mark.parametrize("listing", ["orders", "historicalorders"])
def test_no_error_of_a_whole_listing_is_the_absence_of_an_order(listing: str, answer: Any) -> None:
    rig = Rig()
    rig.shows()
    rig.answers("GET", f"{BASE}/{listing}", answer)
    with pytest.raises(BrokerUnavailable):
        rig.broker.order(OrderRef("c", None, leg(**PRICED)))


# --- by number ------------------------------------------------------------------------------------------------------------------


def test_a_number_is_looked_up_in_both_listings() -> None:
    rig = Rig()
    rig.answers("GET", f"{BASE}/orders/911249493", sample("orders_not_found"))
    rig.answers("GET", f"{BASE}/historicalorders/911249493", {"Orders": [sample("order_expired")], "Errors": []})
    view = rig.broker.order(OrderRef("c", "911249493", leg(**PRICED)))
    assert view is not None
    assert view.status is LegStatus.EXPIRED


@pytest.mark.parametrize("answer", [sample("orders_not_found"), (404, {"Error": "NotFound", "Message": "Order not found."})])
def test_a_number_that_is_nowhere_is_no_order(answer: Any) -> None:
    rig = Rig()
    rig.answers("GET", f"{BASE}/orders/911249493", answer)
    rig.answers("GET", f"{BASE}/historicalorders/911249493", answer)
    assert rig.broker.order(OrderRef("c", "911249493")) is None


@pytest.mark.parametrize("body", ["<html><h1>404 Not Found</h1></html>", "", {"message": "Not Found"}])
def test_a_404_that_is_not_tradestations_own_is_no_absence(body: Any) -> None:
    rig = Rig()
    rig.answers("GET", f"{BASE}/orders/911249493", (404, body))
    with pytest.raises(BrokerUnavailable):
        rig.broker.order(OrderRef("c", "911249493"))


def answered_by_id(answer: Any, older: Any) -> Rig:
    rig = Rig()
    rig.answers("GET", f"{BASE}/orders/911249493", answer)
    rig.answers("GET", f"{BASE}/historicalorders/911249493", older)
    return rig


def says(**error: str) -> dict[str, Any]:
    return {"Orders": [], "Errors": [error]}


@pytest.mark.parametrize(
    "answer",
    [
        says(OrderID="911249493", Error="NotFound", Message="Not found."),
        says(AccountID="SIM1234567F", OrderID="911249493", Error="NotFound", Message="Order not found."),
        says(Error="NotFound", Message="No order found for this id."),
        (404, says(OrderID="911249493", Message="Order 911249493 does not exist")),
    ],
)
def test_an_error_that_is_about_the_order_is_its_absence(answer: Any) -> None:
    assert answered_by_id(answer, answer).broker.order(OrderRef("c", "911249493")) is None


@pytest.mark.parametrize(
    "answer",
    [
        says(AccountID="SIM1234567F", Error="NotFound", Message="Account SIM1234567F not found"),
        says(OrderID="911249493", Error="NotFound", Message="Account not found"),
        says(Error="NotFound", Message="Not found."),
        says(OrderID="911249493", Error="Failed", Message="The service is busy."),
        says(OrderID="1", Message="Not found."),
        (404, {"Error": "NotFound", "Message": "Account not found"}),
        (404, {"Error": "Not Found", "Message": "HTTP 404 Not Found"}),
        (404, {"Error": "NotFound", "Message": "Order not found for this account."}),
        {"Orders": [], "Errors": []},
        {"Orders": []},
    ],
)
def test_an_error_about_anything_else_is_no_absence_nor_is_silence(answer: Any) -> None:
    absent = sample("orders_not_found")
    for first, second in ((answer, answer), (answer, absent), (absent, answer)):
        with pytest.raises(BrokerUnavailable):
            answered_by_id(first, second).broker.order(OrderRef("c", "911249493"))


def test_an_order_that_one_listing_does_not_have_is_shown_by_the_other() -> None:
    for first in ({"Orders": [], "Errors": []}, sample("orders_not_found")):
        view = answered_by_id(first, {"Orders": [sample("order_expired")]}).broker.order(OrderRef("c", "911249493"))
        assert view is not None
        assert view.status is LegStatus.EXPIRED


def test_half_a_pair_is_no_answer() -> None:
    rig = Rig()
    half = {"Orders": sample("orders_exit_pair")["Orders"][:1], "Errors": []}
    rig.answers("GET", f"{BASE}/orders/911249498,911249499", half)
    rig.answers("GET", f"{BASE}/historicalorders/911249499", sample("orders_not_found"))
    with pytest.raises(BrokerUnavailable):
        rig.broker.order(OrderRef("c", "911249498+911249499", leg(**PAIR)))
