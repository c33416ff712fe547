"""Keeping all accounts signed in: each minute, one after the other, and no account's trouble is another's."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from fillpath.accounts.capabilities import Capabilities
from fillpath.accounts.model import Credentials
from fillpath.errors import BrokerUnavailable, NeedsReauth, StorageUnavailable, Unsupported
from fillpath_brokers.renewing import Office, Tally, renew_all
from fillpath_brokers.token_store import TokenStore
from fillpath_brokers.web import Web
from tests.brokers.signing import CREDENTIALS, ScriptedSignIn
from tests.contract.records import a_user, an_account
from tests.fakes.access_vault import FakeAccessVault
from tests.fakes.account_store import FakeAccountStore
from tests.fakes.clock import FakeClock
from tests.fakes.rate_limits import FakeRateLimits
from tests.fakes.telemetry import FakeTelemetry
from tests.fakes.token_ledger import FakeTokenLedger

NO_ANSWER = BrokerUnavailable("no answer")
LOGIN_ENDED = NeedsReauth("the login has ended")


class Venues:
    """A venue per account, so that each may be in a trouble of its own; `paper` needs no credentials."""

    def __init__(self) -> None:
        self.known: dict[str, ScriptedSignIn] = {}

    def capabilities(self, key: str) -> Capabilities:
        if key != "paper" and key not in self.known:
            raise Unsupported(f"there is no venue {key}")
        return Capabilities(credentials_required=key != "paper")

    def sign_in(self, key: str) -> ScriptedSignIn:
        if key not in self.known:
            raise Unsupported(f"nobody signs in at {key}")
        return self.known[key]


class House:
    """Accounts of two users, and one run after another."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.accounts = FakeAccountStore()
        self.accounts.save(a_user("ann"))
        self.accounts.save(a_user("ben"))
        self.ledger = FakeTokenLedger()
        self.tokens = TokenStore(FakeAccessVault(), self.ledger, self.clock)
        self.venues = Venues()
        self.telemetry = FakeTelemetry()
        self.order: list[str] = []

    def signed_in(self, name: str, **changes: Any) -> ScriptedSignIn:
        """An account of that name at a venue of that name, whose token was made just now."""
        venue = self.venues.known[name] = ScriptedSignIn(self.clock)
        venue.meanwhile = lambda: self.order.append(name)
        venue.login_ends = changes.pop("login_ends", None)
        content = {"credentials": Credentials.VERIFIED, "venue": name, "label": name}
        self.accounts.save(an_account(name, **content | changes))
        self.enter(name)
        return venue

    def enter(self, name: str) -> None:
        """A person signs in."""
        venue = self.venues.known[name]
        token = venue.sign_in(CREDENTIALS, None)  # type: ignore[arg-type]  of no use to it
        self.tokens.keep(name, CREDENTIALS, token, "a person")
        self.order.clear()

    def run(self, lasts_s: float = 45) -> Tally:
        """One run, which begins nothing after so long."""
        self.telemetry = FakeTelemetry()
        office = Office(
            self.accounts,
            self.tokens,
            self.venues,
            Web(FakeRateLimits(self.clock), self.clock),
            self.clock,
            self.telemetry,
            f"run at {self.clock.now()}",
        )
        return renew_all(office, self.clock.now() + timedelta(seconds=lasts_s))

    def after(self, minutes: float) -> None:
        """Time passes."""
        self.clock.sleep(60 * minutes)

    def figure(self, name: str) -> float:
        """What the last run reported."""
        (value,) = [value for reported, value in self.telemetry.figures if reported == name]
        return value

    @property
    def failures(self) -> int:
        """How many failures the last run counted."""
        return self.telemetry.counts.count(("TokenRenewalFailed", None))


@pytest.fixture
def house() -> House:
    return House()


def slow(house: House, seconds: float, name: str) -> Callable[[], None]:
    def meanwhile() -> None:
        house.order.append(name)
        house.clock.sleep(seconds)

    return meanwhile


def test_what_is_due_is_renewed_for_every_user_and_what_is_not_is_left_alone(house: House) -> None:
    house.signed_in("one")
    house.signed_in("two", user_id="ben")
    house.after(minutes=10)
    house.enter("two")
    assert house.run() == Tally(0, 0, 0, 0)
    house.after(minutes=6)
    assert house.run() == Tally(1, 0, 0, 0)
    assert house.order == ["one"]
    house.after(minutes=10)
    assert house.run().renewed == 1
    assert (house.failures, house.figure("NeedsReauth"), house.figure("SignInDueSoon")) == (0, 0, 0)


def test_accounts_without_credentials_are_nobody_s_business(house: House) -> None:
    house.accounts.save(an_account("simulated", venue="paper", credentials=Credentials.VERIFIED))
    house.accounts.save(an_account("unfinished", venue="nowhere", credentials=Credentials.MISSING))
    assert house.run() == Tally(0, 0, 0, 0)
    assert house.failures == 0


@pytest.mark.parametrize("trouble", [NO_ANSWER, KeyError("a defect"), StorageUnavailable("no answer")])
def test_one_account_s_trouble_keeps_no_other_from_being_renewed(house: House, trouble: Exception) -> None:
    house.signed_in("first").refuses["renew"] = [trouble] * 9
    house.clock.sleep(1)
    house.signed_in("second")
    house.after(minutes=16)
    assert house.run() == Tally(1, 1, 0, 0)
    assert house.order == ["first", "second"]
    assert house.failures == 1


