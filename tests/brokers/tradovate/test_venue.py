"""The rest of the facade: symbols, the account, prechecks, prices."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from fillpath.errors import BrokerUnavailable, Unsupported
from fillpath.market.bars import Gap, Interval
from fillpath.market.ports.trading_hours import Session
from fillpath.orders.model import OrderType, Side
from fillpath.orders.outcomes import Position, Rejected
from fillpath_brokers import registry
from fillpath_brokers.facade import Balances
from fillpath_brokers.tradovate.capabilities import CAPABILITIES
from fillpath_brokers.tradovate.venue import open_account
from tests.brokers.services import services_on
from tests.brokers.tradovate.house import ACCOUNT_ID, FakeLine, House, account, leg, market, sample
from tests.fakes.account_store import FakeAccountStore

FLAT = Decimal(0)


def test_it_is_found_by_its_folder() -> None:
    assert "tradovate" in registry.venues()
    assert registry.capabilities("tradovate") is CAPABILITIES
    accounts = FakeAccountStore()
    accounts.save(account(House().clock.now(), {}))
    assert open_account(ACCOUNT_ID, services_on(accounts=accounts)).key == "tradovate"


def test_no_second_order_is_expected_to_be_refused() -> None:
    assert CAPABILITIES.deduplicates_s == 0
    assert CAPABILITIES.quarantine_s
    assert not CAPABILITIES.reduce_only
    assert not CAPABILITIES.queues_when_closed


def test_what_is_not_documented_is_corrected_by_settings() -> None:
    corrected = House(quarantine_s="300", requests_per_minute="30").broker.capabilities
    assert (corrected.quarantine_s, corrected.requests_per_minute) == (300, 30)


def test_only_futures_are_traded() -> None:
    broker = House().broker
    assert broker.supports("CME_MINI:ES1!")
    assert broker.contract("ES 03-26").contract == "ESH6"
    assert not broker.supports("AAPL")
    assert not broker.supports("NOSUCH")
    with pytest.raises(Unsupported):
        broker.to_venue("BTCUSD")


def test_the_front_month_is_the_one_that_tradovate_marks() -> None:
    house = House()
    house.venue.lay_down("contract/suggest", sample("contracts_suggested"))
    house.venue.lay_down("contractMaturity/items", sample("contract_maturities"))
    assert house.broker.front_month("ES") == "ESH7"
    assert house.venue.requests("contractMaturity/items")[0].query == {"ids": "6727,6728"}
    house.venue.instead("contractMaturity/items", [])
    with pytest.raises(BrokerUnavailable):
        house.broker.front_month("ES")


def test_every_account_of_the_login_is_shown() -> None:
    house = House()
    house.venue.lay_down("account/list", sample("accounts"))
    assert [(each.account_id, each.name) for each in house.broker.accounts()] == [
        ("DEMO123456", "DEMO123456"),
        ("DEMO123457", "DEMO123457"),
    ]


def test_positions_come_without_flat_ones_and_contracts_are_named_once() -> None:
    house = House()
    house.venue.lay_down("position/deps", sample("positions"))
    house.venue.lay_down("contract/items", [sample("contract"), {"id": 560990, "name": "XYZZ6", "contractMaturityId": 1}])
    expected = (
        Position("ESZ6", "ES", Decimal(-3), Decimal("5000.75")),
        Position("XYZZ6", "XYZZ6", Decimal(2), Decimal("1.0605")),
    )
    assert house.broker.positions() == expected
    assert house.broker.positions() == expected
    [asked] = house.venue.requests("contract/items")
    assert asked.query == {"ids": "560901,560990"}


@pytest.mark.parametrize("contracts", [[], [{"id": 1, "name": "ESZ6"}], [{"id": 560901}]])
def test_a_held_contract_that_is_not_named_is_not_flat(contracts: Any) -> None:
    house = House()
    house.venue.instead("position/deps", [{"id": 1, "contractId": 560901, "netPos": 2, "netPrice": 4.5}])
    house.venue.instead("contract/items", contracts)
    with pytest.raises(BrokerUnavailable):
        house.broker.positions()


@pytest.mark.parametrize("size", [{}, {"netPos": None}, {"netPos": "two"}])
def test_a_position_of_no_size_is_not_flat(size: Any) -> None:
    house = House()
    house.venue.instead("position/deps", [{"id": 1, "contractId": 560901} | size])
    with pytest.raises(BrokerUnavailable):
        house.broker.positions()


def test_what_the_account_is_worth() -> None:
    house = House()
    house.venue.lay_down("cashBalance/getcashbalancesnapshot", sample("cash_snapshot"))
    assert house.broker.balances() == Balances(
        "USD", Decimal("50012.5"), Decimal("50125.0"), Decimal("1500.0"), FLAT, Decimal("112.5"), commission=None
    )
    assert house.venue.asked[0].body == {"accountId": 123}
    house.venue.instead("cashBalance/getcashbalancesnapshot", {"errorText": "no such account"})
    with pytest.raises(BrokerUnavailable, match="no such account"):
        house.broker.balances()


def prechecked(worth: dict[str, Any] | None = None, **connection: str) -> House:
    house = House(**connection)
    house.venue.lay_down("account/item", sample("accounts")[0])
    house.venue.lay_down("contract/find", sample("contract"))
    house.venue.lay_down("cashBalance/getcashbalancesnapshot", {**sample("cash_snapshot"), **(worth or {})})
    house.venue.lay_down("contractMargin/deps", [{"id": 560901, "initialMargin": 13000.0, "timestamp": "2026-01-02T00:00:00Z"}])
    return house


def refusal(house: House, after_closing: Decimal = FLAT, **fields: Any) -> str | None:
    refused = house.broker.precheck(leg(**fields), after_closing)
    return refused.reason if refused else None


def test_what_would_be_taken_is_not_refused() -> None:
    assert refusal(prechecked()) is None
    assert refusal(prechecked(), quantity=Decimal(1000)) is None  # margin is not reckoned unless somebody says how


def test_margin_is_reckoned_where_its_share_is_known() -> None:
    house = prechecked(margin_share="0.5")
    assert refusal(house, quantity=Decimal(7)) is None
    refused = house.broker.precheck(leg(quantity=Decimal(8)), FLAT)
    assert refused == Rejected("insufficient_margin", "insufficient margin: 52,000.00 required, 48,625.00 USD available")
    assert refusal(house, Decimal(2), quantity=Decimal(8)) is None
    assert refusal(house, quantity=Decimal(8), reduce_only=True) is None


def test_an_account_that_is_worth_nothing_is_refused() -> None:
    assert refusal(prechecked({"netLiq": 0, "initialMargin": 0})) == "insufficient_margin"


@pytest.mark.parametrize("account", [{"active": False}, {"readonly": True}])
def test_an_account_that_may_not_trade_is_refused(account: dict[str, Any]) -> None:
    house = prechecked()
    house.venue.instead("account/item", sample("accounts")[0] | account)
    assert refusal(house) == "account_blocked"


def test_a_contract_that_tradovate_does_not_have_is_refused() -> None:
    house = prechecked()
    house.venue.instead("contract/find", "", status=404)
    assert refusal(house) == "invalid_symbol"


def test_a_market_order_outside_the_session_is_refused_beforehand_and_a_resting_one_is_not() -> None:
    house = prechecked()
    now = house.clock.now()
    house.hours.publish("CMES", (Session(now + timedelta(hours=2), now + timedelta(hours=25)),), now)
    assert refusal(house) == "market_closed"
    assert refusal(house, type=OrderType.LIMIT, limit_price=Decimal(5000)) is None


def test_what_is_wrong_with_the_leg_itself_is_refused_without_a_question() -> None:
    house = House()
    assert refusal(house, quantity=Decimal("0.5"), side=Side.SELL) == "invalid_quantity"
    assert house.venue.asked == []


def test_bars_are_checked_for_gaps_while_the_market_was_open() -> None:
    line = FakeLine(
        "o",
        'a[{"s":200,"i":0}]',
        'a[{"s":200,"i":1,"d":{"historicalId":32,"realtimeId":31}}]',
        'a[{"e":"chart","d":{"charts":[{"id":32,"bars":['
        '{"timestamp":"2026-03-02T14:00:00.000Z","open":1,"high":1,"low":1,"close":1,"upVolume":1,"downVolume":0},'
        '{"timestamp":"2026-03-02T14:03:00.000Z","open":1,"high":1,"low":1,"close":1,"upVolume":1,"downVolume":0}]}]}}]',
        'a[{"e":"chart","d":{"charts":[{"id":32,"eoh":true}]}}]',
    )
    house = House(market(line))
    start = datetime(2026, 3, 2, 14, tzinfo=UTC)
    found = house.broker.history("ESH6", start, start + timedelta(minutes=4), Interval.MINUTE)
    assert [bar.start.minute for bar in found.bars] == [0, 3]
    assert found.gaps == (Gap(start + timedelta(minutes=1), start + timedelta(minutes=3)),)
