"""What an account holds at TradeStation, and what is known before an order is sent."""

from decimal import Decimal
from typing import Any

import pytest

from fillpath.errors import BrokerUnavailable, Unsupported
from fillpath.orders.model import Side
from fillpath.orders.outcomes import Position
from fillpath_brokers.facade import Balances
from tests.brokers.tradestation.rig import BASE, Rig, leg, sample

ACCOUNTS, PREVIEW = "/v3/brokerage/accounts", "/v3/orderexecution/orderconfirm"
SYMBOL = "/v3/marketdata/symbols/ESZ26"
MARGIN = "/v3/brokerage/accounts/SIM1234567M"


@pytest.fixture
def rig() -> Rig:
    made = Rig()
    made.answers("GET", ACCOUNTS, sample("accounts"))
    made.answers("GET", f"{BASE}/balances", sample("balances_futures"))
    made.answers("GET", SYMBOL, sample("symbols_continuous"))
    made.answers("POST", PREVIEW, sample("preview_future"))
    return made


@pytest.fixture
def shares() -> Rig:
    made = Rig(account="SIM1234567M")
    made.answers("GET", ACCOUNTS, sample("accounts"))
    made.answers("GET", f"{MARGIN}/balances", sample("balances_margin"))
    made.answers("GET", "/v3/marketdata/quotes/AAPL", sample("quotes"))
    made.answers("GET", "/v3/marketdata/symbols/AAPL", {"Symbols": [{"Symbol": "AAPL", "PriceFormat": {"PointValue": "1"}}]})
    return made


def test_accounts_say_what_they_trade(rig: Rig) -> None:
    found = {each.account_id: each.trades for each in rig.broker.accounts()}
    assert found == {"SIM1234567F": {"future"}, "SIM1234567M": {"equity"}}
    assert [each.name for each in rig.broker.accounts()] == ["Futures, Active", "Shares, Margin, Active"]


def test_positions_are_signed_and_in_our_spelling(rig: Rig) -> None:
    rig.answers("GET", f"{BASE}/positions", sample("positions"))
    assert rig.broker.positions() == (
        Position("ESZ6", "ES", Decimal(2), Decimal("5900.25")),
        Position("6EZ6", "6E", Decimal(-3), Decimal("1.05005")),
        Position("ZZZZ", "ZZZZ", Decimal(5), Decimal("1.5")),
    )


def test_a_flat_position_is_none(rig: Rig) -> None:
    flat = sample("positions")["Positions"][0] | {"Quantity": "0"}
    rig.answers("GET", f"{BASE}/positions", {"Positions": [flat], "Errors": []})
    assert rig.broker.positions() == ()


def test_balances_of_a_futures_account(rig: Rig) -> None:
    numbers = ("100000.32", "99990.32", "13650", "120", "-10", "2.5")
    assert rig.broker.balances() == Balances("USD", *(Decimal(each) for each in numbers))


def test_balances_of_a_margin_account(shares: Rig) -> None:
    balances = shares.broker.balances()
    assert (balances.margin_used, balances.equity) == (Decimal("21840.25"), Decimal("72410.94"))


@pytest.mark.parametrize("answer", [(500, {}), {"Balances": [], "Errors": []}, sample("orders_wrong_account"), (200, "no json")])
def test_balances_that_are_not_told_are_no_answer(rig: Rig, answer: Any) -> None:
    rig.answers("GET", f"{BASE}/balances", answer)
    with pytest.raises(BrokerUnavailable):
        rig.broker.balances()


def test_an_account_that_the_login_does_not_have_is_named() -> None:
    rig = Rig(account="SIM9F")
    rig.answers("GET", ACCOUNTS, sample("accounts"))
    with pytest.raises(Unsupported, match="SIM9F"):
        rig.broker.precheck(leg(), Decimal(0))


def test_the_front_month_is_what_is_behind_the_continuous_contract(rig: Rig) -> None:
    rig.answers("GET", "/v3/marketdata/symbols/@ES", sample("symbols_continuous"))
    assert rig.broker.front_month("ES") == "ESZ6"
    with pytest.raises(Unsupported):
        rig.broker.front_month("AAPL")


def test_a_front_month_that_is_not_told_is_no_answer(rig: Rig) -> None:
    nothing = {"Symbols": [{"Symbol": "@ES"}], "Errors": []}
    rig.answers("GET", "/v3/marketdata/symbols/@ES", nothing)
    with pytest.raises(BrokerUnavailable):
        rig.broker.front_month("ES")


