"""Controls: halts of environment, user and account."""

import pytest

from fillpath.accounts.ports.controls import Halt
from tests.contract.hosts import Host
from tests.contract.records import NOW, later

SCOPES = ("environment", "user:ann", "account:acc-1")


def test_nothing_is_halted_at_first(host: Host) -> None:
    assert host.controls.halted("ann", "acc-1") is None


@pytest.mark.parametrize("scope", SCOPES)
def test_a_halt_blocks_the_accounts_in_its_scope(host: Host, scope: str) -> None:
    host.controls.halt(scope, NOW, "an alarm")
    assert host.controls.halted("ann", "acc-1") == Halt(scope, NOW, "an alarm")


@pytest.mark.parametrize("scope", ["user:ben", "account:acc-2"])
def test_a_halt_blocks_no_account_outside_its_scope(host: Host, scope: str) -> None:
    host.controls.halt(scope, NOW, "an alarm")
    assert host.controls.halted("ann", "acc-1") is None


def test_of_several_halts_the_widest_is_shown(host: Host) -> None:
    for scope in reversed(SCOPES):
        host.controls.halt(scope, NOW, scope)
        assert host.controls.halted("ann", "acc-1") == Halt(scope, NOW, scope)


def test_a_halt_ends_when_its_scope_is_resumed(host: Host) -> None:
    for scope in SCOPES:
        host.controls.halt(scope, NOW, "an alarm")
    host.controls.resume("environment")
    assert host.controls.halted("ann", "acc-1") == Halt("user:ann", NOW, "an alarm")
    for scope in SCOPES:
        host.controls.resume(scope)
    assert host.controls.halted("ann", "acc-1") is None


def test_halting_again_shows_the_newer_reason(host: Host) -> None:
    host.controls.halt("environment", NOW, "first")
    host.controls.halt("environment", later(5), "second")
    assert host.controls.halted("ann", "acc-1") == Halt("environment", later(5), "second")
