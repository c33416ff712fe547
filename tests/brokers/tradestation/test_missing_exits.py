"""Brackets of which TradeStation does not show all exits: not shown yet, or gone, and then named so."""

from decimal import Decimal
from typing import Any

import pytest

from fillpath.errors import BrokerUnavailable
from fillpath.orders.model import LegStatus
from fillpath.orders.outcomes import Rejected
from fillpath_brokers.facade import Change, OrderRef
from tests.brokers.tradestation.rig import BASE, BRACKET, PAIR, Rig, leg, sample

ENTRY, TARGET, STOP = "911249497", "911249495", "911249496"
MISSING_S = 10 + 180
"""After it was prepared: until its last moment to be sent, and the quarantine."""


def bracket(name: str = "orders_bracket_working", *links: str) -> list[dict[str, Any]]:
    """Entry, target and stop; the entry names these exits only."""
    entry, target, stop = sample(name)["Orders"]
    linked = [{"Relationship": "OSO", "OrderID": each} for each in links]
    return [entry | {"ConditionalOrders": linked}, target, stop]


def unlinked(order: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in order.items() if name != "ConditionalOrders"}


def showing(entry: dict[str, Any], *exits: dict[str, Any], asked_for: str = TARGET) -> Rig:
    """Looks by number at the entry and at its exits, and the listing of all of them."""
    rig = Rig()
    rig.shows(entry, *exits)
    rig.answers("GET", f"{BASE}/orders/{ENTRY}", {"Orders": [entry], "Errors": []})
    found = [each for each in exits if each["OrderID"] in asked_for.split(",")]
    for listing, orders in (("orders", found), ("historicalorders", [])):
        rig.answers("GET", f"{BASE}/{listing}/{asked_for}", {"Orders": orders, "Errors": []})
    rig.answers("GET", f"{BASE}/historicalorders/{STOP}", sample("orders_not_found"))
    return rig


def looked_at(rig: Rig, **fields: Any) -> Any:
    of = leg(**BRACKET, **fields)
    return rig.broker.order(OrderRef(of.client_order_id, ENTRY, of))


@pytest.mark.parametrize("name", ["orders_bracket_working", "orders_bracket_sent"])
def test_an_exit_that_is_not_shown_may_show_until_nothing_can_appear_any_more(name: str) -> None:
    entry, target, _ = bracket(name, TARGET)
    rig = showing(entry, target)
    with pytest.raises(BrokerUnavailable, match="all exits"):
        looked_at(rig)
    rig.clock.sleep(MISSING_S)
    with pytest.raises(BrokerUnavailable, match="all exits"):
        looked_at(rig)
    rig.clock.sleep(1)
    exits = looked_at(rig).exits
    assert (exits.broker_order_id, exits.status, exits.halved) == (f"{TARGET}+{ENTRY}:gone", LegStatus.WORKING, True)


def test_an_exit_that_is_linked_but_not_there_is_gone_too() -> None:
    entry, target, _ = bracket("orders_bracket_working", TARGET, STOP)
    rig = showing(entry, target, asked_for=f"{TARGET},{STOP}")
    rig.clock.sleep(MISSING_S + 1)
    assert looked_at(rig).exits.broker_order_id == f"{TARGET}+{ENTRY}:gone"


def test_a_filled_entry_without_any_exit_is_shown_with_exits_that_have_ended() -> None:
    entry, *_ = bracket()
    rig = showing(entry)
    rig.clock.sleep(MISSING_S + 1)
    view = looked_at(rig)
    assert (view.status, view.filled_quantity) == (LegStatus.FILLED, 2)
    assert (view.exits.broker_order_id, view.exits.status) == (f"{ENTRY}:gone", LegStatus.CANCELLED)


def test_a_lost_one_is_shown_so_as_well() -> None:
    rig = Rig()
    rig.shows(unlinked(bracket()[0]))
    rig.clock.sleep(MISSING_S + 1)
    view = rig.broker.order(OrderRef("c", None, leg(**BRACKET)))
    assert view is not None
    assert view.exits is not None
    assert view.exits.broker_order_id == f"{ENTRY}:gone"


