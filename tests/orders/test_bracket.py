"""Entries with exits: the broker places both, an order of its own watches the exits, and what is held stays protected."""

from dataclasses import replace
from decimal import Decimal

import pytest

from fillpath.accounts.capabilities import Capabilities
from fillpath.orders.legs import look
from fillpath.orders.model import LegStatus, Listing, Operation, Order, OrderState, OrderType, Side
from fillpath.orders.result import order_record
from tests.orders.floor import Fakes, bracket, fakes, signal, to_target
from tests.orders.venue import DEDUPLICATES, FORGETFUL, PROVES_NOTHING, filled_at_once, lost_reply, never_arrived, refused

BOTH = pytest.mark.parametrize("venue", [DEDUPLICATES, FORGETFUL], ids=["reduce-only", "no reduce-only"])
EXITS, STOP_ONLY = {"limit_price": 110, "stop_price": 90}, {"limit_price": None, "stop_price": 90}


def entered(on: Fakes, quantity: int = 2, **more: object) -> Order:
    """A bracket whose entry is filled."""
    order = bracket(on, quantity=quantity, **more)
    on.run()
    assert on.get(order).state is OrderState.FILLED
    return order


def resting(on: Fakes, quantity: int = 2, **more: object) -> Order:
    """A bracket whose entry rests."""
    order = bracket(on, quantity=quantity, **{"type": OrderType.LIMIT, "limit_price": Decimal(95)} | more)
    on.run()
    assert on.get(order).state is OrderState.WORKING
    return order


def exits_at_work(on: Fakes) -> list[tuple[OrderType, Side, int]]:
    """What would exit at the venue, less what waits for its entry."""
    entries = {order.number: order for order in on.desk.orders}
    held = [
        o for o in on.desk.working() if o.leg.take_profit is None and (o.entry is None or entries[o.entry].view.filled_quantity)
    ]
    return [(o.leg.type, o.leg.side, int(on.desk.to_exit(o) - o.view.filled_quantity)) for o in held]


# --- from the entry to its exits ------------------------------------------------------------------------------------------------


def test_the_exits_of_a_bracket_are_an_order_of_their_own() -> None:
    on = fakes()
    entry = entered(on)
    exits = on.exits(entry)
    (leg,) = exits.legs
    assert (exits.state, exits.parent_id, exits.listing) == (OrderState.WORKING, entry.order_id, Listing.WORKING)
    assert (exits.operation, exits.type, exits.reduces) == (Operation.EXIT_LONG, OrderType.OCO, True)
    assert (leg.leg, leg.side, leg.quantity, leg.limit_price, leg.stop_price) == ("exits", Side.SELL, 2, 110, 90)
    assert leg.broker_order_id == on.get(entry).legs[0].exits_ref == on.desk.exits(f"{entry.order_id}-main").view.broker_order_id
    assert [working.order_id for working in on.lane().working] == [exits.order_id]


@pytest.mark.parametrize(
    ("given", "kind"), [({"stop_loss": None}, OrderType.LIMIT), ({"take_profit": None}, OrderType.STOP), ({}, OrderType.OCO)]
)
def test_an_entry_with_one_exit_has_that_one(given: dict[str, None], kind: OrderType) -> None:
    on = fakes()
    entry = entered(on, **given)
    assert on.exits(entry).type is kind
    assert exits_at_work(on) == [(kind, Side.SELL, 2)]


def test_the_exits_of_a_short_buy() -> None:
    on = fakes()
    entry = bracket(on, Operation.ENTER_SHORT, 1)
    on.run()
    assert on.exits(entry).operation is Operation.EXIT_SHORT
    assert exits_at_work(on) == [(OrderType.OCO, Side.BUY, 1)]


def test_what_reduces_has_no_bracket() -> None:
    on = fakes()
    on.hold(3)
    target = to_target(on, 1, 3, take_profit=Decimal(110), stop_loss=Decimal(90), protection_id="01HZZZZZZZZZZZZZZZZZZZZZZZ")
    on.run()
    (leg,) = on.get(target).legs
    assert (leg.take_profit, leg.stop_loss, leg.exits_ref) == (None, None, None)
    assert on.lane().working == ()


