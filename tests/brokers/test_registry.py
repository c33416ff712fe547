import pkgutil
import subprocess
import sys

import pytest

import fillpath_brokers
from fillpath.accounts.capabilities import Capabilities
from fillpath.accounts.model import Account
from fillpath.errors import Unsupported
from fillpath_brokers import registry
from tests.brokers.services import services_on


def test_a_venue_is_found_by_its_folder() -> None:
    assert "paper" in registry.venues()


def test_a_package_without_capabilities_is_no_venue() -> None:
    packages = {module.name for module in pkgutil.iter_modules(fillpath_brokers.__path__) if module.ispkg}

    assert "streaming" in packages - set(registry.venues())


@pytest.mark.parametrize("key", registry.venues())
def test_every_venue_states_its_name_and_capabilities_and_opens(key: str) -> None:
    services = services_on()
    record = Account(account_id="01ACCOUNT", user_id="U1", venue=key, label=key, created_at=services.clock.now())
    services.accounts.save(record)
    broker = registry.open_account(key, "01ACCOUNT", services)

    assert isinstance(registry.capabilities(key), Capabilities)
    assert (broker.key, broker.name, broker.capabilities) == (key, registry.name(key), registry.capabilities(key))
    broker.close()


@pytest.mark.parametrize("key", registry.venues())
def test_what_a_venue_declares_twice_agrees(key: str) -> None:
    known = registry.capabilities(key)
    assert known.oco is ("oco" in known.order_types)
    assert known.can_trade is bool(known.asset_classes)


@pytest.mark.parametrize("key", ["nowhere", "", "_template", "desk", "registry", "streaming", "paper.venue", "../paper", "Paper"])
def test_an_unknown_venue_is_refused_with_those_that_are_known(key: str) -> None:
    for ask in (registry.capabilities, registry.name, lambda key: registry.open_account(key, "01", services_on())):
        with pytest.raises(Unsupported, match=r"known are: .*paper"):
            ask(key)


def test_capabilities_load_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from fillpath_brokers import registry\n"
        "registry.capabilities('paper')\n"
        "registry.venues()\n"
        "ours = {'paper.venue', 'exchange.matching', 'streaming'}\n"
        "heavy = {'boto3', 'botocore', 'httpx', 'urllib3', *('fillpath_brokers.' + name for name in ours)}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_what_is_missing_inside_a_venue_is_not_taken_for_a_missing_venue(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> object:
        raise ModuleNotFoundError("no httpx", name="httpx")

    monkeypatch.setattr(registry, "import_module", fail)

    with pytest.raises(ModuleNotFoundError, match="httpx"):
        registry.name("paper")
