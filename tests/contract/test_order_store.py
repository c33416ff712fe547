"""OrderStore: versions, lanes as transactions, fences, listings."""

from datetime import timedelta
from decimal import Decimal

import pytest

from fillpath.errors import Conflict, NotFound
from fillpath.orders.model import Event, Lane, Listing, Order, OrderState, Side
from fillpath.orders.ports.order_store import RECENT, InDoubt, LaneView, Waiting, Working
from tests.contract.hosts import Host
from tests.contract.records import NOW, a_leg, an_entry, an_order, changed, later, rejected

LANE = Lane("acc-1", "ES")


def accepted(host: Host, *orders: Order) -> tuple[Order, ...]:
    host.alerts.accept(orders[0].order_id, orders, an_entry(*orders))
    return orders


def taken(host: Host, order: Order) -> Order:
    return host.orders.take(host.orders.lane(order.lane), order, later(25))


def test_an_accepted_order_is_read_as_it_was_written(host: Host) -> None:
    order = an_order(
        limit_price=Decimal("5000.25"),
        target=Decimal(-3),
        prev_side=-1,
        legs=(a_leg(an_order(), average_price=Decimal("5001.123456789"), filled_at=NOW),),
        events=(Event(at=NOW, to_state="QUEUED"), Event(at=later(1.5), from_state="QUEUED", to_state="SUBMITTING", reason="x")),
    )
    accepted(host, order)
    assert host.orders.get(order.order_id) == order


def test_an_order_that_is_not_there_is_not_found(host: Host) -> None:
    with pytest.raises(NotFound):
        host.orders.get("01HZZZZZZZZZZZZZZZZZZZZZZZ")


def test_a_save_raises_the_version_and_returns_what_is_stored(host: Host) -> None:
    (order,) = accepted(host, an_order())
    stored = host.orders.save(order, changed(order, reason="waiting_for_cancel"))
    assert stored.version == order.version + 1
    assert stored.reason == "waiting_for_cancel"
    assert host.orders.get(order.order_id) == stored


def test_a_save_over_an_older_version_conflicts_and_changes_nothing(host: Host) -> None:
    (order,) = accepted(host, an_order())
    stored = host.orders.save(order, changed(order, reason="first"))
    with pytest.raises(Conflict):
        host.orders.save(order, changed(order, reason="second"))
    assert host.orders.get(order.order_id) == stored


def test_two_equal_saves_over_one_version_do_not_both_succeed(host: Host) -> None:
    (order,) = accepted(host, an_order())
    new = changed(order, reason="same")
    host.orders.save(order, new)
    with pytest.raises(Conflict):
        host.orders.save(order, new)


def test_an_order_that_was_never_accepted_cannot_be_saved(host: Host) -> None:
    order = an_order()
    with pytest.raises(Conflict):
        host.orders.save(order, changed(order, reason="x"))
    with pytest.raises(NotFound):
        host.orders.get(order.order_id)


def test_a_value_that_became_none_is_gone(host: Host) -> None:
    (order,) = accepted(host, an_order(reason="rate_limited", limit_price=Decimal(1)))
    host.orders.save(order, changed(order, reason=None, limit_price=None))
    read = host.orders.get(order.order_id)
    assert (read.reason, read.limit_price) == (None, None)


def test_a_lane_that_nobody_used_is_free_and_empty(host: Host) -> None:
    assert host.orders.lane(LANE) == LaneView(LANE)


def test_a_lane_lists_waiting_orders_lowest_id_first(host: Host) -> None:
    orders = [an_order(later(seconds)) for seconds in (3, 1, 2)]
    for order in orders:
        accepted(host, order)
    expected = tuple(Waiting(order.order_id, order.deadline) for order in sorted(orders, key=lambda o: o.order_id))
    assert host.orders.lane(LANE).waiting == expected


def test_an_order_without_a_deadline_waits_without_one(host: Host) -> None:
    (order,) = accepted(host, an_order(deadline=None))
    assert host.orders.lane(LANE).waiting == (Waiting(order.order_id, None),)


def test_a_lane_shows_nothing_of_other_roots_or_accounts(host: Host) -> None:
    accepted(host, an_order(root="NQ"))
    accepted(host, an_order(account_id="acc-2"))
    accepted(host, an_order(account_id="acc-1#ES"))
    assert host.orders.lane(LANE) == LaneView(LANE)


