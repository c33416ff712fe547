"""What lets an account in, as who trades reads it: fresh, never refused before, and with the reason where there is none."""

from datetime import timedelta

import pytest

from fillpath.errors import BrokerUnavailable, NeedsReauth, NotSent
from fillpath_brokers.token_store import DEAD_MARGIN, Renewal
from tests.brokers.signing import ACCOUNT, CREDENTIALS, Signing, token_of

NO_ANSWER = BrokerUnavailable("no answer")
LOGIN_ENDED = NeedsReauth("the login has ended")


def test_who_trades_is_let_in_and_reads_once_a_minute(signing: Signing) -> None:
    reads = signing.vault.reads
    for _ in range(3):
        assert token_of(signing.trading.access(ACCOUNT)) == "access-1"
    assert signing.vault.reads == reads + 1
    signing.after(minutes=1)
    signing.trading.access(ACCOUNT)
    assert signing.vault.reads == reads + 2


def test_a_renewed_token_is_in_use_everywhere_within_a_minute(signing: Signing) -> None:
    signing.trading.access(ACCOUNT)
    signing.after(minutes=16)
    signing.trading.access(ACCOUNT)
    assert signing.renew() is Renewal.RENEWED
    signing.after(minutes=1)
    assert token_of(signing.trading.access(ACCOUNT)) == "access-2"


def test_who_never_signed_in_must_and_is_told_how() -> None:
    with pytest.raises(NeedsReauth, match="account sign-in"):
        Signing().trading.access(ACCOUNT)


def test_a_vault_that_does_not_answer_is_no_reason_to_sign_in_again(signing: Signing) -> None:
    signing.vault.failing_reads = 1
    with pytest.raises(NotSent):
        signing.process().access(ACCOUNT)


def test_a_token_is_not_used_when_it_is_about_to_end(signing: Signing) -> None:
    signing.clock.sleep((timedelta(minutes=20) - DEAD_MARGIN).total_seconds() - 0.001)
    signing.trading.access(ACCOUNT)
    signing.clock.sleep(0.001)
    with pytest.raises(NotSent, match="being renewed"):
        signing.trading.access(ACCOUNT)


def test_a_token_that_ended_while_it_was_kept_is_read_again_at_once(signing: Signing) -> None:
    signing.after(minutes=19.9)
    signing.trading.access(ACCOUNT)
    signing.renew()
    signing.clock.sleep(5)
    assert token_of(signing.trading.access(ACCOUNT)) == "access-2"


def test_a_refused_token_is_not_used_again_where_it_was_refused(signing: Signing) -> None:
    signing.trading.refused(ACCOUNT, signing.trading.access(ACCOUNT), "401")
    with pytest.raises(NotSent, match="being renewed"):
        signing.trading.access(ACCOUNT)


def test_a_token_that_was_refused_elsewhere_is_never_sent_by_a_process_that_begins_later(signing: Signing) -> None:
    signing.trading.refused(ACCOUNT, signing.trading.access(ACCOUNT), "401")
    with pytest.raises(NotSent, match="being renewed"):
        signing.process().access(ACCOUNT)


def test_keys_that_were_refused_are_no_token_that_could_be_renewed() -> None:
    signing = Signing()
    signing.trading.keep(ACCOUNT, CREDENTIALS, None, "a person")
    signing.trading.refused(ACCOUNT, signing.trading.access(ACCOUNT), "unauthorized")
    for process in (signing.trading, signing.process()):
        with pytest.raises(NeedsReauth, match="unauthorized"):
            process.access(ACCOUNT)


def test_who_waits_for_a_renewal_hears_why_the_last_one_failed(signing: Signing) -> None:
    signing.venue.refuses = {"renew": [NotSent("Tradovate wants a captcha", 3600)]}
    signing.after(minutes=16)
    signing.renew()
    signing.after(minutes=4)
    with pytest.raises(NotSent, match="the last try failed: Tradovate wants a captcha"):
        signing.trading.access(ACCOUNT)


def test_a_late_refusal_of_an_old_token_kills_neither_the_new_one_nor_the_account(signing: Signing) -> None:
    old = signing.trading.access(ACCOUNT)
    signing.after(minutes=16)
    signing.renew()
    new = signing.trading.access(ACCOUNT)
    signing.trading.refused(ACCOUNT, new, "401")
    signing.after(minutes=4)
    signing.renew()
    signing.trading.refused(ACCOUNT, old, "401")
    assert token_of(signing.trading.access(ACCOUNT)) == "access-3"
    assert not signing.status.is_refused
    signing.trading.refused(ACCOUNT, new, "401")
    assert token_of(signing.trading.access(ACCOUNT)) == "access-3"


def test_a_refusal_holds_here_though_it_cannot_be_told(signing: Signing) -> None:
    access = signing.trading.access(ACCOUNT)
    signing.ledger.down = True
    signing.trading.refused(ACCOUNT, access, "401")
    with pytest.raises(NotSent):
        signing.trading.access(ACCOUNT)


def test_after_renewing_was_given_up_who_trades_hears_why(signing: Signing) -> None:
    signing.venue.refuses = {"renew": [LOGIN_ENDED], "sign_in": [LOGIN_ENDED]}
    signing.after(minutes=16)
    signing.renew()
    assert token_of(signing.trading.access(ACCOUNT)) == "access-1"  # still good
    signing.after(minutes=4)
    with pytest.raises(NeedsReauth, match="the login has ended"):
        signing.trading.access(ACCOUNT)
