"""A scripted AWS for the tests of the adapters."""

from collections.abc import Iterator

import pytest

from tests.aws.scripted_server import ScriptedServer, scripted_server


@pytest.fixture
def aws() -> Iterator[ScriptedServer]:
    with scripted_server() as server:
        yield server
