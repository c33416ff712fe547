"""Each shape of alert in the wild becomes the right canonical form, or a refusal that names the field to change."""

import json
import sys
from decimal import Decimal
from subprocess import run
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fillpath.alerts.body import MAX_BODY_BYTES, read_message
from fillpath.alerts.dialects import registry
from fillpath.alerts.dialects.reading import is_off
from fillpath.alerts.dialects.registry import NAMES, dialect, understand
from tests.alerts import messages
from tests.alerts.messages import answer, body, check, expected

SECRETS = {
    "canonical": "secret", "traderspost": None, "pickmytrade": "token", "threecommas": "secret", "crosstrade": "key",
    "openalgo": "apikey", "pairs_ibkr": "passphrase", "foreign": "secret",
}  # fmt: skip
INFORMATIONAL = {
    "traderspost": {"extras", "quantityType"},
    "pickmytrade": {"platform", "connection_name", "account_id"},
    "threecommas": {"max_lag"},
    "crosstrade": {"account"},
    "openalgo": {"product"},
    "pairs_ibkr": set[str](),
}
"""What a message may carry without any effect; docs/alerts.md says so of each."""
ARRIVAL = {"crosstrade", "openalgo", "pairs_ibkr"}
JSON_ACCEPTED = [name for name in messages.accepted() if name.endswith(".json")]
TEXT_ACCEPTED = [name for name in messages.accepted() if name.endswith(".txt")]
WRONG: list[Any] = [
    None, "", " ", "x", "{{close}}", "NaN", "-1", "0", "-0", "1e400", "1e-400", "9" * 400, "\ud800", "\u0661", "\x00",
    True, False, 0, -1, 1.5, 10**30, [], {}, [1], {"a": 1}, [[]], {"": {}},
]  # fmt: skip

leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20)
any_json = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=5), max_leaves=12
)
FIELDS = sorted({field for name in JSON_ACCEPTED for field in json.loads(body(name))})


@pytest.mark.parametrize("name", messages.names())
def test_each_message_of_the_field_becomes_what_is_expected(name: str) -> None:
    assert answer(body(name)) == expected(name)


def test_every_shape_of_the_field_is_there() -> None:
    products = {name.partition("/")[0] for name in messages.names()}
    assert len(products) >= 19
    assert len(messages.names()) >= 130
    assert {"traderspost", "pickmytrade", "threecommas", "crosstrade", "openalgo"} <= products


@pytest.mark.parametrize("name", NAMES)
def test_each_dialect_says_where_its_secret_and_its_time_are(name: str) -> None:
    spoken = dialect(name)
    assert spoken.name == name
    assert spoken.secret_field == SECRETS[name]
    assert spoken.timed == (name not in ARRIVAL)


@pytest.mark.parametrize("name", messages.accepted())
def test_the_secret_that_was_given_is_the_alert_s(name: str) -> None:
    message = read_message(body(name))
    understood = understand(message)
    field = understood.dialect.secret_field
    assert understood.alert.secret == (message.fields.get(field) if field else None)


@pytest.mark.parametrize("name", messages.accepted())
def test_a_message_is_of_one_particular_shape_only(name: str) -> None:
    message = read_message(body(name))
    particular = [each for each, is_shape in registry._SHAPES if is_shape(message) and each not in {"traderspost", "canonical"}]
    assert len(particular) <= 1


@pytest.mark.parametrize("name", JSON_ACCEPTED)
def test_any_one_field_that_is_missing_or_wrong_is_named_or_does_no_harm(name: str) -> None:
    fields = json.loads(body(name))
    for field in fields:
        check(json.dumps({key: value for key, value in fields.items() if key != field}).encode())
        for value in WRONG:
            check(json.dumps(fields | {field: value}).encode())


@pytest.mark.parametrize("name", JSON_ACCEPTED)
def test_an_unknown_field_is_refused_by_name(name: str) -> None:
    fields = json.loads(body(name))
    assert answer(json.dumps(fields | {"zzz": 1}).encode())["refused"]["field"] == "zzz"


