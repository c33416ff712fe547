"""Orders while their market is closed: nothing that protects is given up for an order that cannot be sent."""

from dataclasses import replace

import pytest

from fillpath.orders.model import LegStatus, Operation, Order, OrderState, OrderType
from fillpath.orders.outcomes import Rejected
from fillpath.orders.transitions import MOST_EVENTS
from tests.orders.brackets import entered
from tests.orders.floor import Fakes, at_rest, fakes, signal
from tests.orders.venue import DEDUPLICATES, refused

REFUSES = replace(DEDUPLICATES, refuses_when_closed=True)
CLOSED = "Market closed: ESZ6 trades Sun-Fri 17:00-16:00 America/Chicago"


def protected(on: Fakes) -> Order:
    """A bracket whose entry is filled, after the close."""
    entry = entered(on)
    on.desk.market_closed = CLOSED
    return entry


@pytest.mark.parametrize("operation", [Operation.CLOSE, Operation.EXIT_LONG, Operation.ENTER_SHORT])
def test_an_order_at_the_market_cancels_nothing_while_it_cannot_be_sent(operation: Operation) -> None:
    on = fakes(REFUSES)
    entry = protected(on)
    sent = len(on.desk.sent)
    order = signal(on, operation, 1)
    on.run()
    assert on.state(order) == (OrderState.REJECTED, "market_closed")
    assert on.get(order).message == CLOSED
    assert on.exits(entry).state is OrderState.WORKING
    assert len(on.desk.sent) == sent


def test_what_rests_is_sent_whatever_the_hours() -> None:
    on = fakes(REFUSES)
    on.desk.market_closed = CLOSED
    assert at_rest(on, Operation.ENTER_LONG).state is OrderState.WORKING


def expired(on: Fakes, entry: Order) -> None:
    """The day is over, and the exits with it."""
    on.desk.end(on.desk.exits(f"{entry.order_id}-main"), LegStatus.EXPIRED)
    on.sweep()
    on.run()


def test_protection_that_ended_with_the_day_waits_for_the_open_where_the_venue_takes_nothing_before() -> None:
    on = fakes(REFUSES)
    entry = protected(on)
    expired(on, entry)
    sent = len(on.desk.sent)
    on.settle(60)
    assert on.exits(entry).state is OrderState.QUEUED
    assert len(on.desk.sent) == sent
    on.desk.market_closed = None
    on.run()
    assert on.exits(entry).state is OrderState.WORKING
    assert on.counted("ProtectionLost") == 0


def test_protection_that_the_venue_refuses_as_closed_keeps_its_place_and_is_tried_less_and_less_often() -> None:
    on = fakes()
    entry = protected(on)
    on.desk.market_closed = None  # as far as the calendar knows
    on.desk.answers_to("protect-1", *[refused("market_closed")] * 100)
    before = len(on.desk.sent)
    expired(on, entry)
    on.settle(10)
    assert on.state(on.exits(entry)) == (OrderState.QUEUED, "market_closed")
    assert 3 <= len(on.desk.sent) - before <= 5
    on.settle(240)
    assert len(on.desk.sent) - before <= 60
    on.desk.script.clear()
    on.settle(31)
    assert on.exits(entry).state is OrderState.WORKING
    assert on.counted("ProtectionLost") == 0


def test_what_waits_for_the_open_holds_nothing_up() -> None:
    on = fakes(REFUSES)
    entry = protected(on)
    expired(on, entry)
    assert on.exits(entry).state is OrderState.QUEUED
    rests = signal(on, Operation.ENTER_LONG, 1, type=OrderType.LIMIT, limit_price=90)
    on.run()
    assert on.get(rests).state is OrderState.WORKING


def test_another_refusal_of_protection_is_its_end() -> None:
    on = fakes()
    entry = protected(on)
    on.desk.market_closed = None
    for leg in ("protect-1", "protect-2"):
        on.desk.answers_to(leg, lambda *_: Rejected("invalid_price", "the stop has been passed"))
    expired(on, entry)
    assert on.state(on.exits(entry)) == (OrderState.REJECTED, "invalid_price")
    assert on.counted("ProtectionLost") == 1


def test_protection_that_waits_for_weeks_is_still_tried_and_its_record_does_not_grow_without_end() -> None:
    on = fakes()
    entry = protected(on)
    on.desk.market_closed = None
    on.desk.answers_to("protect-1", *[refused("market_closed")] * 2000)
    expired(on, entry)
    for _ in range(1100):
        on.clock.sleep(1800)
        on.run()
    exits = on.exits(entry)
    leg = exits.live_leg
    assert leg is not None
    assert leg.attempts > 1024
    assert len(exits.events) == MOST_EVENTS
    assert (exits.events[0].to_state, exits.events[-1].reason) == ("WORKING", "market_closed")
    on.desk.script.clear()
    on.clock.sleep(1800)
    on.run()
    assert on.exits(entry).state is OrderState.WORKING


def test_cancel_ends_protection_that_waits_for_the_open_too() -> None:
    on = fakes(REFUSES)
    entry = protected(on)
    expired(on, entry)
    order = signal(on, Operation.CANCEL, None)
    on.run()
    assert on.state(order) == (OrderState.CANCELLED, "cancelled")
    assert on.state(on.exits(entry)) == (OrderState.CANCELLED, "cancelled")
    on.desk.market_closed = None
    on.settle(3)
    assert on.desk.working() == []


def test_protection_does_not_outlive_its_position_while_it_waits() -> None:
    on = fakes(REFUSES)
    entry = protected(on)
    expired(on, entry)
    on.hold(0)  # closed by hand
    on.run()
    assert on.state(on.exits(entry)) == (OrderState.CANCELLED, "position_closed")
    on.desk.market_closed = None
    later = signal(on, Operation.ENTER_LONG, 2)
    on.settle(3)
    assert (on.get(later).state, on.desk.working()) == (OrderState.FILLED, [])


def test_no_half_of_a_pair_is_given_up_while_the_venue_takes_nothing() -> None:
    on = fakes(REFUSES)
    entry = protected(on)
    on.desk.shows(on.desk.exits(f"{entry.order_id}-main"), halved=True)
    on.settle(5)
    assert on.exits(entry).state is OrderState.WORKING
    on.desk.market_closed = None
    on.settle(3)
    assert [leg.leg for leg in on.exits(entry).legs] == ["exits", "protect-1"]
