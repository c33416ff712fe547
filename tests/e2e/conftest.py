"""The stack that `./fillpath test e2e` starts, and traders who know nothing of each other on it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.local_stack import LocalStack
from tests.e2e.trader import Trader, new_trader

NewTrader = Callable[..., Trader]


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest) -> LocalStack:
    file: Path | None = request.config.getoption("--stack")
    if file is None:
        pytest.fail("these tests need a local stack: run them by ./fillpath test e2e, or give --stack=<stack.json>")
    return LocalStack(file)


@pytest.fixture(scope="session")
def http() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
def traders(stack: LocalStack, http: httpx.Client) -> NewTrader:
    """Makes a trader: `traders(accounts=3, wait_s=0, daily_limit=1)`."""
    return lambda **settings: new_trader(stack, http, **settings)


@pytest.fixture
def trader(traders: NewTrader) -> Trader:
    """A trader with one account, whose webhook answers as TradingView needs it."""
    return traders()


@pytest.fixture
def patient(traders: NewTrader) -> Trader:
    """A trader with one account who does not wait for results: his webhook answers at once."""
    return traders(wait_s=0)
