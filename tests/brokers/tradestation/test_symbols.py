"""TradeStation's symbols: there and back for everything that the catalogue has."""

from datetime import date
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fillpath.errors import Unsupported
from fillpath.market.instruments import instruments
from fillpath_brokers.tradestation.symbols import shown, to_canonical, to_venue

TODAY = date(2026, 11, 25)
TRADED = [each for each in instruments().values() if each.kind in {"future", "equity"}]
CONTRACTS = [f"{each.root}{month}{digit}" for each in TRADED for month, digit in product(each.months, range(10))]


@pytest.mark.parametrize("root", [each.root for each in TRADED])
def test_a_root_comes_back(root: str) -> None:
    assert to_canonical(to_venue(root, TODAY)) == root


@given(st.sampled_from(CONTRACTS), st.dates(date(2020, 1, 1), date(2049, 12, 31)), st.booleans())
def test_a_contract_comes_back_on_any_day_in_any_case(contract: str, today: date, lower: bool) -> None:
    venue = to_venue(contract, today)
    assert to_canonical(venue.lower() if lower else venue) == contract


@given(st.sampled_from(CONTRACTS), st.dates(date(2020, 1, 1), date(2049, 12, 31)))
def test_a_contract_is_of_a_year_near_today(contract: str, today: date) -> None:
    year = int(to_venue(contract, today)[-2:])
    assert min(abs(year - today.year % 100), 100 - abs(year - today.year % 100)) <= 5


def test_no_two_of_ours_are_spelled_alike() -> None:
    spelled = [to_venue(symbol, TODAY) for symbol in [*(each.root for each in TRADED), *CONTRACTS]]
    assert len(set(spelled)) == len(spelled)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("ES", "@ES"),
        ("ESZ6", "ESZ26"),
        ("ESH7", "ESH27"),
        ("6E", "@EC"),
        ("6EZ6", "ECZ26"),
        ("6JH7", "JYH27"),
        ("ZBZ6", "USZ26"),
        ("ZNH7", "TYH27"),
        ("ZCZ6", "CZ26"),
        ("ZS", "@S"),
        ("CLF7", "CLF27"),
        ("AAPL", "AAPL"),
    ],
)
def test_symbols_are_spelled_as_there(ours: str, theirs: str) -> None:
    assert to_venue(ours, TODAY) == theirs
    assert to_canonical(theirs) == ours


@pytest.mark.parametrize("theirs", ["ES", "@AAPL", "ZZZZ9", "ESF26", "@ZZ", "NVDA 261218C190", "", "$SPX.X"])
def test_what_the_catalogue_does_not_know_is_unsupported(theirs: str) -> None:
    with pytest.raises(Unsupported):
        to_canonical(theirs)
    assert shown(theirs) == theirs.upper()


def test_what_is_none_of_ours_is_unsupported() -> None:
    with pytest.raises(Unsupported):
        to_venue("ZZZZ9", TODAY)
