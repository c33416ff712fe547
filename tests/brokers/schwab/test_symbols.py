"""Schwab's spelling of every root and contract of the catalogue, there and back."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fillpath.errors import Unsupported
from fillpath.market.instruments import instrument_of, instruments
from fillpath_brokers.schwab.capabilities import CAPABILITIES
from fillpath_brokers.schwab.symbols import to_canonical, to_venue
from tests.brokers.schwab.site import Bench

TODAY = date(2026, 11, 25)
SHARES = sorted(root for root, each in instruments().items() if each.kind == "equity")
FUTURES = sorted(root for root, each in instruments().items() if each.kind == "future" and each.exchange != "EUREX")


@given(st.data(), st.dates(date(2020, 1, 1), date(2039, 12, 31)))
def test_every_root_and_contract_comes_back_as_it_was(data: st.DataObject, today: date) -> None:
    root = data.draw(st.sampled_from([*SHARES, *FUTURES]))
    months = instruments()[root].months
    symbol = root
    if months and data.draw(st.booleans()):
        symbol = f"{root}{data.draw(st.sampled_from(months))}{data.draw(st.integers(0, 9))}"
    assert to_canonical(to_venue(symbol, today)) == symbol


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("ES", "/ES"),
        ("ESZ6", "/ESZ26"),
        ("ESH7", "/ESH27"),
        ("6EZ6", "/6EZ26"),
        ("M2KH0", "/M2KH30"),
        ("GCZ1", "/GCZ21"),
        ("CLX2", "/CLX22"),
        ("AAPL", "AAPL"),
    ],
)
def test_futures_have_a_slash_and_a_year_of_two_digits(ours: str, theirs: str) -> None:
    assert (to_venue(ours, TODAY), to_canonical(theirs)) == (theirs, ours)


@pytest.mark.parametrize("symbol", ["BTCUSD", "FDAX", "NOTHING"])
def test_what_schwab_has_no_data_of_is_unsupported(symbol: str) -> None:
    with pytest.raises(Unsupported):
        to_venue(symbol, TODAY)


@pytest.mark.parametrize("symbol", ["/AAPL", "ES", "$SPX", "/XXZ26", "AAPL  240517P00190000", "EUR/USD"])
def test_what_the_catalogue_does_not_know_is_unsupported(symbol: str) -> None:
    with pytest.raises(Unsupported):
        to_canonical(symbol)


@pytest.mark.parametrize("symbol", ["ES1!", "ESZ6", "CME_MINI:ES1!", "6E"])
def test_futures_are_refused_for_trading_with_the_reason(symbol: str) -> None:
    broker = Bench().broker
    assert not broker.supports(symbol)
    with pytest.raises(Unsupported, match="data only"):
        broker.contract(symbol)


@pytest.mark.parametrize("symbol", ["AAPL", "NASDAQ:AAPL", "SPY"])
def test_shares_are_traded(symbol: str) -> None:
    broker = Bench().broker
    assert broker.supports(symbol)
    assert instrument_of(broker.contract(symbol).contract) is not None


def test_the_capabilities_say_that_futures_are_data_only() -> None:
    assert CAPABILITIES.can_trade
    assert CAPABILITIES.asset_classes == {"equity"}
    assert CAPABILITIES.with_data == {"equity", "future"}
    assert CAPABILITIES.deduplicates_s == 0


def test_a_coin_is_refused_as_what_it_is() -> None:
    with pytest.raises(Unsupported, match="crypto"):
        Bench().broker.contract("BTCUSD")


def test_a_future_has_no_front_month_that_could_be_traded() -> None:
    with pytest.raises(Unsupported, match="data only"):
        Bench().broker.front_month("ES")


def test_the_year_of_one_digit_is_the_nearest() -> None:
    assert to_venue("ESZ1", datetime(2026, 1, 1, tzinfo=UTC).date()) == "/ESZ21"
    assert to_venue("ESZ0", datetime(2026, 1, 1, tzinfo=UTC).date()) == "/ESZ30"
