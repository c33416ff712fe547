"""A reversal whose close or open may or may not be at the broker: it never opens over a close that is not known to be filled."""

from decimal import Decimal

import pytest

from fillpath.orders.messages import Step
from fillpath.orders.model import LegStatus, OrderState
from tests.orders.floor import fakes, reversing
from tests.orders.venue import (
    FORGETFUL,
    Answer,
    limited,
    lost_reply,
    never_arrived,
)


def test_a_close_in_doubt_opens_nothing() -> None:
    on = fakes(FORGETFUL)
    on.desk.answers_to("close", never_arrived)
    order = reversing(on)
    assert on.reverse(order) == ["prepare", "close"]
    assert on.get(order).state is OrderState.UNKNOWN
    assert on.lane().owner is None
    assert [leg.leg for leg in on.get(order).legs if leg.status is LegStatus.QUEUED] == ["open"]


@pytest.mark.parametrize(("answer", "held"), [(never_arrived, 2), (lost_reply, 0)], ids=["never arrived", "lost reply"])
def test_a_close_in_doubt_is_resolved_and_told_but_never_followed_by_the_open(answer: Answer, held: int) -> None:
    on = fakes(FORGETFUL)
    on.desk.answers_to("close", answer)
    order = reversing(on)
    on.reverse(order)
    on.settle(3)
    assert on.state(order) == (OrderState.ABORTED, "close_unknown")
    assert on.get(order).held == on.held() == held
    assert f"{order.order_id}-open" not in on.desk.sent


@pytest.mark.parametrize("answer", [never_arrived, lost_reply])
def test_the_first_of_two_closes_in_doubt_is_resolved_too(answer: Answer) -> None:
    on = fakes(FORGETFUL)
    on.hold(1, "ESU6")
    on.desk.answers_to("close", answer)
    order = reversing(on)
    on.reverse(order)
    on.settle(3)
    assert on.get(order).state is OrderState.ABORTED
    assert on.get(order).held == on.held()


def test_a_close_in_doubt_that_is_found_working_is_watched_to_its_end() -> None:
    on = fakes(FORGETFUL)
    on.desk.fill = lambda leg: Decimal(0)
    on.desk.answers_to("close", lost_reply)
    order = reversing(on)
    on.reverse(order)
    assert on.verify(order, "close") == 30
    on.desk.fill_now(f"{order.order_id}-close")
    on.settle(3)
    assert on.get(order).state is OrderState.ABORTED
    assert on.get(order).held == 0


def test_an_open_in_doubt_is_unknown_until_it_is_found() -> None:
    on = fakes(FORGETFUL)
    on.desk.answers_to("open", lost_reply)
    order = reversing(on)
    on.reverse(order)
    assert on.get(order).state is OrderState.UNKNOWN
    on.settle(3)
    assert on.get(order).state is OrderState.FILLED
    assert on.held() == -1


def test_an_open_in_doubt_that_never_arrived_ends_flat() -> None:
    on = fakes(FORGETFUL)
    on.desk.answers_to("open", never_arrived)
    order = reversing(on)
    on.reverse(order)
    on.settle(3)
    assert on.state(order) == (OrderState.ABORTED, "not_placed")
    assert on.get(order).held == 0


def test_an_open_that_was_cut_off_is_not_sent_again_after_its_deadline() -> None:
    on = fakes()
    order = reversing(on)
    for step in (Step.PREPARE, Step.CLOSE, Step.POLL_FILL):
        on.step(order, step)
    on.step_and_die(order, Step.OPEN, "desk.submit", after=False)
    on.clock.sleep(60)
    on.step(order, Step.OPEN)
    assert f"{order.order_id}-open" not in on.desk.sent


def test_a_halt_does_not_declare_an_open_unsent_that_the_venue_may_have() -> None:
    on = fakes()
    order = reversing(on)
    for step in (Step.PREPARE, Step.CLOSE, Step.POLL_FILL):
        on.step(order, step)
    on.step_and_die(order, Step.OPEN, "desk.submit", after=True)
    on.controls.halt("environment", on.clock.now(), "")
    on.clock.sleep(11)
    on.reverse(order, Step.OPEN)
    on.settle(3)
    opening = on.get(order).leg("open")
    assert opening is not None
    assert opening.filled_quantity == 1


@pytest.mark.parametrize("leg", ["close", "open"])
def test_a_rate_limited_leg_is_sent_after_its_delay(leg: str) -> None:
    on = fakes()
    on.desk.answers_to(leg, limited(3))
    order = reversing(on)
    start = on.clock.now()
    on.reverse(order)
    assert on.get(order).state is OrderState.FILLED
    assert (on.clock.now() - start).total_seconds() >= 3
    assert on.desk.sent.count(f"{order.order_id}-{leg}") == 2
