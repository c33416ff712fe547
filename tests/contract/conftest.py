"""Every case of a port runs on the fakes and on moto; every case of a broker at the venues that it names."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.contract.broker_bench import Bench, bench
from tests.contract.hosts import AwsHost, FakeHost, Host
from tests.contract.moto import Moto, serve
from tests.fakes.clock import FakeClock


@pytest.fixture(scope="session")
def moto() -> Iterator[Moto]:
    with serve() as server:
        yield server


@pytest.fixture(params=["fake", pytest.param("aws", marks=[pytest.mark.integration, pytest.mark.enable_socket])])
def host(request: pytest.FixtureRequest) -> Host:
    if request.param == "fake":
        return FakeHost()
    return AwsHost(request.getfixturevalue("moto"))


@pytest.fixture
def clock() -> FakeClock:
    """A test's own, which it shares with the venue."""
    return FakeClock(datetime.now(UTC).replace(microsecond=0))


@pytest.fixture
def at(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """The venue of tests.contract.venues.at_venues."""
    with bench(request.param) as made:
        yield made
