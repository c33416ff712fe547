"""A preview says what accept would do: refused exactly when it lists reasons, and no order that it did not show."""

import copy
import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fillpath.accounts.model import Gate, Route, SecretIn, TimeOf
from fillpath.alerts.accept import accept
from fillpath.alerts.case import Hit
from fillpath.alerts.dialects.registry import dialect
from fillpath.alerts.preview import Positions, Preview, Sources, preview
from fillpath.errors import BrokerUnavailable, Refused, Replayed
from fillpath.orders.model import Order, OrderState
from fillpath.orders.outcomes import Position
from tests.alerts import messages
from tests.alerts.desk import NOW, FrontDesk, exit_fields

TWO_ROUTES = (Route(account_id="A1"), Route(account_id="A2", multiplier=Decimal(3)))


def holding(**held: int) -> Positions:
    """Every account holds these contracts."""
    return lambda _order: tuple(Position(contract, "ES", Decimal(quantity)) for contract, quantity in held.items())


def silent(_order: Order) -> tuple[Position, ...]:
    raise BrokerUnavailable("no answer")


def look(front: FrontDesk, hit: Hit, positions: Positions | None = None) -> Preview:
    return preview(hit, Sources(front.alerts, front.key, front.venues), positions or holding())


def hit_of(front: FrontDesk, at: Any = NOW, **fields: Any) -> Hit:
    return Hit(front.access.token, json.dumps(front.alert(**fields)).encode(), at)


def codes(shown: Preview) -> list[tuple[str, str]]:
    return [(reason.layer, reason.code) for reason in shown.reasons]


def check_against_accept(front: FrontDesk, hit: Hit) -> None:
    """The preview comes first, changes nothing, and is what happens then."""
    before = copy.deepcopy(front.tables)
    shown = look(front, hit)
    assert front.tables == before
    answer = accepted(front, hit)
    if isinstance(answer, Replayed):
        assert shown.refused
        assert "replayed_alert" in [reason.code for reason in shown.reasons]
    elif isinstance(answer, Refused):
        assert shown.refused
        first = (shown.reasons or shown.routes[0].reasons)[0]
        assert (answer.code, answer.message) == (first.code, first.text)
    else:
        assert not shown.refused
        check_orders(answer, shown)


def accepted(front: FrontDesk, hit: Hit) -> tuple[Order, ...] | Refused | Replayed:
    try:
        return accept(hit, front.desks).orders
    except (Refused, Replayed) as error:
        return error


def check_orders(orders: tuple[Order, ...], shown: Preview) -> None:
    assert [facts(order) for order in orders] == [facts(route.order) for route in shown.routes]
    for order, route in zip(orders, shown.routes, strict=True):
        assert (order.state is OrderState.REJECTED) == bool(route.reasons)
        assert order.reason == (route.reasons[0].code if route.reasons else None)


def facts(order: Order) -> dict[str, Any]:
    """All that decides about an order."""
    own = {"order_id", "alert_id", "protection_id", "state", "reason", "message", "events", "listing"}
    return order.model_dump(exclude=own)


# --- the same answer as accept ------------------------------------------------------------------------------------------------

FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "action": st.sampled_from(["buy", "sell", "close", "close_long", "target", "cancel", "flatten", "hold"]),
        "symbol": st.sampled_from(["ES1!", "NQ1!", "ESH6", "ESH5", "AAPL", "BTCUSD", "NOPE"]),
        "quantity": st.sampled_from([None, 0, 1, 2, "0.5", "0.0001", "many"]),
        "timestamp": st.sampled_from([None, "2026-03-02T14:29:00Z", "2026-03-02T14:31:00Z", "soon"]),
        "secret": st.sampled_from([None, "wrong"]),
        "order_type": st.sampled_from(["entry", "exit"]),
        "market_position": st.sampled_from(["long", "short", "flat"]),
        "market_position_size": st.sampled_from([0, 1, 3]),
        "prev_market_position": st.sampled_from(["long", "short", "flat"]),
        "prev_market_position_size": st.sampled_from([0, 1, 3]),
        "type": st.sampled_from(["market", "limit", "trailing_stop"]),
        "limit_price": st.sampled_from(["5900", "5900.10"]),
        "gate": st.sampled_from(list(Gate)),
        "only_from": st.sampled_from(["long", "short/flat"]),
    },
)
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "secret_in": st.sampled_from(list(SecretIn)),
        "time": st.sampled_from(list(TimeOf)),
        "symbols": st.sampled_from([("ES",), ("NQ",)]),
        "windows": st.sampled_from([("Mon-Fri 09:30-16:00 UTC",), ("Sat 00:00-24:00 UTC",)]),
        "daily_limit": st.sampled_from([0, 1]),
        "cooldown_s": st.just(600),
        "routes": st.sampled_from([(Route(account_id="A1"),), TWO_ROUTES, (Route(account_id="gone"),), ()]),
    },
)
ACCOUNT = st.fixed_dictionaries(
    {},
    optional={
        "terms_accepted_at": st.none(),
        "symbols": st.just(("NQ",)),
        "venue": st.sampled_from(["paper", "nowhere"]),
        "user_id": st.just("U2"),
    },
)


