"""Orders that the broker had accepted and does not know any more, and brokers that take nothing for a long time."""

from datetime import timedelta
from decimal import Decimal

import pytest

from fillpath.errors import NeedsReauth, NotSent
from fillpath.orders.act import ComeBack
from fillpath.orders.model import Operation, Order, OrderState, OrderType
from fillpath.orders.transitions import vanished
from tests.orders.brackets import at_limit, entered
from tests.orders.floor import Fakes, at_rest, fakes, reversing, signal
from tests.orders.venue import DEDUPLICATES, FORGETFUL, PROVES_NOTHING, limited


def forgotten(on: Fakes, *numbers: int) -> None:
    """The broker has been set back: it knows nothing of these orders any more."""
    gone = {f"V{number}" for number in numbers}
    known = on.desk.known_as
    on.desk.known_as = lambda leg: None if leg.broker_order_id in gone else known(leg)  # type: ignore[method-assign]  as a venue would


def test_an_order_that_the_broker_has_forgotten_ends_and_is_told() -> None:
    on = fakes()
    entry = at_rest(on, Operation.ENTER_LONG)
    forgotten(on, 1)
    on.sweep()
    assert on.get(entry).state is OrderState.WORKING
    on.sweep()
    assert on.state(entry) == (OrderState.CANCELLED, "vanished")
    assert "has not known it since" in str(on.get(entry).message)
    assert on.counted("OrderVanished") == 1
    assert on.lane().working == ()


def test_an_order_that_is_only_not_shown_for_a_moment_works_on() -> None:
    on = fakes()
    entry = at_rest(on, Operation.ENTER_LONG)
    known = on.desk.known_as
    for _ in range(4):
        forgotten(on, 1)
        on.sweep(10)
        on.sweep(10)
        on.desk.known_as = known  # type: ignore[method-assign]  as a venue would
        on.sweep(20)
    assert on.get(entry).state is OrderState.WORKING
    assert on.counted("OrderVanished") == 0


def test_where_absence_proves_nothing_an_order_stays() -> None:
    on = fakes(PROVES_NOTHING)
    entry = at_rest(on, Operation.ENTER_LONG)
    forgotten(on, 1)
    on.settle(10)
    assert on.get(entry).state is OrderState.WORKING


@pytest.mark.parametrize("venue", [DEDUPLICATES, FORGETFUL], ids=["reduce-only", "no reduce-only"])
def test_a_close_gets_past_an_order_that_the_broker_has_forgotten(venue: object) -> None:
    on = fakes(venue)  # type: ignore[arg-type]  of the parametrisation
    on.hold(2)
    at_rest(on, Operation.EXIT_LONG, 2, type=OrderType.STOP, limit_price=None)
    forgotten(on, 1)
    close = signal(on, Operation.CLOSE, None)
    step = on.run()
    assert on.state(close) == (OrderState.QUEUED, "waiting_for_cancel")
    while isinstance(step, ComeBack):
        on.clock.sleep(step.delay_s)
        step = on.run()
    assert (on.get(close).state, on.held()) == (OrderState.FILLED, 0)
    assert on.get(close).deadline is not None
    assert on.clock.now() < on.get(close).received_at + timedelta(seconds=60)


def test_what_waits_for_a_cancellation_names_the_order() -> None:
    on = fakes()
    on.hold(2)
    stop = at_rest(on, Operation.EXIT_LONG, 2, type=OrderType.STOP, limit_price=None)
    on.desk.hears_cancels = False
    close = signal(on, Operation.CLOSE, None)
    on.run()
    assert on.get(close).message == f"waits until the broker shows {stop.order_id[-6:]} cancelled"


def test_exits_that_the_broker_has_forgotten_are_placed_again() -> None:
    on = fakes()
    entry = entered(on)
    forgotten(on, 2)
    on.settle(4)
    exits = on.exits(entry)
    assert exits.state is OrderState.WORKING
    assert [leg.leg for leg in exits.legs] == ["exits", "protect-1"]
    assert on.counted("OrderVanished") == 1


