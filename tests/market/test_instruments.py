"""The catalogue is well-formed, and every spelling of a symbol leads to its contract."""

from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fillpath.errors import Refused
from fillpath.market.instruments import Instrument, instrument_of, instruments, resolve
from fillpath.market.last_days import LAST_DAYS

DAY = date(2026, 3, 2)
ROWS = sorted(instruments().values(), key=lambda row: row.root)
FUTURES = [row for row in ROWS if row.months]
MONTHS = "FGHJKMNQUVXZ"
days = st.dates(date(2020, 1, 1), date(2060, 12, 31))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.root)
def test_each_row_of_the_catalogue_is_well_formed(row: Instrument) -> None:
    assert row.root == row.root.strip().upper()
    assert "#" not in row.root
    assert row.kind in {"future", "equity", "crypto"}
    assert (row.kind == "future") == bool(row.months)
    assert row.name
    assert row.exchange
    assert row.currency in {"USD", "EUR", "USDT"}
    for positive in (row.tick_size, row.multiplier, row.lot_step, row.demo_price):
        assert positive > 0
    assert row.demo_price % row.tick_size == 0
    assert row.margin >= 0
    assert row.commission >= 0
    assert list(row.months) == sorted(set(row.months), key=MONTHS.index)
    assert row.lot_step == 1 if row.months else row.lot_step <= 1
    assert (row.last_day in LAST_DAYS) == bool(row.months)


def test_the_catalogue_names_each_root_once_and_none_like_a_contract_of_another() -> None:
    assert len(ROWS) >= 40
    for row in ROWS:
        found = instrument_of(row.root)
        assert found is row


@pytest.mark.parametrize("row", FUTURES, ids=lambda row: row.root)
def test_every_contract_of_every_root_is_read_back_as_its_own(row: Instrument) -> None:
    for month in row.months:
        for year in ("6", "26", "2026"):
            resolved = resolve(f"{row.root}{month}{year}", DAY)
            assert (resolved.instrument, resolved.contract) == (row, f"{row.root}{month}6")
            assert instrument_of(resolved.contract) is row


@pytest.mark.parametrize(
    ("symbol", "contract"),
    [
        ("ES", "ESH6"), ("es", "ESH6"), (" ES ", "ESH6"), ("ES1!", "ESH6"), ("ES2!", "ESM6"), ("ES5!", "ESH7"),
        ("CME_MINI:ES1!", "ESH6"), ("CME_MINI_DL:ES1!", "ESH6"), ("cme_mini:esz2026", "ESZ6"), ("ESZ6", "ESZ6"),
        ("ESZ26", "ESZ6"),
        ("6E1!", "6EH6"), ("6EZ6", "6EZ6"), ("ZNM2026", "ZNM6"), ("NQU2025", "NQU5"), ("MNQ1!", "MNQH6"), ("M2K1!", "M2KH6"),
        ("AAPL", "AAPL"), ("NASDAQ:AAPL", "AAPL"), ("NASDAQ_DLY:AAPL", "AAPL"),
        ("BTCUSDT.P", "BTCUSDT.P"), ("BYBIT:ETHUSDT.P", "ETHUSDT.P"),
        ("MNQ 06-25", "MNQM5"), ("mnq 06-25", "MNQM5"), ("NQ MAR26", "NQH6"), ("NQ2!", "NQM6"), ("MNQU2025", "MNQU5"),
        ("COINBASE:BTCUSD", "BTCUSD"), ("FDAX1!", "FDAXH6"),
    ],
)  # fmt: skip
def test_every_spelling_leads_to_its_contract(symbol: str, contract: str) -> None:
    assert resolve(symbol, DAY).contract == contract


@pytest.mark.parametrize(
    "symbol",
    [
        "",
        "!",
        "ES0!",
        "ES!",
        "AAPL1!",
        "ESF6",
        "ESZ",
        "ESZ206",
        "ESZ1926",
        "XYZ1!",
        "EUR/USD",
        "ES1!!",
        "ES-Z6",
        ":",
        "ES:",
        "{{ticker}}",
        "MNQ 13-25",
        "MNQ 05-25",
        "MNQ ABC25",
        "MNQ 06-2025",
        "SPY 250624C596",
        "BTC-USDT-SWAP",
    ],
)
def test_an_unknown_symbol_is_refused_with_what_would_be_understood(symbol: str) -> None:
    with pytest.raises(Refused) as caught:
        resolve(symbol, DAY)
    assert (caught.value.code, caught.value.details["field"]) == ("invalid_alert", "symbol")