@given(FIELDS, SETTINGS, ACCOUNT, st.booleans(), st.booleans())
def test_accept_refuses_exactly_what_the_preview_gives_reasons_for(
    fields: dict[str, Any], settings: dict[str, Any], account: dict[str, Any], plan_active: bool, again: bool
) -> None:
    front = FrontDesk(**{"routes": TWO_ROUTES} | settings)
    front.user(plan_active=plan_active)
    front.account("A2", **account)
    hit = hit_of(front, **fields)
    check_against_accept(front, hit)
    if again:
        check_against_accept(front, hit)


@pytest.mark.parametrize("name", messages.names())
def test_a_message_of_the_field_becomes_what_the_preview_shows(name: str) -> None:
    wanted = messages.expected(name)
    given_secret = wanted.get("alert", {}).get("secret")
    in_url = given_secret is None or dialect(wanted["dialect"]).secret_field is None
    front = FrontDesk(time=TimeOf.ARRIVAL, secret_in=SecretIn.URL if in_url else SecretIn.BODY)
    raw = messages.body(name).decode().replace(given_secret or "\x00", front.access.secret)
    check_against_accept(front, Hit(front.access.token, raw.encode(), NOW, secret=front.access.secret if in_url else None))


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_any_bytes_have_a_preview(body: bytes) -> None:
    front = FrontDesk()
    check_against_accept(front, Hit(front.access.token, body, NOW))


# --- what it tells ------------------------------------------------------------------------------------------------------------


def test_every_reason_is_told_in_the_order_of_the_layers() -> None:
    front = FrontDesk(*TWO_ROUTES, daily_limit=0, symbols=("NQ",))
    front.user(plan_active=False)
    front.account("A2", terms_accepted_at=None)
    shown = look(front, hit_of(front, NOW + timedelta(seconds=60), secret=None))
    assert codes(shown) == [
        ("time", "stale_alert"),
        ("secret", "bad_secret"),
        ("rules", "daily_limit"),
        ("rules", "symbol_not_allowed"),
    ]
    assert [[reason.code for reason in route.reasons] for route in shown.routes] == [
        ["plan_inactive"],
        ["plan_inactive", "terms_not_accepted"],
    ]


@pytest.mark.parametrize(("token", "body"), [(None, b"{}"), ("nobody's", b"{}"), (None, b"nonsense")])
def test_a_message_that_leads_nowhere_has_its_reason(token: str | None, body: bytes) -> None:
    shown = look(FrontDesk(), Hit(token, body, NOW))
    assert shown.refused
    assert [reason.layer for reason in shown.reasons] == ["token"]


def test_neither_secret_nor_token_is_shown() -> None:
    front = FrontDesk()
    access = front.access
    for fields in ({"comment": access.secret}, {"id": access.token}, {"symbol": access.secret}, {"token": access.token}):
        shown = repr(look(front, hit_of(front, **fields)))
        canonical = shown.partition("canonical=")[2].partition("routes=")[0]
        assert access.secret not in canonical
        assert access.token not in canonical


@pytest.mark.parametrize(
    ("fields", "held", "expected"),
    [
        pytest.param({}, {}, ("trade", "buy", 0, 1, 1), id="an entry"),
        pytest.param({}, {"ESH6": 2}, ("trade", "buy", 0, 1, 3), id="more of it"),
        pytest.param({}, {"ESH6": -2}, ("reversal", "buy", 2, 1, 1), id="a reversal"),
        pytest.param({"quantity_is": "contracts", "quantity": 3}, {"ESH6": -2}, ("reversal", "buy", 2, 1, 1), id="old plus new"),
        pytest.param({"action": "close"}, {"ESH6": -2}, ("trade", "buy", 2, 0, 0), id="a close"),
        pytest.param({"action": "close"}, {"ESZ5": 1, "ESH6": 1}, ("trade", "sell", 2, 0, 0), id="a close of two contracts"),
        pytest.param(exit_fields(1, 3), {"ESH6": 3}, ("trade", "sell", 2, 0, 1), id="a partial close"),
        pytest.param({"action": "close"}, {}, ("nothing", None, 0, 0, 0), id="nothing held"),
        pytest.param({"action": "cancel"}, {"ESH6": 1}, ("cancel", None, 0, 0, 1), id="a cancel"),
        pytest.param(
            {**exit_fields(0, 0), "action": "buy", "quantity": 1, "market_position": "long", "market_position_size": 1,
             "prev_market_position": "flat", "gate": "reject"},
            {"ESH6": -1}, ("refusal", None, 0, 0, -1), id="a gate that refuses",
        ),
    ],
)  # fmt: skip
def test_what_would_be_done_runs_from_the_position(fields: dict[str, Any], held: dict[str, int], expected: Any) -> None:
    front = FrontDesk()
    (route,) = look(front, hit_of(front, **fields), holding(**held)).routes
    planned = route.planned
    assert (planned.kind, planned.side, planned.close, planned.open, planned.after) == expected
    assert route.before == sum(held.values())
    assert route.held == held


def test_a_venue_that_does_not_answer_leaves_the_position_open() -> None:
    front = FrontDesk()
    shown = look(front, hit_of(front), silent)
    (route,) = shown.routes
    assert (route.before, route.planned.kind) == (None, "unknown")
    assert not shown.refused
