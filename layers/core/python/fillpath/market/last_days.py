"""The last day on which a futures contract is to be held, by the exchange's rule: a rule's name and a delivery month go in.

That is its last trading day or, for what is delivered physically, the day on which notices of delivery (treasuries: intentions)
begin. Sources: the contract specifications of CME Group and Eurex. Holidays are not counted, so the true day may be one or two
earlier.
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from types import MappingProxyType

_MONDAY, _WEDNESDAY, _FRIDAY, _SATURDAY = 0, 2, 4, 5
_CRUDE_DAY = 25

LastDay = Callable[[int, int], date]


def _third(weekday: int, year: int, month: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 14)


def _business_days_before(day: date, count: int) -> date:
    while count:
        day -= timedelta(days=1)
        count -= day.weekday() < _SATURDAY
    return day


def _of_index(year: int, month: int) -> date:
    return _third(_FRIDAY, year, month)


def _of_currency(before: int) -> LastDay:
    return lambda year, month: _business_days_before(_third(_WEDNESDAY, year, month), before)


def _before_the_month(days: int) -> LastDay:
    return lambda year, month: _business_days_before(date(year, month, 1), days)


def _of_crude(year: int, month: int) -> date:
    """Three business days before the 25th of the month before; four where that is none itself."""
    before = date(year, month, 1) - timedelta(days=1)
    day = before.replace(day=_CRUDE_DAY)
    return _business_days_before(day, 3 if day.weekday() < _SATURDAY else 4)


def _of_micro_crude(year: int, month: int) -> date:
    return _business_days_before(_of_crude(year, month), 1)


LAST_DAYS: Mapping[str, LastDay] = MappingProxyType(
    {
        "third friday": _of_index,
        "two days before the third wednesday": _of_currency(2),
        "a day before the third wednesday": _of_currency(1),
        "crude": _of_crude,
        "micro crude": _of_micro_crude,
        "three days before the month": _before_the_month(3),
        "two days before the month": _before_the_month(2),
        "a day before the month": _before_the_month(1),
    }
)
"""By the name that the catalogue has for it."""
