"""Mappings: what they can say, that numbers stay exact, and that none of them can run away."""

import time
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fillpath.alerts.body import Message, read_message
from fillpath.alerts.canonical import CanonicalAlert
from fillpath.alerts.mapping import MAX_LENGTH, check_mapping, mapped
from fillpath.errors import Refused

SAMPLE = read_message(
    b"""{"side": "LONG", "venue": "CME", "pair": "ES1!", "order": {"size": 1.5, "fine": 0.12345678901234567890, "huge": 1e900},
    "sent": "2026-03-02T14:30:00Z", "auth": "s", "legs": [{"kind": "tp", "at": 6010.25}, {"kind": "sl", "at": 5990}]}"""
)


def alert_of(expression: str, sample: Message = SAMPLE) -> CanonicalAlert:
    return check_mapping(expression, sample)


def refusal(expression: str, sample: Message = SAMPLE) -> Refused:
    with pytest.raises(Refused) as caught:
        check_mapping(expression, sample)
    return caught.value


@pytest.mark.parametrize(
    ("expression", "fields"),
    [
        ("action: 'buy', symbol: pair, quantity: order.size", {"quantity": Decimal("1.5")}),
        ("action: 'buy', symbol: pair, quantity: order.fine", {"quantity": Decimal("0.12345678901234567890")}),
        ("action: 'buy', symbol: pair, quantity: `2`", {"quantity": Decimal(2)}),
        ("action: contains(['LONG', 'BUY'], side) && 'buy' || 'sell', symbol: pair, quantity: `1`", {"action": "buy"}),
        ("action: 'buy', symbol: join(':', [venue, pair]), quantity: `1`", {"symbol": "CME:ES1!"}),
        ("action: 'buy', symbol: pair, quantity: `1`, comment: legs[?kind == 'sl'].at | [0] | to_string(@)", {"comment": "5990"}),
        ("action: 'buy', symbol: pair, quantity: `1`, take_profit: legs[0].at", {"take_profit": Decimal("6010.25")}),
        ("action: 'buy', symbol: pair, quantity: `1`, strategy: not_null(name, 'mine')", {"strategy": "mine"}),
        ("action: 'buy', symbol: pair, quantity: `1`, timestamp: sent, secret: auth, id: nothing", {"id": None, "secret": "s"}),
    ],
)
def test_an_alert_comes_from_anywhere_in_a_message(expression: str, fields: dict[str, Any]) -> None:
    alert = alert_of(f"{{{expression}}}")
    assert {name: getattr(alert, name) for name in fields} == fields


def test_what_is_understood_says_that_it_came_through_the_mapping() -> None:
    understood = mapped(SAMPLE, "{action: 'close', symbol: pair}")
    assert (understood.dialect.name, understood.message) == ("mapping", SAMPLE)


@pytest.mark.parametrize(
    ("expression", "named"),
    [
        ("{action: side", "is not JMESPath"),
        ("", "is not JMESPath"),
        ("side", "must be one object"),
        ("[side]", "must be one object"),
        ("{action: 'hold', symbol: pair}", "action: input should be"),
        ("{action: 'buy', symbol: pair}", "quantity: must be above 0"),
        ("{action: 'close', symbol: pair, colour: side}", "colour: is not a field"),
        ("{action: 'close', symbol: abs(side)}", "abs()"),
        ("{action: 'buy', symbol: pair, quantity: order.huge}", "quantity: '1E+900' is out of range"),
        ("{action: 'close', symbol: order}", "symbol: input should be a valid string"),
    ],
)
def test_what_is_wrong_with_a_mapping_is_named(expression: str, named: str) -> None:
    wrong = refusal(expression)
    assert wrong.code == "bad_mapping"
    assert named in wrong.message


def tree(operator: str, leaf: str, depth: int) -> str:
    return leaf if depth == 0 else f"({tree(operator, leaf, depth - 1)}{operator}{tree(operator, leaf, depth - 1)})"


RUNAWAYS = {
    "a list twice as long with each step": "{action: " + " | ".join(["[@, @][]"] * 200) + "}",
    "an object in the object": "{action: " + "{a: @, b: @} | " * 100 + "to_string(@)}",
    "an object that is handed on": "{a: @, b: @} | {a: @, b: @} | to_string(@)",
    "lists in a function that hands them on": "{action: not_null([@, @]) | not_null([@, @]) | to_string(@)}",
    "a function over a function": "{action: map(&map(&@, @), @)}",
    "a text twice as long with each step": "{action: " + " | ".join(["join('', [to_string(@), to_string(@)])"] * 12) + "}",
    "a text between many": "{action: join(to_string(@), many)}",
    "many parts": "{action: " + " || ".join(["a"] * 600) + "}",
    "deep inside each other": "{action: " + "(" * 900 + "a" + ")" * 900 + "}",
    "a very long one": "{action: '" + "a" * MAX_LENGTH + "'}",
    "a filter in a filter": "{action: many[?" * 20 + "a" + "]" * 20 + "}",
    "much to compare for each": "{action: many[?" + tree("&&", "!a", 5) + "]}",
    "much to ask of each": "{action: many[?" + tree("||", "type(@) == 'x'", 4) + "]}",
}
MANY = Message({"many": [Decimal(1)] * 4000})


@pytest.mark.parametrize("name", RUNAWAYS)
@pytest.mark.parametrize("sample", [SAMPLE, MANY], ids=["small", "large"])
def test_no_mapping_runs_away(name: str, sample: Message) -> None:
    begun = time.process_time()
    assert refusal(RUNAWAYS[name], sample).code == "bad_mapping"
    assert time.process_time() - begun < 2


_VALUES = st.recursive(
    st.none() | st.booleans() | st.decimals(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "side", "many"]), inner, max_size=3),
    max_leaves=8,
)
_PATHS = st.sampled_from(
    [
        "side",
        "a.b",
        "many[0]",
        "many[*].a",
        "many[?a > b].side | [-1]",
        "sum(many)",
        "to_number(side)",
        "length(a)",
        "@",
        "!a",
        "a == b",
    ]
)


@given(st.dictionaries(st.sampled_from(["a", "b", "side", "many"]), _VALUES), _PATHS, _PATHS)
def test_whatever_comes_becomes_an_alert_or_a_refusal(fields: dict[str, Any], first: str, second: str) -> None:
    with suppress(Refused):
        assert mapped(Message(fields), f"{{action: 'buy', symbol: {first}, quantity: {second}}}").alert.action == "buy"
