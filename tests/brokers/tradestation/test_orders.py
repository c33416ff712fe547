"""Orders at TradeStation: what becomes of each answer, and what is sent."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from fillpath.errors import BrokerUnavailable, NeedsReauth, NotSent, Unsupported
from fillpath.market.ports.trading_hours import Session
from fillpath.orders.model import LegStatus, OrderType
from fillpath.orders.outcomes import Accepted, LegView, Rejected, Unknown
from fillpath_brokers.facade import Change, OrderRef
from tests.brokers.tradestation.rig import BASE, NOW, ORDERS, PAIR, PRICED, Rig, leg, sample

SYMBOL = "/v3/marketdata/symbols/ESZ26"
ONE = "911249493"


@pytest.fixture
def rig() -> Rig:
    made = Rig()
    made.answers("GET", SYMBOL, sample("symbols_continuous"))
    return made


# --- submit ---------------------------------------------------------------------------------------------------------------------


def test_an_order_that_was_sent_is_accepted_under_its_number(rig: Rig) -> None:
    rig.answers("POST", ORDERS, sample("placed"))
    assert rig.broker.submit(leg()) == Accepted(LegView(LegStatus.WORKING, ONE))
    [request] = rig.asked
    assert request.headers["Authorization"] == "Bearer the-token"


def test_a_200_with_errors_is_a_refusal(rig: Rig) -> None:
    rig.answers("POST", ORDERS, sample("refusal_funds"))
    outcome = rig.broker.submit(leg())
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "insufficient_margin"
    assert outcome.text == "Order failed. Reason: You have insufficient funds to place this trade."


@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_a_4xx_is_a_refusal(rig: Rig, status: int) -> None:
    rig.answers("POST", ORDERS, (status, sample("refusal_account_type")))
    assert rig.broker.submit(leg()) == Rejected("unsupported", "Request not supported for account type.")


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503, 504])
def test_trouble_of_theirs_says_nothing(rig: Rig, status: int) -> None:
    rig.answers("POST", ORDERS, (status, sample("error_gateway_timeout")))
    assert isinstance(rig.broker.submit(leg()), Unknown)
    assert len(rig.asked) == 1


@pytest.mark.parametrize("text", ["Request timed out", "Order failed. Reason: no response from the exchange", "Unknown error"])
def test_an_error_that_says_that_nobody_knows_is_no_refusal(rig: Rig, text: str) -> None:
    rig.answers("POST", ORDERS, {"Orders": [{"OrderID": ONE, "Error": "FAILED", "Message": text}]})
    assert isinstance(rig.broker.submit(leg()), Unknown)
    assert len(rig.asked) == 1


@pytest.mark.parametrize("answer", [sample("answer_without_orders"), {}, [], {"Orders": [{"Message": "sent"}]}])
def test_an_answer_with_neither_orders_nor_errors_says_nothing(rig: Rig, answer: Any) -> None:
    rig.answers("POST", ORDERS, answer)
    assert isinstance(rig.broker.submit(leg()), Unknown)


@pytest.mark.parametrize("answer", [(200, "<html>"), httpx.ReadTimeout("late"), httpx.RemoteProtocolError("gone")])
def test_no_readable_answer_is_none(rig: Rig, answer: Any) -> None:
    rig.answers("POST", ORDERS, answer)
    assert isinstance(rig.broker.submit(leg()), Unknown)
    assert len(rig.asked) == 1


def test_no_connection_was_not_sent(rig: Rig) -> None:
    rig.answers("POST", ORDERS, httpx.ConnectError("refused"))
    with pytest.raises(NotSent):
        rig.broker.submit(leg())


def test_too_many_requests_silence_orders_only(rig: Rig) -> None:
    rig.answers("POST", ORDERS, (429, sample("error_too_many_requests")))
    for _ in range(2):
        with pytest.raises(NotSent) as raised:
            rig.broker.submit(leg())
        assert raised.value.delay_s == pytest.approx(60, abs=1)
    assert len(rig.asked) == 1
    rig.shows()
    assert rig.broker.orders() == ()


def test_a_refused_token_is_not_used_again(rig: Rig) -> None:
    rig.answers("POST", ORDERS, (401, sample("error_unauthorized")))
    for _ in range(2):
        with pytest.raises(NotSent):
            rig.broker.submit(leg())
    assert len(rig.asked) == 1


def test_a_duplicate_is_in_doubt(rig: Rig) -> None:
    rig.answers("POST", ORDERS, sample("refusal_duplicate"))
    assert isinstance(rig.broker.submit(leg()), Unknown)


def test_more_numbers_than_orders_are_in_doubt(rig: Rig) -> None:
    rig.answers("POST", ORDERS, sample("placed_pair"))
    assert isinstance(rig.broker.submit(leg()), Unknown)


def test_a_closed_market_is_told_with_its_next_opening(rig: Rig) -> None:
    rig.hours.publish("CMES", (Session(NOW + timedelta(hours=8), NOW + timedelta(hours=30)),), NOW)
    rig.answers("POST", ORDERS, sample("refusal_closed"))
    outcome = rig.broker.submit(leg())
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "market_closed"
    assert outcome.text.startswith("Order failed. Reason: The market is closed for this symbol. (")
    assert "it opens again 2026-11-25 23:04 UTC" in outcome.text


def test_prices_that_would_mean_something_else_there_are_not_sent() -> None:
    rig = Rig()
    rig.answers("GET", "/v3/marketdata/symbols/JYZ26", sample("symbols_in_another_unit"))
    outcome = rig.broker.submit(leg(contract="6JZ6", type=OrderType.LIMIT, limit_price=Decimal("0.0067")))
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "invalid_price"
    rig.answers("POST", ORDERS, sample("placed"))
    assert isinstance(rig.broker.submit(leg(contract="6JZ6")), Accepted)


def test_a_price_is_sent_where_nobody_says_what_it_means() -> None:
    rig = Rig()
    rig.answers("GET", SYMBOL, (503, {}))
    rig.answers("POST", ORDERS, sample("placed"))
    assert isinstance(rig.broker.submit(leg(**PRICED)), Accepted)


def test_the_meaning_of_prices_is_asked_for_once(rig: Rig) -> None:
    rig.answers("POST", ORDERS, sample("placed"))
    for _ in range(3):
        rig.broker.submit(leg(**PRICED))
    assert rig.paths("GET") == [SYMBOL]


def test_parts_of_a_contract_are_not_sent(rig: Rig) -> None:
    outcome = rig.broker.submit(leg(quantity=Decimal("1.5")))
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "invalid_quantity"
    assert rig.asked == []


def test_an_account_that_cannot_be_read_means_that_nothing_was_sent() -> None:
    rig = Rig(account="")
    rig.answers("GET", "/v3/brokerage/accounts", (500, {}))
    with pytest.raises(NotSent):
        rig.broker.submit(leg())


# --- change and cancel ----------------------------------------------------------------------------------------------------------


def one_order(rig: Rig, name: str = "order_received") -> OrderRef:
    rig.answers("GET", f"{BASE}/orders/{ONE}", {"Orders": [sample(name)], "Errors": []})
    return OrderRef("c", ONE, leg(**PRICED))


def test_a_change_keeps_the_number(rig: Rig) -> None:
    ref = one_order(rig)
    rig.answers("PUT", f"{ORDERS}/{ONE}", sample("change_sent"))
    outcome = rig.broker.replace(ref, Change(limit_price=Decimal("5895.50")))
    assert isinstance(outcome, Accepted)
    assert outcome.view.broker_order_id == ONE
    assert rig.sent("PUT", f"{ORDERS}/{ONE}") == [{"LimitPrice": "5895.5"}]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((400, sample("change_too_late")), Rejected),
        ((200, sample("change_too_late")), Rejected),
        ((504, {}), Unknown),
        ((200, {}), Unknown),
    ],
)
def test_a_change_that_does_not_happen(rig: Rig, answer: Any, expected: type) -> None:
    ref = one_order(rig)
    rig.answers("PUT", f"{ORDERS}/{ONE}", answer)
    assert isinstance(rig.broker.replace(ref, Change(limit_price=Decimal(1))), expected)


def test_what_cannot_be_changed_is_told(rig: Rig) -> None:
    ref = one_order(rig, "order_trailing_stop")
    outcome = rig.broker.replace(ref, Change(stop_price=Decimal(5885)))
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "unsupported"
    assert rig.paths("PUT") == []


@pytest.mark.parametrize("answer", [(400, sample("change_too_late")), (429, {}), (401, {}), httpx.ConnectError("gone")])
def test_half_a_change_of_a_pair_is_in_doubt(rig: Rig, answer: Any) -> None:
    rig.shows_by_id("orders_exit_pair")
    rig.answers("PUT", f"{ORDERS}/911249498", sample("change_sent"))
    rig.answers("PUT", f"{ORDERS}/911249499", answer)
    outcome = rig.broker.replace(OrderRef("c", "911249498+911249499", leg(**PAIR)), Change(quantity=Decimal(1)))
    assert isinstance(outcome, Unknown)
    assert "911249498" in outcome.text


def test_an_order_that_could_not_be_read_was_not_changed(rig: Rig) -> None:
    rig.answers("GET", f"{BASE}/orders/{ONE}", (500, {}))
    with pytest.raises(NotSent):
        rig.broker.replace(OrderRef("c", ONE), Change(limit_price=Decimal(1)))


def test_an_order_that_is_not_there_cannot_be_changed(rig: Rig) -> None:
    rig.answers("GET", f"{BASE}/orders/{ONE}", sample("orders_not_found"))
    rig.answers("GET", f"{BASE}/historicalorders/{ONE}", sample("orders_not_found"))
    outcome = rig.broker.replace(OrderRef("c", ONE), Change(limit_price=Decimal(1)))
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "not_found"


@pytest.mark.parametrize(
    "answer",
    [
        sample("cancel_sent"),
        (400, sample("cancel_not_open")),
        (200, sample("cancel_not_open")),
        (400, sample("cancel_again")),
        (400, {"Error": "BadRequest", "Message": "Invalid order ID."}),
        (404, {"Error": "NotFound", "Message": "gone"}),
    ],
)
def test_what_has_ended_is_no_error_for_a_cancellation(rig: Rig, answer: Any) -> None:
    rig.answers("DELETE", f"{ORDERS}/{ONE}", answer)
    rig.broker.cancel(OrderRef("c", ONE))
    assert rig.paths("DELETE") == [f"{ORDERS}/{ONE}"]


@pytest.mark.parametrize(
    "answer",
    [(503, {}), (400, {"Error": "BadRequest", "Message": "Something else"}), (200, "no json"), (404, "<h1>404 Not Found</h1>")],
)
def test_a_cancellation_that_is_not_taken_is_told(rig: Rig, answer: Any) -> None:
    one_order(rig)
    rig.answers("DELETE", f"{ORDERS}/{ONE}", answer)
    with pytest.raises(BrokerUnavailable):
        rig.broker.cancel(OrderRef("c", ONE))


REFUSED = [
    (400, {"Error": "BadRequest", "Message": "Something else"}),
    (200, {"Errors": [{"OrderID": ONE, "Error": "FAILED", "Message": "Something else"}]}),
    (404, {"Error": "NotFound", "Message": "Account not found"}),
]


@pytest.mark.parametrize("answer", REFUSED)
@pytest.mark.parametrize("name", ["order_filled", "order_out", "order_cancel_sent"])
def test_a_refused_cancellation_of_what_is_seen_to_have_ended_or_to_end_is_no_error(rig: Rig, name: str, answer: Any) -> None:
    ref = one_order(rig, name)
    rig.answers("DELETE", f"{ORDERS}/{ONE}", answer)
    rig.broker.cancel(ref)
    assert rig.paths("GET") == [f"{BASE}/orders/{ONE}"]


@pytest.mark.parametrize("answer", REFUSED)
@pytest.mark.parametrize("look", [(500, {}), (401, {}), {"Orders": [], "Errors": []}, {"Orders": [sample("order_received")]}])
def test_one_of_what_works_or_cannot_be_seen_is_told(rig: Rig, look: Any, answer: Any) -> None:
    for listing in ("orders", "historicalorders"):
        rig.answers("GET", f"{BASE}/{listing}/{ONE}", look)
    rig.answers("DELETE", f"{ORDERS}/{ONE}", answer)
    with pytest.raises(BrokerUnavailable, match="cancellation of 911249493"):
        rig.broker.cancel(OrderRef("c", ONE))


def test_no_order_is_left_out_because_the_cancellation_of_another_one_is_refused(rig: Rig) -> None:
    rig.shows(*sample("orders_exit_pair")["Orders"])
    rig.answers("GET", f"{BASE}/orders/911249498", {"Orders": [sample("orders_exit_pair")["Orders"][0]]})
    rig.answers("DELETE", f"{ORDERS}/911249498", REFUSED[0])
    rig.answers("DELETE", f"{ORDERS}/911249499", sample("cancel_sent"))
    with pytest.raises(BrokerUnavailable, match="911249498"):
        rig.broker.cancel_all()
    assert len(rig.paths("DELETE")) == 2


def test_both_of_a_pair_are_cancelled(rig: Rig) -> None:
    for number in ("911249498", "911249499"):
        rig.answers("DELETE", f"{ORDERS}/{number}", sample("cancel_sent"))
    rig.broker.cancel(OrderRef("c", "911249498+911249499", leg(**PAIR)))
    assert len(rig.asked) == 2


def test_everything_is_cancelled_but_what_goes_with_its_entry(rig: Rig) -> None:
    rig.shows(*sample("orders_bracket_sent")["Orders"], sample("order_filled"), *sample("orders_exit_pair")["Orders"])
    for number in ("911249497", "911249498", "911249499"):
        rig.answers("DELETE", f"{ORDERS}/{number}", sample("cancel_sent"))
    rig.broker.cancel_all()
    assert rig.paths("DELETE") == [f"{ORDERS}/{number}" for number in ("911249497", "911249498", "911249499")]


# --- closing by hand ------------------------------------------------------------------------------------------------------------


def test_a_position_is_closed_by_a_market_order(rig: Rig) -> None:
    rig.answers("GET", f"{BASE}/positions", sample("positions"))
    rig.answers("POST", ORDERS, sample("placed"))
    rig.broker.liquidate("6EZ6")
    [body] = rig.sent("POST", ORDERS)
    assert (body["Symbol"], body["TradeAction"], body["Quantity"]) == ("ECZ26", "BUY", "3")
    rig.broker.liquidate("NQZ6")
    assert len(rig.sent("POST", ORDERS)) == 1


@pytest.mark.parametrize("answer", [sample("refusal_closed"), (504, {})])
def test_a_position_that_was_not_closed_is_told(rig: Rig, answer: Any) -> None:
    rig.answers("GET", f"{BASE}/positions", sample("positions"))
    rig.answers("POST", ORDERS, answer)
    with pytest.raises(BrokerUnavailable):
        rig.broker.liquidate("ESZ6")


# --- sign-in and account --------------------------------------------------------------------------------------------------------


def test_a_token_that_ends_is_waited_for_and_no_order_leaves(rig: Rig) -> None:
    rig.clock.sleep(21 * 60)
    with pytest.raises(NotSent):
        rig.broker.submit(leg())
    assert rig.asked == []


def test_without_a_sign_in_nothing_leaves() -> None:
    rig = Rig()
    rig.tokens.forget("A1", "a person")
    with pytest.raises(NeedsReauth):
        rig.broker.submit(leg())


ASKING: dict[str, Callable[[Rig], object]] = {
    "submit": lambda rig: rig.broker.submit(leg()),
    "positions": lambda rig: rig.broker.positions(),
    "orders": lambda rig: rig.broker.orders(),
}


@pytest.mark.parametrize("ask", ASKING.values(), ids=ASKING)
def test_which_account_is_to_trade_must_be_clear(ask: Callable[[Rig], object]) -> None:
    rig = Rig(account="")
    rig.answers("GET", "/v3/brokerage/accounts", sample("accounts"))
    with pytest.raises(Unsupported, match="SIM1234567M"):
        ask(rig)


def test_the_only_account_needs_no_setting() -> None:
    rig = Rig(account="")
    rig.answers("GET", "/v3/brokerage/accounts", {"Accounts": sample("accounts")["Accounts"][:1]})
    rig.answers("POST", ORDERS, sample("placed"))
    rig.broker.submit(leg())
    rig.broker.submit(leg())
    assert rig.sent("POST", ORDERS)[0]["AccountID"] == "SIM1234567F"
    assert rig.paths("GET") == ["/v3/brokerage/accounts"]
