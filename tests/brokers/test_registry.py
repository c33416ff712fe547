import subprocess
import sys

import pytest

from fillpath.accounts.capabilities import Capabilities
from fillpath.errors import Unsupported
from fillpath_brokers import registry
from tests.brokers.paper.exchange import PaperExchange


def test_a_venue_is_found_by_its_folder() -> None:
    assert "paper" in registry.venues()


@pytest.mark.parametrize("key", registry.venues())
def test_every_venue_states_its_name_and_capabilities_and_opens(key: str) -> None:
    broker = registry.open_account(key, "01ACCOUNT", PaperExchange().services)

    assert isinstance(registry.capabilities(key), Capabilities)
    assert (broker.key, broker.name, broker.capabilities) == (key, registry.name(key), registry.capabilities(key))
    broker.close()


@pytest.mark.parametrize("key", ["nowhere", "", "_template", "desk", "registry", "paper.venue", "../paper", "Paper"])
def test_an_unknown_venue_is_refused_with_those_that_are_known(key: str) -> None:
    for ask in (registry.capabilities, registry.name, lambda key: registry.open_account(key, "01", PaperExchange().services)):
        with pytest.raises(Unsupported, match=r"known are: .*paper"):
            ask(key)


def test_capabilities_load_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from fillpath_brokers import registry\n"
        "registry.capabilities('paper')\n"
        "heavy = {'boto3', 'botocore', 'httpx', 'urllib3', 'fillpath_brokers.paper.venue', 'fillpath_brokers.paper.matching'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_what_is_missing_inside_a_venue_is_not_taken_for_a_missing_venue(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> object:
        raise ModuleNotFoundError("no httpx", name="httpx")

    monkeypatch.setattr(registry, "import_module", fail)

    with pytest.raises(ModuleNotFoundError, match="httpx"):
        registry.name("paper")