def test_the_record_names_the_exits_and_their_entry() -> None:
    on = fakes()
    entry = entered(on)
    record, exits = order_record(on.get(entry)), order_record(on.exits(entry))
    assert (record["protection_id"], exits["parent_id"]) == (exits["order_id"], record["order_id"])
    assert (record["take_profit"], record["legs"][0]["exits_ref"]) == ("110", "V2")
    assert exits["events"] == [{"at": exits["received_at"], "from": None, "to": "WORKING", "reason": "placed_with_entry"}]
    assert {order.order_id for order in on.orders.of_user("U1", 5)} == {record["order_id"], exits["order_id"]}


@pytest.mark.parametrize("venue", [DEDUPLICATES, FORGETFUL, PROVES_NOTHING])
def test_a_bracket_whose_answer_is_lost_is_found_with_its_exits(venue: Capabilities) -> None:
    on = fakes(venue)
    on.desk.answers_to("main", lost_reply)
    entry = bracket(on)
    on.run()
    assert on.get(entry).state is OrderState.UNKNOWN
    on.verify(entry)
    assert on.get(entry).state is OrderState.FILLED
    assert on.exits(entry).state is OrderState.WORKING
    assert on.lane().unknown == ()


def test_a_bracket_that_never_arrived_leaves_no_exits() -> None:
    on = fakes(FORGETFUL)
    on.desk.answers_to("main", never_arrived)
    entry = bracket(on)
    on.run()
    on.settle(2)
    assert on.state(entry) == (OrderState.REJECTED, "not_placed")
    assert entry.protection_id not in on.tables.orders


def test_an_entry_that_fills_though_the_venue_names_no_exits_is_an_alarm() -> None:
    on = fakes()
    on.desk.answers_to("main", lambda venue, account, leg: filled_at_once(venue, account, leg.model_copy(update=NO_EXITS)))
    entry = bracket(on)
    on.run()
    assert on.get(entry).state is OrderState.FILLED
    assert on.counted("ProtectionLost") == 1


NO_EXITS = {"take_profit": None, "stop_loss": None}


@pytest.mark.parametrize("crashes", [1, 2])
@pytest.mark.parametrize(("call", "after"), [("desk.submit", True), ("orders.add", False), ("orders.add", True)])
def test_a_crash_between_the_exits_and_their_entry_loses_neither(call: str, after: bool, crashes: int) -> None:
    on = fakes()
    entry = bracket(on)
    for _ in range(crashes):
        on.run_and_die(call, after=after)
    on.settle(3)
    assert on.get(entry).state is OrderState.FILLED
    assert on.exits(entry).state is OrderState.WORKING
    assert on.get(entry).legs[0].exits_ref == on.exits(entry).legs[0].broker_order_id
    assert [working.order_id for working in on.lane().working] == [on.exits(entry).order_id]
    assert on.held() == 2


def test_exits_that_went_on_before_their_entry_was_recorded_stay_as_they_are() -> None:
    on = fakes()
    entry = bracket(on)
    on.run_and_die("orders.add", after=True)
    on.desk.execute(on.desk.exits(f"{entry.order_id}-main"), Decimal(2))
    on.settle(3)
    assert on.get(entry).state is on.exits(entry).state is OrderState.FILLED
    assert on.held() == 0


# --- how they end ---------------------------------------------------------------------------------------------------------------


@BOTH
def test_exits_that_fill_end_their_order_and_leave_the_lane_empty(venue: Capabilities) -> None:
    on = fakes(venue)
    entry = entered(on)
    on.desk.execute(on.desk.exits(f"{entry.order_id}-main"), Decimal(2))
    on.sweep()
    assert on.exits(entry).state is OrderState.FILLED
    assert on.exits(entry).filled_quantity == 2
    assert on.lane().working == ()
    assert on.held() == 0


