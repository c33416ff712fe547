"""Which of a user's accounts can trade a symbol or give its data, and why not."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from fillpath.accounts.model import Account, Credentials
from fillpath.errors import Refused
from fillpath_brokers.choices import Choice, choices

TODAY = date(2026, 11, 25)


def account(venue: str, **fields: Any) -> Account:
    known = {"account_id": f"A-{venue}", "user_id": "U1", "label": venue, "credentials": Credentials.VERIFIED}
    return Account(venue=venue, created_at=datetime(2026, 1, 1, tzinfo=UTC), **{**known, **fields})


def choice(symbol: str, *accounts: Account) -> Choice:
    [found] = choices(accounts, symbol, TODAY)
    return found


def test_an_account_trades_what_its_venue_trades() -> None:
    found = choice("AAPL", account("alpaca"))
    assert (found.trades, found.data, found.contract, found.why_not) == (True, True, "AAPL", "")


def test_a_future_at_a_venue_of_shares_is_not_traded() -> None:
    found = choice("ES1!", account("alpaca"))
    assert (found.trades, found.data, found.contract) == (False, False, "ESZ6")
    assert found.why_not == "Alpaca does not trade futures"


def test_an_account_that_is_not_let_in_has_no_data_either() -> None:
    found = choice("AAPL", account("alpaca", credentials=Credentials.NEEDS_REAUTH))
    assert (found.trades, found.data) == (False, False)
    assert "sign-in" in found.why_not


def test_an_account_may_be_limited_to_some_symbols() -> None:
    found = choice("AAPL", account("alpaca", symbols=("MSFT",)))
    assert (found.trades, found.data) == (False, True)
    assert "MSFT" in found.why_not


def test_an_account_trades_no_more_kinds_than_its_own() -> None:
    futures, unknown = account("tradestation", kinds=("future",)), account("tradestation")
    assert choice("ES1!", futures).trades
    found = choice("AAPL", futures)
    assert (found.trades, found.why_not) == (False, "this account trades futures only")
    assert choice("AAPL", unknown).trades


def test_the_contract_is_that_of_the_accounts_own_roll_rule() -> None:
    early, late = (choice("ES1!", account("paper", roll_days=days)) for days in (60, 8))
    assert (early.contract, late.contract) == ("ESH7", "ESZ6")


def test_the_order_of_the_accounts_is_kept() -> None:
    found = choices([account("paper"), account("alpaca")], "AAPL", TODAY)
    assert [each.venue for each in found] == ["paper", "alpaca"]


def test_an_unknown_symbol_is_refused() -> None:
    with pytest.raises(Refused, match="catalogue"):
        choices([account("paper")], "NOTHING", TODAY)
