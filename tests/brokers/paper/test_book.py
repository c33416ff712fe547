from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fillpath.market.instruments import instruments
from fillpath_brokers.exchange.book import Book, Holding, traded


def held(quantity: str, price: str) -> Holding:
    return Holding(Decimal(quantity), Decimal(price))


@pytest.mark.parametrize(
    ("before", "signed", "price", "after", "points"),
    [
        (None, "2", "100", held("2", "100"), "0"),
        (None, "-2", "100", held("-2", "100"), "0"),
        (held("1", "100"), "3", "104", held("4", "103"), "0"),
        (held("-1", "100"), "-1", "110", held("-2", "105"), "0"),
        (held("3", "100"), "-1", "104", held("2", "100"), "4"),
        (held("-3", "100"), "1", "104", held("-2", "100"), "-4"),
        (held("3", "100"), "-3", "104", None, "12"),
        (held("3", "100"), "-5", "104", held("-2", "104"), "12"),
        (held("-2", "100"), "3", "90", held("1", "90"), "20"),
    ],
)
def test_a_trade_averages_when_it_adds_and_realises_when_it_reduces(
    before: Holding | None, signed: str, price: str, after: Holding | None, points: str
) -> None:
    assert traded(before, Decimal(signed), Decimal(price)) == (after, Decimal(points))


def test_futures_change_cash_by_result_and_commission_only() -> None:
    es = instruments()["ES"]

    opened, _, commission = Book().traded(es, "ESH6", Decimal(2), Decimal(5900))
    closed, realised, _ = opened.traded(es, "ESH6", Decimal(-2), Decimal(5903))

    assert (opened.cash, commission) == (Decimal("999997.50"), Decimal("2.50"))
    assert realised == Decimal(300)
    assert closed.cash == Decimal(1_000_000) + 300 - 5
    assert (closed.realised_pnl, closed.commission, closed.holdings) == (Decimal(300), Decimal(5), {})


def test_shares_are_paid_in_full() -> None:
    aapl = instruments()["AAPL"]

    bought, _, _ = Book().traded(aapl, "AAPL", Decimal("1.5"), Decimal(200))
    sold, realised, _ = bought.traded(aapl, "AAPL", Decimal("-1.5"), Decimal(210))

    assert bought.cash == Decimal(999_700)
    assert sold.cash == Decimal(1_000_015)
    assert realised == Decimal(15)


trades = st.lists(st.tuples(st.integers(-5, 5).filter(bool), st.integers(90, 110)), min_size=1, max_size=30)


@given(root=st.sampled_from(["ES", "AAPL"]), trades=trades, last=st.integers(90, 110))
def test_worth_is_what_was_started_with_plus_results_less_commission(root: str, trades: list[tuple[int, int]], last: int) -> None:
    instrument, book = instruments()[root], Book()

    for signed, price in trades:
        book, _, _ = book.traded(instrument, root, Decimal(signed), Decimal(price))

    holding = book.holdings.get(root, held("0", "0"))
    unrealised = holding.quantity * (last - holding.average_price) * instrument.multiplier
    value = unrealised if instrument.kind == "future" else holding.quantity * last * instrument.multiplier
    assert holding.quantity == sum(signed for signed, _ in trades)
    assert abs(book.cash + value - (1_000_000 + book.realised_pnl + unrealised - book.commission)) < Decimal("1e-12")
