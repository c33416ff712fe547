"""A submitted leg is checked until its fill is known, or a person is told that it is not."""

from datetime import timedelta
from decimal import Decimal

import pytest

from fillpath.accounts.capabilities import Capabilities
from fillpath.errors import StorageUnavailable
from fillpath.orders.execute import execute
from fillpath.orders.messages import CheckRequest
from fillpath.orders.model import LegStatus, Listing, Operation, Order, OrderState
from fillpath.orders.verify import verify
from tests.orders.faults import Fuse, fused
from tests.orders.floor import ACCOUNT, LANE, Fakes, at_rest, fakes, signal
from tests.orders.venue import DEDUPLICATES, FORGETFUL, PROVES_NOTHING, lost_reply, never_arrived


def unknown(capabilities: Capabilities = FORGETFUL) -> tuple[Fakes, Order]:
    on = fakes(capabilities)
    on.desk.answers_to("main", never_arrived)
    order = signal(on, Operation.ENTER_LONG)
    on.run()
    return on, on.get(order)


def unfilled(filled: int = 0) -> tuple[Fakes, Order]:
    on = fakes()
    on.desk.fill = lambda leg: Decimal(filled)
    order = signal(on, Operation.ENTER_LONG, 2)
    on.run()
    return on, on.get(order)


def checks(on: Fakes, order: Order) -> int:
    leg = on.get(order).leg("main")
    return leg.checks if leg else 0


def test_every_submit_is_preceded_by_its_check() -> None:
    on = fakes()
    order = signal(on, Operation.ENTER_LONG)
    with pytest.raises(StorageUnavailable):
        execute(LANE, fused(on.floor, Fuse(only="checks.check", error=True)), on.clock.now() + timedelta(seconds=25))
    assert on.desk.sent == []
    on.clock.sleep(30)
    on.run()
    assert [(sent.check.group, sent.check.attempt) for sent in on.checks.messages] == [(f"{order.order_id}#main", 1)]


def test_a_leg_that_was_never_prepared_ends_its_check_silently() -> None:
    on = fakes()
    order = signal(on, Operation.ENTER_LONG)
    on.run_and_die("checks.check", after=True)
    assert on.verify(order) is None
    assert on.get(order).state is OrderState.QUEUED
    assert on.checks.dead_letters == []


def test_a_filled_leg_ends_its_check_silently() -> None:
    on = fakes()
    order = signal(on, Operation.ENTER_LONG)
    on.run()
    assert on.verify(order) is None
    assert checks(on, order) == 0


def test_a_check_before_the_submit_deadline_is_not_counted() -> None:
    on = fakes()
    order = signal(on, Operation.ENTER_LONG)
    on.run_and_die("desk.submit", after=False)
    on.clock.set(order.received_at)
    assert on.verify(order, after_s=2) == 30
    assert checks(on, order) == 0
    assert on.get(order).state is OrderState.SUBMITTING


def test_a_partial_fill_is_recorded_and_checked_again() -> None:
    on, order = unfilled(filled=1)
    assert on.verify(order) == 30
    assert on.get(order).state is OrderState.PARTIALLY_FILLED
    on.desk.fill_now(f"{order.order_id}-main")
    assert on.verify(order, after_s=30) is None
    assert on.get(order).state is OrderState.FILLED
    assert on.lane().owner is None


def test_the_third_counted_check_gives_a_market_order_up() -> None:
    on, order = unfilled()
    assert [on.verify(order, after_s=30) for _ in range(3)] == [30, 30, None]
    assert [(given.check.order_id, given.reason) for given in on.checks.dead_letters] == [
        (order.order_id, "WORKING after 3 checks")
    ]
    assert on.counted("VerificationGivenUp") == 1


def test_a_lost_reply_is_found_by_its_client_order_id() -> None:
    on = fakes(FORGETFUL)
    on.desk.answers_to("main", lost_reply)
    order = signal(on, Operation.ENTER_LONG)
    on.run()
    assert on.get(order).state is OrderState.UNKNOWN
    assert on.verify(order) is None
    assert on.get(order).state is OrderState.FILLED
    assert on.get(order).listing is Listing.NONE
    assert on.lanes.messages[-1].wake_id == f"{order.order_id}#resolved"


@pytest.mark.parametrize("capabilities", [DEDUPLICATES, FORGETFUL], ids=["deduplicates", "forgetful"])
def test_absence_counts_only_after_the_submit_deadline_and_the_quarantine(capabilities: Capabilities) -> None:
    on, order = unknown(capabilities)
    leg = order.leg("main")
    assert leg is not None
    assert leg.submit_by is not None
    on.clock.set(leg.submit_by + timedelta(seconds=5))
    assert on.verify(order, after_s=0) == 30
    assert on.get(order).state is OrderState.UNKNOWN
    assert on.verify(order, after_s=1) is None
    assert on.state(order) == (OrderState.REJECTED, "not_placed")


def test_absence_proves_nothing_at_a_venue_without_a_quarantine() -> None:
    on, order = unknown(PROVES_NOTHING)
    assert [on.verify(order, after_s=3600) for _ in range(3)] == [30, 30, None]
    on.sweep(after_s=86_400)
    assert on.get(order).state is OrderState.UNKNOWN
    assert len(on.checks.dead_letters) == 1


def test_a_broker_that_does_not_answer_proves_nothing() -> None:
    on, order = unknown()
    on.desk.down = True
    assert on.verify(order, after_s=3600) == 30
    assert on.get(order).state is OrderState.UNKNOWN


def test_an_order_that_arrives_late_is_found_within_the_quarantine() -> None:
    on, order = unknown()
    on.verify(order)
    on.desk.place(ACCOUNT, order.legs[0])
    assert on.verify(order, after_s=30) is None
    assert on.get(order).state is OrderState.FILLED


def test_a_resting_order_is_left_to_the_sweeper() -> None:
    on = fakes()
    order = at_rest(on, Operation.ENTER_LONG)
    assert on.verify(order) is None
    assert on.get(order).state is OrderState.WORKING
    assert checks(on, order) == 0


def test_a_resting_order_in_doubt_is_checked_like_any_other() -> None:
    on = fakes(FORGETFUL)
    on.desk.answers_to("main", never_arrived)
    order = signal(on, Operation.ENTER_LONG, type="limit", limit_price=Decimal(90))
    on.run()
    assert on.verify(order) == 30
    assert on.verify(order, after_s=30) is None
    assert on.state(order) == (OrderState.REJECTED, "not_placed")


def test_a_verdict_is_void_once_a_newer_attempt_was_sent() -> None:
    on = fakes()
    order = signal(on, Operation.ENTER_LONG, deadline=None)
    on.run_and_die("desk.submit", after=False)
    on.run_and_die("desk.submit", after=False)
    leg = on.get(order).legs[0]
    assert (leg.status, leg.attempts) == (LegStatus.SUBMITTING, 2)
    on.clock.set((leg.prepared_at or on.clock.now()) + timedelta(seconds=31))
    assert on.verify(order, after_s=2) == 30
    assert on.get(order).state is OrderState.SUBMITTING


def test_the_check_of_an_older_attempt_counts_for_nothing() -> None:
    on = fakes(DEDUPLICATES)
    on.desk.fill = lambda leg: Decimal(0)
    order = signal(on, Operation.ENTER_LONG)
    on.run_and_die("desk.submit", after=True)
    on.run()
    for sent in on.checks.messages:
        on.clock.sleep(2)
        verify(CheckRequest(**sent.check._asdict()), on.floor)
    assert len(on.checks.messages) == 2
    assert checks(on, order) == 1