@BOTH
@pytest.mark.parametrize("keeps", [False, True], ids=["the venue cancels them", "the venue keeps them"])
def test_the_exits_of_an_entry_that_never_filled_end_within_seconds_of_it(venue: Capabilities, keeps: bool) -> None:
    on = fakes(venue)
    entry = resting(on)
    on.desk.keeps_exits = keeps
    on.controls.halt("environment", on.clock.now(), "")
    on.sweep()
    assert on.state(entry) == (OrderState.CANCELLED, "halted")
    (check,) = [sent.check for sent in on.checks.messages if sent.check.order_id == entry.protection_id]
    assert (check.leg, check.attempt) == ("exits", 1)
    on.verify(on.exits(entry), "exits")
    on.run()
    assert on.state(on.exits(entry)) == (OrderState.CANCELLED, "entry_not_filled")
    assert on.lane().working == on.lane().waiting == ()


def test_exits_that_the_venue_still_shows_after_their_entry_went_are_cancelled() -> None:
    on = fakes()
    entry = resting(on)
    _end_alone(on, entry)
    on.sweep()
    on.sweep()
    assert on.state(on.exits(entry)) == (OrderState.CANCELLED, "entry_not_filled")
    assert on.desk.working() == []


def test_exits_that_the_venue_shows_no_more_after_their_entry_went_end_too() -> None:
    on = fakes()
    entry = resting(on)
    on.desk.orders[1] = replace(on.desk.orders[1], view=replace(on.desk.orders[1].view, broker_order_id="gone"))
    _end_alone(on, entry)
    on.sweep()
    on.sweep()
    assert on.state(on.exits(entry)) == (OrderState.CANCELLED, "entry_not_filled")


def _end_alone(on: Fakes, entry: Order) -> None:
    """The entry is cancelled at the venue, its exits are not."""
    order = on.desk.find(f"{entry.order_id}-main")
    assert order is not None
    on.desk._put(order, replace(order.view, status=LegStatus.CANCELLED))


@BOTH
@pytest.mark.parametrize("keeps", [False, True], ids=["the venue cancels them", "the venue keeps them"])
def test_what_filled_of_an_entry_stays_protected_when_the_rest_is_cancelled(venue: Capabilities, keeps: bool) -> None:
    on = fakes(venue)
    on.desk.keeps_exits = keeps
    entry = resting(on)
    on.desk.fill_now(f"{entry.order_id}-main", 1)
    on.controls.halt("environment", on.clock.now(), "")
    on.sweep()
    assert on.get(entry).state is OrderState.CANCELLED
    on.verify(on.exits(entry), "exits")
    on.run()
    assert exits_at_work(on) == [(OrderType.OCO, Side.SELL, 1)]
    assert on.exits(entry).state is OrderState.WORKING
    assert len(on.exits(entry).legs) == (1 if keeps else 2)


def test_exits_that_the_venue_cancels_are_placed_again_at_once() -> None:
    on = fakes()
    entry = entered(on)
    on.desk.end(on.desk.exits(f"{entry.order_id}-main"))
    on.sweep()
    assert on.state(on.exits(entry)) == (OrderState.QUEUED, "exits_cancelled")
    assert on.lanes.messages[-1].lane == on.lane().lane
    on.run()
    (leg,) = on.exits(entry).legs[1:]
    assert (leg.leg, leg.type, leg.quantity) == ("protect-1", OrderType.OCO, 2)
    assert {"limit_price": leg.limit_price, "stop_price": leg.stop_price} == EXITS
    assert leg.reduce_only


@pytest.mark.parametrize("status", [LegStatus.EXPIRED, LegStatus.REJECTED])
def test_so_are_exits_that_end_with_the_day_or_are_refused_when_they_become_active(status: LegStatus) -> None:
    on = fakes()
    entry = entered(on)
    on.desk.end(on.desk.exits(f"{entry.order_id}-main"), status)
    on.sweep()
    assert on.state(on.exits(entry)) == (OrderState.QUEUED, f"exits_{status.lower()}")
    on.run()
    assert exits_at_work(on) == [(OrderType.OCO, Side.SELL, 2)]


def test_without_pairs_of_exits_at_the_venue_the_stop_alone_is_placed_again() -> None:
    on = fakes(replace(DEDUPLICATES, oco=False))
    entry = entered(on)
    on.desk.end(on.desk.exits(f"{entry.order_id}-main"))
    on.sweep()
    on.run()
    leg = on.exits(entry).legs[-1]
    assert leg.type is OrderType.STOP
    assert {"limit_price": leg.limit_price, "stop_price": leg.stop_price} == STOP_ONLY