def test_a_lane_remembers_the_orders_that_took_it_the_newest_last(host: Host) -> None:
    taken = [an_order(later(seconds)) for seconds in range(RECENT + 2)]
    for order in taken:
        (waiting,) = accepted(host, order)
        owner = host.orders.take(host.orders.lane(LANE), waiting, later(25))
        host.orders.save(owner, changed(owner, owns_lane=False))
    assert host.orders.lane(LANE).recent == tuple(order.order_id for order in taken[2:])


def test_an_order_that_takes_its_lane_again_is_remembered_once(host: Host) -> None:
    (order,) = accepted(host, an_order())
    for _ in range(2):
        owner = host.orders.take(host.orders.lane(LANE), host.orders.get(order.order_id), later(25))
        host.orders.save(owner, changed(owner, owns_lane=False))
    assert host.orders.lane(LANE).recent == (order.order_id,)


def test_taking_a_free_lane_makes_the_order_its_owner_under_a_new_fence(host: Host) -> None:
    (order,) = accepted(host, an_order())
    stored = host.orders.take(LaneView(LANE), order, later(25))
    assert (stored.owns_lane, stored.fence, stored.version) == (True, 1, order.version + 1)
    assert host.orders.get(order.order_id) == stored
    view = host.orders.lane(LANE)
    assert (view.owner, view.fence, view.run_until) == (order.order_id, 1, later(25))


def test_taking_the_lane_ends_the_waiting(host: Host) -> None:
    first, second = accepted(host, an_order(), an_order(later(1)))
    assert taken(host, first).listing is Listing.NONE
    assert host.orders.lane(LANE).waiting == (Waiting(second.order_id, second.deadline),)


def test_only_one_of_two_runs_that_saw_the_same_free_lane_takes_it(host: Host) -> None:
    first, second = accepted(host, an_order(), an_order(later(1)))
    view = host.orders.lane(LANE)
    host.orders.take(view, first, later(25))
    with pytest.raises(Conflict):
        host.orders.take(view, second, later(25))
    assert host.orders.get(second.order_id) == second
    assert host.orders.lane(LANE).owner == first.order_id


def test_a_lane_that_was_used_before_can_be_taken_only_as_it_is_now(host: Host) -> None:
    first, second = accepted(host, an_order(), an_order(later(1)))
    stored = taken(host, first)
    stale = host.orders.lane(LANE)
    host.orders.save(stored, changed(stored, state=OrderState.FILLED, owns_lane=False))
    with pytest.raises(Conflict):
        host.orders.take(stale, second, later(25))
    assert taken(host, second).fence == 2


def test_a_lane_is_not_taken_for_an_order_that_has_changed(host: Host) -> None:
    (order,) = accepted(host, an_order())
    host.orders.save(order, changed(order, reason="x"))
    with pytest.raises(Conflict):
        host.orders.take(host.orders.lane(LANE), order, later(25))
    assert host.orders.lane(LANE).owner is None


def test_resuming_an_order_raises_the_fence_and_shuts_out_the_run_before(host: Host) -> None:
    (order,) = accepted(host, an_order())
    before = taken(host, order)
    after = host.orders.take(host.orders.lane(LANE), before, later(50))
    assert after.fence == before.fence + 1
    with pytest.raises(Conflict):
        host.orders.save(before, changed(before, state=OrderState.FILLED, owns_lane=False))
    view = host.orders.lane(LANE)
    assert (view.owner, view.fence, view.run_until) == (order.order_id, after.fence, later(50))


def test_releasing_frees_the_lane_and_keeps_its_fence(host: Host) -> None:
    (order,) = accepted(host, an_order())
    stored = taken(host, order)
    released = host.orders.save(stored, changed(stored, state=OrderState.FILLED, owns_lane=False))
    view = host.orders.lane(LANE)
    assert (view.owner, view.run_until, view.fence) == (None, None, 1)
    assert not host.orders.get(order.order_id).owns_lane
    assert released.fence == 1


def test_a_release_of_a_lane_that_is_anothers_by_now_conflicts_and_changes_nothing(host: Host) -> None:
    first, second = accepted(host, an_order(), an_order(later(1)))
    stored = taken(host, first)
    host.orders.take(host.orders.lane(LANE), second, later(25))
    with pytest.raises(Conflict):
        host.orders.save(stored, changed(stored, state=OrderState.FILLED, owns_lane=False), reduced_at=later(5))
    assert host.orders.get(first.order_id) == stored
    view = host.orders.lane(LANE)
    assert (view.owner, view.reduced_at) == (second.order_id, {})