@pytest.mark.parametrize("name", TEXT_ACCEPTED)
def test_any_one_pair_of_a_text_that_is_missing_or_wrong_is_named_or_does_no_harm(name: str) -> None:
    pairs = [pair.strip() for pair in body(name).decode().replace("\n", ";").split(";") if pair.strip()]
    for index, pair in enumerate(pairs):
        others = pairs[:index] + pairs[index + 1 :]
        check(";".join(others).encode())
        for value in WRONG:
            check(";".join([*others, f"{pair.partition('=')[0]}={value}"]).encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("name", JSON_ACCEPTED)
def test_a_field_of_the_wrong_kind_is_refused_by_its_name_unless_it_means_nothing(name: str) -> None:
    fields = json.loads(body(name))
    for field in fields.keys() - {"extras", "take_profit", "stop_loss"}:
        found = check(json.dumps(fields | {field: [["x"]]}).encode())
        assert found["refused"]["field"].partition(".")[0] == field


def fields_of(name: str) -> dict[str, Any]:
    """The fields of a message that is understood, those of a text in lower case."""
    return dict(read_message(body(name)).fields)


def without(name: str, field: str) -> dict[str, Any]:
    """What becomes of the message when this field is not there."""
    fields = {key: str(value) if isinstance(value, Decimal) else value for key, value in fields_of(name).items() if key != field}
    if name.endswith(".txt"):
        return check(";".join(f"{key}={value}" for key, value in fields.items()).encode())
    return check(json.dumps(fields, default=str).encode())


@pytest.mark.parametrize("spoken", sorted(INFORMATIONAL))
def test_every_field_of_a_dialect_has_an_effect_or_is_known_to_have_none(spoken: str) -> None:
    mine = [name for name in messages.accepted() if expected(name)["dialect"] == spoken]
    seen = {field for name in mine for field, value in fields_of(name).items() if not is_off(value)}
    used = {field for name in mine for field in fields_of(name) if without(name, field) != expected(name)}
    assert seen - used == INFORMATIONAL[spoken]


@pytest.mark.parametrize("name", messages.accepted())
def test_the_content_type_is_not_asked_and_space_around_a_message_does_no_harm(name: str) -> None:
    assert answer(b"\xef\xbb\xbf\n  " + body(name) + b"\r\n ") == expected(name)


@pytest.mark.parametrize("name", JSON_ACCEPTED)
def test_a_key_that_stands_there_twice_is_refused(name: str) -> None:
    text = body(name).decode()
    key = next(iter(json.loads(text)))
    assert answer(text.replace("{", f'{{"{key}": "x",', 1).encode())["refused"]["field"] == key


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_refused(number: str) -> None:
    raw = body("traderspost/indicator.json").decode().replace('"quantity": "1"', f'"quantity": {number}')
    assert answer(raw.encode())["refused"]["field"] == "body"
    assert answer(raw.replace(number, f'"{number}"').encode())["refused"]["field"] == "quantity"


def test_a_number_that_is_too_large_to_be_read_is_refused() -> None:
    raw = body("traderspost/indicator.json").decode()
    assert answer(raw.replace('"1"', "1e" + "9" * 40).encode())["refused"]["field"] == "body"
    assert answer(raw.replace('"1"', "9" * 5000).encode())["refused"]["field"] == "quantity"


def test_negative_zero_is_no_size() -> None:
    raw = body("traderspost/indicator.json").decode().replace('"quantity": "1"', '"quantity": -0.0')
    assert answer(raw.encode())["refused"]["field"] == "quantity"


@pytest.mark.parametrize("noisy", ["5900.250000000001", 5900.249999999999])
def test_the_noise_of_floating_point_stays_for_the_instrument_to_settle(noisy: object) -> None:
    fields = json.loads(body("openalgo/limit.json"))
    alert = answer(json.dumps(fields | {"price": noisy}).encode())["alert"]
    assert abs(Decimal(alert["limit_price"]) - Decimal("5900.25")) < Decimal("1e-9")


@given(any_json)
def test_any_json_gets_an_answer(value: object) -> None:
    check(json.dumps(value).encode())


@given(st.dictionaries(st.sampled_from(FIELDS), any_json, min_size=1, max_size=8))
def test_any_json_under_known_names_gets_an_answer(value: object) -> None:
    check(json.dumps(value).encode())


@given(st.binary(max_size=300))
def test_any_bytes_get_an_answer(posted: bytes) -> None:
    check(posted)


@given(st.lists(st.tuples(st.sampled_from(["key", "command", "qty", "action", "x"]), st.text(max_size=12)), max_size=6))
def test_any_text_of_pairs_gets_an_answer(pairs: list[tuple[str, str]]) -> None:
    check(";\n".join(f"{key}={value}" for key, value in pairs).encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("depth", [50, 500, 980, 1500, 2700])
@pytest.mark.parametrize("field", ["takeProfit", "strategy_info", "multiple_accounts", "command", "symbol"])
def test_any_depth_gets_an_answer(field: str, depth: int) -> None:
    posted = f'{{"ticker":"ES1!","{field}":{"[" * depth}{"]" * depth}}}'.encode()
    assert len(posted) <= MAX_BODY_BYTES
    check(posted)


@pytest.mark.parametrize("text", ["a=" * 3000, "//" * 3000, "//\n" * 2000, "x(" * 3000, "key=1;" + "a=1;" * 1500, "(" * 8000])
def test_no_text_keeps_the_reader_busy(text: str) -> None:
    check(text.encode())


def test_a_dialect_is_loaded_when_its_first_message_comes() -> None:
    code = "import sys, fillpath.alerts.dialects.registry; print(sorted(m for m in sys.modules if 'alerts.dialects.' in m))"
    loaded = run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "shapes" in loaded
    assert "traderspost" not in loaded
