"""Reading what venues answer: numbers that are none, times without a zone, listings without an end."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from fillpath.errors import BrokerUnavailable, NotSent
from fillpath_brokers import documents
from fillpath_brokers.documents import (
    amount,
    filled_part,
    moment,
    moment_of,
    moment_or_none,
    number,
    number_or_none,
    paged,
    plain,
    readable,
)


@pytest.mark.parametrize(("written", "read"), [("5000.25", "5000.25"), (7, "7"), (Decimal("0.10"), "0.10"), ("-3", "-3")])
def test_a_number_is_read_as_it_is_written(written: Any, read: str) -> None:
    assert str(number(written)) == read


@pytest.mark.parametrize("written", ["NaN", "sNaN", "Infinity", "-inf", " nan ", Decimal("NaN"), "many", "", None, [], {}, True])
def test_what_is_no_finite_number_is_none(written: Any) -> None:
    with pytest.raises(ValueError, match="number"):
        number(written)


@pytest.mark.parametrize("written", ["-1", "-0.01", "1e400", "NaN", ""])
def test_what_counts_things_is_never_less_than_none(written: str) -> None:
    assert amount("0") == 0
    with pytest.raises(ValueError, match=r"number|less than none"):
        amount(written)


@pytest.mark.parametrize(("filled", "ordered"), [(-1, 2), (3, 2), (1, 0)])
def test_no_less_than_nothing_and_no_more_than_all_is_filled(filled: int, ordered: int) -> None:
    assert filled_part(Decimal(2), Decimal(2)) == 2
    with pytest.raises(ValueError, match="cannot be filled"):
        filled_part(Decimal(filled), Decimal(ordered))


def test_nothing_is_told_from_a_number() -> None:
    assert (number_or_none(None), number_or_none(""), number_or_none("0")) == (None, None, 0)
    with pytest.raises(ValueError, match="finite"):
        number_or_none("NaN")


def test_numbers_go_out_without_zeros_or_exponents() -> None:
    assert [plain(Decimal(each)) for each in ("0.500", "1E+3", "229.10", "7")] == ["0.5", "1000", "229.1", "7"]


def test_a_time_without_a_zone_is_in_utc() -> None:
    assert moment("2026-11-25T15:04:05") == moment("2026-11-25T15:04:05Z") == datetime(2026, 11, 25, 15, 4, 5, tzinfo=UTC)
    assert moment("2026-11-25T10:04:05.123456789-05:00").astimezone(UTC) == datetime(2026, 11, 25, 15, 4, 5, 123456, tzinfo=UTC)
    assert moment_or_none(None) is moment_or_none("") is None


@pytest.mark.parametrize("document", [{}, {"a": None}, {"a": "NaN"}, {"a": {}}, [], None])
def test_what_is_not_as_it_should_be_is_no_answer(document: Any) -> None:
    with pytest.raises(BrokerUnavailable, match="the venue's order cannot be read"), readable("the venue's order"):
        number(document["a"])


def test_other_trouble_stays_what_it_is() -> None:
    with pytest.raises(NotSent), readable("the venue's order"):
        raise NotSent("no quota")


def test_pages_are_read_to_the_last() -> None:
    pages = {None: (["a"], "1"), "1": (["b", "c"], "2"), "2": ([], None)}
    assert list(paged(lambda token: pages[token], "orders")) == ["a", "b", "c"]


def test_a_page_that_comes_again_and_pages_without_end_are_no_answer() -> None:
    with pytest.raises(BrokerUnavailable, match="twice"):
        list(paged(lambda _: (["a"], "1"), "orders"))
    counted: list[str | None] = []

    def page(token: str | None) -> tuple[list[str], str]:
        counted.append(token)
        return [], str(len(counted))

    with pytest.raises(BrokerUnavailable, match="too many"):
        list(paged(page, "orders"))
    assert len(counted) == documents.MOST_PAGES


def test_milliseconds_are_an_instant_or_no_calendar_has_them() -> None:
    assert moment_of(1_764_083_045_123) == datetime(2025, 11, 25, 15, 4, 5, 123000, tzinfo=UTC)
    with pytest.raises(ArithmeticError):
        moment_of(10**20)
