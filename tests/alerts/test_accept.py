"""The layers that an alert passes, in order, and what is kept of each hit."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from fillpath.accounts.manage import rotate_webhook
from fillpath.accounts.model import Gate, Route
from fillpath.alerts.accept import Desks, Hit, accept, send_unsent
from fillpath.errors import Refused, Replayed, StorageUnavailable
from fillpath.orders.model import Listing, Operation, OrderState
from tests.alerts.desk import NOW, FrontDesk, exit_fields

TWO_ROUTES = (Route(account_id="A1"), Route(account_id="A2", multiplier=Decimal(3)))


class Failing:
    """A port of which one method fails, before its effect or after it."""

    def __init__(self, port: Any, method: str, *, after: bool = False) -> None:
        self._port, self._method, self._after = port, method, after

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._port, name)
        return (lambda *given: self._fail(real, given)) if name == self._method else real

    def _fail(self, real: Any, given: Any) -> None:
        if self._after:
            real(*given)
        raise StorageUnavailable(self._method)


def at_the(front: FrontDesk, desks: Desks, **fields: Any) -> object:
    return accept(Hit(front.access.token, json.dumps(front.alert(**fields)).encode(), NOW), desks)


def test_an_alert_becomes_one_waiting_order_and_wakes_its_lane() -> None:
    front = FrontDesk()
    accepted = front.post()
    (order,) = accepted.orders
    assert front.orders == [order]
    assert (order.state, order.listing, order.operation) == (OrderState.QUEUED, Listing.WAITING, Operation.ENTER_LONG)
    assert (order.root, order.contract, order.quantity) == ("ES", "ESH6", 1)
    assert order.deadline == NOW + timedelta(seconds=60)
    assert [(message.lane, message.wake_id) for message in front.lanes.messages] == [(order.lane, order.order_id)]
    assert front.tables.counters == {("W1", "2026-03-02"): 1}


def test_a_share_outside_the_catalogue_is_known_by_the_exchange_beside_its_symbol() -> None:
    (order,) = FrontDesk().post(symbol="SHOP", exchange="NYSE").orders
    assert (order.root, order.contract, order.symbol) == ("SHOP", "SHOP", "SHOP")
    with pytest.raises(Refused, match="with its exchange"):
        FrontDesk().post(symbol="SHOP")


def test_an_accepted_alert_is_in_the_inbox_with_its_orders() -> None:
    front = FrontDesk()
    accepted = front.post()
    (entry,) = front.inbox
    assert (entry.code, entry.layer, entry.alert_id) == ("accepted", "commit", accepted.alert_id)
    assert entry.order_ids == (accepted.orders[0].order_id,)


def test_the_token_may_stand_in_the_body() -> None:
    front = FrontDesk()
    body = json.dumps(front.alert(token=front.access.token)).encode()
    assert front.post(body, token=None).orders


@pytest.mark.parametrize("token", [None, "nobody's"])
def test_a_missing_or_unknown_token_leads_nowhere(token: str | None) -> None:
    front = FrontDesk()
    assert front.refusal(token=token).code == "unknown_token"
    assert front.inbox == ()
    assert front.orders == []


def test_each_layer_speaks_before_the_next() -> None:
    front = FrontDesk(daily_limit=0)
    front.user(plan_active=False)
    late: dict[str, Any] = {"timestamp": "2026-03-02T14:00:00Z"}
    wrong: dict[str, Any] = {"secret": "wrong"}
    assert front.refusal(action="hold", **late, **wrong).code == "invalid_alert"
    assert front.refusal(**late, **wrong).code == "stale_alert"
    assert front.refusal(**wrong).code == "bad_secret"
    assert front.refusal().code == "daily_limit"
    assert [entry.layer for entry in front.inbox] == ["parse", "time", "secret", "rules"]


@pytest.mark.parametrize(
    ("fields", "age_s", "code"),
    [
        pytest.param({}, 30, None, id="an entry at its limit"),
        pytest.param({}, 31, "stale_alert", id="an entry past it"),
        pytest.param({"action": "close", "quantity": None}, 300, None, id="a close at its limit"),
        pytest.param({"action": "close", "quantity": None}, 301, "stale_alert", id="a close past it"),
        pytest.param({"action": "sell", "order_type": "exit"}, 300, None, id="an exit at its limit"),
        pytest.param(exit_fields(), 300, None, id="a flat target at its limit"),
        pytest.param(exit_fields(1, 2), 300, None, id="a target toward zero at its limit"),
        pytest.param({}, -10, None, id="a clock that is a little ahead"),
        pytest.param({}, -11, "stale_alert", id="the future"),
    ],
)
def test_an_alert_lives_as_long_as_its_kind(fields: dict[str, Any], age_s: int, code: str | None) -> None:
    front = FrontDesk()
    at = NOW + timedelta(seconds=age_s)
    if code is None:
        assert front.post(at=at, **fields).orders
    else:
        assert front.refusal(at=at, **fields).code == code


def test_the_limits_are_the_webhooks_own() -> None:
    front = FrontDesk(entry_staleness_s=5, reduction_staleness_s=10)
    assert front.refusal(at=NOW + timedelta(seconds=6)).code == "stale_alert"
    assert front.post(at=NOW + timedelta(seconds=6), action="close").orders


@pytest.mark.parametrize("secret", [None, "", "wrong", "x" * 32])
def test_a_missing_or_wrong_secret_is_refused(secret: str | None) -> None:
    front = FrontDesk()
    assert front.refusal(secret=secret).code == "bad_secret"
    assert front.orders == []


def test_the_secret_of_another_webhook_is_wrong() -> None:
    front, other = FrontDesk(), FrontDesk(webhook_id="W2")
    assert front.refusal(secret=other.access.secret).code == "bad_secret"


def test_the_same_alert_again_is_a_replay_that_names_the_first() -> None:
    front = FrontDesk()
    first = front.post()
    with pytest.raises(Replayed) as caught:
        front.post(at=NOW + timedelta(seconds=5))
    assert caught.value.alert_id == first.alert_id
    assert caught.value.order_ids == (first.orders[0].order_id,)
    assert len(front.orders) == 1
    assert [(entry.code, entry.layer) for entry in front.inbox] == [("accepted", "commit"), ("replayed_alert", "replay")]
    assert front.tables.counters == {("W1", "2026-03-02"): 1}


@pytest.mark.parametrize("spelling", ["whitespace", "order of keys", "escapes", "numbers as strings"])
def test_the_same_alert_in_another_spelling_is_a_replay(spelling: str) -> None:
    front = FrontDesk()
    alert = front.alert()
    front.post(json.dumps(alert).encode())
    bodies = {
        "whitespace": json.dumps(alert, indent=4),
        "order of keys": json.dumps(dict(reversed(alert.items()))),
        "escapes": json.dumps(alert).replace("buy", "\\u0062uy"),
        "numbers as strings": json.dumps({key: str(value) for key, value in alert.items()}),
    }
    with pytest.raises(Replayed):
        front.post(bodies[spelling].encode())
    assert len(front.orders) == 1


@pytest.mark.parametrize(
    "fields", [{"id": "2"}, {"quantity": 2}, {"action": "sell"}, {"symbol": "NQ1!"}, {"timestamp": "2026-03-02T14:30:01Z"}]
)
def test_an_alert_that_differs_in_anything_is_no_replay(fields: dict[str, Any]) -> None:
    front = FrontDesk()
    front.post(id="1")
    assert front.post(**{"id": "1"} | fields).orders


def test_two_webhooks_may_get_the_same_alert() -> None:
    first, second = FrontDesk(), FrontDesk(webhook_id="W2")
    first.post()
    second.desks.alerts.tables.guards.update(first.tables.guards)  # type: ignore[attr-defined]  # the fake shares its tables
    assert second.post().orders


def test_who_loses_the_race_for_the_guard_is_a_replay() -> None:
    front = FrontDesk()
    first = front.post()

    class Blind(Failing):
        def _fail(self, real: Any, given: Any) -> Any:
            context = real(*given)
            return type(context)(context.webhook, context.user, context.accounts)

    with pytest.raises(Replayed) as caught:
        at_the(front, Desks(Blind(front.alerts, "context"), front.lanes, front.key, front.venues))
    assert caught.value.alert_id == first.alert_id
    assert len(front.orders) == 1


def test_a_replay_sends_the_wake_up_that_was_lost() -> None:
    front = FrontDesk()
    accepted = front.post()
    front.lanes.messages.clear()
    front.lanes._sent.clear()
    send_unsent(accepted.orders, front.desks)
    assert [message.wake_id for message in front.lanes.messages] == [accepted.orders[0].order_id]


def test_a_daily_limit_holds_back_entries_until_midnight_and_lets_exits_pass() -> None:
    front = FrontDesk(daily_limit=1)
    front.post()
    refusal = front.refusal(id="second")
    assert refusal.code == "daily_limit"
    assert refusal.details == {"limit": 1, "resets_at": "2026-03-03T00:00:00Z"}
    assert front.post(action="close").orders
    assert front.post(**exit_fields()).orders
    assert front.tables.counters == {("W1", "2026-03-02"): 1}
    tomorrow = NOW + timedelta(days=1)
    assert front.post(at=tomorrow, timestamp=tomorrow.isoformat()).orders


def test_a_refused_alert_uses_up_no_limit() -> None:
    front = FrontDesk(daily_limit=5)
    front.refusal(secret="wrong")
    front.refusal(symbol="nonsense")
    assert front.tables.counters == {}


def test_two_distinct_alerts_of_one_moment_are_both_accepted() -> None:
    front = FrontDesk()
    first, second = front.post(id="1"), front.post(id="2")
    assert len(front.orders) == 2
    assert first.alert_id != second.alert_id


def test_a_lane_that_cannot_be_woken_does_not_fail_the_alert() -> None:
    front = FrontDesk()
    at_the(front, Desks(front.alerts, Failing(front.lanes, "wake"), front.key, front.venues))
    assert front.orders[0].state is OrderState.QUEUED
    assert front.tables.counters == {("W1", "2026-03-02"): 1}


def test_a_count_that_cannot_be_kept_does_not_fail_the_alert() -> None:
    front = FrontDesk()
    at_the(front, Desks(Failing(front.alerts, "count"), front.lanes, front.key, front.venues))
    assert front.lanes.messages


@pytest.mark.parametrize("method", ["owner_of", "context", "accept"])
def test_a_storage_that_fails_before_the_commit_asks_for_a_resend_that_succeeds(method: str) -> None:
    front = FrontDesk()
    with pytest.raises(StorageUnavailable):
        at_the(front, Desks(Failing(front.alerts, method), front.lanes, front.key, front.venues))
    assert front.orders == []
    assert front.post().orders


def test_a_master_key_that_cannot_be_read_asks_for_a_resend() -> None:
    front = FrontDesk()
    with pytest.raises(StorageUnavailable):
        at_the(front, Desks(front.alerts, front.lanes, Failing(front.key, "read"), front.venues))
    assert front.post().orders


def test_a_commit_whose_answer_was_lost_is_found_by_the_resend() -> None:
    front = FrontDesk()
    with pytest.raises(StorageUnavailable):
        at_the(front, Desks(Failing(front.alerts, "accept", after=True), front.lanes, front.key, front.venues))
    with pytest.raises(Replayed) as caught:
        front.post()
    assert [order.order_id for order in front.orders] == list(caught.value.order_ids)


def test_a_refusal_that_cannot_be_kept_stands_all_the_same() -> None:
    front = FrontDesk()
    with pytest.raises(Refused) as caught:
        at_the(front, Desks(Failing(front.alerts, "record"), front.lanes, front.key, front.venues), secret="wrong")
    assert caught.value.code == "bad_secret"


@pytest.mark.parametrize(("after", "code"), [(3599, None), (3601, "unknown_token")])
def test_a_rotated_token_works_until_its_overlap_is_over(after: int, code: str | None) -> None:
    front = FrontDesk()
    old = front.access
    rotate_webhook(front.webhook, front.accounts, front.key.read(), NOW, timedelta(hours=1))
    at = NOW + timedelta(seconds=after)
    fields: dict[str, Any] = {"secret": old.secret, "timestamp": at.isoformat()}
    if code is None:
        assert front.post(at=at, token=old.token, **fields).orders
    else:
        assert front.refusal(at=at, token=old.token, **fields).code == code


def test_a_new_token_does_not_take_the_old_secret() -> None:
    front = FrontDesk()
    old = front.access
    new = rotate_webhook(front.webhook, front.accounts, front.key.read(), NOW, timedelta(hours=1))
    assert front.refusal(token=new.token, secret=old.secret).code == "bad_secret"
    assert front.refusal(token=old.token, secret=new.secret).code == "bad_secret"
    assert front.post(token=new.token, secret=new.secret).orders


LEAKS: list[dict[str, Any]] = [
    {}, {"action": "hold"}, {"symbol": "nonsense"}, {"timestamp": "2026-03-02T14:00:00Z"}, {"Secret": "S"}, {"SECRET": "S"},
    {" secret": "S"}, {"passphrase": "S"}, {"comment": "S"}, {"timestamp": "S"}, {"quantity": "S"}, {"extra": {"secret": "S"}},
    {"S": 1}, {"token": "T"}, {"Token": "T"}, {"comment": "T"},
]  # fmt: skip


@pytest.mark.parametrize("fields", LEAKS, ids=repr)
def test_neither_secret_nor_token_is_ever_kept_or_told(fields: dict[str, Any]) -> None:
    front = FrontDesk()
    secret, token = front.access.secret, front.access.token
    real = {"S": secret, "T": token}
    hot = {real.get(key, key): real.get(value, value) if isinstance(value, str) else value for key, value in fields.items()}
    if "extra" in hot:
        hot["extra"] = {"secret": secret}
    told = ""
    try:
        front.post(json.dumps(front.alert(**hot)).encode())
    except Refused as refusal:
        told = f"{refusal.message} {refusal.details}"
    for text in (told, repr(front.inbox), repr(front.orders)):
        assert secret not in text
        assert token not in text


def test_a_webhook_without_a_route_says_so() -> None:
    front = FrontDesk()
    front.tables.webhooks["W1"] = front.webhook.model_copy(update={"routes": ()})
    assert front.refusal().code


def test_a_hit_that_cannot_be_read_is_in_the_inbox_all_the_same() -> None:
    front = FrontDesk()
    assert front.refusal(b"buy ES now").code == "invalid_alert"
    assert front.refusal(b"x" * 9000).code == "invalid_alert"
    assert [entry.body for entry in front.inbox] == [
        "buy ES now", "<9000 bytes that cannot be read>",
    ]  # fmt: skip


def test_one_refused_route_does_not_hold_back_the_other() -> None:
    front = FrontDesk(*TWO_ROUTES)
    front.account("A2", terms_accepted_at=None)
    good, bad = front.post().orders
    assert (good.account_id, good.state, good.listing) == ("A1", OrderState.QUEUED, Listing.WAITING)
    assert (bad.account_id, bad.state, bad.reason) == ("A2", OrderState.REJECTED, "terms_not_accepted")
    assert bad.listing is Listing.NONE
    assert [message.lane.account_id for message in front.lanes.messages] == ["A1"]
    assert set(front.tables.orders) == {good.order_id, bad.order_id}


def test_an_alert_is_refused_as_a_whole_when_every_route_is() -> None:
    front = FrontDesk(*TWO_ROUTES)
    front.account("A1", symbols=("NQ",))
    front.account("A2", terms_accepted_at=None)
    refusal = front.refusal()
    assert refusal.code == "symbol_not_allowed"
    assert [route["code"] for route in refusal.details["routes"]] == ["symbol_not_allowed", "terms_not_accepted"]
    assert front.orders == []
    assert front.post(action="close", id="2").orders


@pytest.mark.parametrize("barrier", ["plan", "daily limit", "age"])
def test_a_resync_may_only_reduce_where_an_entry_would_be_refused(barrier: str) -> None:
    front = FrontDesk(gate=Gate.RESYNC, daily_limit=0 if barrier == "daily limit" else None)
    front.user(plan_active=barrier != "plan")
    at = NOW + timedelta(seconds=100 if barrier == "age" else 0)
    (order,) = front.post(at=at, **exit_fields(1, 2)).orders
    assert order.gate is Gate.IGNORE


def test_a_resync_that_is_entitled_to_enter_stays_one() -> None:
    front = FrontDesk(gate=Gate.RESYNC)
    (order,) = front.post(**exit_fields(1, 2)).orders
    assert order.gate is Gate.RESYNC
