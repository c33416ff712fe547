"""From a JSON object to an alert: every field understood as people send it, or refused by name."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fillpath.accounts.model import Gate, QuantityIs
from fillpath.alerts.canonical import CanonicalAlert, parse_canonical
from fillpath.errors import Refused
from fillpath.orders.model import OrderType

BASE: dict[str, Any] = {"action": "buy", "symbol": "ES1!", "quantity": "1", "timestamp": "2026-03-02T14:30:00Z", "secret": "s"}
NUMBERS = (
    "quantity", "market_position_size", "prev_market_position_size", "limit_price", "stop_price", "trail_amount",
    "trail_percent", "take_profit", "stop_loss", "price",
)  # fmt: skip
PRICES = ("limit_price", "stop_price", "trail_amount", "trail_percent", "take_profit", "stop_loss")
WORDS = ("action", "order_type", "market_position", "prev_market_position", "type", "time_in_force", "gate", "quantity_is")
TEXTS = ("symbol", "secret", "token", "id", "strategy", "comment", "exchange", "interval")
FIELDS = tuple(CanonicalAlert.model_fields)

json_values = st.recursive(
    st.none() | st.booleans() | st.decimals(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=3,
)


def parse(**fields: Any) -> CanonicalAlert:
    return parse_canonical(BASE | fields)


def answer_to(**fields: Any) -> CanonicalAlert | Refused:
    try:
        return parse(**fields)
    except Refused as refused:
        return refused


def refusal(**fields: Any) -> dict[str, Any]:
    with pytest.raises(Refused) as caught:
        parse(**fields)
    assert caught.value.code == "invalid_alert"
    return caught.value.details


def test_a_whole_alert_is_understood() -> None:
    alert = parse(market_position="short", market_position_size="2", prev_market_position="long", prev_market_position_size=1)
    assert (alert.action, alert.symbol, alert.quantity, alert.order_type) == ("buy", "ES1!", Decimal(1), "entry")
    assert (alert.signed_target, alert.signed_prev, alert.prev_side) == (Decimal(-2), Decimal(1), 1)


@pytest.mark.parametrize("field", ["action", "symbol"])
@pytest.mark.parametrize("value", ["absent", "", None])
def test_a_field_that_must_be_there_is_named_when_it_is_missing(field: str, value: object) -> None:
    raw = {key: each for key, each in BASE.items() if key != field}
    if value != "absent":
        raw[field] = value
    with pytest.raises(Refused) as caught:
        parse_canonical(raw)
    assert caught.value.details == {"field": field, "reason": "is missing"}


@pytest.mark.parametrize("field", [field for field in FIELDS if field not in {"action", "symbol", "quantity"}])
def test_an_optional_field_that_arrives_empty_counts_as_absent(field: str) -> None:
    assert parse(**{field: ""}) == parse_canonical({key: value for key, value in BASE.items() if key != field})


@pytest.mark.parametrize("field", NUMBERS)
@pytest.mark.parametrize(
    "value",
    [
        "NaN", "Infinity", "-Infinity", "1e13", "-1e13", Decimal("1e999999999"), "1e999999999", "one", "1,5", "0x10", "--1",
        True, False, [1], {"a": 1}, "1 2", Decimal("1e-999999999"), "1e-40", "1_000", "\u0661",
    ],
    ids=repr,
)  # fmt: skip
def test_a_wrong_number_is_refused_by_the_name_of_its_field(field: str, value: object) -> None:
    assert refusal(**{field: value})["field"] == field


@pytest.mark.parametrize("field", NUMBERS)
def test_a_placeholder_that_was_not_filled_in_is_recognised(field: str) -> None:
    details = refusal(**{field: "{{strategy.order.contracts}}"})
    assert details["field"] == field
    assert "placeholder" in details["reason"]


@pytest.mark.parametrize("field", [*PRICES, "quantity"])
@pytest.mark.parametrize("value", [-1, "-0.25"], ids=repr)
def test_a_negative_price_or_quantity_is_refused(field: str, value: object) -> None:
    assert refusal(**{field: value})["field"] == field


@pytest.mark.parametrize("field", PRICES)
@pytest.mark.parametrize("value", [0, "0.0", "-0"], ids=repr)
def test_a_price_of_nothing_is_refused(field: str, value: object) -> None:
    assert refusal(**{field: value})["field"] == field


@pytest.mark.parametrize("value", [0, "-0", "0.000", None], ids=repr)
def test_an_entry_of_nothing_is_refused(value: object) -> None:
    assert refusal(quantity=value)["field"] == "quantity"


@pytest.mark.parametrize("value", ["1", " 1 ", 1, Decimal(1), "1.0", "1e0", "+1"], ids=repr)
def test_numbers_may_be_strings(value: object) -> None:
    assert parse(quantity=value).quantity == 1


@pytest.mark.parametrize("value", ["1800.8000000000002", "0.30000000000000004", Decimal("5900.2500000000001")], ids=repr)
def test_the_noise_of_floating_point_is_no_reason_to_refuse(value: object) -> None:
    assert parse(price=value).price == Decimal(str(value))


@pytest.mark.parametrize("field", WORDS)
@pytest.mark.parametrize("value", ["nonsense", 5, True, ["buy"], {"a": 1}], ids=repr)
def test_a_wrong_word_is_refused_by_the_name_of_its_field(field: str, value: object) -> None:
    assert refusal(**{field: value})["field"] == field


@pytest.mark.parametrize("value", ["BUY", " Buy ", "buy"], ids=repr)
def test_words_are_understood_in_any_case(value: str) -> None:
    assert parse(action=value).action == "buy"


@pytest.mark.parametrize("field", TEXTS)
@pytest.mark.parametrize("value", [5, True, ["a"], {"a": 1}, "x" * 201, "\ud800"], ids=repr)
def test_a_wrong_text_is_refused_by_the_name_of_its_field(field: str, value: object) -> None:
    assert refusal(**{field: value})["field"] == field


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-02T14:30:00Z", "2026-03-02T14:30:00+00:00", "2026-03-02T15:30:00+01:00", "2026-03-02T09:30:00-05:00",
        "2026-03-02T14:30:00", "2026-03-02T14:30:00.000Z", " 2026-03-02T14:30:00Z ", 1772461800, "1772461800", 1772461800000,
        "1772461800000", Decimal("1772461800.0"), "1772461800.000",
    ],
    ids=repr,
)  # fmt: skip
def test_a_time_is_understood_in_every_spelling(value: object) -> None:
    assert parse(timestamp=value).timestamp == datetime(2026, 3, 2, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "yesterday", "{{timenow}}", "2026-13-01T00:00:00Z", "2026-03-02T25:00:00Z", -1, 0, "0", "1e400", Decimal("1e999999999"),
        Decimal("1e-999999999"), True, ["2026"], {"a": 1}, ".", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00",
        "\u0662\u0660\u0662\u0666", 10**18, "\ud800",
    ],
    ids=repr,
)  # fmt: skip
def test_a_wrong_time_is_refused_by_name(value: object) -> None:
    assert refusal(timestamp=value)["field"] == "timestamp"


def test_an_unknown_field_is_refused_by_name_with_the_one_that_was_meant() -> None:
    details = refusal(quantiy=1)
    assert details == {"field": "quantiy", "reason": "is not a field of an alert; did you mean quantity?"}
    assert refusal(zzz=1)["reason"].endswith("remove it")


def test_only_from_names_the_sides_that_may_be_held() -> None:
    assert parse(only_from="flat/Short").only_from == ("flat", "short")
    assert parse(only_from=["long"]).only_from == ("long",)
    assert refusal(only_from="flat/sideways")["field"] == "only_from"


def test_a_message_may_say_how_it_wants_to_be_read() -> None:
    alert = parse(gate="REJECT", quantity_is="contracts")
    assert (alert.gate, alert.quantity_is) == (Gate.REJECT, QuantityIs.CONTRACTS)


def test_cancel_and_flatten_need_no_size() -> None:
    assert parse(action="cancel", quantity="").action == "cancel"
    assert parse(action="Flatten", quantity="").action == "flatten"


def test_qty_is_another_word_for_quantity_but_not_both() -> None:
    raw = {key: value for key, value in BASE.items() if key != "quantity"}
    assert parse_canonical(raw | {"qty": "2"}).quantity == 2
    assert "qty" in refusal(qty=2)["field"] + refusal(qty=2)["reason"]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"market_position": "long"}, "market_position_size"),
        ({"market_position": "short", "market_position_size": 0}, "market_position_size"),
        ({"market_position": "flat", "market_position_size": 1}, "market_position_size"),
        ({"prev_market_position": "long", "prev_market_position_size": 0}, "prev_market_position_size"),
        ({"prev_market_position": "flat", "prev_market_position_size": 1}, "prev_market_position_size"),
        ({"action": "target"}, "market_position"),
        ({"type": "limit"}, "limit_price"),
        ({"type": "stop"}, "stop_price"),
        ({"type": "stop_limit", "limit_price": 1}, "stop_price"),
        ({"type": "stop_limit", "stop_price": 1}, "limit_price"),
        ({"type": "trailing_stop"}, "trail_amount"),
        ({"limit_price": 5900}, "limit_price"),
        ({"stop_price": 5900}, "stop_price"),
        ({"type": "limit", "limit_price": 5900, "stop_price": 5900}, "stop_price"),
        ({"type": "stop", "stop_price": 5900, "trail_amount": 1}, "trail_amount"),
        ({"type": "trailing_stop", "trail_amount": 1, "trail_percent": 1}, "trail_percent"),
        ({"type": "trailing_stop", "trail_percent": 100}, "trail_percent"),
        ({"type": "oco", "order_type": "exit", "limit_price": 1}, "stop_price"),
        ({"type": "oco", "order_type": "exit", "stop_price": 1}, "limit_price"),
        ({"type": "oco", "limit_price": 2, "stop_price": 1}, "type"),
        ({"type": "oco", "action": "close", "limit_price": 2, "stop_price": 1}, "type"),
        ({"order_type": "exit", "take_profit": 5900}, "take_profit"),
        ({"order_type": "exit", "stop_loss": 5900}, "stop_loss"),
    ],
)
def test_fields_that_do_not_go_together_are_refused(fields: dict[str, Any], named: str) -> None:
    assert refusal(**fields)["field"] == named


def test_a_flat_position_needs_no_size() -> None:
    assert parse(market_position="flat").signed_target == 0
    assert parse(market_position="flat", market_position_size="0").signed_target == 0


def test_each_type_of_order_is_taken_with_its_prices() -> None:
    assert parse(type="limit", limit_price="5900.25").type is OrderType.LIMIT
    assert parse(type="stop", stop_price=5900).stop_price == 5900
    assert parse(type="stop_limit", stop_price=5900, limit_price=5901).limit_price == 5901
    assert parse(type="trailing_stop", trail_percent="0.5").trail_percent == Decimal("0.5")
    assert parse(type="oco", order_type="exit", limit_price=5900, stop_price=5800).type is OrderType.OCO


@given(field=st.sampled_from(FIELDS), value=json_values)
def test_whatever_a_field_holds_the_answer_is_an_alert_or_a_refusal_that_names_a_field(field: str, value: object) -> None:
    answer = answer_to(**{field: value})
    if isinstance(answer, Refused):
        assert answer.code == "invalid_alert"
        assert set(answer.details) == {"field", "reason"}
        answer.message.encode()


@given(number=st.text("0123456789.eE+-naNiIfty ", max_size=12))
def test_whatever_a_number_looks_like_it_is_exact_or_refused(number: str) -> None:
    answer = answer_to(quantity=number)
    if isinstance(answer, Refused):
        assert answer.details["field"] == "quantity"
    else:
        assert answer.quantity is not None
        assert answer.quantity == Decimal(number.strip())
        assert 0 < answer.quantity <= Decimal("1e12")
