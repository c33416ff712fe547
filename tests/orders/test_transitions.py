"""From a record and a fact to the next record: whatever order facts come in, and however often."""

from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fillpath.orders.model import LegStatus, Listing, Operation, Order, OrderState, OrderType, Side, new_leg
from fillpath.orders.outcomes import Accepted, LegView, RateLimited, Rejected, Unknown
from fillpath.orders.transitions import (
    answered,
    doubtful,
    ended,
    making_way,
    moved,
    observed,
    preparing,
    refused,
    stopped,
    unsent,
)
from tests.orders.test_plan import AT, order

END_STATES = sorted(state for state in OrderState if state.ended)
LATER = AT + timedelta(seconds=5)


def sent(quantity: int = 3, **fields: Any) -> Order:
    """An order whose one leg is on its way."""
    base = order(Operation.ENTER_LONG, quantity=Decimal(quantity), owns_lane=True, **fields)
    return preparing(base, new_leg(base, "main", "ESZ6", Side.BUY, Decimal(quantity), reduce_only=False), AT)


def view(filled: int, of: int = 3, status: LegStatus | None = None, commission: int = 0) -> LegView:
    """What a venue shows: cumulative fills at 100 + filled."""
    shown = LegStatus.FILLED if filled == of else LegStatus.PARTIALLY_FILLED if filled else LegStatus.WORKING
    price = Decimal(100 + filled) if filled else None
    at = AT + timedelta(seconds=filled) if filled else None
    return LegView(status or shown, "V1", Decimal(filled), price, Decimal(commission), at)


def without_history(record: Order) -> Order:
    return record.model_copy(update={"events": ()})


@given(filled=st.lists(st.integers(0, 3), min_size=1, max_size=4), repeats=st.integers(1, 3), data=st.data())
def test_views_in_any_order_and_number_end_in_the_same_record(filled: list[int], repeats: int, data: st.DataObject) -> None:
    views = [view(each, commission=each) for each in sorted(filled)] * repeats
    first, second = sent(), sent()
    for each in views:
        first = observed(first, "main", each, AT)
    for each in data.draw(st.permutations(views)):
        second = observed(second, "main", each, AT)
    assert without_history(first) == without_history(second)


@pytest.mark.parametrize("end", [LegStatus.CANCELLED, LegStatus.EXPIRED])
def test_a_cancelled_order_is_the_same_whatever_order_its_views_come_in(end: LegStatus) -> None:
    results = []
    for views in permutations([view(0), view(1), view(2), view(2, status=end)]):
        record = sent()
        for each in views:
            record = observed(record, "main", each, AT)
        leg = record.leg("main")
        assert leg is not None
        results.append((record.state, record.filled_quantity, record.average_price, leg.status))
    assert set(results) == {(OrderState(end.value), Decimal(2), Decimal(102), end)}


@pytest.mark.parametrize("state", END_STATES)
@pytest.mark.parametrize("other", sorted(OrderState))
def test_an_end_state_never_changes(state: OrderState, other: OrderState) -> None:
    done = ended(sent(), state, AT, "why")
    assert moved(done, other, LATER, "other") == done
    assert ended(done, other, LATER, "other") == done


@pytest.mark.parametrize("state", END_STATES)
def test_no_fact_of_the_broker_changes_an_end_state(state: OrderState) -> None:
    done = ended(sent(), state, AT, "why")
    facts = [
        observed(done, "main", view(0, status=LegStatus.CANCELLED), LATER),
        observed(done, "main", view(2), LATER),
        doubtful(done, "main", LATER, "time-out"),
        refused(done, "main", LATER, "no_margin"),
        stopped(done, LATER, "step_failed"),
        making_way(done, "other"),
    ]
    for fact in facts:
        assert (fact.state, fact.reason) == (state, "why")
        assert (fact.listing, fact.owns_lane) == (Listing.NONE, False)


@pytest.mark.parametrize("state", END_STATES)
def test_an_abort_that_comes_too_late_tells_nothing_new(state: OrderState) -> None:
    done = ended(sent(), state, AT, "why")
    assert stopped(done, LATER, "step_failed", held=Decimal(9)).held == done.held


@pytest.mark.parametrize("state", [state for state in END_STATES if state is not OrderState.FILLED])
def test_a_fill_after_the_end_counts_and_is_told_once(state: OrderState) -> None:
    done = ended(sent(), state, AT)
    late = observed(done, "main", view(2), LATER)

    assert (late.state, late.filled_quantity, late.average_price) == (state, Decimal(2), Decimal(102))
    assert late.events[-1].reason == "LATE_FILL"
    assert observed(late, "main", view(2), LATER) == late
    assert [event.reason for event in observed(late, "main", view(3), LATER).events].count("LATE_FILL") == 2


def test_average_price_and_commission_are_the_brokers_cumulative_figures() -> None:
    record = observed(observed(sent(), "main", view(1, commission=1), AT), "main", view(3, commission=3), LATER)
    assert (record.state, record.average_price, record.commission) == (OrderState.FILLED, Decimal(103), Decimal(3))
    assert record.filled_at == AT + timedelta(seconds=3)