def test_a_release_based_on_an_older_order_conflicts_and_keeps_the_lane(host: Host) -> None:
    (order,) = accepted(host, an_order())
    stored = taken(host, order)
    host.orders.save(stored, changed(stored, reason="x"))
    with pytest.raises(Conflict):
        host.orders.save(stored, changed(stored, owns_lane=False), reduced_at=NOW)
    view = host.orders.lane(LANE)
    assert (view.owner, view.reduced_at) == (order.order_id, {})


def test_an_order_put_back_waits_again_in_its_place(host: Host) -> None:
    first, second = accepted(host, an_order(), an_order(later(1)))
    stored = taken(host, first)
    host.orders.save(stored, changed(stored, owns_lane=False, listing=Listing.WAITING))
    view = host.orders.lane(LANE)
    assert view.owner is None
    assert [waiting.order_id for waiting in view.waiting] == [first.order_id, second.order_id]


def test_a_resting_order_is_listed_with_its_side_and_whether_it_reduces(host: Host) -> None:
    (order,) = accepted(host, an_order())
    stored = taken(host, order)
    resting = changed(
        stored.with_leg(a_leg(order)), state=OrderState.WORKING, reduces=True, owns_lane=False, listing=Listing.WORKING
    )
    host.orders.save(stored, resting)
    view = host.orders.lane(LANE)
    assert (view.owner, view.waiting, view.working) == (None, (), (Working(order.order_id, Side.SELL, reduces=True),))


def test_an_order_in_doubt_stays_listed_until_it_is_resolved(host: Host) -> None:
    (order,) = accepted(host, an_order(reduces=True))
    stored = taken(host, order)
    unknown = host.orders.save(stored, changed(stored, state=OrderState.UNKNOWN, owns_lane=False, listing=Listing.UNKNOWN))
    assert host.orders.lane(LANE).unknown == (InDoubt(order.order_id, reduces=True),)
    host.orders.save(unknown, changed(unknown, state=OrderState.FILLED, listing=Listing.NONE))
    assert host.orders.lane(LANE).unknown == ()


def test_an_order_moves_from_resting_to_in_doubt_in_one_write(host: Host) -> None:
    (order,) = accepted(host, an_order())
    resting = host.orders.save(order, changed(order.with_leg(a_leg(order)), listing=Listing.WORKING))
    host.orders.save(resting, changed(resting, listing=Listing.UNKNOWN))
    view = host.orders.lane(LANE)
    assert (view.waiting, view.working, view.unknown) == ((), (), (InDoubt(order.order_id, reduces=False),))


def test_a_move_based_on_an_older_order_conflicts_and_moves_nothing(host: Host) -> None:
    (order,) = accepted(host, an_order())
    host.orders.save(order, changed(order, reason="x"))
    with pytest.raises(Conflict):
        host.orders.save(order, rejected(order))
    assert [waiting.order_id for waiting in host.orders.lane(LANE).waiting] == [order.order_id]


def released_at(host: Host, order: Order, seconds: float) -> None:
    stored = taken(host, order)
    host.orders.save(stored, changed(stored, state=OrderState.FILLED, owns_lane=False), reduced_at=later(seconds))


def test_a_release_after_a_reduction_marks_the_lane_for_its_webhook(host: Host) -> None:
    first, second = accepted(host, an_order(webhook_id="hook-1"), an_order(later(1), webhook_id="hook.2"))
    released_at(host, first, 5)
    released_at(host, second, 7)
    assert host.orders.lane(LANE).reduced_at == {"hook-1": later(5), "hook.2": later(7)}


def test_the_mark_of_a_lane_only_rises(host: Host) -> None:
    first, second, third = accepted(host, an_order(), an_order(later(1)), an_order(later(2)))
    released_at(host, first, 5)
    released_at(host, second, 3)
    assert host.orders.lane(LANE).reduced_at == {"hook-1": later(5)}
    assert host.orders.lane(LANE).owner is None
    released_at(host, third, 9)
    assert host.orders.lane(LANE).reduced_at == {"hook-1": later(9)}


def test_the_same_mark_twice_releases_as_well(host: Host) -> None:
    first, second = accepted(host, an_order(), an_order(later(1)))
    released_at(host, first, 5)
    released_at(host, second, 5)
    view = host.orders.lane(LANE)
    assert (view.owner, view.reduced_at) == (None, {"hook-1": later(5)})