def test_an_order_at_work_that_may_be_the_missing_exit_keeps_it_from_being_gone() -> None:
    entry, target, stop = bracket("orders_bracket_working", TARGET)
    rig = showing(entry, target, unlinked(stop))
    rig.clock.sleep(MISSING_S + 1)
    with pytest.raises(BrokerUnavailable, match="all exits"):
        looked_at(rig)
    of = leg(**BRACKET)
    view = rig.broker.order(OrderRef(of.client_order_id, ENTRY, of, frozenset({f"{STOP}+1"})))
    assert view is not None
    assert view.exits is not None
    assert view.exits.broker_order_id == f"{TARGET}+{ENTRY}:gone"


@pytest.mark.parametrize(
    "other",
    [
        {"StopPrice": "5881"},
        {"OpenedDateTime": "2026-11-25T14:00:00Z"},
        {"Status": "OUT", "ClosedDateTime": "2026-11-25T15:05:00Z"},
    ],
)
def test_another_order_does_not(other: dict[str, Any]) -> None:
    entry, target, stop = bracket("orders_bracket_working", TARGET)
    rig = showing(entry, target, unlinked(stop) | other)
    rig.clock.sleep(MISSING_S + 1)
    assert looked_at(rig).exits.broker_order_id == f"{TARGET}+{ENTRY}:gone"


def test_exits_that_are_known_are_not_looked_for_by_links() -> None:
    entry, target, stop = bracket()
    rig = showing(entry, target, stop, asked_for=f"{TARGET},{STOP}")
    view = looked_at(rig, exits_ref=f"{TARGET}+{STOP}")
    assert (view.exits.broker_order_id, view.exits.status) == (f"{TARGET}+{STOP}", LegStatus.WORKING)


@pytest.mark.parametrize(
    ("known", "status"), [(f"{TARGET}+{ENTRY}:gone", LegStatus.WORKING), (f"{ENTRY}:gone", LegStatus.CANCELLED)]
)
def test_an_exit_that_is_known_to_be_gone_is_not_waited_for(known: str, status: LegStatus) -> None:
    entry, target, _ = bracket()
    view = looked_at(showing(entry, target), exits_ref=known)
    assert (view.status, view.exits.broker_order_id, view.exits.status) == (LegStatus.FILLED, known, status)


def test_known_exits_keep_their_names_though_tradestation_shows_one_no_more() -> None:
    entry, target, _ = bracket()
    rig = showing(entry, target, asked_for=f"{TARGET},{STOP}")
    with pytest.raises(BrokerUnavailable, match="all exits"):
        looked_at(rig, exits_ref=f"{TARGET}+{STOP}")
    rig.clock.sleep(MISSING_S + 1)
    exits = looked_at(rig, exits_ref=f"{TARGET}+{STOP}").exits
    assert (exits.broker_order_id, exits.halved) == (f"{TARGET}+{STOP}", True)


def test_exits_of_which_one_is_gone_are_half_a_pair() -> None:
    _, target, _ = bracket()
    rig, name = showing(target), f"{TARGET}+{ENTRY}:gone"
    rig.answers("GET", f"{BASE}/orders/{TARGET}", {"Orders": [target], "Errors": []})
    view = rig.broker.order(OrderRef("c", name, leg(**PAIR)))
    assert view is not None
    assert (view.broker_order_id, view.status, view.halved) == (name, LegStatus.WORKING, True)


def test_exits_that_are_all_gone_have_ended_and_cost_no_request() -> None:
    rig, ref = Rig(), OrderRef("c", f"{ENTRY}:gone", leg(**PAIR))
    view = rig.broker.order(ref)
    assert view is not None
    assert (view.broker_order_id, view.status) == (ref.broker_order_id, LegStatus.CANCELLED)
    rig.broker.cancel(ref)
    assert rig.broker.replace(ref, Change(quantity=Decimal(1))) == Rejected("not_found", "TradeStation shows no order c")
    assert rig.asked == []


def test_what_is_gone_is_not_asked_to_be_cancelled() -> None:
    rig = Rig()
    rig.answers("DELETE", f"/v3/orderexecution/orders/{TARGET}", sample("cancel_sent"))
    rig.broker.cancel(OrderRef("c", f"{TARGET}+{ENTRY}:gone", leg(**PAIR)))
    assert len(rig.asked) == 1
