"""What lets an account in: one process renews it, and a person enters it."""

import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from fillpath.accounts.access import Access, Token
from fillpath.errors import BrokerUnavailable, Conflict, NeedsReauth, StorageUnavailable
from fillpath_brokers.token_store import LEASE, REFUSED_AGAIN, Renewal
from tests.brokers.signing import ACCOUNT, CREDENTIALS, Signing, token_of

NO_ANSWER = BrokerUnavailable("no answer")
LOGIN_ENDED = NeedsReauth("the login has ended")


def test_a_token_is_renewed_as_long_before_its_end_as_the_venue_says(signing: Signing) -> None:
    signing.clock.sleep(15 * 60 - 1)
    assert signing.renew() is Renewal.NOT_DUE
    signing.clock.sleep(1)
    assert signing.renew() is Renewal.RENEWED
    assert signing.renew() is Renewal.NOT_DUE
    assert (token_of(signing.stored), signing.stored.credentials) == ("access-2", CREDENTIALS)
    assert signing.status.expires_at == signing.clock.now() + timedelta(minutes=20)


def test_a_refused_token_is_renewed_at_once(signing: Signing) -> None:
    signing.trading.refused(ACCOUNT, signing.trading.access(ACCOUNT), "401")
    assert signing.renew() is Renewal.RENEWED
    assert token_of(signing.trading.access(ACCOUNT)) == "access-2"


def test_a_venue_that_refuses_each_new_token_is_not_asked_all_the_time(signing: Signing) -> None:
    signing.after(minutes=5)
    for _ in range(40):
        signing.trading.refused(ACCOUNT, signing.stored, "401")
        signing.renew()
        signing.clock.sleep(60)
    assert len(signing.venue.asked) == 1 + 40 * timedelta(minutes=1) // REFUSED_AGAIN


def test_of_many_that_begin_at_once_one_renews(signing: Signing) -> None:
    signing.after(minutes=16)
    others: list[Renewal] = []
    signing.venue.meanwhile = lambda: others.append(signing.renew(signing.process())) if not others else None
    assert signing.renew() is Renewal.RENEWED
    assert others == [Renewal.BUSY]
    assert token_of(signing.stored) == "access-2"


def late_renewal(other_is_refused: bool) -> tuple[Signing, Renewal]:
    """A renewal whose answer comes after its lease has ended and somebody else has begun another, with what has been used up."""
    signing = Signing(browser=True)
    signing.enter("from-the-browser")
    signing.after(minutes=16)

    def slow() -> None:
        signing.venue.meanwhile = lambda: None
        signing.clock.sleep(LEASE.total_seconds() + 1)
        signing.ledger.take(ACCOUNT, "somebody else", signing.clock.now(), signing.clock.now() + LEASE)

    signing.venue.meanwhile = slow
    outcome = signing.renew()
    if other_is_refused:
        given_up = replace(signing.status, needs_reauth=True, reason="it was used already")
        signing.ledger.settle(ACCOUNT, "somebody else", given_up)
    signing.clock.sleep(LEASE.total_seconds() + 1)
    return signing, outcome


@pytest.mark.parametrize("other_is_refused", [True, False])
def test_a_renewed_token_outlives_the_loss_of_its_lease(other_is_refused: bool) -> None:
    signing, outcome = late_renewal(other_is_refused)
    assert outcome is Renewal.BUSY
    assert signing.renew() is Renewal.RENEWED
    assert (token_of(signing.stored), signing.status.needs_reauth) == ("access-2", False)
    assert [with_what for _, with_what in signing.venue.asked] == ["from-the-browser", "refresh-1"]


def test_a_token_that_lost_its_lease_does_not_replace_what_a_person_entered_since() -> None:
    signing, _ = late_renewal(other_is_refused=True)
    signing.enter("from-the-browser-again")
    signing.renew()
    assert token_of(signing.stored) == "access-3"


