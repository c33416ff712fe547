from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

import pytest

from fillpath.errors import NotFound
from fillpath.market.instruments import instruments
from fillpath_brokers.exchange.prices import Prices, demo_price
from fillpath_brokers.exchange.touch import on_tick
from tests.fakes.last_prices import FakeLastPrices

NOW = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)


def test_a_last_trade_wins_however_old() -> None:
    last_prices = FakeLastPrices()
    last_prices.put("ESH6", Decimal("6012.25"), datetime(2020, 1, 1, tzinfo=UTC))

    assert Prices(last_prices).at("ESH6", NOW) == Decimal("6012.25")


def test_a_price_is_rounded_to_its_tick() -> None:
    last_prices = FakeLastPrices()
    last_prices.put("ESH6", Decimal("6012.3"), NOW)

    assert Prices(last_prices).at("ESH6", NOW) == Decimal("6012.25")


def test_without_a_trade_the_demo_price_of_contract_and_second_is_used() -> None:
    prices = Prices(FakeLastPrices())

    assert prices.at("ESH6", NOW) == prices.at("ESH6", NOW.replace(microsecond=900_000))
    assert prices.at("ESH6", NOW) == demo_price(instruments()["ES"], "ESH6", int(NOW.timestamp()))


def test_the_demo_price_never_changes_between_versions() -> None:
    walk = [str(demo_price(instruments()["ES"], "ESH6", 1_772_461_800 + second)) for second in range(5)]

    assert walk == ["5900.75", "5901.00", "5901.25", "5901.50", "5902.00"]


@pytest.mark.parametrize("root", sorted(instruments()))
def test_the_demo_price_walks_smoothly_around_the_catalogues(root: str) -> None:
    instrument = instruments()[root]
    walk = [demo_price(instrument, root, 1_772_461_800 + second) for second in range(600)]
    swing = max(instrument.demo_price / 1_000, 16 * instrument.tick_size) + instrument.tick_size

    assert all(price > 0 and on_tick(instrument, price) == price for price in walk)
    assert all(abs(price - instrument.demo_price) <= swing for price in walk)
    assert max(abs(late - early) for early, late in pairwise(walk)) <= swing / 2
    assert len(set(walk)) > 5


def test_contracts_walk_apart() -> None:
    es = instruments()["ES"]

    assert [demo_price(es, "ESH6", second) for second in range(20)] != [demo_price(es, "ESM6", second) for second in range(20)]


def test_an_unknown_contract_has_no_price() -> None:
    with pytest.raises(NotFound):
        Prices(FakeLastPrices()).at("XXZ6", NOW)
