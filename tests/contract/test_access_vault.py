"""AccessVault: what lets accounts in, one secret each."""

import pytest

from fillpath.accounts.access import Access, Token
from fillpath.errors import NotFound
from tests.contract.hosts import Host
from tests.contract.records import NOW, later

KEYS = Access({"key_id": "AK", "secret_key": "s3cr3t"}, None, 1)
TOKEN = Token("access-1", later(1200), "refresh-1", later(86_400 * 7), {"md_token": "m1", "user_id": "15460"})
SIGNED_IN = Access({"password": 'p"ä\n', "user": "ann"}, TOKEN, 7)


def test_nothing_is_known_of_an_account_that_never_signed_in(host: Host) -> None:
    with pytest.raises(NotFound):
        host.vault.read("acc-1")


@pytest.mark.parametrize(
    "access", [KEYS, SIGNED_IN, Access({"a": "b"}, Token("t", NOW), 2)], ids=["keys", "whole token", "bare token"]
)
def test_what_was_stored_is_read(host: Host, access: Access) -> None:
    host.vault.write("acc-1", access)
    assert host.vault.read("acc-1") == access


def test_what_is_stored_later_replaces_the_whole_of_what_was_there(host: Host) -> None:
    host.vault.write("acc-1", SIGNED_IN)
    host.vault.write("acc-1", KEYS)
    assert host.vault.read("acc-1") == KEYS


def test_accounts_have_secrets_of_their_own(host: Host) -> None:
    host.vault.write("acc-1", KEYS)
    host.vault.write("acc-2", SIGNED_IN)
    host.vault.delete("acc-1")
    assert host.vault.read("acc-2") == SIGNED_IN
    with pytest.raises(NotFound):
        host.vault.read("acc-1")


def test_what_is_forgotten_can_be_forgotten_again_and_stored_again(host: Host) -> None:
    host.vault.delete("acc-1")
    host.vault.write("acc-1", KEYS)
    host.vault.delete("acc-1")
    host.vault.delete("acc-1")
    host.vault.write("acc-1", SIGNED_IN)
    assert host.vault.read("acc-1") == SIGNED_IN