def test_exits_that_are_not_taken_again_are_an_alarm() -> None:
    on = fakes()
    entry = entered(on)
    for leg in ("protect-1", "protect-2"):
        on.desk.answers_to(leg, refused("invalid_price"))
    on.desk.end(on.desk.exits(f"{entry.order_id}-main"))
    on.sweep()
    on.run()
    assert on.state(on.exits(entry)) == (OrderState.REJECTED, "invalid_price")
    assert [leg.type for leg in on.exits(entry).legs[1:]] == [OrderType.OCO, OrderType.STOP]
    assert on.counted("ProtectionLost") == 1


def test_of_a_pair_that_is_not_taken_again_the_stop_alone_protects() -> None:
    on = fakes()
    entry = entered(on)
    on.desk.answers_to("protect-1", refused("invalid_price"))
    on.desk.end(on.desk.exits(f"{entry.order_id}-main"))
    on.sweep()
    on.run()
    assert exits_at_work(on) == [(OrderType.STOP, Side.SELL, 2)]
    assert on.exits(entry).state is OrderState.WORKING
    assert on.counted("ProtectionLost") == 0


def test_exits_whose_second_submit_never_arrived_are_placed_a_third_time() -> None:
    on = fakes(FORGETFUL)
    entry = entered(on)
    on.desk.answers_to("protect-1", never_arrived)
    on.desk.end(on.desk.exits(f"{entry.order_id}-main"))
    on.settle(4)
    assert exits_at_work(on) == [(OrderType.OCO, Side.SELL, 2)]


def test_exits_that_end_while_their_entry_rests_take_it_with_them() -> None:
    on = fakes()
    entry = resting(on)
    on.desk.fill_now(f"{entry.order_id}-main", 1)
    on.desk.end(on.desk.exits(f"{entry.order_id}-main"))
    on.settle(2)
    assert on.state(entry) == (OrderState.CANCELLED, "superseded")
    assert exits_at_work(on) == [(OrderType.OCO, Side.SELL, 1)]


def test_exits_are_not_placed_again_for_more_than_is_held() -> None:
    on = fakes()
    entry = entered(on)
    on.hold(1)
    on.desk.end(on.desk.exits(f"{entry.order_id}-main"))
    on.sweep()
    on.run()
    assert exits_at_work(on) == [(OrderType.OCO, Side.SELL, 1)]


def test_exits_are_not_placed_again_for_what_another_entry_holds() -> None:
    on = fakes()
    on.hold(3)
    entry = entered(on, 1)
    on.desk.end(on.desk.exits(f"{entry.order_id}-main"))
    on.sweep()
    on.run()
    assert exits_at_work(on) == [(OrderType.OCO, Side.SELL, 1)]


def test_exits_are_placed_again_for_their_own_contract() -> None:
    on = fakes()
    entry = entered(on, 1)
    on.hold(5, "ESU6")
    on.desk.end(on.desk.exits(f"{entry.order_id}-main"))
    on.sweep()
    on.run()
    assert on.exits(entry).legs[-1].contract == "ESZ6"
    on.hold(0)
    on.desk.end(on.desk.known_as(on.exits(entry).legs[-1]) or on.desk.orders[0])
    on.settle(2)
    assert on.exits(entry).state.ended


def test_a_late_fill_of_exits_after_their_order_ended_counts_and_is_an_alarm() -> None:
    on = fakes()
    entry = entered(on)
    signal(on, Operation.CANCEL, None)
    on.run()
    assert on.state(on.exits(entry)) == (OrderState.CANCELLED, "cancelled")
    exits = on.desk.exits(f"{entry.order_id}-main")
    on.desk._put(exits, replace(exits.view, status=LegStatus.WORKING))
    on.desk.execute(on.desk.exits(f"{entry.order_id}-main"), Decimal(2))
    look(on.exits(entry), "exits", on.floor)
    assert on.exits(entry).state is OrderState.CANCELLED
    assert on.exits(entry).filled_quantity == 2
    assert on.counted("LateFill") == 1
