"""Every case runs on the fakes and on moto."""

from collections.abc import Iterator

import pytest

from tests.contract.hosts import AwsHost, FakeHost, Host
from tests.contract.moto import Moto, serve


@pytest.fixture(scope="session")
def moto() -> Iterator[Moto]:
    with serve() as server:
        yield server


@pytest.fixture(params=["fake", pytest.param("aws", marks=[pytest.mark.integration, pytest.mark.enable_socket])])
def host(request: pytest.FixtureRequest) -> Host:
    if request.param == "fake":
        return FakeHost()
    return AwsHost(request.getfixturevalue("moto"))
