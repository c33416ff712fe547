"""Brackets and exit pairs at TradeStation: several orders in one request, of which only some may be taken."""

from typing import Any

import httpx
import pytest

from fillpath.orders.model import LegStatus
from fillpath.orders.outcomes import Accepted, LegView, Rejected, Unknown
from tests.brokers.tradestation.rig import BASE, BRACKET, GROUPS, ORDERS, PAIR, Rig, leg, sample

SYMBOL = "/v3/marketdata/symbols/ESZ26"


@pytest.fixture
def rig() -> Rig:
    made = Rig()
    made.answers("GET", SYMBOL, sample("symbols_continuous"))
    return made


def test_an_exit_pair_goes_as_one_group(rig: Rig) -> None:
    rig.answers("POST", GROUPS, sample("placed_pair"))
    assert rig.broker.submit(leg(**PAIR)) == Accepted(LegView(LegStatus.WORKING, "911249498+911249499"))
    [body] = rig.sent("POST", GROUPS)
    assert (body["Type"], len(body["Orders"])) == ("BRK", 2)


def test_half_a_pair_is_taken_back_and_refused_once_it_is_gone(rig: Rig) -> None:
    rig.answers("POST", GROUPS, sample("placed_in_part"))
    rig.answers("DELETE", f"{ORDERS}/911249498", sample("cancel_sent"))
    rig.answers("GET", f"{BASE}/orders/911249498", {"Orders": [sample("order_out") | {"OrderID": "911249498"}], "Errors": []})
    outcome = rig.broker.submit(leg(**PAIR))
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "invalid_price"


@pytest.mark.parametrize("name", ["order_received", "order_filled", "order_out_with_fills"])
def test_half_a_pair_that_is_not_gone_is_in_doubt(rig: Rig, name: str) -> None:
    rig.answers("POST", GROUPS, sample("placed_in_part"))
    rig.answers("DELETE", f"{ORDERS}/911249498", sample("cancel_sent"))
    rig.answers("GET", f"{BASE}/orders/911249498", {"Orders": [sample(name) | {"OrderID": "911249498"}], "Errors": []})
    assert isinstance(rig.broker.submit(leg(**PAIR)), Unknown)


def test_half_a_pair_is_in_doubt_whatever_goes_wrong_after_it(rig: Rig) -> None:
    rig.answers("POST", GROUPS, sample("placed_in_part"))
    rig.answers("DELETE", f"{ORDERS}/911249498", (401, sample("error_unauthorized")))
    assert isinstance(rig.broker.submit(leg(**PAIR)), Unknown)


def test_a_bracket_is_accepted_with_its_exits(rig: Rig) -> None:
    rig.answers("POST", ORDERS, sample("placed_bracket"))
    rig.shows_by_id("orders_bracket_sent")
    outcome = rig.broker.submit(leg(**BRACKET))
    assert isinstance(outcome, Accepted)
    assert outcome.view.broker_order_id == "911249497"
    assert outcome.view.exits is not None
    assert outcome.view.exits.broker_order_id == "911249495+911249496"


def test_a_bracket_whose_exits_show_a_moment_later_is_accepted(rig: Rig) -> None:
    rig.answers("POST", ORDERS, sample("placed_bracket"))
    rig.shows_by_id("orders_bracket_sent")
    linked = sample("orders_bracket_sent")
    bare = {"Orders": [{k: v for k, v in each.items() if k != "ConditionalOrders"} for each in linked["Orders"]], "Errors": []}
    rig.answers("GET", f"{BASE}/orders/911249495,911249496,911249497", bare, linked)
    assert isinstance(rig.broker.submit(leg(**BRACKET)), Accepted)


NO_ANSWERS: list[Any] = [(500, {}), (401, {}), (429, {}), httpx.ConnectError("gone"), sample("orders_not_found")]


@pytest.mark.parametrize("answer", NO_ANSWERS)
def test_a_bracket_that_was_taken_is_never_refused_for_what_goes_wrong_after_it(rig: Rig, answer: Any) -> None:
    rig.answers("POST", ORDERS, sample("placed_bracket"))
    rig.answers("GET", f"{BASE}/orders/911249495,911249496,911249497", answer)
    rig.answers("GET", f"{BASE}/historicalorders/911249495,911249496,911249497", sample("orders_not_found"))
    assert isinstance(rig.broker.submit(leg(**BRACKET)), Unknown)
    assert rig.paths("POST") == [ORDERS]
