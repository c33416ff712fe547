"""Everything that venues may use of the outside, on fakes."""

from typing import Any

from fillpath.clock import Clock
from fillpath_brokers.services import Services
from fillpath_brokers.token_store import TokenStore
from fillpath_brokers.web import Web
from tests.fakes.access_vault import FakeAccessVault
from tests.fakes.account_store import FakeAccountStore
from tests.fakes.clock import FakeClock
from tests.fakes.last_prices import FakeLastPrices
from tests.fakes.paper_book_store import FakePaperBookStore
from tests.fakes.rate_limits import FakeRateLimits
from tests.fakes.token_ledger import FakeTokenLedger
from tests.fakes.trading_hours import FakeTradingHours


def services_on(clock: Clock | None = None, **given: Any) -> Services:
    """Services by that clock; what is `given` by name stands in for its fake."""
    clock = clock or FakeClock()
    fakes: dict[str, Any] = {
        "last_prices": FakeLastPrices(),
        "paper_books": FakePaperBookStore(),
        "accounts": FakeAccountStore(),
        "tokens": TokenStore(FakeAccessVault(), FakeTokenLedger(), clock),
        "web": Web(FakeRateLimits(clock), clock),
        "hours": FakeTradingHours(),
    }
    return Services(clock=clock, **fakes | given)
