"""The last days of contracts, as the exchanges have published them."""

from datetime import date

import pytest

from fillpath.market.instruments import instruments, resolve
from fillpath.market.last_days import LAST_DAYS

PUBLISHED = [
    ("ES", 2026, 12, date(2026, 12, 18)),
    ("NQ", 2026, 3, date(2026, 3, 20)),
    ("FDAX", 2026, 9, date(2026, 9, 18)),
    ("6E", 2026, 12, date(2026, 12, 14)),
    ("6J", 2026, 9, date(2026, 9, 14)),
    ("6C", 2026, 12, date(2026, 12, 15)),
    ("CL", 2026, 12, date(2026, 11, 20)),
    ("CL", 2026, 11, date(2026, 10, 20)),  # the 25th is a Sunday
    ("MCL", 2026, 11, date(2026, 10, 19)),
    ("NG", 2026, 10, date(2026, 9, 28)),
    ("GC", 2026, 12, date(2026, 11, 30)),
    ("ZC", 2026, 12, date(2026, 11, 30)),
    ("ZN", 2026, 12, date(2026, 11, 27)),
]


@pytest.mark.parametrize(("root", "year", "month", "day"), PUBLISHED)
def test_a_contract_has_the_last_day_that_its_exchange_published(root: str, year: int, month: int, day: date) -> None:
    assert LAST_DAYS[instruments()[root].last_day](year, month) == day


def test_at_its_last_day_a_contract_is_left_even_if_it_is_to_be_left_on_no_earlier_one() -> None:
    assert resolve("6E", date(2026, 12, 13), roll_days=0).contract == "6EZ6"
    assert resolve("6E", date(2026, 12, 14), roll_days=0).contract == "6EH7"
