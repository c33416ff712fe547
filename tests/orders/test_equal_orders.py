"""Orders that look alike at a venue which keeps no ids of ours: a lost one is never taken for one that is known."""

from dataclasses import replace

from fillpath.orders.model import Leg, Operation, OrderState
from fillpath.orders.outcomes import LegView, Outcome
from fillpath.orders.ports.desk import AccountRef
from fillpath.orders.ports.order_store import RECENT
from tests.orders.floor import Fakes, fakes, signal
from tests.orders.venue import FORGETFUL, Venue, lost_reply, never_arrived

NAMELESS = replace(FORGETFUL, client_order_ids=False)


class Nameless(Venue):
    """Finds an order by its side and size alone, the newest first, and takes none of `others`."""

    def look_up(self, account: AccountRef, leg: Leg, others: frozenset[str] = frozenset()) -> LegView | None:
        self.asked_without = others
        alike = (
            order
            for order in reversed(self.orders)
            if (order.leg.side, order.leg.quantity) == (leg.side, leg.quantity)
            and (leg.broker_order_id or order.view.broker_order_id) == order.view.broker_order_id
            and order.view.broker_order_id not in others
        )
        return next((order.view for order in alike), None)

    def submit(self, account: AccountRef, leg: Leg) -> Outcome:
        return super().submit(account, leg)


def on_nameless() -> tuple[Fakes, Nameless]:
    on = fakes(NAMELESS)
    venue = Nameless(on.clock, NAMELESS)
    return replace(on, desk=venue), venue


def test_a_lost_order_that_never_arrived_is_not_taken_for_its_twin() -> None:
    on, venue = on_nameless()
    first = signal(on, Operation.ENTER_LONG)
    on.run()
    venue.answers_to("main", never_arrived)
    second = signal(on, Operation.ENTER_LONG)
    on.run()
    on.settle()
    assert on.state(first)[0] is OrderState.FILLED
    assert on.state(second) == (OrderState.REJECTED, "not_placed")
    assert on.held() == 1


def test_a_lost_order_that_arrived_is_found_beside_its_twin() -> None:
    on, venue = on_nameless()
    first = signal(on, Operation.ENTER_LONG)
    on.run()
    venue.answers_to("main", lost_reply)
    second = signal(on, Operation.ENTER_LONG)
    on.run()
    on.verify(second)
    ids = [on.get(order).legs[0].broker_order_id for order in (first, second)]
    assert ids == ["V1", "V2"]
    assert venue.asked_without == frozenset({"V1"})


def test_where_the_venue_keeps_our_ids_nobody_else_is_looked_at() -> None:
    on = fakes(FORGETFUL)
    signal(on, Operation.ENTER_LONG)
    on.run()
    on.desk.answers_to("main", lost_reply)
    second = signal(on, Operation.ENTER_LONG)
    on.run()
    on.verify(second)
    assert on.get(second).legs[0].broker_order_id == "V2"


def test_a_burst_of_refused_orders_does_not_make_a_lost_one_take_its_twins_fill() -> None:
    on, venue = on_nameless()
    signal(on, Operation.ENTER_LONG)
    on.run()
    venue.answers_to("main", never_arrived)
    lost = signal(on, Operation.ENTER_LONG)
    on.run()
    for _ in range(RECENT + 5):
        signal(on, Operation.ENTER_LONG)
    for _ in range(RECENT + 5):
        on.run()
    on.settle()
    assert on.state(lost) == (OrderState.REJECTED, "not_placed")
