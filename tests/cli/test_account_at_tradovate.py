"""An account at a venue that speaks Tradovate's protocol: whichever of a login's accounts is meant, it is known by its name."""

import json
from collections.abc import Iterator

import pytest

from cli.means import Means
from tests.cli.local_stack import Ran, Stack
from tests.cli.toy_venue import Absent
from tests.simulators.options import Options
from tests.simulators.server import Simulator, running
from tests.simulators.tradovate import CREDENTIALS

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]


@pytest.fixture
def tradovate() -> Iterator[Simulator]:
    with running("tradovate", Options(strict=True)) as simulator:
        yield simulator


def run(stack: Stack, *arguments: str) -> Ran:
    stack.means = Means(person=Absent(json.dumps(CREDENTIALS)))
    return stack.run(*arguments)


def test_an_account_is_kept_by_the_name_that_the_venue_finds_it_by(stack: Stack, tradovate: Simulator) -> None:
    add = ("account", "add", "tradovate", "--endpoint", tradovate.url, "--credentials", "-", "--json")
    added = run(stack, *add)
    assert added.code == 0, added.err
    name = added.json["connection"]["account"]
    checked = run(stack, "account", "check", "tradovate", "--json")
    assert checked.code == 0, checked.err
    assert [each["account_id"] for each in checked.json["reaches"]] == [name]
    (worth,) = run(stack, "positions", "--account", "tradovate", "--json").json
    assert worth["balances"]["commission"] is None  # its API tells no sum of them
    assert run(stack, "account", "sign-in", "tradovate", "--credentials", "-").code == 0
    again = run(stack, *add, "--set", f"account={name}")
    assert again.code == 1
    assert f"is the venue's account {name} already" in again.err