def test_who_is_refused_looks_first_whether_another_has_stored_a_newer_token() -> None:
    signing = Signing(browser=True)
    signing.enter("from-the-browser")
    signing.after(minutes=16)

    def other_stores() -> None:
        newer = Token("access-9", signing.clock.now() + timedelta(minutes=20), "refresh-9")
        signing.vault.write(ACCOUNT, Access(CREDENTIALS, newer, 2))

    signing.venue.meanwhile = other_stores
    signing.venue.refuses["renew"] = [LOGIN_ENDED]
    assert signing.renew() is Renewal.RENEWED
    assert (signing.status.version, signing.status.needs_reauth) == (2, False)


def test_who_comes_when_another_has_just_finished_does_nothing(signing: Signing) -> None:
    signing.after(minutes=16)
    late = signing.process()
    signing.ledger.take(ACCOUNT, "the first", signing.clock.now(), signing.clock.now() + LEASE)
    take = signing.ledger.take

    def take_after_the_first(*arguments: object) -> bool:
        signing.ledger.take = take  # type: ignore[method-assign]  this fake alone, and once
        signing.ledger.leases.clear()
        signing.renew()
        return take(*arguments)  # type: ignore[arg-type]  as they came

    signing.ledger.take = take_after_the_first  # type: ignore[method-assign]  the same
    assert signing.renew(late) is Renewal.NOT_DUE
    assert signing.venue.asked == [("sign_in", None), ("renew", "refresh-1")]
    assert ACCOUNT not in signing.ledger.leases


def test_the_newest_refresh_token_is_used_each_time(signing: Signing) -> None:
    for _ in range(3):
        signing.after(minutes=16)
        signing.renew(signing.process())
    assert [with_what for _, with_what in signing.venue.asked] == [None, "refresh-1", "refresh-2", "refresh-3"]


def test_no_answer_means_another_try_and_the_token_stays_good(signing: Signing) -> None:
    signing.venue.refuses["renew"] = [NO_ANSWER, NO_ANSWER]
    signing.after(minutes=16)
    assert [signing.renew() for _ in range(3)] == [Renewal.FAILED, Renewal.FAILED, Renewal.RENEWED]
    assert signing.status.tried_at is None


def test_a_failure_says_when_and_why(signing: Signing) -> None:
    signing.venue.refuses["renew"] = [NO_ANSWER]
    signing.after(minutes=16)
    signing.renew()
    assert (signing.status.tried_at, signing.status.reason) == (signing.clock.now(), "no answer")
    assert token_of(signing.trading.access(ACCOUNT)) == "access-1"


def test_a_defect_of_the_venue_gives_the_lease_back(signing: Signing) -> None:
    signing.venue.refuses["renew"] = [KeyError("access_token")]
    signing.after(minutes=16)
    with pytest.raises(KeyError):
        signing.renew()
    assert signing.renew() is Renewal.RENEWED


def test_a_token_that_cannot_be_renewed_is_replaced_by_a_new_sign_in(signing: Signing) -> None:
    signing.venue.refuses["renew"] = [LOGIN_ENDED]
    signing.after(minutes=16)
    assert signing.renew() is Renewal.RENEWED
    assert signing.venue.asked[1:] == [("renew", "refresh-1"), ("sign_in", None)]


def test_where_a_browser_is_needed_only_a_person_can_sign_in() -> None:
    signing = Signing(browser=True)
    signing.enter(code="from-the-browser")
    signing.venue.refuses["renew"] = [LOGIN_ENDED]
    signing.after(minutes=16)
    assert [signing.renew(), signing.renew()] == [Renewal.NEEDS_REAUTH] * 2
    assert len(signing.venue.asked) == 2  # it is not asked again until somebody signs in
    assert (signing.status.needs_reauth, signing.status.reason) == (True, "the login has ended")


def test_when_a_person_signs_in_again_all_is_well(signing: Signing) -> None:
    signing.venue.refuses = {"renew": [LOGIN_ENDED], "sign_in": [LOGIN_ENDED]}
    signing.after(minutes=16)
    signing.renew()
    signing.enter()
    assert signing.renew() is Renewal.NOT_DUE
    assert token_of(signing.trading.access(ACCOUNT)) == "access-4"
    signing.after(minutes=16)
    assert signing.renew() is Renewal.RENEWED


