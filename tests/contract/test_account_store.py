"""AccountStore: users, accounts, webhooks and the tokens that lead to them."""

from decimal import Decimal

import pytest

from fillpath.accounts.model import Credentials, Execution, Gate, OutsideHours, QuantityIs, RollBy, SecretIn, TimeOf
from fillpath.errors import NotFound
from tests.contract.hosts import Host
from tests.contract.records import NOW, a_user, a_webhook, an_account, an_owner, later


def test_a_user_is_read_as_saved(host: Host) -> None:
    host.accounts.save(a_user(plan="pro", plan_active=False))
    assert host.accounts.user("ann") == a_user(plan="pro", plan_active=False)


def test_saving_again_replaces(host: Host) -> None:
    host.accounts.save(a_user())
    host.accounts.save(a_user(plan="pro"))
    assert host.accounts.user("ann").plan == "pro"
    assert host.accounts.users() == (a_user(plan="pro"),)


def test_all_users_are_listed_by_id(host: Host) -> None:
    for user_id in ("cay", "ann", "ben"):
        host.accounts.save(a_user(user_id))
    assert host.accounts.users() == (a_user("ann"), a_user("ben"), a_user("cay"))


def test_an_account_is_read_as_saved(host: Host) -> None:
    account = an_account(
        execution=Execution.WORKER,
        credentials=Credentials.VERIFIED,
        symbols=("ES",),
        terms_accepted_at=NOW,
        simulation=False,
        connection={"environment": "paper", "account": "DU1"},
        roll_by=RollBy.VENUE,
        roll_days=3,
        one_order_flip=True,
        outside_hours=OutsideHours.QUEUE,
        sign_in_by=later(60),
    )
    host.accounts.save(account)
    assert host.accounts.account("acc-1") == account


def test_only_what_is_known_of_an_account_s_access_is_changed(host: Host) -> None:
    account = an_account(credentials=Credentials.VERIFIED, symbols=("ES",), label="mine")
    host.accounts.save(account)
    host.accounts.mark_access("acc-1", Credentials.NEEDS_REAUTH, later(60))
    assert host.accounts.account("acc-1") == account.model_copy(
        update={"credentials": Credentials.NEEDS_REAUTH, "sign_in_by": later(60)}
    )
    host.accounts.mark_access("acc-1", Credentials.VERIFIED, None)
    assert host.accounts.account("acc-1") == account
    assert host.accounts.of_user("ann")[0] == (account,)


def test_an_account_that_was_removed_is_gone_and_is_not_made_again_by_a_mark(host: Host) -> None:
    host.accounts.save(an_account())
    host.accounts.save(an_account("acc-2"))
    host.accounts.remove_account("acc-1")
    host.accounts.remove_account("acc-1")
    with pytest.raises(NotFound):
        host.accounts.mark_access("acc-1", Credentials.VERIFIED, None)
    with pytest.raises(NotFound):
        host.accounts.account("acc-1")
    assert host.accounts.of_user("ann")[0] == (an_account("acc-2"),)


def test_a_webhook_is_read_as_saved(host: Host) -> None:
    webhook = a_webhook(
        generation=2, previous_generation=1, previous_until=later(60), gate=Gate.RESYNC, daily_limit=3, wait_s=Decimal("0.5")
    )
    host.accounts.save_webhook(webhook, {})
    assert host.accounts.webhook("hook-1") == webhook


def test_every_setting_of_a_webhook_is_read_as_saved(host: Host) -> None:
    webhook = a_webhook(
        revoked=True,
        secret_in=SecretIn.URL,
        time=TimeOf.ARRIVAL,
        entry_staleness_s=5,
        reduction_staleness_s=10,
        quantity_is=QuantityIs.CONTRACTS,
        symbols=("ES", "NQ"),
        windows=("Mon-Fri 09:30-16:00 America/New_York", "Sun 18:00-23:00 UTC"),
        cooldown_s=60,
        symbol_map={"SPX500": "MES1!", "OANDA:NAS100.X": "MNQ1!"},
        mapping='{action: side, symbol: `"ES1!"`}',
    )
    host.accounts.save_webhook(webhook, {})
    assert host.accounts.webhook("hook-1") == webhook


def test_what_is_not_there_is_not_found(host: Host) -> None:
    for read in (host.accounts.user, host.accounts.account, host.accounts.webhook):
        with pytest.raises(NotFound):
            read("nobody")


def test_a_user_owns_the_accounts_and_webhooks_saved_for_him_and_no_others(host: Host) -> None:
    host.accounts.save(a_user())
    for account_id in ("acc-2", "acc-1"):
        host.accounts.save(an_account(account_id))
    host.accounts.save(an_account("acc-3", user_id="ben"))
    host.accounts.save_webhook(a_webhook("hook-1"), {"digest": an_owner()})
    host.accounts.save_webhook(a_webhook("hook-2", user_id="ben"), {})
    assert host.accounts.of_user("ann") == ((an_account("acc-1"), an_account("acc-2")), (a_webhook("hook-1"),))
    assert host.accounts.of_user("nobody") == ((), ())


def test_after_a_rotation_the_old_token_works_until_its_end_and_the_new_one_too(host: Host) -> None:
    host.accounts.save_webhook(a_webhook(), {"old": an_owner()})
    ending = an_owner(expires_at=later(600))
    host.accounts.save_webhook(a_webhook(generation=2), {"old": ending, "new": an_owner(generation=2)})
    assert host.alerts.owner_of("old") == ending
    assert host.alerts.owner_of("new") == an_owner(generation=2)


def test_a_revoked_token_leads_to_nothing_and_the_others_stay(host: Host) -> None:
    host.accounts.save_webhook(a_webhook(), {"first": an_owner(), "second": an_owner(generation=2)})
    host.accounts.save_webhook(a_webhook(generation=3), {"third": an_owner(generation=3)}, revoked=("first", "never"))
    assert host.alerts.owner_of("first") is None
    assert host.alerts.owner_of("second") == an_owner(generation=2)
    assert host.alerts.owner_of("third") == an_owner(generation=3)
