"""LastPrices: the last trade of a contract."""

from decimal import Decimal

from tests.contract.hosts import Host
from tests.contract.records import NOW, later


def test_nothing_is_known_of_a_contract_that_never_traded(host: Host) -> None:
    assert host.prices.last("ESH6") is None


def test_the_last_trade_is_what_was_put_last(host: Host) -> None:
    host.prices.put("ESH6", Decimal("5000.25"), NOW)
    host.prices.put("ESH6", Decimal("5000.50"), later(1))
    host.prices.put("NQH6", Decimal(1), NOW)
    assert host.prices.last("ESH6") == (Decimal("5000.50"), later(1))
