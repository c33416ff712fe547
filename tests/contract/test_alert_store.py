"""AlertStore: one read that decides, one transaction that accepts, the replay guard, the inbox."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest

from fillpath.accounts.ports.controls import Halt
from fillpath.errors import NotFound, Replayed
from fillpath.orders.model import Order
from tests.contract.hosts import Host
from tests.contract.records import NOW, a_user, a_webhook, an_account, an_entry, an_order, an_owner, changed, later, rejected

DAY = "2026-03-02"


def test_a_token_leads_to_its_webhook(host: Host) -> None:
    host.accounts.save_webhook(a_webhook(), {"digest": an_owner()})
    assert host.alerts.owner_of("digest") == an_owner()


def test_an_unknown_token_leads_to_nothing(host: Host) -> None:
    assert host.alerts.owner_of("digest") is None


def test_the_context_holds_webhook_user_accounts_and_nothing_else_where_nothing_is_set(host: Host) -> None:
    host.accounts.save(a_user())
    host.accounts.save(an_account("acc-1"))
    host.accounts.save(an_account("acc-2", symbols=("ES", "NQ"), terms_accepted_at=NOW))
    host.accounts.save(an_account("acc-3"))
    host.accounts.save_webhook(a_webhook(wait_s=Decimal("1.5"), daily_limit=20), {})
    context = host.alerts.context(an_owner(), "guard", NOW)
    assert context.webhook == a_webhook(wait_s=Decimal("1.5"), daily_limit=20)
    assert context.user == a_user()
    assert context.accounts == {
        "acc-1": an_account("acc-1"),
        "acc-2": an_account("acc-2", symbols=("ES", "NQ"), terms_accepted_at=NOW),
    }
    assert (context.halts, context.accepted_today, context.replay_of) == ({}, 0, None)


def with_settings(host: Host) -> Host:
    host.accounts.save(a_user())
    host.accounts.save(an_account("acc-1"))
    host.accounts.save_webhook(a_webhook(), {})
    return host


def test_the_context_holds_every_halt_that_touches_a_route(host: Host) -> None:
    with_settings(host)
    for scope in ("environment", "user:ann", "account:acc-2", "user:ben", "account:acc-3"):
        host.controls.halt(scope, NOW, "a test")
    halts = host.alerts.context(an_owner(), "guard", NOW).halts
    assert halts == {scope: Halt(scope, NOW, "a test") for scope in ("environment", "user:ann", "account:acc-2")}


def test_an_account_that_is_gone_is_left_out_of_the_context(host: Host) -> None:
    with_settings(host)
    assert set(host.alerts.context(an_owner(), "guard", NOW).accounts) == {"acc-1"}


def test_two_routes_to_one_account_are_read_once(host: Host) -> None:
    with_settings(host)
    owner = an_owner(account_ids=("acc-1", "acc-1"))
    assert set(host.alerts.context(owner, "guard", NOW).accounts) == {"acc-1"}


def test_a_context_of_many_accounts_is_whole(host: Host) -> None:
    with_settings(host)
    account_ids = tuple(f"acc-{number}" for number in range(60))
    for account_id in account_ids:
        host.accounts.save(an_account(account_id))
    context = host.alerts.context(an_owner(account_ids=account_ids), "guard", NOW)
    assert set(context.accounts) == set(account_ids)


def test_there_is_no_context_for_a_webhook_or_a_user_that_is_gone(host: Host) -> None:
    with_settings(host)
    with pytest.raises(NotFound):
        host.alerts.context(an_owner(webhook_id="gone"), "guard", NOW)
    with pytest.raises(NotFound):
        host.alerts.context(an_owner(user_id="gone"), "guard", NOW)


def test_the_context_counts_the_webhooks_alerts_of_the_day(host: Host) -> None:
    with_settings(host)
    for webhook_id, day in (("hook-1", DAY), ("hook-1", DAY), ("hook-1", "2026-03-01"), ("hook-2", DAY)):
        host.alerts.count(webhook_id, day)
    assert host.alerts.context(an_owner(), "guard", NOW).accepted_today == 2


def test_the_context_shows_that_an_alert_was_accepted_before(host: Host) -> None:
    with_settings(host)
    order = an_order()
    host.alerts.accept("guard", (order,), an_entry(order))
    assert host.alerts.context(an_owner(), "guard", NOW).replay_of == (order.alert_id, (order.order_id,))


def test_accepting_writes_every_order_its_place_in_its_lane_and_the_inbox(host: Host) -> None:
    orders = (an_order(), an_order(account_id="acc-2"), rejected(an_order(account_id="acc-3")))
    entry = an_entry(*orders)
    host.alerts.accept("guard", orders, entry)
    assert tuple(host.orders.get(order.order_id) for order in orders) == orders
    assert [[waiting.order_id for waiting in host.orders.lane(order.lane).waiting] for order in orders] == [
        [orders[0].order_id],
        [orders[1].order_id],
        [],
    ]
    assert host.inbox.newest("ann", 5) == (entry,)


def test_the_same_guard_again_is_a_replay_that_tells_what_the_first_became(host: Host) -> None:
    first, second = (an_order(), an_order(account_id="acc-2")), (an_order(later(1)),)
    host.alerts.accept("guard", first, an_entry(*first))
    with pytest.raises(Replayed) as replayed:
        host.alerts.accept("guard", second, an_entry(*second))
    assert replayed.value.alert_id == first[0].alert_id
    assert replayed.value.order_ids == tuple(order.order_id for order in first)


def test_a_replay_writes_nothing(host: Host) -> None:
    first, second = an_order(), an_order(later(1))
    host.alerts.accept("guard", (first,), an_entry(first))
    with pytest.raises(Replayed):
        host.alerts.accept("guard", (second,), an_entry(second))
    with pytest.raises(NotFound):
        host.orders.get(second.order_id)
    assert [waiting.order_id for waiting in host.orders.lane(first.lane).waiting] == [first.order_id]
    assert len(host.inbox.newest("ann", 5)) == 1


def test_different_alerts_at_the_same_moment_do_not_fail_each_other(host: Host) -> None:
    orders = [an_order(later(number / 1000)) for number in range(4)]

    def accept(order: Order) -> None:
        host.alerts.accept(order.order_id, (order,), an_entry(order))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(accept, orders))
    assert [waiting.order_id for waiting in host.orders.lane(orders[0].lane).waiting] == [order.order_id for order in orders]


def test_of_the_same_alert_many_times_at_once_one_is_accepted(host: Host) -> None:
    orders = [an_order(later(number / 1000)) for number in range(6)]

    def accept(order: Order) -> str | None:
        try:
            host.alerts.accept("guard", (order,), an_entry(order))
        except Replayed as replayed:
            return replayed.alert_id
        return None

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(accept, orders))
    (winner,) = [order for order, answer in zip(orders, answers, strict=True) if answer is None]
    assert set(answers) == {None, winner.alert_id}
    assert [waiting.order_id for waiting in host.orders.lane(winner.lane).waiting] == [winner.order_id]


def test_a_guard_holds_for_its_time_and_is_then_written_over(host: Host) -> None:
    with_settings(host)
    first, early, late = an_order(), an_order(later(60)), an_order(later(61))
    host.alerts.accept("guard", (first,), an_entry(first), timedelta(seconds=60))
    assert host.alerts.context(an_owner(), "guard", later(60)).replay_of == (first.alert_id, (first.order_id,))
    with pytest.raises(Replayed) as replayed:
        host.alerts.accept("guard", (early,), an_entry(early, received_at=later(60)), timedelta(seconds=60))
    assert replayed.value.alert_id == first.alert_id
    assert host.alerts.context(an_owner(), "guard", later(61)).replay_of is None
    host.alerts.accept("guard", (late,), an_entry(late, received_at=later(61)))
    assert host.alerts.context(an_owner(), "guard", later(86_400)).replay_of == (late.alert_id, (late.order_id,))


def test_the_context_shows_when_each_root_was_entered_last(host: Host) -> None:
    with_settings(host)
    entries = [("hook-1", "ES", NOW), ("hook-1", "6E", NOW), ("hook-1", "ES", later(1.5)), ("hook-2", "NQ", NOW)]
    for webhook_id, root, at in entries:
        host.alerts.entered(webhook_id, root, at)
    assert host.alerts.context(an_owner(), "guard", NOW).entered_at == {"ES": later(1.5), "6E": NOW}


def test_a_refusal_is_kept_in_the_inbox(host: Host) -> None:
    entry = an_entry(
        code="stale_alert",
        layer="time",
        reason="too old",
        details={"age_s": 61, "limits": ["a", None], "late": True},
        dialect="canonical",
        canonical={"action": "buy", "quantity": "1.5"},
    )
    host.alerts.record(entry)
    assert host.inbox.newest("ann", 5) == (entry,)
    assert host.inbox.get("ann", entry.alert_id) == entry


def test_an_entry_of_somebody_else_or_nobody_is_not_found(host: Host) -> None:
    entry = an_entry()
    host.alerts.record(entry)
    for user_id, alert_id in (("ben", entry.alert_id), ("ann", "nothing")):
        with pytest.raises(NotFound):
            host.inbox.get(user_id, alert_id)


def test_the_inbox_shows_own_entries_newest_first(host: Host) -> None:
    entries = [an_entry(an_order(later(number))) for number in (2, 0, 1)]
    for entry in entries:
        host.alerts.record(entry)
    host.alerts.record(an_entry(user_id="ben"))
    newest = sorted(entries, key=lambda entry: entry.alert_id, reverse=True)
    assert host.inbox.newest("ann", 2) == tuple(newest[:2])
    assert host.inbox.newest("nobody", 2) == ()


def test_an_order_goes_on_from_the_version_that_was_accepted(host: Host) -> None:
    order = an_order()
    host.alerts.accept("guard", (order,), an_entry(order))
    assert host.orders.save(order, changed(order, reason="x")).version == order.version + 1