def test_an_entry_that_may_have_filled_before_it_was_forgotten_keeps_its_exits() -> None:
    on = fakes()
    entry = at_limit(on)
    on.desk.fill_now(f"{entry.order_id}-main")  # and nobody has looked
    forgotten(on, 1)
    on.settle(6)
    assert on.state(entry) == (OrderState.CANCELLED, "vanished")
    assert (on.exits(entry).state, on.held()) == (OrderState.WORKING, 2)
    assert len(on.desk.working()) == 1


def test_one_that_had_not_filled_takes_its_exits_along() -> None:
    on = fakes()
    entry = at_limit(on)
    forgotten(on, 1)
    on.settle(8)
    assert on.exits(entry).state.ended
    assert on.desk.orders[1].view.status.ended


def test_a_leg_that_was_seen_meanwhile_has_not_vanished() -> None:
    on = fakes()
    entry = at_rest(on, Operation.ENTER_LONG)
    since = on.clock.now()
    assert vanished(on.get(entry), "main", since, since) == on.get(entry)


def test_a_reversal_whose_open_was_forgotten_tells_what_is_held() -> None:
    on = fakes()
    order = reversing(on)
    on.desk.fill = lambda leg: leg.quantity if leg.reduce_only else Decimal(0)
    on.reverse(order)
    assert on.get(order).state is OrderState.WORKING
    number = len(on.desk.orders)
    on.desk.fill_now(f"{order.order_id}-open")
    forgotten(on, number)
    on.settle(6)
    ended = on.get(order)
    assert (ended.state, ended.held, on.held()) == (OrderState.ABORTED, -1, -1)
    assert "-1 ES is held" in str(ended.message)


def test_looks_for_a_cancellation_leave_the_broker_time() -> None:
    on = fakes()
    on.hold(2)
    at_rest(on, Operation.EXIT_LONG, 2, type=OrderType.STOP, limit_price=None)
    on.desk.hears_cancels = False
    looks = []
    known = on.desk.known_as
    on.desk.known_as = lambda leg: looks.append(leg) or known(leg)  # type: ignore[method-assign,func-returns-value]  counting
    signal(on, Operation.CLOSE, None)
    on.run()
    assert len(looks) <= 8


# --- brokers that take nothing --------------------------------------------------------------------------------------------------


def waiting(on: Fakes, error: Exception) -> tuple[Order, object]:
    """An exit for which the broker is not even asked what is held."""

    def fails() -> None:
        raise error

    on.hold(1)
    on.desk.before_positions = fails
    order = signal(on, Operation.EXIT_LONG, 1)
    return order, on.run()


def test_why_nothing_could_be_sent_stands_with_the_order() -> None:
    on = fakes()
    order, step = waiting(on, NotSent("Tradovate wants a captcha", 3600))
    assert on.state(order) == (OrderState.QUEUED, "broker_unavailable")
    assert on.get(order).message == "Tradovate wants a captcha"
    assert step == ComeBack(30.0)
    assert on.counted("BrokerSilent") == 1


def test_a_short_silence_is_nothing_to_be_told() -> None:
    on = fakes()
    _, step = waiting(on, NotSent("slow down", 12))
    assert step == ComeBack(12)
    assert on.counted("BrokerSilent") == 0


def test_an_exit_tells_that_it_waits_for_a_person() -> None:
    on = fakes()
    order, _ = waiting(on, NeedsReauth("account mine must be signed in again"))
    assert (*on.state(order), on.get(order).message) == (
        OrderState.QUEUED,
        "needs_reauth",
        "account mine must be signed in again",
    )


@pytest.mark.parametrize(("delay_s", "told"), [(5.0, 0), (3600.0, 1)])
def test_a_submit_that_is_put_off_says_why_and_never_hides_its_lane_for_long(delay_s: float, told: int) -> None:
    on = fakes()
    on.desk.answers_to("main", limited(delay_s))
    order = signal(on, Operation.ENTER_LONG)
    step = on.run()
    assert step == ComeBack(min(delay_s, 30.0))
    assert on.get(order).message == "too many requests"
    assert on.counted("BrokerSilent") == told


def test_an_account_that_nobody_is_let_into_is_no_error_of_the_sweep() -> None:
    on = fakes(FORGETFUL)
    entered(on)
    on.desk.before_positions = lambda: (_ for _ in ()).throw(NeedsReauth("sign in again"))
    assert on.sweep(120) == 0
    assert on.counted("SweepErrors") == 0