def test_a_key_that_was_refused_is_proven_before_anybody_is_called() -> None:
    signing = Signing(tokens=False)
    signing.enter()
    signing.after(minutes=5)
    assert signing.renew() is Renewal.NOT_DUE
    signing.trading.refused(ACCOUNT, signing.trading.access(ACCOUNT), "401")
    assert signing.renew() is Renewal.RENEWED  # it was the venue's hiccup
    signing.after(minutes=5)
    signing.trading.refused(ACCOUNT, signing.trading.access(ACCOUNT), "401")
    signing.venue.refuses["sign_in"] = [NeedsReauth("unknown key")]
    assert signing.renew() is Renewal.NEEDS_REAUTH
    with pytest.raises(NeedsReauth, match="unknown key"):
        signing.trading.access(ACCOUNT)


# people


def test_a_person_cannot_sign_in_in_the_middle_of_a_renewal(signing: Signing) -> None:
    signing.after(minutes=16)
    refused: list[Conflict] = []

    def person() -> None:
        signing.venue.meanwhile = lambda: None
        with pytest.raises(Conflict) as conflict:
            signing.process().keep(ACCOUNT, {"user": "x", "password": "y"}, None, "a person")
        refused.append(conflict.value)

    signing.venue.meanwhile = person
    assert signing.renew() is Renewal.RENEWED
    assert "in a minute" in str(refused[0])
    assert signing.stored.credentials == CREDENTIALS


def test_a_sign_in_after_a_renewal_that_the_ledger_missed_gets_a_version_of_its_own(signing: Signing) -> None:
    signing.after(minutes=16)
    signing.ledger.failing_settlements = 1
    signing.renew()
    renewed = signing.trading.access(ACCOUNT)
    signing.after(minutes=1)
    signing.enter()
    signing.trading.refused(ACCOUNT, renewed, "401")
    assert not signing.status.is_refused
    assert signing.trading.access(ACCOUNT).version == 3


def test_a_sign_in_that_cannot_be_stored_gives_the_lease_back(signing: Signing) -> None:
    signing.vault.failing_writes = 1
    with pytest.raises(StorageUnavailable):
        signing.enter()
    assert ACCOUNT not in signing.ledger.leases
    assert token_of(signing.stored) == "access-1"


def test_what_is_forgotten_lets_nobody_in_and_stays_forgotten(signing: Signing) -> None:
    signing.process().forget(ACCOUNT, "a person")
    signing.after(minutes=16)
    assert signing.renew() is Renewal.NEEDS_REAUTH
    with pytest.raises(NeedsReauth):
        signing.trading.access(ACCOUNT)
    assert ACCOUNT not in signing.vault.stored
    signing.enter()
    assert signing.stored.version == 2


def test_nothing_is_forgotten_in_the_middle_of_a_renewal(signing: Signing) -> None:
    signing.ledger.take(ACCOUNT, "somebody", signing.clock.now(), signing.clock.now() + LEASE)
    with pytest.raises(Conflict):
        signing.process().forget(ACCOUNT, "a person")
    assert ACCOUNT in signing.vault.stored


# secrets


@pytest.mark.parametrize("secret", ["pa55word!", "access-1", "refresh-1", "market-data-1"])
def test_a_secret_that_a_venue_repeats_is_not_kept_as_a_reason_nor_logged(
    signing: Signing, secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    signing.trading.refused(ACCOUNT, signing.stored, f"we do not know {secret}")
    assert signing.status.reason == "we do not know ***"
    echo = [NeedsReauth(f"{secret} is over")]
    signing.venue.refuses = {"renew": list(echo), "sign_in": list(echo)}
    signing.after(minutes=16)
    with caplog.at_level(logging.DEBUG):
        signing.renew()
    assert signing.status.reason == "*** is over"
    assert secret not in caplog.text


def test_neither_access_nor_token_show_their_secrets() -> None:
    signing = Signing()
    signing.enter()
    shown = repr(signing.stored) + str(signing.stored)
    assert not [secret for secret in (*CREDENTIALS.values(), "access-1", "refresh-1", "market-data-1") if secret in shown]
    assert "***" not in Access({"a": "b"}, Token("", signing.clock.now())).hidden_in("a b, and nothing else")