def test_what_is_traded_is_what_the_catalogue_and_tradestation_have(rig: Rig) -> None:
    assert [rig.broker.supports(each) for each in ("ES1!", "AAPL", "BTCUSD", "ZZZZ")] == [True, True, False, False]
    assert rig.broker.contract("ES1!").contract == "ESZ6"


# --- precheck -------------------------------------------------------------------------------------------------------------------


def test_an_order_that_would_be_taken_is_not_objected_to(rig: Rig) -> None:
    assert rig.broker.precheck(leg(), Decimal(0)) is None
    [preview] = rig.sent("POST", PREVIEW)
    assert "OrderConfirmID" not in preview
    assert rig.paths("POST") == [PREVIEW]


def test_margin_is_that_of_the_preview_and_what_is_closed_frees_some(rig: Rig) -> None:
    rig.answers("POST", PREVIEW, {"Confirmations": [{"InitialMarginDisplay": "$136,500.00"}]})
    refused = rig.broker.precheck(leg(quantity=Decimal(10)), Decimal(0))
    assert refused is not None
    assert refused.reason == "insufficient_margin"
    assert "136,500.00 required, 86,340.32 available" in refused.text
    assert rig.broker.precheck(leg(quantity=Decimal(10)), Decimal(-4)) is None


@pytest.mark.parametrize("shown", [{}, {"InitialMarginDisplay": "n/a"}])
def test_a_margin_that_cannot_be_read_refuses_nothing(rig: Rig, shown: dict[str, str]) -> None:
    rig.answers("POST", PREVIEW, {"Confirmations": [shown]})
    assert rig.broker.precheck(leg(quantity=Decimal(10_000)), Decimal(0)) is None


def test_a_refused_preview_is_a_refusal_unless_a_position_is_still_to_be_closed(rig: Rig) -> None:
    rig.answers("POST", PREVIEW, sample("refusal_funds"))
    refused = rig.broker.precheck(leg(), Decimal(0))
    assert refused is not None
    assert refused.reason == "insufficient_margin"
    assert rig.broker.precheck(leg(), Decimal(-2)) is None
    rig.answers("POST", PREVIEW, sample("refusal_symbol"))
    refused = rig.broker.precheck(leg(), Decimal(-2))
    assert refused is not None
    assert refused.reason == "invalid_symbol"


def test_what_only_reduces_needs_no_margin(rig: Rig) -> None:
    rig.answers("POST", PREVIEW, sample("refusal_funds"))
    assert rig.broker.precheck(leg(side=Side.SELL, reduce_only=True), Decimal(0)) is None
    assert rig.paths("POST") == []


def test_an_account_that_may_only_close_opens_nothing(rig: Rig) -> None:
    closing = {"Accounts": [sample("accounts")["Accounts"][0] | {"Status": "Closing Transaction Only"}]}
    rig.answers("GET", ACCOUNTS, closing)
    refused = rig.broker.precheck(leg(), Decimal(0))
    assert refused is not None
    assert refused.reason == "account_blocked"
    assert rig.broker.precheck(leg(reduce_only=True), Decimal(0)) is None


def test_an_account_trades_what_its_type_trades(rig: Rig) -> None:
    refused = rig.broker.precheck(leg(contract="AAPL"), Decimal(0))
    assert refused is not None
    assert refused.reason == "unsupported"
    assert "Futures account" in refused.text


def test_parts_of_a_share_are_not_traded(shares: Rig) -> None:
    refused = shares.broker.precheck(leg(contract="AAPL", quantity=Decimal("1.5")), Decimal(0))
    assert refused is not None
    assert refused.reason == "invalid_quantity"


def test_shares_cost_their_price(shares: Rig) -> None:
    assert shares.broker.precheck(leg(contract="AAPL", quantity=Decimal(100)), Decimal(0)) is None
    refused = shares.broker.precheck(leg(contract="AAPL", quantity=Decimal(1_000_000)), Decimal(0))
    assert refused is not None
    assert refused.reason == "insufficient_margin"


def test_a_cash_account_cannot_sell_short(shares: Rig) -> None:
    shares.answers("GET", ACCOUNTS, {"Accounts": [sample("accounts")["Accounts"][1] | {"AccountType": "Cash"}]})
    refused = shares.broker.precheck(leg(contract="AAPL", side=Side.SELL), Decimal(0))
    assert refused is not None
    assert refused.reason == "short_not_allowed"


def test_a_contract_that_tradestation_does_not_know_is_refused(rig: Rig) -> None:
    rig.answers("GET", SYMBOL, sample("symbols_unknown"))
    refused = rig.broker.precheck(leg(), Decimal(0))
    assert refused is not None
    assert refused.reason == "invalid_symbol"