def test_an_account_at_a_venue_that_is_gone_is_told_and_keeps_nobody_waiting(house: House) -> None:
    house.signed_in("kept")
    house.signed_in("gone")
    del house.venues.known["gone"]
    house.after(minutes=16)
    assert house.run() == Tally(1, 1, 0, 0)


def test_the_most_overdue_come_first_and_the_rest_comes_next_minute(house: House) -> None:
    for name in ("c", "a", "b"):
        house.signed_in(name)
        house.clock.sleep(10)
    for name in "abc":
        house.venues.known[name].meanwhile = slow(house, 20, name)
    house.after(minutes=16)
    assert house.run(lasts_s=30) == Tally(2, 0, 1, 0)
    assert house.order == ["c", "a"]
    assert house.run(lasts_s=30).renewed == 1
    assert house.order == ["c", "a", "b"]


def test_venues_that_never_answer_do_not_keep_others_waiting_for_ever(house: House) -> None:
    for name in ("dead-1", "dead-2", "dead-3", "well"):
        house.signed_in(name)
        house.clock.sleep(1)
    for name in ("dead-1", "dead-2", "dead-3"):
        house.venues.known[name].meanwhile = slow(house, 20, name)
        house.venues.known[name].refuses["renew"] = [NO_ANSWER] * 99
    house.after(minutes=15)
    assert house.run(lasts_s=30).renewed == 0
    house.run(lasts_s=30)
    assert "well" in house.order
    assert house.order.index("well") <= 4


def test_when_the_venue_wants_a_person_the_account_says_so_and_is_counted_each_minute(house: House) -> None:
    venue = house.signed_in("one", symbols=("ES",))
    venue.refuses = {"renew": [LOGIN_ENDED], "sign_in": [LOGIN_ENDED]}
    house.after(minutes=16)
    assert house.run() == Tally(0, 0, 0, 1)
    account = house.accounts.account("one")
    assert (account.credentials, account.symbols) == (Credentials.NEEDS_REAUTH, ("ES",))
    assert house.run() == Tally(0, 0, 0, 1)
    assert (house.failures, house.figure("NeedsReauth")) == (0, 1)


def test_after_a_later_sign_in_the_account_is_verified_again(house: House) -> None:
    venue = house.signed_in("one")
    venue.refuses = {"renew": [LOGIN_ENDED], "sign_in": [LOGIN_ENDED]}
    house.after(minutes=16)
    house.run()
    house.enter("one")
    assert house.run() == Tally(0, 0, 0, 0)
    assert house.accounts.account("one").credentials is Credentials.VERIFIED
    assert house.figure("NeedsReauth") == 0


def test_an_account_whose_secret_is_not_there_needs_a_person(house: House) -> None:
    house.venues.known["one"] = ScriptedSignIn(house.clock)
    house.accounts.save(an_account("one", venue="one", credentials=Credentials.VERIFIED))
    assert house.run() == Tally(0, 0, 0, 1)
    assert house.accounts.account("one").credentials is Credentials.NEEDS_REAUTH


def test_the_account_says_until_when_its_login_lasts_and_the_last_two_days_are_told(house: House) -> None:
    house.signed_in("weekly", login_ends=timedelta(days=7))
    house.signed_in("forever")
    ends = house.clock.now() + timedelta(days=7)
    house.run()
    assert house.accounts.account("weekly").sign_in_by == ends
    assert house.accounts.account("forever").sign_in_by is None
    assert house.figure("SignInDueSoon") == 0
    house.venues.known["weekly"].login_ends = timedelta(days=2)
    house.after(minutes=16)
    house.run()
    assert house.accounts.account("weekly").sign_in_by == house.clock.now() + timedelta(days=2)
    assert house.figure("SignInDueSoon") == 1


def test_a_person_s_change_of_the_account_in_the_meantime_stays(house: House) -> None:
    venue = house.signed_in("one")
    venue.refuses = {"renew": [LOGIN_ENDED], "sign_in": [LOGIN_ENDED]}
    account = house.accounts.account("one")
    venue.meanwhile = lambda: house.accounts.save(account.model_copy(update={"label": "renamed", "symbols": ("NQ",)}))
    house.after(minutes=16)
    house.run()
    changed = house.accounts.account("one")
    assert (changed.label, changed.symbols, changed.credentials) == ("renamed", ("NQ",), Credentials.NEEDS_REAUTH)


def test_an_account_that_was_removed_in_the_meantime_is_not_made_again(house: House) -> None:
    venue = house.signed_in("one")
    venue.refuses = {"renew": [LOGIN_ENDED], "sign_in": [LOGIN_ENDED]}
    venue.meanwhile = lambda: house.accounts.remove_account("one")
    house.after(minutes=16)
    assert house.run().failed == 0
    assert house.accounts.of_user("ann") == ((), ())


def test_what_the_ledger_does_not_tell_of_one_account_is_told_of_the_others(house: House) -> None:
    house.signed_in("one")
    house.signed_in("two")
    of = house.ledger.of

    def of_all_but_one(account_id: str) -> Any:
        if account_id == "one":
            raise StorageUnavailable("no answer")
        return of(account_id)

    house.ledger.of = of_all_but_one  # type: ignore[method-assign]  this fake alone
    house.after(minutes=16)
    assert house.run() == Tally(1, 1, 0, 0)
