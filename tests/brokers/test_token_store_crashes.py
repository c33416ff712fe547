"""Crashes, lost answers and slow processes in the middle of a renewal: no token is lost, and none replaces a newer one."""

import logging

import pytest

from fillpath.errors import StorageUnavailable
from fillpath_brokers.token_store import LEASE, WRITE_PAUSES_S, Renewal
from tests.brokers.signing import ACCOUNT, Signing, token_of


@pytest.mark.parametrize("again_after_s", [0, 120])
def test_a_renewed_token_that_the_ledger_was_not_told_of_is_taken_over(signing: Signing, again_after_s: float) -> None:
    signing.after(minutes=16)
    signing.ledger.failing_settlements = 1
    assert signing.renew() is Renewal.RENEWED
    assert signing.status.version == 1
    assert token_of(signing.trading.access(ACCOUNT)) == "access-2"
    assert signing.renew(signing.process()) is Renewal.BUSY  # the lease was not given back either
    signing.clock.sleep(LEASE.total_seconds() + again_after_s)
    assert signing.renew(signing.process()) is Renewal.RENEWED
    assert signing.renew(signing.process()) is Renewal.NOT_DUE
    assert len(signing.venue.asked) == 2, "the venue was not asked for another one"
    assert signing.status.version == signing.stored.version == 2


def test_a_token_refused_before_the_ledger_knew_it_is_still_renewed(signing: Signing) -> None:
    signing.after(minutes=16)
    signing.ledger.failing_settlements = 1
    signing.renew()
    signing.trading.refused(ACCOUNT, signing.trading.access(ACCOUNT), "401")
    signing.after(minutes=2)
    assert signing.renew(signing.process()) is Renewal.RENEWED
    assert token_of(signing.trading.access(ACCOUNT)) == "access-3"


def test_a_sign_in_of_which_the_ledger_knows_nothing_is_taken_over() -> None:
    signing = Signing()
    signing.ledger.failing_settlements = 1
    with pytest.raises(StorageUnavailable):
        signing.enter()
    signing.after(minutes=1)
    assert signing.renew() is Renewal.RENEWED
    assert signing.status.version == 1
    assert len(signing.venue.asked) == 1


def test_a_renewed_token_is_stored_though_the_vault_fails_for_a_moment(signing: Signing) -> None:
    signing.after(minutes=16)
    signing.vault.failing_writes = len(WRITE_PAUSES_S)
    assert signing.renew() is Renewal.RENEWED
    assert token_of(signing.stored) == "access-2"


def test_a_renewed_token_that_could_not_be_stored_is_not_lost(signing: Signing, caplog: pytest.LogCaptureFixture) -> None:
    signing.after(minutes=16)
    signing.vault.failing_writes = len(WRITE_PAUSES_S) + 1
    with caplog.at_level(logging.ERROR):
        assert signing.renew() is Renewal.FAILED
    assert "not stored yet" in caplog.text
    signing.after(minutes=1)
    assert signing.renew() is Renewal.RENEWED
    assert token_of(signing.stored) == "access-2"
    assert len(signing.venue.asked) == 2, "a refresh token may be good for one renewal only"


def test_what_could_not_be_stored_does_not_replace_what_a_person_has_entered_since(signing: Signing) -> None:
    signing.after(minutes=16)
    signing.vault.failing_writes = len(WRITE_PAUSES_S) + 1
    signing.renew()
    signing.after(minutes=1)
    signing.enter()
    signing.after(minutes=16)
    assert signing.renew() is Renewal.RENEWED
    assert signing.venue.asked[-1] == ("renew", "refresh-3")


def test_a_vault_that_does_not_show_the_newest_token_yet_is_not_believed(signing: Signing) -> None:
    before = signing.stored
    signing.after(minutes=16)
    signing.renew()
    signing.after(minutes=16)
    newest, signing.vault.stored[ACCOUNT] = signing.stored, before
    assert signing.renew() is Renewal.FAILED
    signing.vault.stored[ACCOUNT] = newest
    assert signing.renew() is Renewal.RENEWED
    assert [with_what for _, with_what in signing.venue.asked] == [None, "refresh-1", "refresh-2"]


def test_who_took_longer_than_the_lease_does_not_overwrite_the_token_of_who_came_next(signing: Signing) -> None:
    signing.after(minutes=16)
    others: list[Renewal] = []

    def stall() -> None:
        if not others:
            others.append(Renewal.BUSY)
            signing.clock.sleep(LEASE.total_seconds())
            others.append(signing.renew(signing.process()))

    signing.venue.meanwhile = stall
    assert signing.renew() is Renewal.BUSY
    assert others[1] is Renewal.RENEWED
    assert token_of(signing.stored) == "access-3"
    assert signing.stored.version == signing.status.version == 2
    assert ACCOUNT not in signing.ledger.leases


def test_who_is_overtaken_while_another_still_works_drops_his_token(signing: Signing) -> None:
    signing.after(minutes=16)
    seen = []

    def stall() -> None:
        if not seen:
            seen.append("stalled")
            signing.clock.sleep(LEASE.total_seconds())
            assert signing.ledger.take(ACCOUNT, "another", signing.clock.now(), signing.clock.now() + LEASE)

    signing.venue.meanwhile = stall
    assert signing.renew() is Renewal.BUSY
    assert token_of(signing.stored) == "access-1"
