"""What a new stack begins with, and what a later start finds again."""

from types import SimpleNamespace

from cli.directory import Directory
from cli.seed import seed
from fillpath.accounts.model import Account
from tests.fakes.account_store import FakeAccountStore
from tests.fakes.master_key import FakeMasterKey


def a_target() -> SimpleNamespace:
    return SimpleNamespace(
        accounts=FakeAccountStore(),
        master_key=FakeMasterKey(),
        webhook_url=lambda token: f"http://api/webhook/tradingview/{token}",
    )


def test_one_user_one_paper_account_that_may_trade_and_one_webhook() -> None:
    target = a_target()
    made = seed(target, {})
    directory = Directory(target.accounts)
    (user,), (account,), (webhook,) = directory.users(), directory.accounts(), directory.webhooks()
    assert set(made) == {"webhook_url", "webhook_secret", "user", "account_id"}
    assert {"id": user.user_id, "email": user.email} == {key: made["user"][key] for key in ("id", "email")}
    assert made["account_id"] == account.account_id == webhook.routes[0].account_id
    assert account.venue == "paper"
    assert account.terms_accepted_at is not None


def test_a_later_start_finds_the_same_and_keeps_the_password() -> None:
    target = a_target()
    first = seed(target, {})
    assert seed(target, first) == first
    assert len(first["user"]["password"]) >= 20


def test_the_first_ones_stay_the_seeded_ones_whatever_is_added() -> None:
    target = a_target()
    first = seed(target, {})
    account = target.accounts.account(first["account_id"])
    target.accounts.save(Account(**dict(account) | {"account_id": "Z" + account.account_id[1:], "label": "later"}))
    assert seed(target, first) == first


def test_a_stack_that_was_cleared_gets_a_new_password() -> None:
    first = seed(a_target(), {})
    assert seed(a_target(), first)["user"]["password"] != first["user"]["password"]
