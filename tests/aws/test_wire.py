"""Values and their wire form: nothing is lost but what is None."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fillpath.orders.model import Side
from fillpath_aws import wire

_numbers = some.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=-(10**12), max_value=10**12)
_simple = some.one_of(some.text(), some.booleans(), some.integers(-(10**15), 10**15), _numbers)
_values = some.recursive(
    _simple, lambda inner: some.one_of(some.lists(inner), some.dictionaries(some.text(), inner)), max_leaves=9
)


@given(some.dictionaries(some.text(), _values))
def test_a_record_comes_back_as_it_went(record: dict[str, Any]) -> None:
    assert wire.record(wire.item(record)) == record


def test_every_kind_has_its_wire_form() -> None:
    record = {
        "text": "a",
        "side": Side.BUY,
        "yes": True,
        "count": 3,
        "price": Decimal("1.50"),
        "ratio": 0.25,
        "at": datetime(2026, 3, 2, 14, 30, 0, 123999, UTC),
        "list": ("a", None),
        "none": None,
    }
    assert wire.item(record) == {
        "text": {"S": "a"},
        "side": {"S": "buy"},
        "yes": {"BOOL": True},
        "count": {"N": "3"},
        "price": {"N": "1.50"},
        "ratio": {"N": "0.25"},
        "at": {"S": "2026-03-02T14:30:00.123Z"},
        "list": {"L": [{"S": "a"}, {"NULL": True}]},
    }


def test_an_instant_is_written_in_utc_whatever_its_zone() -> None:
    at = datetime(2026, 3, 2, 9, 30, tzinfo=timezone(timedelta(hours=-5)))
    assert wire.instant(at) == "2026-03-02T14:30:00.000Z"


def test_what_no_table_holds_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="object"):
        wire.item({"x": object()})
