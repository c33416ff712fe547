"""MasterKey: the one secret, read once."""

from tests.contract.hosts import Host


def test_the_key_is_read_and_stays_the_same(host: Host) -> None:
    master_key = host.master_key()
    assert master_key.read() == b"a master key of the tests, 32 bytes or more"
    assert master_key.read() is master_key.read()