@pytest.mark.parametrize(
    ("symbol", "last_day", "before", "after"),
    [
        ("ES1!", date(2026, 3, 20), "ESH6", "ESM6"),
        ("ES1!", date(2026, 6, 19), "ESM6", "ESU6"),
        ("ES1!", date(2026, 12, 18), "ESZ6", "ESH7"),
        ("ES2!", date(2026, 3, 20), "ESM6", "ESU6"),
        ("CL1!", date(2026, 3, 20), "CLJ6", "CLK6"),
        ("6E1!", date(2026, 12, 14), "6EZ6", "6EH7"),
        ("GC1!", date(2026, 5, 29), "GCM6", "GCQ6"),
    ],
)
def test_trading_moves_on_eight_days_before_the_last_day(symbol: str, last_day: date, before: str, after: str) -> None:
    roll = last_day - timedelta(days=8)
    assert resolve(symbol, roll - timedelta(days=1)).contract == before
    assert resolve(symbol, roll).contract == after


@given(row=st.sampled_from(FUTURES), day=days)
def test_the_front_contract_has_not_rolled_and_is_the_first_that_has_not(row: Instrument, day: date) -> None:
    first, second = resolve(f"{row.root}1!", day).contract, resolve(f"{row.root}2!", day).contract
    month = MONTHS.index(first[len(row.root)]) + 1
    year = next(year for year in range(day.year, day.year + 3) if year % 10 == int(first[-1]))
    assert LAST_DAYS[row.last_day](year, month) - timedelta(days=8) > day
    assert first != second
    assert resolve(row.root, day).contract == first


@given(row=st.sampled_from(FUTURES), day=days)
def test_days_go_by_and_the_front_contract_never_goes_back(row: Instrument, day: date) -> None:
    today, tomorrow = (resolve(f"{row.root}1!", each).contract for each in (day, day + timedelta(days=1)))
    assert tomorrow in {today, resolve(f"{row.root}2!", day).contract}


@given(symbol=st.text(max_size=12))
def test_no_text_breaks_the_resolver(symbol: str) -> None:
    with suppress(Refused):
        resolved = resolve(symbol, DAY)
        assert instrument_of(resolved.contract) is resolved.instrument


def test_figures_are_exact() -> None:
    assert instruments()["6J"].tick_size == Decimal("0.0000005")


@pytest.mark.parametrize(
    ("symbol", "problem"),
    [("ESZ2016", "over"), ("ESZ16", "over"), ("NQU2025", "over"), ("ESZ5", "over"), ("ESZ2036", "no contract")],
)
def test_a_contract_that_does_not_trade_takes_no_entry(symbol: str, problem: str) -> None:
    assert problem in resolve(symbol, DAY).no_entry


@pytest.mark.parametrize("symbol", ["ES", "ES1!", "ESH6", "ESZ2026", "ESM27", "AAPL"])
def test_a_contract_that_trades_takes_entries(symbol: str) -> None:
    assert resolve(symbol, DAY).no_entry == ""


@pytest.mark.parametrize("symbol", ["NYSE:SHOP", "nasdaq:pltr", "AMEX:BRK.B", "NASDAQ_DLY:PLTR", "BATS:X"])
def test_a_us_share_outside_the_catalogue_is_known_by_its_exchange(symbol: str) -> None:
    ticker = symbol.upper().partition(":")[2]
    resolved = resolve(symbol, DAY)
    assert (resolved.contract, resolved.instrument.root, resolved.instrument.kind) == (ticker, ticker, "equity")
    assert instrument_of(resolved.contract) == resolved.instrument
    assert resolve(ticker, DAY, exchange=symbol.partition(":")[0]).instrument == resolved.instrument


@pytest.mark.parametrize("symbol", ["SHOP", "TSX:SHOP", "NYSE:TOOLONG", "NYSE:SH0P", "BINANCE:PEPE", "NYSE:"])
def test_a_share_whose_exchange_is_not_told_is_not_guessed(symbol: str) -> None:
    with pytest.raises(Refused, match="with its exchange"):
        resolve(symbol, DAY)


def test_an_exchange_beside_the_symbol_changes_nothing_of_what_the_catalogue_knows() -> None:
    assert resolve("ES1!", DAY, exchange="NYSE") == resolve("ES1!", DAY)
    assert resolve("AAPL", DAY, exchange="NASDAQ").instrument is instruments()["AAPL"]