def test_an_order_placed_twice_has_the_average_of_its_legs() -> None:
    record = observed(sent(), "main", view(1), AT)
    record = preparing(record, new_leg(record, "protect-1", "ESZ6", Side.BUY, Decimal(2), reduce_only=True), LATER)
    record = observed(record, "protect-1", LegView(LegStatus.FILLED, "V2", Decimal(2), Decimal(110), Decimal(1)), LATER)

    assert record.filled_quantity == 3
    assert record.average_price == (Decimal(101) + 2 * Decimal(110)) / 3


def test_a_reversals_fill_is_that_of_its_open_and_its_exit_is_told_apart() -> None:
    base = order(Operation.ENTER_LONG, auto_exit=True, position_before=Decimal(-2), state=OrderState.CLOSING, owns_lane=True)
    for name, side, quantity, reduce_only in (("close", Side.BUY, 2, True), ("open", Side.BUY, 1, False)):
        base = base.with_leg(new_leg(base, name, "ESZ6", side, Decimal(quantity), reduce_only=reduce_only))
    record = observed(base, "close", view(2, of=2, commission=2), AT)

    assert (record.state, record.filled_quantity, record.exit_quantity) == (OrderState.CLOSING, 0, 2)
    record = observed(moved(record, OrderState.OPENING, AT), "open", view(1, of=1, commission=1), AT)
    assert (record.state, record.filled_quantity, record.exit_quantity) == (OrderState.FILLED, 1, 2)
    assert (record.average_price, record.commission) == (Decimal(101), Decimal(3))


def test_a_view_of_a_leg_that_nobody_prepared_changes_nothing() -> None:
    assert observed(sent(), "protect-9", view(1), AT) == sent()


def test_each_outcome_of_a_submit_leads_to_its_state() -> None:
    record = sent()
    assert answered(record, "main", Accepted(view(0)), AT).state is OrderState.WORKING
    assert answered(record, "main", Accepted(view(3)), AT).state is OrderState.FILLED
    rejected = answered(record, "main", Rejected("insufficient_margin", "not enough"), AT)
    assert (rejected.state, rejected.reason, rejected.message) == (OrderState.REJECTED, "insufficient_margin", "not enough")
    limited = answered(record, "main", RateLimited(5, "slow down"), AT)
    assert (limited.state, limited.listing, limited.owns_lane) == (OrderState.QUEUED, Listing.WAITING, False)
    unknown = answered(record, "main", Unknown("time-out"), AT)
    assert (unknown.state, unknown.listing, unknown.owns_lane) == (OrderState.UNKNOWN, Listing.UNKNOWN, False)


def test_an_answer_that_came_first_is_not_undone_by_a_rate_limit() -> None:
    record = observed(sent(), "main", view(1), AT)
    assert unsent(record, "main", LATER, "rate_limited") == record


def test_a_resting_order_gives_up_the_lane_when_it_is_accepted_and_a_market_order_when_it_ends() -> None:
    resting = observed(sent(type=OrderType.LIMIT, limit_price=Decimal(90)), "main", view(0), AT)
    assert (resting.state, resting.listing, resting.owns_lane) == (OrderState.WORKING, Listing.WORKING, False)
    market = observed(sent(), "main", view(1), AT)
    assert (market.state, market.listing, market.owns_lane) == (OrderState.PARTIALLY_FILLED, Listing.NONE, True)
    assert observed(market, "main", view(3), AT).owns_lane is False


def test_the_timeline_names_every_step_once() -> None:
    record = observed(observed(observed(sent(), "main", view(0), AT), "main", view(0), AT), "main", view(3), LATER)
    steps = [(event.from_state, event.to_state) for event in record.events]
    assert steps == [("QUEUED", "SUBMITTING"), ("SUBMITTING", "WORKING"), ("WORKING", "FILLED")]


@pytest.mark.parametrize(
    ("position", "filled", "held", "told"),
    [(2, 0, 2, "+2 ES is held"), (2, 1, 1, "+1 ES is held"), (2, 2, 0, "nothing is held"), (-3, 1, -2, "-2 ES is held")],
)
def test_a_reversal_that_stops_reckons_what_is_held_from_its_legs(position: int, filled: int, held: int, told: str) -> None:
    base = order(Operation.TARGET, auto_exit=True, position_before=Decimal(position), state=OrderState.CLOSING, owns_lane=True)
    leg = new_leg(base, "close", "ESZ6", Side.of(Decimal(-position)), abs(Decimal(position)), reduce_only=True)
    shown = LegStatus.CANCELLED if filled < abs(position) else LegStatus.FILLED
    record = observed(base.with_leg(leg), "close", view(filled, status=shown), AT)

    aborted = stopped(record, AT, "close_not_filled")
    assert (aborted.state, aborted.held, aborted.message) == (OrderState.ABORTED, held, told)


def test_a_late_refusal_keeps_the_venues_own_words() -> None:
    order = observed(sent(), "main", LegView(LegStatus.REJECTED, "V1", reason="insufficient_margin", text="not enough money"), AT)
    assert (order.state, order.reason, order.message) == (OrderState.REJECTED, "insufficient_margin", "not enough money")
    assert order.legs[0].text == "not enough money"
