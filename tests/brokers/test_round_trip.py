"""Symbols of ours become each venue's and come back: every root and contract of the catalogue that the venue knows."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fillpath.accounts.model import Account
from fillpath.errors import Unsupported
from fillpath.market.instruments import Instrument, instruments
from fillpath_brokers import registry
from fillpath_brokers.facade import Broker
from tests.brokers.services import services_on


def opened(key: str) -> Broker:
    services = services_on()
    services.accounts.save(Account(account_id="A", user_id="U", venue=key, label=key, created_at=services.clock.now()))
    return registry.open_account(key, "A", services)


def known_to(key: str) -> list[Instrument]:
    known = registry.capabilities(key)
    return [each for each in instruments().values() if each.kind in known.asset_classes | known.with_data]


def spellings(instrument: Instrument, year: int) -> Iterator[str]:
    yield instrument.root
    yield from (f"{instrument.root}{month}{year % 10}" for month in instrument.months)


@pytest.mark.parametrize("key", registry.venues())
@given(data=st.data())
def test_a_symbol_comes_back_as_it_went(key: str, data: st.DataObject) -> None:
    broker = opened(key)
    now = services_on().clock.now()
    instrument = data.draw(st.sampled_from(known_to(key)))
    symbol = data.draw(st.sampled_from(list(spellings(instrument, now.year + data.draw(st.integers(0, 1))))))
    try:
        theirs = broker.to_venue(symbol)
    except Unsupported:  # an exchange that the venue does not reach
        assert not broker.supports(symbol)
        return
    assert broker.to_canonical(theirs) == symbol
    assert broker.supports(symbol) is (instrument.kind in registry.capabilities(key).asset_classes), "data is not trading"


@pytest.mark.parametrize("key", registry.venues())
def test_what_the_venue_cannot_trade_has_no_spelling_that_would_trade_something_else(key: str) -> None:
    broker, known = opened(key), registry.capabilities(key)
    foreign = [each for each in instruments().values() if each.kind not in known.asset_classes | known.with_data]
    for instrument in foreign:
        with pytest.raises(Unsupported):
            broker.to_venue(instrument.root)
