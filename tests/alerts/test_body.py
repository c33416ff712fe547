"""From bytes to an object, or a refusal: nothing that is posted may break the reader."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fillpath.alerts.body import MAX_BODY_BYTES, TooLarge, read_object
from fillpath.errors import Refused


def refusal(body: bytes) -> Refused:
    with pytest.raises(Refused) as caught:
        read_object(body)
    assert (caught.value.code, caught.value.details["field"]) == ("invalid_alert", "body")
    return caught.value


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"null", b"[]", b'"text"', b"1", b"{", b"{]", b"buy ES", b"key=1;command=PLACE", b'{"a":}', b'{"a":NaN}',
        b'{"a":Infinity}', b'{"a":-Infinity}', b"\xff\xfe{}", b'{"a":"\xc3"}',
        b"[" * 4000, b'{"a":' * 1300, b'{"a":1}{"b":2}', b"{'a':1}", b'{"a":"\n"}', b'[{"action":"buy"}]',
    ],
)  # fmt: skip
def test_what_is_not_one_json_object_is_refused(body: bytes) -> None:
    refusal(body)


def test_a_body_is_read_up_to_8_kb_and_no_further() -> None:
    filler = MAX_BODY_BYTES - len('{"a":""}')
    assert read_object(b'{"a":"' + b"x" * filler + b'"}') == {"a": "x" * filler}
    assert isinstance(refusal(b'{"a":"' + b"x" * (filler + 1) + b'"}'), TooLarge)


def test_a_byte_order_mark_does_no_harm() -> None:
    assert read_object(b'\xef\xbb\xbf{"a":1}') == {"a": 1}


def test_numbers_stay_exact() -> None:
    assert read_object(b'{"a":0.1,"b":12345678901234567890,"c":1e-7}') == {
        "a": Decimal("0.1"), "b": Decimal(12345678901234567890), "c": Decimal("1e-7"),
    }  # fmt: skip


def test_the_usual_cause_of_broken_json_is_told() -> None:
    assert "placeholder" in refusal(b'{"action":"buy","price":}').message


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(body: bytes) -> None:
    with suppress(Refused):
        read_object(body)


@pytest.mark.parametrize("depth", [100, 500, 900, 980, 990, 1000, 1500, 4000])
def test_no_depth_breaks_the_reader(depth: int) -> None:
    with suppress(Refused):
        read_object(b'{"a":' + b"[" * depth + b"]" * depth + b"}")


@pytest.mark.parametrize("body", [b'{"a":1,"a":2}', b'{"x":{"a":1,"a":1}}'])
def test_a_key_that_stands_there_twice_is_named(body: bytes) -> None:
    with pytest.raises(Refused) as caught:
        read_object(body)
    assert caught.value.details == {"field": "a", "reason": "stands there twice"}


def test_an_empty_body_is_told_to_be_empty() -> None:
    assert "is empty" in refusal(b"  ").message


def test_a_key_without_a_name_that_stands_there_twice_is_the_bodys() -> None:
    assert "twice" in refusal(b'{"":1,"":2}').message
