"""Alpaca behind the facade: what each answer means, pairs that change, listings page by page."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from fillpath.errors import BrokerUnavailable, NotSent
from fillpath.market.bars import Interval
from fillpath.market.ports.trading_hours import Session
from fillpath.orders.model import OrderType, Side
from fillpath.orders.outcomes import Accepted, Rejected, Unknown
from fillpath_brokers.alpaca.venue import AlpacaBroker
from fillpath_brokers.facade import Change, OrderRef
from tests.brokers.alpaca.scene import broker
from tests.brokers.alpaca.test_wire import leg, sample
from tests.fakes.clock import FakeClock
from tests.fakes.trading_hours import FakeTradingHours

PAIR = sample("oco_working")
TARGET, STOP = PAIR["id"], PAIR["legs"][0]["id"]
SINCE = datetime(2026, 11, 25, tzinfo=UTC)


class Site:
    """Answers by `METHOD /path`; what is not there is unknown. Requests are kept."""

    def __init__(self, **answers: Any) -> None:
        self.table: dict[str, Any] = {key.replace("__", " /v2/"): answer for key, answer in answers.items()}
        self.requests: list[httpx.Request] = []
        self.broker: AlpacaBroker = broker(self)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.table.get(
            f"{request.method} {unquote(request.url.path)}", httpx.Response(404, json={"code": 40410000, "message": "not found"})
        )
        answer = answer(request) if callable(answer) else answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    def asked(self, method: str) -> list[httpx.Request]:
        return [each for each in self.requests if each.method == method]


def test_what_is_accepted_is_shown_as_alpaca_answers() -> None:
    at = Site(POST__orders=sample("order_pending_new"))
    outcome = at.broker.submit(leg())
    assert isinstance(outcome, Accepted)
    assert outcome.view.broker_order_id == sample("order_pending_new")["id"]


def test_a_closed_market_says_when_it_opens() -> None:
    now, hours = FakeClock().now(), FakeTradingHours()
    hours.publish("XNYS", (Session(now + timedelta(hours=2), now + timedelta(hours=8)),), now)
    at = Site(POST__orders=httpx.Response(422, json={"code": 42210000, "message": "the market is closed"}))
    outcome = broker(at, hours=hours).submit(leg())
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "market_closed"
    assert outcome.text.startswith("the market is closed (Market closed: AAPL trades")
    assert "it opens again 2026-03-02 16:30 UTC" in outcome.text


@pytest.mark.parametrize("status", [400, 403, 409, 422])
@pytest.mark.parametrize("text", ["client_order_id must be unique", "client order id already exists"])
def test_a_duplicate_is_known_by_its_text_whatever_its_status_and_code(status: int, text: str) -> None:
    first = sample("order_filled")
    at = Site(POST__orders=httpx.Response(status, json={"code": 1, "message": text}))
    assert isinstance(at.broker.submit(leg()), Unknown)
    at.table["GET /v2/orders:by_client_order_id"] = first
    outcome = at.broker.submit(leg())
    assert isinstance(outcome, Accepted)
    assert outcome.view.broker_order_id == first["id"]


def test_a_bracket_whose_exits_do_not_show_is_in_doubt() -> None:
    at = Site(POST__orders=sample("order_new") | {"order_class": "bracket"})
    assert isinstance(at.broker.submit(leg(take_profit=Decimal(240), stop_loss=Decimal(220))), Unknown)


@pytest.mark.parametrize("document", [[], "new", {"id": "1"}, {"id": "1", "status": "new", "filled_qty": "NaN"}])
def test_an_answer_that_is_no_order_is_in_doubt(document: Any) -> None:
    assert isinstance(Site(POST__orders=document).broker.submit(leg()), Unknown)


@pytest.mark.parametrize(
    ("change", "changed", "body"),
    [
        (Change(limit_price=Decimal(241)), TARGET, {"limit_price": "241"}),
        (Change(stop_price=Decimal(219)), STOP, {"stop_price": "219"}),
    ],
)
def test_of_a_pair_the_order_that_has_the_price_is_changed(change: Change, changed: str, body: dict[str, str]) -> None:
    old = PAIR if changed == TARGET else PAIR["legs"][0]
    new = {**old, "id": "new-one", "legs": None}
    left = STOP if changed == TARGET else TARGET
    at = Site(
        **{f"GET__orders/{TARGET}": PAIR, f"GET__orders/{STOP}": PAIR["legs"][0], "GET__orders/new-one": new},
        **{f"PATCH__orders/{changed}": new},
    )
    pair = leg(side=Side.SELL, type=OrderType.OCO, limit_price=Decimal(240), stop_price=Decimal(220))
    outcome = at.broker.replace(OrderRef("c-1", f"{TARGET}+{STOP}", pair), change)
    assert isinstance(outcome, Accepted)
    assert set((outcome.view.broker_order_id or "").split("+")) == {"new-one", left}
    assert [json.loads(each.content) for each in at.asked("PATCH")] == [body]


@pytest.mark.parametrize(
    "change", [Change(quantity=Decimal(5)), Change(limit_price=Decimal(241), stop_price=Decimal(219)), Change()]
)
def test_of_a_pair_nothing_else_can_be_changed(change: Change) -> None:
    at = Site(**{f"GET__orders/{TARGET}": PAIR})
    outcome = at.broker.replace(OrderRef("c-1", f"{TARGET}+{STOP}"), change)
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "unsupported"
    assert at.asked("PATCH") == []


def test_an_order_that_cannot_be_read_is_not_changed() -> None:
    at = Site(**{"GET__orders/1": httpx.Response(500)})
    with pytest.raises(NotSent):
        at.broker.replace(OrderRef("c-1", "1"), Change(limit_price=Decimal(1)))
    assert at.asked("PATCH") == []


def test_both_of_a_pair_are_cancelled_though_the_first_is_not_taken() -> None:
    at = Site(**{"DELETE__orders/1": httpx.Response(500), "DELETE__orders/2": httpx.Response(204)})
    with pytest.raises(BrokerUnavailable):
        at.broker.cancel(OrderRef("c-1", "1+2"))
    assert [each.url.path[-1] for each in at.asked("DELETE")] == ["1", "2"]


REFUSED = [httpx.Response(status, json={"code": 42210000, "message": "not now"}) for status in (400, 403, 422)]


@pytest.mark.parametrize("answer", REFUSED)
@pytest.mark.parametrize("status", ["filled", "canceled", "expired", "rejected", "pending_cancel"])
def test_a_refused_cancellation_of_what_is_seen_to_have_ended_or_to_end_is_no_error(status: str, answer: httpx.Response) -> None:
    at = Site(**{"DELETE__orders/1": answer, "GET__orders/1": sample("order_new") | {"status": status}})
    at.broker.cancel(OrderRef("c-1", "1"))
    assert len(at.asked("DELETE")) == 1


@pytest.mark.parametrize("answer", REFUSED)
@pytest.mark.parametrize("look", [sample("order_new"), httpx.Response(500), httpx.Response(200, text="no json"), {"status": []}])
def test_one_of_what_works_or_cannot_be_seen_is_told(look: Any, answer: httpx.Response) -> None:
    at = Site(**{"DELETE__orders/1": answer, "GET__orders/1": look})
    with pytest.raises(BrokerUnavailable, match="not now"):
        at.broker.cancel(OrderRef("c-1", "1"))


def test_what_was_not_cancelled_with_all_is_cancelled_by_itself() -> None:
    told = [{"id": "1", "status": 500}, {"id": "2", "status": 200}, {"id": "3", "status": 422}]
    at = Site(
        **{"DELETE__orders": httpx.Response(207, json=told), "DELETE__orders/1": httpx.Response(204)},
        **{"DELETE__orders/3": REFUSED[2], "GET__orders/3": sample("order_filled")},
    )
    at.broker.cancel_all()
    assert [each.url.path for each in at.asked("DELETE")] == ["/v2/orders", "/v2/orders/1", "/v2/orders/3"]
    at.table["DELETE /v2/orders/1"] = httpx.Response(500)
    with pytest.raises(BrokerUnavailable):
        at.broker.cancel_all()


@pytest.mark.parametrize("body", ["", "<html><h1>404 Not Found</h1></html>", "null", '{"message": "not found"}'])
def test_a_404_that_is_not_alpaca_s_own_is_no_absence(body: str) -> None:
    at, stranger = Site(), httpx.Response(404, text=body)
    for key in ("GET /v2/orders/1", "DELETE /v2/orders/1", "DELETE /v2/positions/AAPL"):
        at.table[key] = stranger
    with pytest.raises(BrokerUnavailable):
        at.broker.order(OrderRef("c-1", "1"))
    with pytest.raises(BrokerUnavailable):
        at.broker.cancel(OrderRef("c-1", "1"))
    with pytest.raises(BrokerUnavailable):
        at.broker.liquidate("AAPL")


def test_a_pair_of_which_one_half_is_missing_is_no_answer() -> None:
    at = Site()
    at.table[f"GET /v2/orders/{TARGET}"] = PAIR | {"legs": []}
    with pytest.raises(BrokerUnavailable, match="one order of the pair"):
        at.broker.order(OrderRef("c-1", f"{TARGET}+{STOP}"))


def test_an_id_stays_one_part_of_the_address() -> None:
    at = Site()
    assert at.broker.order(OrderRef("c-1", "../account?x=1")) is None
    assert at.requests[0].url.raw_path == b"/v2/orders/..%2Faccount%3Fx%3D1?nested=true"


def listed(numbers: range) -> Callable[[httpx.Request], list[Any]]:
    """Working orders, two of which share each moment, as Alpaca pages them: those after a moment, 500 at the most."""
    start = datetime(2026, 11, 25, 15, tzinfo=UTC)
    orders = [
        (start + timedelta(seconds=number // 2), sample("order_new") | {"id": str(number), "client_order_id": f"c-{number}"})
        for number in numbers
    ]

    def answer(request: httpx.Request) -> list[Any]:
        after = datetime.fromisoformat(request.url.params.get("after", "2000-01-01T00:00:00Z"))
        return [order | {"submitted_at": at.isoformat()} for at, order in orders if at > after][:500]

    return answer


def test_orders_of_one_moment_that_a_page_parts_are_neither_lost_nor_doubled() -> None:
    at = Site(GET__orders=listed(range(1, 1203)))
    assert [each.view.broker_order_id for each in at.broker.orders()] == [str(number) for number in range(1, 1203)]
    assert len(at.requests) == 3


def test_a_page_that_comes_again_and_again_is_no_answer() -> None:
    same = [sample("order_new") | {"id": str(number)} for number in range(500)]
    with pytest.raises(BrokerUnavailable, match="twice"):
        Site(GET__orders=same).broker.orders()
    fill = {
        "id": "1",
        "order_id": "2",
        "symbol": "AAPL",
        "side": "buy",
        "qty": "1",
        "price": "2",
        "transaction_time": "2026-11-25T15:00:00Z",
    }
    with pytest.raises(BrokerUnavailable, match="twice"):
        Site(**{"GET__account/activities/FILL": [fill] * 100}).broker.fills(SINCE)
    with pytest.raises(BrokerUnavailable, match="twice"):
        Site(**{"GET__stocks/bars": {"bars": {}, "next_page_token": "1"}}).broker.history("AAPL", SINCE, SINCE, Interval.MINUTE)


@pytest.mark.parametrize("held", [{}, {"symbol": "AAPL", "side": "long", "qty": "NaN", "avg_entry_price": "1"}, "AAPL"])
def test_holdings_that_cannot_be_read_are_no_answer(held: Any) -> None:
    with pytest.raises(BrokerUnavailable):
        Site(GET__positions=[held]).broker.positions()
    with pytest.raises(BrokerUnavailable):
        Site(GET__account={"cash": "Infinity"}, GET__positions=[]).broker.balances()


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"Retry-After": "7", "X-RateLimit-Reset": "1"}, 7),
        ({"X-RateLimit-Reset": "{s}"}, 30),
        ({"X-RateLimit-Reset": "{ms}"}, 30),
        ({"X-RateLimit-Reset": "1"}, 1),
        ({"X-RateLimit-Reset": "nan"}, 60),
        ({"X-RateLimit-Reset": "99999999999"}, 900),
    ],
)
def test_only_a_sensible_silence_is_kept(headers: dict[str, str], wait_s: float) -> None:
    reset = FakeClock().now().timestamp() + 30
    told = {name: text.format(s=reset, ms=reset * 1000) for name, text in headers.items()}
    with pytest.raises(NotSent) as raised:
        Site(POST__orders=httpx.Response(429, headers=told)).broker.submit(leg())
    assert raised.value.delay_s == pytest.approx(wait_s)
