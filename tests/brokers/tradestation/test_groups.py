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


# --- brackets of which a part was taken -----------------------------------------------------------------------------------------

ENTRY, TARGET, STOP = "911249497", "911249495", "911249496"
REFUSED = {"Error": "FAILED", "Message": "Order failed. Reason: Stop price is above the market"}


def taken(rig: Rig, *numbers: str) -> None:
    """Of the bracket's orders these were taken, and the others refused."""
    rig.answers("POST", ORDERS, {"Orders": [{"OrderID": each, "Message": "Sent order"} for each in numbers], "Errors": [REFUSED]})
    for each in numbers:
        rig.answers("DELETE", f"{ORDERS}/{each}", sample("cancel_sent"))


def document(number: str, name: str = "orders_bracket_sent") -> dict[str, Any]:
    return next(each for each in sample(name)["Orders"] if each["OrderID"] == number)


def out(number: str) -> dict[str, Any]:
    """That order, cancelled without a fill."""
    order = document(number)
    order["Legs"][0]["QuantityRemaining"] = "0"
    return order | {"Status": "OUT", "ClosedDateTime": "2026-11-25T15:04:06Z"}


def shows(rig: Rig, numbers: tuple[str, ...], *looks: list[dict[str, Any]]) -> None:
    """What looks at these orders show, one after the other; the last one stays."""
    rig.answers("GET", f"{BASE}/orders/{','.join(numbers)}", *[{"Orders": look, "Errors": []} for look in looks])
    rig.answers("GET", f"{BASE}/historicalorders/{','.join(numbers)}", {"Orders": [], "Errors": []})


def part_taken(rig: Rig, *entry: dict[str, Any], exits: tuple[str, ...] = (TARGET,)) -> Accepted | Unknown | Rejected:
    """Submit a bracket of which only these exits were taken; the entry shows so, look by look, after it was first seen."""
    taken(rig, *exits, ENTRY)
    shows(rig, (*exits, ENTRY), [document(each) for each in (*exits, ENTRY)], [*map(out, exits), entry[-1]])
    shows(rig, (ENTRY,), *[[each] for each in entry])
    outcome = rig.broker.submit(leg(**BRACKET))
    assert isinstance(outcome, Accepted | Unknown | Rejected)
    return outcome


def cancelled(rig: Rig) -> list[str]:
    return [each.rpartition("/")[2] for each in rig.paths("DELETE")]


def test_an_entry_that_filled_without_its_stop_is_accepted_and_keeps_its_target(rig: Rig) -> None:
    outcome = part_taken(rig, document(ENTRY, "orders_bracket_working"))
    assert isinstance(outcome, Accepted)
    view = outcome.view
    assert (view.status, view.broker_order_id, view.filled_quantity) == (LegStatus.FILLED, ENTRY, 2)
    assert (view.reason, view.text) == (None, REFUSED["Message"])
    assert view.exits is not None
    assert (view.exits.broker_order_id, view.exits.halved) == (f"{TARGET}+{ENTRY}:gone", True)
    assert cancelled(rig) == [ENTRY]


def test_so_is_one_that_filled_in_part_before_it_was_cancelled(rig: Rig) -> None:
    outcome = part_taken(rig, sample("order_out_with_fills") | {"OrderID": ENTRY})
    assert isinstance(outcome, Accepted)
    assert (outcome.view.status, outcome.view.filled_quantity) == (LegStatus.CANCELLED, 1)
    assert outcome.view.reason == "invalid_price"
    assert cancelled(rig) == [ENTRY]


def test_an_entry_that_may_fill_yet_keeps_its_exits(rig: Rig) -> None:
    outcome = part_taken(rig, document(ENTRY))
    assert isinstance(outcome, Accepted)
    assert outcome.view.status is LegStatus.WORKING
    assert outcome.view.exits is not None
    assert outcome.view.exits.broker_order_id == f"{TARGET}+{ENTRY}:gone"
    assert cancelled(rig) == [ENTRY]


@pytest.mark.parametrize("answer", [(400, sample("cancel_not_open")), (503, {}), httpx.ReadTimeout("late"), (429, {})])
def test_what_the_entry_is_tells_whether_its_cancellation_was_taken(rig: Rig, answer: Any) -> None:
    taken(rig, TARGET, ENTRY)
    rig.answers("DELETE", f"{ORDERS}/{ENTRY}", answer)
    shows(rig, (TARGET, ENTRY), [document(TARGET), document(ENTRY)])
    shows(rig, (ENTRY,), [document(ENTRY)], [document(ENTRY, "orders_bracket_working")])
    outcome = rig.broker.submit(leg(**BRACKET))
    assert isinstance(outcome, Accepted)
    assert cancelled(rig) == [ENTRY]


def test_an_entry_that_ended_unfilled_takes_its_exits_with_it_and_is_refused(rig: Rig) -> None:
    outcome = part_taken(rig, document(ENTRY), out(ENTRY))
    assert outcome == Rejected("invalid_price", REFUSED["Message"])
    assert cancelled(rig) == [ENTRY, TARGET]


def test_an_entry_that_filled_without_any_exit_is_told_with_exits_that_have_ended(rig: Rig) -> None:
    outcome = part_taken(rig, document(ENTRY, "orders_bracket_working"), exits=())
    assert isinstance(outcome, Accepted)
    assert outcome.view.exits is not None
    assert (outcome.view.exits.broker_order_id, outcome.view.exits.status) == (f"{ENTRY}:gone", LegStatus.CANCELLED)


def test_exits_without_their_entry_are_taken_back(rig: Rig) -> None:
    taken(rig, TARGET, STOP)
    shows(rig, (TARGET, STOP), [document(TARGET), document(STOP)], [out(TARGET), out(STOP)])
    assert isinstance(rig.broker.submit(leg(**BRACKET)), Rejected)
    assert cancelled(rig) == [TARGET, STOP]


def test_nothing_is_cancelled_where_nobody_can_tell_which_one_is_the_entry(rig: Rig) -> None:
    taken(rig, TARGET, ENTRY)
    shows(rig, (TARGET, ENTRY), [document(TARGET)])
    shows(rig, (ENTRY,), [])
    assert isinstance(rig.broker.submit(leg(**BRACKET)), Unknown)
    assert cancelled(rig) == []


def test_an_entry_that_is_not_shown_after_its_cancellation_is_in_doubt(rig: Rig) -> None:
    taken(rig, TARGET, ENTRY)
    shows(rig, (TARGET, ENTRY), [document(TARGET), document(ENTRY)])
    rig.answers("GET", f"{BASE}/orders/{ENTRY}", (500, {}))
    assert isinstance(rig.broker.submit(leg(**BRACKET)), Unknown)
    assert cancelled(rig) == [ENTRY]


def test_the_text_of_a_part_that_was_refused_repeats_no_secret(rig: Rig) -> None:
    taken(rig, ENTRY)
    says = REFUSED | {"Message": "Stop price: the-token is not welcome"}
    rig.answers("POST", ORDERS, {"Orders": [{"OrderID": ENTRY}], "Errors": [says]})
    shows(rig, (ENTRY,), [document(ENTRY, "orders_bracket_working")])
    outcome = rig.broker.submit(leg(**BRACKET))
    assert isinstance(outcome, Accepted)
    assert "not welcome" in str(outcome.view.text)
    assert "the-token" not in str(outcome.view.text)


# --- brackets of which all was taken --------------------------------------------------------------------------------------------


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
