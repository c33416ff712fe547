"""What the settings of a webhook change about the way in: where secret and time stand, and which entries are taken when."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fillpath.accounts.model import SecretIn, TimeOf
from fillpath.alerts.accept import AcceptedAlert, accept
from fillpath.alerts.case import Hit
from fillpath.alerts.signature import sign
from fillpath.errors import Refused, Replayed
from tests.alerts.desk import NOW, FrontDesk, exit_fields

CLOSE: dict[str, Any] = {"action": "close", "quantity": None}
TIMELESS: dict[str, Any] = {"timestamp": None}


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def hit_url(front: FrontDesk, secret: str | None, **fields: Any) -> AcceptedAlert:
    """Post an alert without a secret in its message, and this one in the URL."""
    body = json.dumps(front.alert(**{"secret": None} | fields)).encode()
    return accept(Hit(front.access.token, body, NOW, secret=secret), front.desks)


def signed(
    front: FrontDesk,
    *,
    at: datetime = NOW,
    t: str | None = None,
    key: str | None = None,
    header: str | None = None,
    **fields: Any,
) -> AcceptedAlert:
    """Post an alert without a secret, signed at a time and with a key."""
    body = json.dumps(front.alert(**{"secret": None} | fields)).encode()
    t = f"{at.timestamp():.0f}" if t is None else t
    signature = header if header is not None else f"t={t},v1={sign(key or front.access.secret, t, body)}"
    return accept(Hit(front.access.token, body, at, signature=signature), front.desks)


def code_of(post: Any, *given: Any, **fields: Any) -> str:
    with pytest.raises(Refused) as caught:
        post(*given, **fields)
    return caught.value.code


# --- the secret -----------------------------------------------------------------------------------------------------------------


def test_the_secret_may_stand_in_the_url() -> None:
    front = FrontDesk(secret_in=SecretIn.URL)
    assert hit_url(front, front.access.secret).orders


@pytest.mark.parametrize("secret", [None, "", "wrong", "x" * 32])
def test_a_missing_or_wrong_secret_in_the_url_is_refused(secret: str | None) -> None:
    assert code_of(hit_url, FrontDesk(secret_in=SecretIn.URL), secret) == "bad_secret"


def test_the_secret_counts_only_where_the_webhook_wants_it() -> None:
    in_url, in_body = FrontDesk(secret_in=SecretIn.URL), FrontDesk()
    assert "--secret-in body" in in_url.refusal().message
    with pytest.raises(Refused, match="--secret-in url"):
        hit_url(in_body, in_body.access.secret)


def test_a_secret_in_the_url_is_kept_nowhere() -> None:
    front = FrontDesk(secret_in=SecretIn.URL)
    hit_url(front, front.access.secret, comment=front.access.secret)
    code_of(hit_url, front, "wrong-but-secret-all-the-same")
    kept = repr(front.inbox) + repr(front.orders)
    assert front.access.secret not in kept
    assert "wrong-but-secret" not in kept


def test_a_hit_shows_nothing_secret_of_itself() -> None:
    hit = Hit("a-token", b'{"secret": "s3cret"}', NOW, secret="in-the-url", signature="t=1,v1=2")
    assert not [secret for secret in ("a-token", "s3cret", "in-the-url", "v1=2") if secret in repr(hit)]


# --- signed requests ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("secret_in", SecretIn)
def test_a_signature_takes_the_place_of_the_secret(secret_in: SecretIn) -> None:
    assert signed(FrontDesk(secret_in=secret_in)).orders


@pytest.mark.parametrize(
    "header",
    ["", "t=1", "v1=" + "a" * 64, "t=x,v1=" + "a" * 64, "t=1,v1=abc", "t=-1,v1=" + "a" * 64, "t=1772461800,v1=" + "A" * 64,
     "t=999999999999,v1=" + "a" * 64, "t=1772461800,v1=" + "ä" * 64],
)  # fmt: skip
def test_a_header_of_another_form_is_refused_even_beside_the_secret(header: str) -> None:
    front = FrontDesk()
    assert code_of(signed, front, header=header, secret=front.access.secret) == "bad_secret"


def test_a_signature_of_another_key_time_or_body_is_refused() -> None:
    front = FrontDesk()
    t = f"{NOW.timestamp():.0f}"
    for_another_body = f"t={t},v1={sign(front.access.secret, t, b'{}')}"
    for_another_time = f"t={int(t) + 1},v1={sign(front.access.secret, t, json.dumps(front.alert(secret=None)).encode())}"
    assert code_of(signed, front, key="another secret") == "bad_secret"
    assert code_of(signed, front, header=for_another_body) == "bad_secret"
    assert code_of(signed, front, header=for_another_time) == "bad_secret"
    assert front.orders == []


@pytest.mark.parametrize(
    ("fields", "age_s", "code"),
    [
        ({}, 30, None),
        ({}, 31, "stale_alert"),
        (CLOSE, 300, None),
        (CLOSE, 301, "stale_alert"),
        ({}, -10, None),
        ({}, -11, "stale_alert"),
    ],
)
def test_a_signature_lives_as_long_as_an_alert_of_its_kind(fields: dict[str, Any], age_s: int, code: str | None) -> None:
    front = FrontDesk(time=TimeOf.ARRIVAL)
    t = f"{(NOW - timedelta(seconds=age_s)).timestamp():.0f}"
    if code is None:
        assert signed(front, t=t, **TIMELESS | fields).orders
    else:
        assert code_of(signed, front, t=t, **TIMELESS | fields) == code


def test_a_signed_alert_without_a_time_is_known_again_as_long_as_its_signature_lives() -> None:
    front = FrontDesk(time=TimeOf.ARRIVAL)
    t = f"{later(10).timestamp():.0f}"
    signed(front, t=t, **TIMELESS | CLOSE)
    with pytest.raises(Replayed):
        signed(front, at=later(310), t=t, **TIMELESS | CLOSE)
    assert code_of(signed, front, at=later(311), t=t, **TIMELESS | CLOSE) == "stale_alert"


# --- the time -------------------------------------------------------------------------------------------------------------------


def test_a_time_is_asked_for_unless_the_arrival_counts() -> None:
    refusal = FrontDesk().refusal(**TIMELESS)
    assert (refusal.code, refusal.details["field"]) == ("invalid_alert", "timestamp")
    assert "--time arrival" in refusal.message
    (order,) = FrontDesk(time=TimeOf.ARRIVAL).post(at=later(0.5), **TIMELESS).orders
    assert order.alert_time == later(0.5)


def test_where_the_arrival_counts_an_alert_is_never_stale() -> None:
    (order,) = FrontDesk(time=TimeOf.ARRIVAL).post(timestamp="2026-03-02T09:00:00Z").orders
    assert order.alert_time == NOW


@pytest.mark.parametrize("fields", [TIMELESS, {}], ids=["without a time", "with a time"])
def test_where_the_arrival_counts_an_alert_is_known_again_for_a_minute(fields: dict[str, Any]) -> None:
    front = FrontDesk(time=TimeOf.ARRIVAL)
    first = front.post(**fields)
    for seconds in (5, 10, 15, 60):
        with pytest.raises(Replayed) as caught:
            front.post(at=later(seconds), **fields)
        assert caught.value.alert_id == first.alert_id
    again = front.post(at=later(61), **fields)
    assert again.alert_id != first.alert_id
    with pytest.raises(Replayed) as caught:
        front.post(at=later(121), **fields)
    assert caught.value.alert_id == again.alert_id


def test_an_alert_with_its_time_is_known_again_for_two_days() -> None:
    front = FrontDesk(entry_staleness_s=86_400)
    front.post()
    with pytest.raises(Replayed):
        front.post(at=later(86_400))


# --- symbols --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("symbol", ["SPX500", "spx500", "OANDA:SPX500", "TVC:GOLD"])
def test_a_senders_symbol_is_ours_by_the_map(symbol: str) -> None:
    front = FrontDesk(symbol_map={"SPX500": "MES1!", "TVC:GOLD": "GC1!"})
    (order,) = front.post(symbol=symbol).orders
    assert order.root == {"SPX500": "MES", "GOLD": "GC"}[symbol.upper().rpartition(":")[2]]


def test_a_symbol_that_the_map_does_not_name_stays_as_it_is() -> None:
    assert FrontDesk(symbol_map={"SPX500": "MES1!"}).post().orders[0].root == "ES"


def test_entries_are_taken_for_the_webhooks_symbols_only() -> None:
    front = FrontDesk(symbols=("NQ", "MES"))
    assert front.refusal().code == "symbol_not_allowed"
    assert front.post(symbol="NQ1!").orders
    assert front.post(**CLOSE).orders


# --- windows --------------------------------------------------------------------------------------------------------------------

# NOW is a Monday, 09:30 in New York.
AT_THE_OPEN = ("Mon-Fri 09:30-16:00 America/New_York",)


@pytest.mark.parametrize(
    ("seconds", "code"), [(-1, "outside_window"), (0, None), (6.5 * 3600 - 1, None), (6.5 * 3600, "outside_window")]
)
def test_entries_are_taken_inside_the_window_only(seconds: float, code: str | None) -> None:
    front, at = FrontDesk(windows=AT_THE_OPEN), later(seconds)
    fields: dict[str, Any] = {"timestamp": at.isoformat()}
    if code is None:
        assert front.post(at=at, **fields).orders
    else:
        assert front.refusal(at=at, **fields).code == code


@pytest.mark.parametrize("fields", [CLOSE, {"action": "sell", "order_type": "exit"}, exit_fields(), exit_fields(1, 2)])
def test_what_reduces_is_held_back_by_no_window_list_limit_or_cooldown(fields: dict[str, Any]) -> None:
    front = FrontDesk(windows=("Sun 00:00-00:01 UTC",), symbols=("NQ",), daily_limit=0, cooldown_s=3600)
    front.alerts.entered("W1", "ES", NOW)
    assert front.post(**fields).orders


def test_one_of_several_windows_is_enough() -> None:
    assert FrontDesk(windows=("Sun 00:00-00:01 UTC", *AT_THE_OPEN)).post().orders


# --- cooldown -------------------------------------------------------------------------------------------------------------------


def test_between_two_entries_of_an_instrument_the_cooldown_must_pass() -> None:
    front = FrontDesk(cooldown_s=60)
    front.post()
    assert front.tables.entered == {("W1", "ES"): NOW}
    refusal = front.refusal(at=later(59), id="2", timestamp=later(59).isoformat())
    assert (refusal.code, refusal.details) == ("cooldown", {"cooldown_s": 60, "ends_at": "2026-03-02T14:31:00Z"})
    assert front.post(at=later(20), symbol="NQ1!").orders
    assert front.post(at=later(60), id="2", timestamp=later(60).isoformat()).orders


def test_a_cooldown_begins_with_entries_only_and_only_with_those_that_were_taken() -> None:
    front = FrontDesk(cooldown_s=60)
    front.post(**CLOSE)
    front.refusal(secret="wrong")
    front.account("A1", terms_accepted_at=None)
    front.refusal(id="2")
    assert front.tables.entered == {}


def test_a_webhook_without_a_cooldown_marks_no_entry() -> None:
    front = FrontDesk()
    front.post()
    assert front.tables.entered == {}


# --- mapping --------------------------------------------------------------------------------------------------------------------

MAPPING = "{action: side, symbol: join(':', [venue, pair]), quantity: order.size, timestamp: sent, secret: auth.key}"


def a_shape_of_ones_own(front: FrontDesk, **changes: Any) -> bytes:
    shape = {"side": "BUY", "venue": "CME_MINI", "pair": "ES1!", "order": {"size": 2}, "sent": "2026-03-02T14:30:00Z"}
    return json.dumps(shape | {"auth": {"key": front.access.secret}} | changes).encode()


def test_a_mapping_makes_any_json_an_alert() -> None:
    front = FrontDesk(mapping=MAPPING)
    (order,) = front.post(a_shape_of_ones_own(front)).orders
    assert (order.root, order.action, order.quantity) == ("ES", "buy", 2)
    assert (front.inbox[0].dialect, front.inbox[0].canonical["quantity"]) == ("mapping", "2")


def test_a_mapped_alert_passes_every_layer() -> None:
    front = FrontDesk(mapping=MAPPING)
    assert front.refusal(a_shape_of_ones_own(front, auth={"key": "x"})).code == "bad_secret"
    assert front.refusal(a_shape_of_ones_own(front, sent="2026-03-02T14:00:00Z")).code == "stale_alert"
    assert front.refusal(a_shape_of_ones_own(front, sent=None)).details["field"] == "timestamp"
    refusal = front.refusal(a_shape_of_ones_own(front, side="hold"))
    assert (refusal.code, refusal.details["field"]) == ("invalid_alert", "action")
    front.post(a_shape_of_ones_own(front))
    with pytest.raises(Replayed):
        front.post(a_shape_of_ones_own(front))
    assert front.access.secret not in repr(front.inbox)


# --- what the inbox keeps -------------------------------------------------------------------------------------------------------


def test_the_inbox_keeps_what_was_understood_without_its_secret() -> None:
    front = FrontDesk()
    front.post(comment="x")
    front.refusal(id="2", secret="wrong-secret")
    front.refusal(action="hold")
    accepted, refused, unread = front.inbox
    assert accepted.dialect == refused.dialect == "canonical"
    assert accepted.canonical["action"] == "buy"
    assert accepted.canonical["comment"] == "x"
    assert accepted.canonical.keys().isdisjoint({"secret", "token"})
    assert "wrong-secret" not in repr(refused)
    assert (unread.dialect, unread.canonical) == ("", {})


def test_a_day_is_that_of_utc() -> None:
    front = FrontDesk()
    at = datetime(2026, 3, 2, 23, 59, 59, tzinfo=UTC)
    front.post(at=at, timestamp=at.isoformat())
    assert front.tables.counters == {("W1", "2026-03-02"): 1}