def test_a_reduction_without_a_webhook_leaves_no_mark(host: Host) -> None:
    (order,) = accepted(host, an_order(webhook_id=None))
    released_at(host, order, 5)
    view = host.orders.lane(LANE)
    assert (view.owner, view.reduced_at) == (None, {})


def test_a_mark_is_written_on_a_release_only(host: Host) -> None:
    (order,) = accepted(host, an_order())
    stored = taken(host, order)
    host.orders.save(stored, changed(stored, reason="x"), reduced_at=later(5))
    assert host.orders.lane(LANE).reduced_at == {}


def test_marks_stay_when_the_lane_is_taken_again(host: Host) -> None:
    first, second = accepted(host, an_order(), an_order(later(1)))
    released_at(host, first, 5)
    taken(host, second)
    assert host.orders.lane(LANE).reduced_at == {"hook-1": later(5)}


def test_an_order_that_is_added_is_there_as_it_was_written_and_stands_in_its_lane(host: Host) -> None:
    order = an_order(listing=Listing.WORKING, state=OrderState.WORKING, reduces=True, parent_id=an_order().order_id)
    order = order.with_leg(a_leg(order, leg="exits", broker_order_id="7+8", take_profit=Decimal(5), stop_loss=Decimal(3)))
    host.orders.add(order)
    assert host.orders.get(order.order_id) == order
    assert host.orders.lane(LANE).working == (Working(order.order_id, Side.SELL, reduces=True),)
    assert list(host.orders.open_orders()) == [order]
    assert host.orders.of_user("ann", 3) == (order,)


def test_an_order_that_is_added_again_stays_as_it_has_become(host: Host) -> None:
    order = an_order(listing=Listing.WORKING, state=OrderState.WORKING)
    order = order.with_leg(a_leg(order))
    host.orders.add(order)
    ended = host.orders.save(order, changed(order, state=OrderState.FILLED, listing=Listing.NONE))
    host.orders.add(order)
    assert host.orders.get(order.order_id) == ended
    assert host.orders.lane(LANE).working == ()
    assert list(host.orders.open_orders()) == []


@pytest.mark.parametrize("listing", [Listing.NONE, Listing.WAITING])
def test_an_order_is_added_where_its_listing_says(host: Host, listing: Listing) -> None:
    order = an_order(listing=listing)
    host.orders.add(order)
    listed = (Waiting(order.order_id, order.deadline),) if listing is Listing.WAITING else ()
    assert host.orders.lane(LANE) == LaneView(LANE, waiting=listed)


def test_an_order_that_was_added_is_saved_and_taken_like_any_other(host: Host) -> None:
    order = an_order(listing=Listing.WAITING)
    host.orders.add(order)
    stored = taken(host, order)
    assert (stored.owns_lane, stored.version, host.orders.lane(LANE).owner) == (True, 1, order.order_id)


def test_open_orders_are_those_without_an_end_state(host: Host) -> None:
    orders = [an_order(later(number)) for number in range(9)]
    for order in orders:
        accepted(host, order)
    for order in orders[:4]:
        host.orders.save(order, rejected(order))
    assert {order.order_id for order in host.orders.open_orders()} == {order.order_id for order in orders[4:]}


def test_an_order_refused_at_once_is_never_open(host: Host) -> None:
    accepted(host, rejected(an_order()))
    assert list(host.orders.open_orders()) == []
    assert host.orders.lane(LANE).waiting == ()


def test_an_ended_order_stays_open_while_it_still_owns_its_lane(host: Host) -> None:
    (order,) = accepted(host, an_order())
    stored = taken(host, order)
    ended = host.orders.save(stored, changed(stored, state=OrderState.ABORTED))
    assert list(host.orders.open_orders()) == [ended]
    host.orders.save(ended, changed(ended, owns_lane=False))
    assert list(host.orders.open_orders()) == []


def test_open_orders_show_what_is_stored(host: Host) -> None:
    (order,) = accepted(host, an_order())
    stored = taken(host, order)
    assert list(host.orders.open_orders()) == [stored]


def test_a_user_sees_own_orders_newest_first(host: Host) -> None:
    orders = [an_order(NOW + timedelta(seconds=number)) for number in range(4)]
    for order in orders:
        accepted(host, order)
    accepted(host, an_order(later(9), user_id="ben"))
    assert host.orders.of_user("ann", 3) == tuple(reversed(orders[1:]))
    assert host.orders.of_user("nobody", 3) == ()
