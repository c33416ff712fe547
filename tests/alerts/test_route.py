"""From an alert to one order per route: operation, size in the account's own quantity, and what forbids it."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from fillpath.accounts.model import Credentials, Gate, RollBy, Route
from fillpath.accounts.ports.controls import Halt
from fillpath.orders.model import Operation, OrderState, OrderType
from tests.alerts.desk import NOW, PAPER, PLAIN, FrontDesk, exit_fields

REDUCTIONS: list[dict[str, Any]] = [
    {"action": "close", "quantity": None},
    {"action": "close_long", "quantity": None},
    {"action": "close_short", "quantity": None},
    {"action": "sell", "order_type": "exit"},
    {"action": "buy", "order_type": "exit"},
    exit_fields(),
    exit_fields(1, 2),
]
ORDER_TYPES = "it has limit, market, stop, stop_limit"
HALTS = ["environment", "user:U1", "account:A1"]


def halted(front: FrontDesk, scope: str) -> None:
    front.tables.halts[scope] = Halt(scope, NOW, "somebody pulled the cord")


def inactive(front: FrontDesk) -> None:
    front.user(plan_active=False)


def without_terms(front: FrontDesk) -> None:
    front.account("A1", terms_accepted_at=None)


def other_symbols(front: FrontDesk) -> None:
    front.account("A1", symbols=("NQ",))


def halting(front: FrontDesk) -> None:
    halted(front, "environment")


ENTITLEMENTS = {
    "plan_inactive": inactive,
    "terms_not_accepted": without_terms,
    "symbol_not_allowed": other_symbols,
    "halted": halting,
}


@pytest.mark.parametrize(
    ("fields", "operation"),
    [
        ({"action": "buy"}, Operation.ENTER_LONG),
        ({"action": "sell"}, Operation.ENTER_SHORT),
        ({"action": "buy", "order_type": "exit"}, Operation.EXIT_SHORT),
        ({"action": "sell", "order_type": "exit"}, Operation.EXIT_LONG),
        ({"action": "close"}, Operation.CLOSE),
        ({"action": "close_long"}, Operation.CLOSE_LONG),
        ({"action": "close_short"}, Operation.CLOSE_SHORT),
        ({"action": "buy", "market_position": "long", "market_position_size": 2}, Operation.TARGET),
        ({"action": "target", "market_position": "flat"}, Operation.TARGET),
    ],
)
def test_the_words_of_an_alert_become_an_operation(fields: dict[str, Any], operation: Operation) -> None:
    (order,) = FrontDesk().post(**fields).orders
    assert order.operation is operation


@pytest.mark.parametrize("code", ENTITLEMENTS)
def test_an_entry_is_refused_for_what_it_is_not_entitled_to(code: str) -> None:
    front = FrontDesk()
    ENTITLEMENTS[code](front)
    assert front.refusal().code == code


@pytest.mark.parametrize("code", ENTITLEMENTS)
@pytest.mark.parametrize("fields", REDUCTIONS, ids=lambda fields: "-".join(map(str, fields.values())))
def test_what_reduces_is_never_refused_for_an_entitlement(code: str, fields: dict[str, Any]) -> None:
    front = FrontDesk(daily_limit=0)
    ENTITLEMENTS[code](front)
    (order,) = front.post(**fields).orders
    assert order.reduces
    assert order.deadline is not None
    assert (order.deadline - NOW).total_seconds() == 300


@pytest.mark.parametrize("scope", HALTS)
def test_a_halt_of_each_scope_holds_back_entries(scope: str) -> None:
    front = FrontDesk()
    halted(front, scope)
    refusal = front.refusal()
    assert refusal.code == "halted"
    assert "somebody pulled the cord" in refusal.message


def test_a_halt_of_another_account_holds_back_nothing() -> None:
    front = FrontDesk()
    halted(front, "account:A9")
    assert front.post().orders


def test_an_allowed_symbol_is_allowed_in_every_spelling() -> None:
    front = FrontDesk()
    front.account("A1", symbols=("ES",))
    for number, symbol in enumerate(("ES", "ES1!", "ESZ6", "CME_MINI:ES1!")):
        assert front.post(symbol=symbol, id=str(number)).orders


@pytest.mark.parametrize(
    ("credentials", "code"), [(Credentials.MISSING, "credentials_missing"), (Credentials.NEEDS_REAUTH, "needs_reauth")]
)
@pytest.mark.parametrize("action", ["buy", "close"])
def test_without_verified_credentials_nothing_is_accepted(credentials: Credentials, code: str, action: str) -> None:
    front = FrontDesk()
    front.account("A1", credentials=credentials)
    assert front.post(action=action).orders
    front.venues.known["paper"] = replace(PAPER, credentials_required=True)
    assert front.refusal(action=action, id="2").code == code


@pytest.mark.parametrize(
    ("fields", "instead"),
    [
        ({"type": "oco", "order_type": "exit", "limit_price": 5700, "stop_price": 5900}, ORDER_TYPES),
        ({"type": "trailing_stop", "trail_amount": 1}, ORDER_TYPES),
        ({"type": "limit", "limit_price": 5900, "time_in_force": "ioc"}, "it has day, gtc"),
        ({"time_in_force": "fok"}, "it has day, gtc"),
        ({"take_profit": 6000}, "send the exits as limit and stop orders"),
        ({"stop_loss": 5800}, "send the exits as limit and stop orders"),
    ],
)
def test_what_the_venue_cannot_do_is_refused_beforehand_with_what_it_can(fields: dict[str, Any], instead: str) -> None:
    front = FrontDesk()
    front.venues.known["paper"] = PLAIN
    refusal = front.refusal(**fields)
    assert (refusal.code, refusal.message.rpartition("; ")[2]) == ("unsupported", instead)
    front.venues.known["paper"] = PAPER
    assert front.post(**fields, id="2").orders


def test_exits_that_an_alert_carries_to_no_effect_are_no_reason_to_refuse_what_reduces() -> None:
    front = FrontDesk()
    front.venues.known["paper"] = PLAIN
    for number, fields in enumerate([exit_fields(), {"action": "close"}]):
        (order,) = front.post(**fields, take_profit=6000, stop_loss=5800, id=str(number)).orders
        assert order.state is OrderState.QUEUED


def test_a_bracket_is_kept_with_the_id_that_its_exits_will_have() -> None:
    (order,) = FrontDesk().post(take_profit="6000.25", stop_loss=5800).orders
    assert (order.take_profit, order.stop_loss) == (Decimal("6000.25"), 5800)
    assert order.protection_id not in {None, order.order_id}
    (plain,) = FrontDesk().post().orders
    assert plain.protection_id is None


def test_each_route_of_a_bracket_has_exits_of_its_own() -> None:
    front = FrontDesk(Route(account_id="A1"), Route(account_id="A2"))
    front.account("A2")
    assert len({order.protection_id for order in front.post(take_profit=6000).orders}) == 2


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"take_profit": 5800, "stop_loss": 5900}, "take_profit"),
        ({"action": "sell", "take_profit": 6000, "stop_loss": 5900}, "stop_loss"),
        ({"type": "limit", "limit_price": 5900, "stop_loss": 5900}, "stop_loss"),
        ({"type": "limit", "limit_price": 5900, "take_profit": 5899}, "take_profit"),
        ({"type": "stop", "stop_price": 5900, "take_profit": 5800}, "take_profit"),
        ({"action": "sell", "type": "limit", "limit_price": 5900, "stop_loss": 5800}, "stop_loss"),
        ({"action": "sell", "type": "stop", "stop_price": 5900, "take_profit": 6000}, "take_profit"),
        ({"market_position": "long", "market_position_size": 1, "take_profit": 5800, "stop_loss": 5900}, "take_profit"),
        ({"market_position": "short", "market_position_size": 1, "take_profit": 6000, "stop_loss": 5900}, "stop_loss"),
        (
            {"action": "target", "market_position": "short", "market_position_size": 1, "take_profit": 6, "stop_loss": 5},
            "stop_loss",
        ),
        ({"type": "oco", "order_type": "exit", "action": "sell", "limit_price": 5800, "stop_price": 5900}, "limit_price"),
        ({"type": "oco", "order_type": "exit", "action": "buy", "limit_price": 5900, "stop_price": 5800}, "stop_price"),
    ],
)
def test_an_exit_on_the_wrong_side_is_refused_by_name(fields: dict[str, Any], field: str) -> None:
    refusal = FrontDesk().refusal(**fields)
    assert (refusal.code, refusal.details["field"]) == ("invalid_alert", field)
    assert "wrong side" in refusal.details["reason"]


@pytest.mark.parametrize(
    "fields",
    [
        {"take_profit": 6000, "stop_loss": 5800},
        {"action": "sell", "take_profit": 5800, "stop_loss": 6000},
        {"type": "limit", "limit_price": 5900, "take_profit": 6000, "stop_loss": 5800},
        {"type": "stop_limit", "stop_price": 5900, "limit_price": 5905, "take_profit": 6000, "stop_loss": 5800},
        {"action": "sell", "type": "stop", "stop_price": 5900, "take_profit": 5800, "stop_loss": 6000},
        {"market_position": "short", "market_position_size": 1, "take_profit": 5800, "stop_loss": 5900},
        {"type": "oco", "order_type": "exit", "action": "sell", "limit_price": 6000, "stop_price": 5800},
        {"type": "oco", "order_type": "exit", "action": "buy", "limit_price": 5800, "stop_price": 6000},
    ],
)
def test_exits_on_their_side_are_taken(fields: dict[str, Any]) -> None:
    (order,) = FrontDesk().post(**fields).orders
    assert order.state is OrderState.QUEUED


@pytest.mark.parametrize("field", ["take_profit", "stop_loss", "trail_amount"])
def test_an_exit_beside_its_tick_is_refused_by_name(field: str) -> None:
    trailing = {"type": "trailing_stop", "trail_amount": "1.1"}
    refusal = FrontDesk().refusal(**(trailing if field == "trail_amount" else {field: "5900.1"}))
    assert (refusal.code, refusal.details["field"]) == ("invalid_alert", field)


def test_a_trailing_stop_keeps_its_distance() -> None:
    front = FrontDesk()
    (order,) = front.post(type="trailing_stop", trail_amount="5.25", order_type="exit", action="sell").orders
    assert (order.type, order.trail_amount, order.trail_percent) == (OrderType.TRAILING_STOP, Decimal("5.25"), None)
    (order,) = front.post(type="trailing_stop", trail_percent="0.3", id="2").orders
    assert (order.trail_amount, order.trail_percent) == (None, Decimal("0.3"))


def test_a_pair_of_exits_is_one_order() -> None:
    (order,) = FrontDesk().post(type="oco", action="sell", order_type="exit", limit_price=6000, stop_price="5800.25").orders
    assert (order.type, order.operation, order.reduces) == (OrderType.OCO, Operation.EXIT_LONG, True)
    assert (order.limit_price, order.stop_price) == (6000, Decimal("5800.25"))


def test_what_an_account_cannot_trade_is_refused_with_what_it_can() -> None:
    front = FrontDesk()
    front.venues.known["paper"] = replace(PAPER, asset_classes=frozenset({"equity", "crypto"}))
    refusal = front.refusal(symbol="ES1!")
    assert refusal.code == "unsupported"
    assert refusal.message == "symbol: paper cannot trade ES (future); it trades: crypto, equity"
    assert front.post(symbol="AAPL").orders


def test_what_a_venue_trades_in_other_accounts_is_refused_in_one_that_does_not() -> None:
    front = FrontDesk()
    front.account("A1", kinds=("future",), label="day trades")
    refusal = front.refusal(symbol="AAPL")
    assert refusal.code == "unsupported"
    assert refusal.message == "symbol: account day trades at paper cannot trade AAPL (equity); it trades: future"
    assert front.post(symbol="ES1!").orders


def test_each_account_leaves_a_contract_when_it_says() -> None:
    at = datetime(2026, 3, 9, 14, 30, tzinfo=UTC)  # eleven days before the last trading day of ESH6
    front = FrontDesk(Route(account_id="A1"), Route(account_id="A2"), Route(account_id="A3"))
    front.account("A2", roll_days=12)
    front.account("A3", roll_days=1)
    stamp = "2026-03-09T14:30:00Z"
    assert [order.contract for order in front.post(at=at, timestamp=stamp).orders] == ["ESH6", "ESM6", "ESH6"]
    second = front.post(at=at, timestamp=stamp, symbol="ES2!").orders
    assert [order.contract for order in second] == ["ESM6", "ESU6", "ESM6"]
    named = front.post(at=at, timestamp=stamp, symbol="ESH6").orders
    assert [order.contract for order in named] == ["ESH6"] * 3


@pytest.mark.parametrize(
    ("symbol", "fields", "at_front"),
    [
        ("ES1!", {}, True),
        ("ES", {}, True),
        ("CME_MINI:ES1!", {}, True),
        ("ES2!", {}, False),
        ("ESZ6", {}, False),
        ("AAPL", {}, False),
        ("ES1!", {"market_position": "long", "market_position_size": 1}, True),
    ],
)
def test_the_venues_front_month_is_asked_for_what_means_it(symbol: str, fields: dict[str, Any], at_front: bool) -> None:
    front = FrontDesk()
    front.account("A1", roll_by=RollBy.VENUE)
    (order,) = front.post(symbol=symbol, **fields).orders
    assert order.at_front is at_front
    front.account("A1", roll_by=RollBy.DAYS)
    assert not front.post(symbol=symbol, **fields, id="2").orders[0].at_front


def test_a_flip_in_one_order_is_the_accounts_choice() -> None:
    front = FrontDesk(Route(account_id="A1"), Route(account_id="A2"))
    front.account("A2", one_order_flip=True)
    assert [order.one_order_flip for order in front.post().orders] == [False, True]


def test_a_venue_that_gives_data_only_or_is_not_there_takes_no_orders() -> None:
    front = FrontDesk()
    front.venues.known["paper"] = replace(PAPER, can_trade=False)
    assert front.refusal().code == "unsupported"
    front.venues.known.clear()
    assert front.refusal().code == "unsupported"


def test_a_route_to_somebody_elses_account_leads_nowhere() -> None:
    front = FrontDesk(Route(account_id="A2"))
    front.account("A2", user_id="U2")
    assert front.refusal().code == "not_found"
    front = FrontDesk(Route(account_id="A9"))
    assert front.refusal().code == "not_found"


@pytest.mark.parametrize(("multiplier", "quantity", "target"), [("1", 2, 3), ("2", 4, 6), ("0.5", 1, None)])
def test_quantities_are_multiplied_per_route(multiplier: str, quantity: int, target: int | None) -> None:
    front = FrontDesk(Route(account_id="A1", multiplier=Decimal(multiplier)))
    assert front.post(quantity=2).orders[0].quantity == quantity
    if target is not None:
        (order,) = front.post(
            market_position="short", market_position_size=3, prev_market_position="long", prev_market_position_size=1
        ).orders
        assert (order.target, order.prev) == (-target, Decimal(multiplier))


def test_an_unknown_symbol_is_refused_by_name() -> None:
    refusal = FrontDesk().refusal(symbol="{{ticker}}")
    assert (refusal.code, refusal.details["field"]) == ("invalid_alert", "symbol")


def test_an_entry_into_a_contract_that_is_over_is_refused_and_an_exit_is_not() -> None:
    refusal = FrontDesk().refusal(symbol="ESZ2025")
    assert (refusal.code, refusal.details["field"]) == ("invalid_alert", "symbol")
    (order,) = FrontDesk().post(symbol="ESZ2025", action="close").orders
    assert order.root == "ES"


@pytest.mark.parametrize("gate", Gate)
def test_the_order_carries_the_webhooks_gate_and_the_alerts_time(gate: Gate) -> None:
    (order,) = FrontDesk(gate=gate).post(timestamp="2026-03-02T14:29:50Z").orders
    assert order.gate is gate
    assert (order.received_at - order.alert_time).total_seconds() == 10
    assert [(event.from_state, event.to_state) for event in order.events] == [(None, "QUEUED")]
