"""The stack that commands run against, where a test asks for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.local_stack import Stack, a_webhook_server, create_function, describe
from tests.cli.toy_desk import SECRETS, Desk
from tests.contract.moto import Moto, serve


@pytest.fixture(scope="session")
def moto() -> Iterator[Moto]:
    with serve() as server:
        yield server


@pytest.fixture
def stack(moto: Moto, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Stack]:
    """Empty but for what `up` seeds."""
    moto.reset()
    moto.create_tables()
    with a_webhook_server() as webhook:
        local = describe(tmp_path, moto, webhook)
        yield Stack(local, capsys, webhook)


@pytest.fixture
def sweep(stack: Stack, moto: Moto, tmp_path: Path) -> None:
    """The sweeper, which finds nothing to do."""
    create_function(moto, tmp_path, {"failures": 0})


@pytest.fixture
def desk(stack: Stack, moto: Moto, tmp_path: Path) -> Iterator[Desk]:
    """Whatever a test does, none of the secrets is shown."""
    desk = Desk(stack, moto, tmp_path)
    yield desk
    assert [secret for secret in SECRETS if secret in desk.shown] == []
