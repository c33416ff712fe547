"""Schwab behind the facade: what is sent, what each answer means, and what is held."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from fillpath.accounts.access import TokenStatus
from fillpath.errors import BrokerUnavailable, NotSent, Unsupported
from fillpath.market.ports.trading_hours import Session
from fillpath.orders.model import LegStatus, OrderType, Side
from fillpath.orders.outcomes import Accepted, LegView, Rejected, Unknown
from fillpath_brokers.facade import Change, OrderRef
from tests.brokers.schwab.site import HASH, NOW, Bench, answers, created, dumped, leg, sample
from tests.fakes.trading_hours import FakeTradingHours

PLACE = f"POST /accounts/{HASH}/orders"
ENTRY = {"type": OrderType.LIMIT, "limit_price": Decimal("229.05"), "take_profit": Decimal(240), "stop_loss": Decimal(220)}
PAIR = {"side": Side.SELL, "type": OrderType.OCO, "limit_price": Decimal(240), "stop_price": Decimal(220), "reduce_only": True}


def test_the_new_order_is_named_by_its_address() -> None:
    at = Bench({PLACE: created(1002881234001)})
    assert at.broker.submit(leg()) == Accepted(LegView(LegStatus.WORKING, "1002881234001"))
    [body] = at.site.sent("POST")
    assert body["orderLegCollection"][0]["instruction"] == "BUY"


def test_a_bracket_is_looked_at_for_the_names_of_its_exits() -> None:
    at = Bench({PLACE: created(1002881234010), "GET /orders/1002881234010": answers("bracket_working")})
    outcome = at.broker.submit(leg(**ENTRY))
    assert isinstance(outcome, Accepted)
    assert outcome.view.broker_order_id == "1002881234010"
    assert outcome.view.exits is not None
    assert outcome.view.exits.broker_order_id == "1002881234012+1002881234013"


def test_an_exit_pair_is_named_by_both_of_its_orders() -> None:
    at = Bench({PLACE: created(1002881234020), "GET /orders/1002881234020": answers("oco_working")})
    outcome = at.broker.submit(leg(**PAIR))
    assert isinstance(outcome, Accepted)
    assert outcome.view.broker_order_id == "1002881234021+1002881234022"


@pytest.mark.parametrize("look", [httpx.Response(404), httpx.Response(500), httpx.ReadTimeout("late"), answers("order_working")])
def test_a_bracket_whose_exits_cannot_be_read_is_unknown(look: Any) -> None:
    at = Bench({PLACE: created(1002881234010), "GET /orders/1002881234010": look})
    assert isinstance(at.broker.submit(leg(**ENTRY)), Unknown)
    assert len(at.site.sent("POST")) == 1


def test_a_bracket_that_was_rejected_at_once_needs_no_exits() -> None:
    at = Bench({PLACE: created(1002881234001), "GET /orders/1002881234001": answers("order_rejected_buying_power")})
    outcome = at.broker.submit(leg(**ENTRY))
    assert isinstance(outcome, Accepted)
    assert (outcome.view.status, outcome.view.reason) == (LegStatus.REJECTED, "insufficient_margin")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(201),
        httpx.Response(201, headers={"Location": "https://api.schwabapi.com/trader/v1/accounts"}),
        httpx.Response(200, headers={"Location": "https://api.schwabapi.com/trader/v1/accounts/H/orders/12"}),
        httpx.Response(302, headers={"Location": "https://api.schwabapi.com/orders/12"}),
        httpx.Response(408),
        httpx.Response(500, json={"message": "Internal", "errors": []}),
        httpx.Response(503),
        httpx.Response(504),
    ],
)
def test_an_answer_without_a_readable_order_is_unknown(answer: httpx.Response) -> None:
    at = Bench({PLACE: answer})
    assert isinstance(at.broker.submit(leg()), Unknown)
    assert len(at.site.sent("POST")) == 1


@pytest.mark.parametrize("trouble", [httpx.ReadTimeout("late"), httpx.RemoteProtocolError("cut"), httpx.WriteError("cut")])
def test_no_answer_is_no_evidence_and_nothing_is_sent_again(trouble: Exception) -> None:
    at = Bench({PLACE: trouble})
    assert isinstance(at.broker.submit(leg()), Unknown)
    assert len(at.site.sent("POST")) == 1


def test_what_schwab_calls_a_refused_request_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    at = Bench({PLACE: httpx.Response(500, headers={"Schwab-Client-CorrelID": "0f3c9a52"})})
    at.broker.submit(leg())
    assert "correlation 0f3c9a52" in caplog.text


def test_a_clear_refusal_is_told_in_schwabs_words() -> None:
    at = Bench({PLACE: answers("refusal_buying_power", 400)})
    outcome = at.broker.submit(leg())
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "insufficient_margin"
    assert "buying power" in outcome.text


def test_a_closed_market_is_told_with_when_it_opens() -> None:
    at = Bench({PLACE: answers("refusal_market_closed", 400)})
    opens = NOW + timedelta(hours=15)
    hours = at.services.hours
    assert isinstance(hours, FakeTradingHours)
    hours.publish("XNYS", (Session(opens, opens + timedelta(hours=6)),), NOW)
    outcome = at.broker.submit(leg(type=OrderType.LIMIT, limit_price=Decimal(229), time_in_force="ioc"))
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "market_closed"
    assert outcome.text.startswith("This order cannot be accepted: the market is closed.")
    assert f"{opens:%Y-%m-%d %H:%M} UTC" in outcome.text


def test_without_the_hash_of_the_account_nothing_was_sent() -> None:
    at = Bench({"GET /accounts/accountNumbers": httpx.Response(500)})
    with pytest.raises(NotSent):
        at.broker.submit(leg())
    assert at.site.sent("POST") == []


def test_too_many_requests_silence_everybody_for_a_minute() -> None:
    at = Bench({PLACE: httpx.Response(429)})
    with pytest.raises(NotSent) as raised:
        at.broker.submit(leg())
    assert raised.value.delay_s == 60
    at.clock.sleep(30)
    with pytest.raises(NotSent):
        at.broker.positions()
    assert len(at.site.sent("POST")) == 1


def test_fractions_are_refused_before_anything_is_sent() -> None:
    at = Bench()
    outcome = at.broker.submit(leg(quantity=Decimal("1.5")))
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "invalid_quantity"
    assert at.site.requests == []


def test_futures_are_refused_before_anything_is_sent() -> None:
    at = Bench()
    with pytest.raises(Unsupported, match="data only"):
        at.broker.submit(leg(contract="ESZ6"))
    assert at.site.requests == []


# --- changing and cancelling ----------------------------------------------------------------------------------------------------


def test_a_replacement_is_for_what_is_left_and_counts_what_was_filled_before() -> None:
    order = {"now": answers("order_partially_filled")}
    at = Bench(
        {
            "GET /orders/1002881234001": lambda _: order["now"],
            "GET /orders/1002881234002": answers("order_replacement"),
            "PUT /orders/1002881234001": lambda _: order.update(now=answers("order_replaced")) or created(1002881234002),
        }
    )
    outcome = at.broker.replace(OrderRef("", "1002881234001"), Change(limit_price=Decimal("229.5")))
    [body] = at.site.sent("PUT")
    assert (body["orderLegCollection"][0]["quantity"], body["price"]) == (6, Decimal("229.5"))
    assert isinstance(outcome, Accepted)
    view = outcome.view
    assert (view.broker_order_id, view.filled_quantity) == ("1002881234001>1002881234002", 4)
    assert view.average_price == Decimal("229.03")
    again = at.broker.order(OrderRef("", view.broker_order_id))
    assert again == view


def test_the_whole_quantity_of_a_change_counts_what_is_filled() -> None:
    at = Bench({"GET /orders/1002881234001": answers("order_partially_filled"), "PUT /orders/1002881234001": created(2)})
    at.site.table["GET /orders/2"] = httpx.Response(500)
    outcome = at.broker.replace(OrderRef("", "1002881234001"), Change(quantity=Decimal(7)))
    assert at.site.sent("PUT")[0]["orderLegCollection"][0]["quantity"] == 3
    assert isinstance(outcome, Accepted)
    assert (outcome.view.broker_order_id, outcome.view.filled_quantity) == ("1002881234001>2", 4)


def test_whether_a_replacement_counts_fills_is_a_setting() -> None:
    at = Bench(
        {
            "GET /orders/1002881234001": answers("order_partially_filled"),
            "PUT /orders/1002881234001": created(1002881234002),
            "GET /orders/1002881234002": answers("order_replacement"),
        },
        replace_counts_filled="true",
    )
    at.broker.replace(OrderRef("", "1002881234001"), Change(limit_price=Decimal("229.5")))
    assert at.site.sent("PUT")[0]["orderLegCollection"][0]["quantity"] == 10


def test_what_is_filled_already_cannot_be_left_out() -> None:
    at = Bench({"GET /orders/1002881234001": answers("order_partially_filled")})
    outcome = at.broker.replace(OrderRef("", "1002881234001"), Change(quantity=Decimal(4)))
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "invalid_quantity"


def test_one_exit_of_a_pair_is_changed_and_the_pair_keeps_its_other_name() -> None:
    target, stop = sample("oco_working")["childOrderStrategies"]
    new = {**target, "orderId": 1002881234030, "price": 241}
    at = Bench(
        {
            "GET /orders/1002881234021": dumped(target),
            "GET /orders/1002881234022": dumped(stop),
            "GET /orders/1002881234030": dumped(new),
            "PUT /orders/1002881234021": created(1002881234030),
        }
    )
    pair = OrderRef("", "1002881234021+1002881234022", leg(**PAIR))
    outcome = at.broker.replace(pair, Change(limit_price=Decimal(241)))
    assert isinstance(outcome, Accepted)
    assert outcome.view.broker_order_id == "1002881234030+1002881234022"
    with pytest.raises(Unsupported):
        at.broker.replace(pair, Change(limit_price=Decimal(241), stop_price=Decimal(221)))


@pytest.mark.parametrize(("answer", "kind"), [(httpx.Response(500), Unknown), (httpx.Response(201), Unknown)])
def test_a_replacement_without_a_readable_answer_is_unknown(answer: httpx.Response, kind: type) -> None:
    at = Bench({"GET /orders/1002881234001": answers("order_working"), "PUT /orders/1002881234001": answer})
    assert isinstance(at.broker.replace(OrderRef("", "1002881234001"), Change(limit_price=Decimal(230))), kind)
    assert len(at.site.sent("PUT")) == 1


@pytest.mark.parametrize("name", ["order_filled", "order_canceled_with_fills"])
def test_what_has_ended_is_not_replaced(name: str) -> None:
    at = Bench({"GET /orders/1002881234001": answers(name)})
    outcome = at.broker.replace(OrderRef("", "1002881234001"), Change(limit_price=Decimal(230)))
    assert isinstance(outcome, Rejected)
    assert at.site.sent("PUT") == []


def test_a_pair_is_cancelled_with_both() -> None:
    at = Bench({"DELETE /orders/1": httpx.Response(200), "DELETE /orders/2": httpx.Response(200)})
    at.broker.cancel(OrderRef("", "1+2"))
    assert [each.url.path[-1] for each in at.site.requests if each.method == "DELETE"] == ["1", "2"]


@pytest.mark.parametrize("name", ["order_filled", "order_canceled_with_fills", "order_expired", "order_pending_cancel"])
@pytest.mark.parametrize("status", [400, 500])
def test_cancelling_what_is_seen_to_have_ended_or_to_end_is_no_error(name: str, status: int) -> None:
    at = Bench(
        {
            "DELETE /orders/1002881234001": answers("refusal_too_late_to_cancel", status),
            "GET /orders/1002881234001": answers(name),
        }
    )
    at.broker.cancel(OrderRef("", "1002881234001"))
    assert [each.method for each in at.site.requests].count("DELETE") == 1


def test_the_successor_is_cancelled_where_the_order_was_replaced() -> None:
    at = Bench(
        {
            "DELETE /orders/1002881234001": answers("refusal_too_late_to_cancel", 400),
            "DELETE /orders/1002881234002": httpx.Response(200),
            "GET /orders/1002881234001": answers("order_replaced"),
            "GET /orders/1002881234002": answers("order_replacement"),
        }
    )
    at.broker.cancel(OrderRef("", "1002881234001"))
    assert at.site.requests[-1].url.path.endswith("/1002881234002")
    assert at.site.requests[-1].method == "DELETE"


@pytest.mark.parametrize("answer", [httpx.Response(500), answers("refusal_validation", 400)])
def test_a_cancellation_that_is_not_taken_is_told(answer: httpx.Response) -> None:
    at = Bench({"DELETE /orders/1002881234001": answer, "GET /orders/1002881234001": answers("order_working")})
    with pytest.raises(BrokerUnavailable):
        at.broker.cancel(OrderRef("", "1002881234001"))


def signed_out(at: Bench, answer: httpx.Response) -> Callable[[httpx.Request], httpx.Response]:
    """Gives that answer, and from then on a person must sign in."""

    def answering(_: httpx.Request) -> httpx.Response:
        at.ledger.known["A1"] = TokenStatus(1, needs_reauth=True, reason="the week is over")
        at.clock.sleep(3600)
        return answer

    return answering


def test_a_login_that_ends_after_an_order_was_placed_is_no_evidence_against_it() -> None:
    at = Bench()
    at.site.table[PLACE] = signed_out(at, created(1002881234010))
    assert isinstance(at.broker.submit(leg(**ENTRY)), Unknown)
    assert len(at.site.sent("POST")) == 1


def test_a_login_that_ends_after_an_order_was_replaced_is_no_evidence_against_it() -> None:
    at = Bench({"GET /orders/1002881234001": answers("order_working")})
    at.site.table["PUT /orders/1002881234001"] = signed_out(at, created(1002881234002))
    outcome = at.broker.replace(OrderRef("", "1002881234001"), Change(limit_price=Decimal(230)))
    assert isinstance(outcome, Accepted)
    assert outcome.view.broker_order_id == "1002881234001>1002881234002"


def test_an_order_that_cannot_be_read_is_not_replaced() -> None:
    at = Bench({"GET /orders/1002881234001": httpx.Response(500)})
    with pytest.raises(NotSent):
        at.broker.replace(OrderRef("", "1002881234001"), Change(limit_price=Decimal(230)))
    assert at.site.sent("PUT") == []


def test_an_order_that_is_replaced_again_and_again_is_not_taken_for_cancelled() -> None:
    names = [str(1002881234001 + number) for number in range(9)]
    chain = {"orderType": "LIMIT", "status": "REPLACED"}
    shown = sample("order_replaced")
    table: dict[str, Any] = {}
    asked: list[str] = []

    def successor(request: httpx.Request) -> httpx.Response:
        name = request.url.path.rpartition("/")[2]
        newest = names[len(asked)]
        if name == newest:
            return dumped({**sample("order_working"), "orderId": int(name)})
        return dumped({**shown, **chain, "orderId": int(name), "replacingOrderCollection": [{"orderId": int(newest)}]})

    def too_late(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path.rpartition("/")[2])
        return httpx.Response(400, json={"message": "too late"})

    for name in names:
        table |= {f"GET /orders/{name}": successor, f"DELETE /orders/{name}": too_late}
    at = Bench(table)
    with pytest.raises(BrokerUnavailable, match="again and again"):
        at.broker.cancel(OrderRef("", names[0]))
    assert len(asked) == 3


def test_both_of_a_pair_are_cancelled_though_the_first_is_not_taken() -> None:
    at = Bench(
        {
            "DELETE /orders/1002881234021": httpx.Response(500),
            "GET /orders/1002881234021": dumped(sample("oco_working")["childOrderStrategies"][0]),
            "DELETE /orders/1002881234022": httpx.Response(200),
        }
    )
    with pytest.raises(BrokerUnavailable):
        at.broker.cancel(OrderRef("", "1002881234021+1002881234022"))
    assert [each.url.path[-2:] for each in at.site.requests if each.method == "DELETE"] == ["21", "22"]
