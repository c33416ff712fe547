"""Which venues a test about brokers runs at, and orders that are sent there while something goes wrong."""

from collections.abc import Callable
from typing import Any

import pytest

from fillpath.accounts.capabilities import Capabilities
from fillpath_brokers import registry
from fillpath_brokers.desk import BrokerDesk
from tests.contract.broker_bench import PAPER, Bench, traders


def at_venues(
    declares: Callable[[Capabilities], bool] = lambda _: True, *, tokens: bool = False, http: bool = False
) -> pytest.MarkDecorator:
    """The test runs at every venue that declares this (and that has tokens, or is reached over HTTP)."""
    keys = [key for key in [*traders(), *(() if tokens or http else (PAPER,))] if declares(registry.capabilities(key))]
    with_tokens = [key for key in keys if tokens and registry.sign_in(key).renew_before is not None]
    return pytest.mark.parametrize("at", with_tokens if tokens else keys, indirect=True)


def submit_with(at: Bench, leg: Any, fault: dict[str, Any], desk: BrokerDesk | None = None) -> Any:
    """Submit while something goes wrong with the request that places it, and nothing else."""
    for method, path in at.simulator.placing:
        at.simulator.faults.add({**fault, "match": {"method": method, "path": path}})
    try:
        return (desk or at.desk).submit(at.account, leg)
    finally:
        at.simulator.faults.clear()
