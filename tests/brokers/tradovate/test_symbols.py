"""Our symbols in Tradovate's spelling and back, over the whole catalogue."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fillpath.errors import Unsupported
from fillpath.market.instruments import Instrument, instrument_of, instruments
from fillpath_brokers.tradovate.symbols import shown, to_canonical, to_venue

FUTURES = [each for each in instruments().values() if each.kind == "future"]
OTHERS = [each.root for each in instruments().values() if each.kind != "future"]
CONTRACTS = [f"{each.root}{month}{year}" for each in FUTURES for month, year in product(each.months, "0123456789")]


@pytest.mark.parametrize("instrument", FUTURES, ids=lambda each: each.root)
def test_every_root_and_contract_comes_back_as_it_was(instrument: Instrument) -> None:
    symbols = [instrument.root, *(each for each in CONTRACTS if instrument_of(each) is instrument)]
    assert len(symbols) == 1 + 10 * len(instrument.months)
    assert [to_canonical(to_venue(symbol)) for symbol in symbols] == symbols


def test_no_two_symbols_are_spelled_alike() -> None:
    ours = [*(each.root for each in FUTURES), *CONTRACTS]
    assert len({to_venue(each) for each in ours}) == len(ours)


@pytest.mark.parametrize(
    ("ours", "theirs"), [("ES", "@ES"), ("6E", "@6E"), ("ESZ6", "ESZ6"), ("6EZ6", "6EZ6"), ("MGCZ6", "MGCZ6")]
)
def test_contracts_are_spelled_alike_and_roots_are_continuous(ours: str, theirs: str) -> None:
    assert to_venue(ours) == theirs


@pytest.mark.parametrize("symbol", [*OTHERS, "XXZ6", ""])
def test_what_is_no_future_of_the_catalogue_is_unsupported(symbol: str) -> None:
    with pytest.raises(Unsupported):
        to_venue(symbol)


@pytest.mark.parametrize("symbol", ["ES", "@ESZ6", "@AAPL", "AAPL", "ESGZ6", "@"])
def test_a_name_that_tradovate_does_not_use_is_unsupported(symbol: str) -> None:
    with pytest.raises(Unsupported):
        to_canonical(symbol)
    assert shown(symbol) == symbol


@given(st.text(max_size=8))
def test_any_text_is_either_understood_or_unsupported(text: str) -> None:
    try:
        ours = to_canonical(text)
    except Unsupported:
        return
    assert to_venue(ours) == text
