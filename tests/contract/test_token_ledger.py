"""TokenLedger: what is known of each account's token, and who is renewing it."""

from dataclasses import replace

import pytest

from fillpath.accounts.access import TokenStatus
from fillpath.errors import Conflict
from tests.contract.hosts import Host
from tests.contract.records import NOW, later

STATUS = TokenStatus(3, later(1200), later(86_400), replaced_at=NOW)
WHOLE = TokenStatus(
    4, later(60), later(120), None, needs_reauth=True, reason="the login has ended", replaced_at=NOW, tried_at=later(5)
)


def settle(host: Host, status: TokenStatus, account_id: str = "acc-1") -> None:
    assert host.tokens.take(account_id, "a settler", NOW, later(1))
    host.tokens.settle(account_id, "a settler", status)


def test_nothing_is_known_of_an_account_that_never_signed_in(host: Host) -> None:
    assert host.tokens.of("acc-1") is None


def test_whoever_signs_in_first_is_known_only_when_it_is_done(host: Host) -> None:
    assert host.tokens.take("acc-1", "ann", NOW, later(50))
    assert host.tokens.of("acc-1") is None
    host.tokens.settle("acc-1", "ann", STATUS)
    assert host.tokens.of("acc-1") == STATUS
    assert host.tokens.of("acc-2") is None


@pytest.mark.parametrize("status", [WHOLE, TokenStatus(1), STATUS])
def test_what_was_settled_is_read_whatever_was_there(host: Host, status: TokenStatus) -> None:
    for earlier in (WHOLE, STATUS):
        settle(host, earlier)
        settle(host, status)
        assert host.tokens.of("acc-1") == status


def test_one_renews_at_a_time(host: Host) -> None:
    assert host.tokens.take("acc-1", "ann", NOW, later(50))
    assert not host.tokens.take("acc-1", "ben", later(49), later(99))
    assert host.tokens.take("acc-2", "ben", NOW, later(50))


def test_a_lease_ends_at_its_end(host: Host) -> None:
    assert host.tokens.take("acc-1", "ann", NOW, later(50))
    assert host.tokens.take("acc-1", "ben", later(50), later(100))
    assert not host.tokens.take("acc-1", "ann", later(99), later(150))


def test_whoever_has_the_lease_may_prolong_it(host: Host) -> None:
    assert host.tokens.take("acc-1", "ann", NOW, later(50))
    assert host.tokens.take("acc-1", "ann", later(40), later(90))
    assert not host.tokens.take("acc-1", "ben", later(89), later(139))


def test_settling_gives_the_lease_back(host: Host) -> None:
    settle(host, STATUS)
    assert host.tokens.take("acc-1", "ben", NOW, later(50))


def test_who_has_lost_the_lease_settles_nothing(host: Host) -> None:
    settle(host, STATUS)
    assert host.tokens.take("acc-1", "ann", NOW, later(50))
    assert host.tokens.take("acc-1", "ben", later(50), later(100))
    with pytest.raises(Conflict):
        host.tokens.settle("acc-1", "ann", WHOLE)
    assert host.tokens.of("acc-1") == STATUS
    host.tokens.settle("acc-1", "ben", TokenStatus(4))
    with pytest.raises(Conflict):
        host.tokens.settle("acc-1", "ben", TokenStatus(5))


def test_a_refusal_of_the_present_version_is_noted_with_its_reason(host: Host) -> None:
    settle(host, STATUS)
    host.tokens.refused("acc-1", 3, "401")
    assert host.tokens.of("acc-1") == replace(STATUS, refused_version=3, reason="401")


def test_a_refusal_of_an_older_version_does_nothing_to_a_newer_one(host: Host) -> None:
    settle(host, STATUS)
    host.tokens.refused("acc-1", 2, "401")
    assert host.tokens.of("acc-1") == STATUS


def test_a_refusal_of_a_version_that_the_ledger_does_not_know_yet_is_noted(host: Host) -> None:
    settle(host, STATUS)
    host.tokens.refused("acc-1", 4, "401")
    host.tokens.refused("acc-1", 3, "later, and older")
    assert host.tokens.of("acc-1") == replace(STATUS, refused_version=4, reason="401")


def test_a_refusal_where_nobody_signed_in_makes_nothing(host: Host) -> None:
    host.tokens.refused("acc-1", 1, "401")
    assert host.tokens.of("acc-1") is None


def test_what_was_refused_while_somebody_renewed_stays_refused(host: Host) -> None:
    settle(host, STATUS)
    assert host.tokens.take("acc-1", "ann", NOW, later(50))
    host.tokens.refused("acc-1", 3, "401")
    host.tokens.settle("acc-1", "ann", replace(STATUS, reason="no answer"))
    status = host.tokens.of("acc-1")
    assert status is not None
    assert status.is_refused
    settle(host, TokenStatus(4))
    renewed = host.tokens.of("acc-1")
    assert renewed is not None
    assert not renewed.is_refused
