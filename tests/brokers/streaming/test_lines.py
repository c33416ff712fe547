"""Cutting a byte stream into JSON values, wherever its chunks are cut."""

import json
import re
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fillpath_brokers.streaming import lines
from fillpath_brokers.streaming.lines import Lines

TEXT = st.text(st.sampled_from('{}[]"\\,: \u00e9\u20ac\U0001f4c8ab\t')) | st.text(max_size=8)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=6
)
OBJECT = st.dictionaries(TEXT, VALUE, max_size=4)
WORD = st.sampled_from(["END", "ERROR - out of {memory}", "}", '"', "null", "\ufeff"])
END_OF_LINE = st.sampled_from(["\n", "\r\n", "\n\n", " \r\n"])


def fed(chunks: Sequence[bytes | str]) -> list[bytes | str]:
    splitter = Lines()
    return [found for chunk in chunks for found in splitter.feed(chunk)]


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    borders = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(borders)]


@st.composite
def line(draw: st.DrawFn) -> tuple[list[object], bytes]:
    """A line of a stream, and the values and words in it."""
    ascii_only = draw(st.booleans())
    if draw(st.integers(0, 5)) == 0:
        word = draw(WORD)
        return [word], f"{word}{draw(END_OF_LINE)}".encode()
    values = draw(st.lists(OBJECT, max_size=3))
    glue = draw(st.sampled_from(["", " "]))
    text = glue.join(json.dumps(value, ensure_ascii=ascii_only) for value in values)
    return list(values), f"{text}{draw(END_OF_LINE)}".encode(errors="surrogatepass")


def read(found: bytes | str) -> object:
    return json.loads(found) if isinstance(found, bytes) else found


@given(st.lists(line(), max_size=5), st.lists(st.integers(0), max_size=12))
def test_the_same_values_come_out_whatever_the_chunks(stream: list[tuple[list[object], bytes]], places: list[int]) -> None:
    data = b"".join(encoded for _, encoded in stream)
    assert [read(found) for found in fed(cut(data, places))] == [value for values, _ in stream for value in values]


@given(st.text(st.sampled_from('{}[]"\\\n\r a1:,')), st.lists(st.integers(0), max_size=8))
def test_even_of_rubbish_the_same_comes_out_whatever_the_chunks(text: str, places: list[int]) -> None:
    data = text.encode() + b"\n"
    assert fed(cut(data, places)) == fed([data]) == fed([data[at : at + 1] for at in range(len(data))])


@given(st.lists(OBJECT, min_size=1, max_size=3))
def test_objects_without_any_line_end_come_out_as_soon_as_they_are_whole(values: list[object]) -> None:
    splitter, found = Lines(), 0
    for number, value in enumerate(values, start=1):
        found += len(splitter.feed(json.dumps(value)))
        assert found == number


def test_what_is_not_json_is_handed_out_as_text() -> None:
    assert fed([b'{"a":1}\r\nEND\r\n\r\n \nERROR - 500 {no}\n{"b":2}\n']) == [b'{"a":1}', "END", "ERROR - 500 {no}", b'{"b":2}']


def test_a_truncated_value_costs_no_other() -> None:
    assert fed(['{"a":{"b":"x\n{"c":3}\n']) == ['{"a":{"b":"x', b'{"c":3}']
    assert fed(['{"a":{"b":1}\n{"c":3}\n']) == ['{"a":{"b":1}', b'{"c":3}']


def test_an_array_is_one_value() -> None:
    assert fed(['[{"a":1},{"b":[2]}][3]\n']) == [b'[{"a":1},{"b":[2]}]', b"[3]"]


def test_what_is_left_at_the_end_can_be_asked_for() -> None:
    splitter = Lines()
    assert splitter.feed(b'{"a":1} EN') == [b'{"a":1}']
    assert splitter.feed(b"D") == []
    assert splitter.left() == "END"


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_what_never_ends_is_dropped_to_the_end_of_its_line(size: int) -> None:
    splitter = Small()
    whole = b'{"long":"' + b"x" * 500 + b'"}\n'
    data = whole + whole.replace(b"\n", b'{"lost":1}\n') + b"ERROR " + b"y" * 500 + b'\n{"a":1}\n'
    found = [found for at in range(0, len(data), size) for found in splitter.feed(data[at : at + size])]
    assert [re.sub(r"(x|y)+", r"\1", item) if isinstance(item, str) else item for item in found] == [
        '{"long":"x',
        '{"long":"x',
        "ERROR y",
        b'{"a":1}',
    ]
    assert splitter.left() == ""


class Small(Lines):
    """With little patience."""

    longest = 200


def test_the_limit_is_far_from_what_venues_send() -> None:
    snapshot = json.dumps({"orders": ["x" * 1000] * 10_000})
    assert fed([snapshot, "\n"]) == [snapshot.encode()]
    assert len(snapshot) < lines.Lines.longest
