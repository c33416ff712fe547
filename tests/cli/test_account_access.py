"""Accounts at real venues by hand: asked for, tried, kept; or nothing is kept, and no secret shows anywhere."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cli.means import Means
from fillpath.accounts.access import TokenStatus
from fillpath.accounts.capabilities import Capabilities
from fillpath.accounts.model import Account, Credentials, OutsideHours, RollBy
from fillpath.errors import NeedsReauth
from fillpath.orders.outcomes import Position
from fillpath_aws.access_vault import SecretsManagerAccessVault
from fillpath_aws.token_ledger import DynamoTokenLedger
from fillpath_brokers.signing_in import Field
from tests.cli.local_stack import KEY_ARN, Ran, Stack
from tests.cli.toy_venue import FIRST, LOGIN_URL, PASSWORD, SECOND, USER, Absent, Answering, Toy, ToyVenues
from tests.contract.moto import Moto
from tests.contract.records import an_order

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]

ENTERED = {"user": USER, "password": PASSWORD}
SECRETS = (USER, PASSWORD, "t0ken-1", "r3fresh-1", "c0de@")


class Desk:
    """The commands, the toy venue, and what is kept."""

    def __init__(self, stack: Stack, moto: Moto, folder: Path) -> None:
        self.stack = stack
        self.moto = moto
        self.toy = Toy()
        self.folder = folder
        self.vault = SecretsManagerAccessVault(moto.secrets_manager, "fillpath/test/broker")
        self.ledger = DynamoTokenLedger(moto.dynamodb, "fleet")
        self.shown = ""

    def types(self, *arguments: str, answers: tuple[str, ...] = ()) -> tuple[Ran, Answering]:
        """A person types a command and answers its questions."""
        person = Answering(*answers)
        return self._run(person, arguments), person

    def scripted(self, *arguments: str, pipe: object = ENTERED) -> Ran:
        """A script runs a command; `pipe` stands on its standard input, as JSON unless it is text."""
        return self._run(Absent(pipe if isinstance(pipe, str) else json.dumps(pipe)), arguments)

    def added(self, *arguments: str) -> Account:
        """A toy account."""
        ran = self.scripted("account", "add", "toy", "--credentials", "-", "--terms", *arguments, "--json")
        assert ran.code == 0, ran.err
        return self.stack.target.accounts.account(ran.json["account_id"])

    def kept(self) -> list[str]:
        """Names of secrets, and toy accounts."""
        names = [each["Name"] for each in self.moto.secrets_manager.call("ListSecrets", {})["SecretList"]]
        toys = [account.account_id for account in self.stack.directory.accounts() if account.venue == "toy"]
        return [name for name in names if "broker" in name] + toys

    def _run(self, person: Any, arguments: tuple[str, ...]) -> Ran:
        self.stack.means = Means(ToyVenues(self.toy), person)
        ran = self.stack.run(*arguments)
        self.shown += ran.out + ran.err
        return ran


@pytest.fixture
def desk(stack: Stack, moto: Moto, tmp_path: Path) -> Iterator[Desk]:
    """Whatever a test does, none of the secrets is shown."""
    desk = Desk(stack, moto, tmp_path)
    yield desk
    assert [secret for secret in SECRETS if secret in desk.shown] == []


def test_a_person_is_asked_in_order_and_what_was_entered_lets_the_account_in(desk: Desk) -> None:
    ran, person = desk.types("account", "add", "toy", "--label", "mine", "--terms", answers=("demo", USER, PASSWORD, ""))
    assert ran.code == 0, ran.err
    assert [question.partition(" ")[0] for question in person.asked] == ["Environment", "User", "Password:", "PIN:"]
    assert len(person.unseen) == 3
    account = desk.stack.directory.account("mine")
    assert (account.credentials, account.simulation, account.connection) == (
        Credentials.VERIFIED,
        True,
        {"environment": "demo", "account": "T-1"},
    )
    access = desk.vault.read(account.account_id)
    assert (access.credentials, access.version) == (ENTERED, 1)
    assert access.token is not None
    status = desk.ledger.of(account.account_id)
    assert status is not None
    assert status == TokenStatus(1, access.token.expires_at, replaced_at=None)
    secret = desk.moto.secrets_manager.call("DescribeSecret", {"SecretId": f"fillpath/test/broker/{account.account_id}"})
    assert secret["KmsKeyId"] == KEY_ARN


def test_a_wrong_choice_or_nothing_where_something_is_needed_is_asked_again(desk: Desk) -> None:
    ran, _ = desk.types("account", "add", "toy", answers=("paper", "", "", USER, f" {PASSWORD} ", "1234"))
    assert ran.code == 0, ran.err
    assert "one of demo, live" in ran.err
    assert "this is needed" in ran.err
    (name, account_id) = desk.kept()
    assert name.endswith(account_id)
    assert desk.vault.read(account_id).credentials == {**ENTERED, "pin": "1234"}


def test_who_answers_nothing_has_added_nothing(desk: Desk) -> None:
    ran, _ = desk.types("account", "add", "toy")
    assert (ran.code, ran.out, desk.kept()) == (1, "", [])
    assert "User name was not entered" in ran.err


@pytest.mark.parametrize("source", ["-", "file"])
def test_a_script_hands_the_credentials_over_as_json(desk: Desk, source: str) -> None:
    content = {**ENTERED, "environment": "demo", "pin": 1234}
    file = desk.folder / "credentials.json"
    file.write_text(json.dumps(content))
    ran = desk.scripted("account", "add", "toy", "--credentials", str(file) if source == "file" else "-", "--json", pipe=content)
    assert ran.json["signed_in"] is True
    assert ran.json["connection"] == {"environment": "demo", "account": "T-1"}
    assert desk.vault.read(ran.json["account_id"]).credentials == {**ENTERED, "pin": "1234"}


@pytest.mark.parametrize(
    ("pipe", "reason", "remedy"),
    [
        ('{"user": "ann-smith", "password": "pa55word!"', "is not JSON (line 1", '{"key_id"'),
        ('["pa55word!"]', "is not one JSON object", '{"key_id"'),
        (
            {**ENTERED, "passwort": PASSWORD, "a": ""},
            "does not ask for a, passwort",
            "its fields are environment, user, password, pin",
        ),
        ({"password": PASSWORD}, "user missing", "the fields of Toy Markets are environment, user"),
        ({}, "user, password missing", "environment, user, password, pin"),
        ({**ENTERED, "pin": [PASSWORD]}, "pin is no text", "quotation marks"),
        ({**ENTERED, "environment": "paper"}, "environment is none of those that there are", "one of demo, live"),
    ],
)
def test_what_is_wrong_with_it_is_named_by_its_key_and_nothing_is_kept(
    desk: Desk, pipe: object, reason: str, remedy: str
) -> None:
    ran = desk.scripted("account", "add", "toy", "--credentials", "-", "--json", pipe=pipe)
    assert (ran.code, ran.out, desk.kept(), desk.toy.connections) == (1, "", [], [])
    assert reason in ran.err
    assert remedy in ran.err.replace("\n", "")


def test_without_a_person_and_without_credentials_the_keys_are_named(desk: Desk) -> None:
    ran = desk.scripted("account", "add", "toy")
    assert (ran.code, desk.kept()) == (1, [])
    assert "nobody to ask for environment, user, password, pin" in ran.err
    assert "--credentials" in ran.err


def test_what_the_venue_refuses_is_told_without_the_secrets_it_repeats_and_nothing_is_kept(desk: Desk) -> None:
    ran = desk.scripted("account", "add", "toy", "--credentials", "-", pipe={"user": USER, "password": "another-password"})
    assert (ran.code, ran.out, desk.kept()) == (1, "", [])
    assert "Toy Markets lets nobody in with that: wrong password *** for ***" in ran.err
    assert "nothing was kept" in ran.err


def test_a_venue_that_does_not_answer_is_told_and_nothing_is_kept(desk: Desk) -> None:
    desk.toy.down = True
    ran = desk.scripted("account", "add", "toy", "--credentials", "-")
    assert (ran.code, desk.kept()) == (1, [])
    assert "toy.example gave no answer: ReadTimeout" in ran.err
    assert "nothing was kept" in ran.err


def test_credentials_that_reach_nothing_are_not_kept(desk: Desk) -> None:
    desk.toy.shows = ()
    ran = desk.scripted("account", "add", "toy", "--credentials", "-")
    assert (ran.code, desk.kept()) == (1, [])
    assert "shows no account" in ran.err


# several accounts


@pytest.mark.parametrize("answers", [("T-2",), ("2",), ("", "T-9", "2")])
def test_of_several_accounts_a_person_chooses_one(desk: Desk, answers: tuple[str, ...]) -> None:
    desk.toy.shows = (FIRST, SECOND)
    ran, person = desk.types("account", "add", "toy", "--label", "mine", answers=("", USER, PASSWORD, "", *answers))
    assert ran.code == 0, ran.err
    assert "1  T-1 (Cash, USD)" in ran.err
    assert "Which account?" in person.asked[-1]
    assert desk.stack.directory.account("mine").connection == {"environment": "demo", "account": "T-2"}


def test_who_never_says_which_account_has_added_nothing(desk: Desk) -> None:
    desk.toy.shows = (FIRST, SECOND)
    ran, _ = desk.types("account", "add", "toy", answers=("", USER, PASSWORD, "", "3", "", "x"))
    assert (ran.code, desk.kept()) == (1, [])
    assert "one of T-1 (Cash), T-2 (Margin)" in ran.err.replace("\n", "")


def test_an_account_of_the_venue_is_added_once(desk: Desk) -> None:
    desk.added("--label", "mine")
    before = desk.kept()
    ran = desk.scripted("account", "add", "toy", "--credentials", "-", "--label", "again")
    assert (ran.code, desk.kept()) == (1, before)
    assert "account mine is the venue's account T-1 already" in ran.err
    assert desk.added("--label", "there", "--endpoint", "http://127.0.0.1:1").connection["account"] == "T-1"


@pytest.mark.parametrize(
    ("typed", "reason"), [((), "shows 2 accounts: T-1 (Cash), T-2 (Margin)"), (("--set", "account=T-9"), "shows no account T-9")]
)
def test_a_script_must_name_one_that_there_is(desk: Desk, typed: tuple[str, ...], reason: str) -> None:
    desk.toy.shows = (FIRST, SECOND)
    ran = desk.scripted("account", "add", "toy", "--credentials", "-", *typed)
    assert (ran.code, desk.kept()) == (1, [])
    assert reason in ran.err
    assert desk.added("--set", "account=T-1").connection == {"environment": "demo", "account": "T-1"}


# a browser


@pytest.mark.parametrize(
    "answer",
    ["https://127.0.0.1/?state=st4te&code=c0de%40&session=x", "http://127.0.0.1:8080/?code=c0de%40", "c0de@", " c0de%40 "],
)
def test_where_a_browser_is_needed_its_address_is_shown_and_the_code_taken_from_where_it_ended(desk: Desk, answer: str) -> None:
    desk.toy.browser = True
    ran, person = desk.types("account", "add", "toy", "--label", "mine", answers=("", USER, PASSWORD, "", answer))
    assert ran.code == 0, ran.err
    assert f"\n{LOGIN_URL}\n" in ran.err
    assert "Address at which the browser ended" in person.asked[-1]
    assert desk.toy.codes == ["c0de@"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "there is no code in that"),
        ("https://127.0.0.1/", "there is no code in that"),
        ("https://127.0.0.1/?state=st4te", "there is no code in that address"),
        ("https://127.0.0.1/?state=other&code=c0de%40", "belongs to another sign-in"),
        ("https://127.0.0.1/?error=access_denied&error_description=you+said+no", "did not let you in: you said no"),
        ("wrong", "wrong password *** for ***"),
    ],
)
def test_an_address_without_a_code_of_this_sign_in_keeps_nothing(desk: Desk, answer: str, reason: str) -> None:
    desk.toy.browser = True
    ran, _ = desk.types("account", "add", "toy", answers=("", USER, PASSWORD, "", answer))
    assert (ran.code, desk.kept()) == (1, [])
    assert reason in ran.err


def test_a_script_cannot_use_a_browser_and_is_told_so(desk: Desk) -> None:
    desk.toy.browser = True
    ran = desk.scripted("account", "add", "toy", "--credentials", "-")
    assert (ran.code, desk.kept()) == (1, [])
    assert "wants a person to sign in with a browser" in ran.err


# settings


def test_an_endpoint_of_one_s_own_is_reached_keeps_orders_until_the_open_and_counts_as_a_simulation(desk: Desk) -> None:
    account = desk.added("--endpoint", "http://127.0.0.1:8443", "--set", "environment=live", "--set", "quarantine_s=9")
    assert account.connection == {
        "environment": "live",
        "endpoint": "http://127.0.0.1:8443",
        "quarantine_s": "9",
        "account": "T-1",
    }
    assert (account.outside_hours, account.simulation) == (OutsideHours.QUEUE, True)
    assert {connection["endpoint"] for connection in desk.toy.connections} == {"http://127.0.0.1:8443"}
    told = desk.added("--set", "rest_endpoint=http://127.0.0.1:1", "--outside-hours", "refuse")
    assert (told.outside_hours, told.simulation) == (OutsideHours.REFUSE, True)


def test_what_is_given_by_set_is_not_asked_for(desk: Desk) -> None:
    ran, person = desk.types("account", "add", "toy", "--set", "environment=demo", answers=(USER, PASSWORD, ""))
    assert (ran.code, list(person.left)) == (0, [])
    assert len(person.asked) == 3


def test_how_the_account_trades_is_kept_and_changed(desk: Desk) -> None:
    account = desk.added("--roll", "venue", "--one-order-flip", "--outside-hours", "queue", "--symbols", "ES")
    assert (account.roll_by, account.one_order_flip, account.outside_hours) == (RollBy.VENUE, True, OutsideHours.QUEUE)
    desk.scripted("account", "set", account.account_id, "--roll", "days:3", "--two-order-flip", "--outside-hours", "refuse")
    changed = desk.stack.target.accounts.account(account.account_id)
    assert (changed.roll_by, changed.roll_days, changed.one_order_flip) == (RollBy.DAYS, 3, False)
    assert (changed.outside_hours, changed.symbols, changed.credentials) == (OutsideHours.REFUSE, ("ES",), Credentials.VERIFIED)


def test_settings_of_the_connection_are_changed_and_taken_away(desk: Desk) -> None:
    account = desk.added("--set", "quarantine_s=9", "--set", "account=T-1")
    ran = desk.scripted("account", "set", account.account_id, "--set", "quarantine_s=")
    assert "within a minute" in ran.err
    assert desk.stack.target.accounts.account(account.account_id).connection == {"environment": "demo", "account": "T-1"}


def test_a_connection_that_leads_elsewhere_is_tried_first_and_leaves_nothing_behind(desk: Desk) -> None:
    account = desk.added("--label", "mine")
    desk.toy.shows = (FIRST, SECOND)

    def move(to: str, *more: str) -> Ran:
        return desk.scripted("account", "set", "mine", "--set", f"account={to}", *more)

    assert "holds AAPL, which would stay behind" in move("T-2").err
    desk.toy.holds = ()
    assert "shows no account T-9" in move("T-9").err
    desk.stack.target.orders.add(an_order(account_id=account.account_id))
    assert "has 1 open order" in move("T-2").err
    assert desk.stack.target.accounts.account(account.account_id) == account
    assert move("T-2", "--force").code == 0
    assert desk.stack.target.accounts.account(account.account_id).connection["account"] == "T-2"


def test_a_sign_in_that_leads_to_another_account_needs_force(desk: Desk) -> None:
    account = desk.added("--label", "mine")
    desk.toy.shows = (SECOND,)
    ran = desk.scripted("account", "sign-in", "mine", "--credentials", "-")
    assert (ran.code, desk.stack.target.accounts.account(account.account_id)) == (1, account)
    assert "shows no account T-1" in ran.err
    assert desk.scripted("account", "sign-in", "mine", "--credentials", "-", "--force").code == 0
    assert desk.stack.target.accounts.account(account.account_id).connection["account"] == "T-2"


@pytest.mark.parametrize("command", [("account", "add", "paper", "--label"), ("account", "set", "mine", "--label")])
def test_a_label_names_one_account_alone(desk: Desk, command: tuple[str, ...]) -> None:
    desk.added("--label", "mine")
    desk.stack.run("account", "add", "paper", "--label", "other")
    before = desk.stack.directory.accounts()
    ran = desk.scripted(*command, "OTHER")
    assert (ran.code, desk.stack.directory.accounts()) == (1, before)
    assert "there is an account other already" in ran.err
    assert desk.scripted("account", "set", "mine", "--label", "Mine").code == 0


@pytest.mark.parametrize(
    ("typed", "reason", "remedy"),
    [
        (("--roll", "venue"), "does not say which contract is the front month", "--roll days:8"),
        (("--one-order-flip",), "cannot go through zero with one order", "a reversal closes"),
        (("--outside-hours", "queue"), "keeps no order until the open", "--outside-hours refuse"),
    ],
)
def test_what_the_venue_cannot_do_is_refused_with_what_it_can(
    desk: Desk, typed: tuple[str, ...], reason: str, remedy: str
) -> None:
    account = desk.added()
    before = desk.kept()
    desk.toy.can = Capabilities()
    for command in (("account", "add", "toy", "--credentials", "-"), ("account", "set", account.account_id)):
        ran = desk.scripted(*command, *typed)
        assert (ran.code, ran.out, desk.kept()) == (1, "", before)
        assert reason in ran.err
        assert remedy in ran.err
    assert desk.stack.target.accounts.account(account.account_id) == account


@pytest.mark.parametrize(
    ("typed", "reason", "remedy"),
    [
        ("--roll tomorrow", "--roll: 'tomorrow' says neither days nor venue", "days:8"),
        ("--roll days:x", "--roll: 'days:x'", "days:8"),
        ("--roll days:61", "--roll: 'days:61'", "0 to 60"),
        ("--outside-hours maybe", "--outside-hours: there is no 'maybe'", "refuse, queue"),
        ("--set environment", "is not KEY=VALUE", "--set environment=paper"),
        ("--set pa55word!", "is not KEY=VALUE", "--set environment"),
        ("--set password=pa55word!", "password of Toy Markets is secret", "--credentials FILE"),
        ("--set colour=red", "colour: is no setting of this venue", "settings of this venue: account, endpoint, environment"),
        ("--set quarantine_s=soon", "quarantine_s:", "nothing was kept"),
        ("--endpoint localhost", "endpoint: 'localhost' is not an address", "https://127.0.0.1:8443"),
        ("--endpoint http://ann:pa55word!@localhost", "with a user or a password in it", "https://127.0.0.1:8443"),
        ("--credentials /nowhere", "/nowhere: No such file", ""),
    ],
)
def test_what_is_wrong_is_named_with_its_remedy_and_nothing_is_kept(desk: Desk, typed: str, reason: str, remedy: str) -> None:
    ran = desk.scripted("account", "add", "toy", "--credentials", "-", *typed.split())
    assert (ran.code, ran.out, desk.kept(), desk.toy.connections) == (1, "", [], [])
    assert reason in ran.err
    assert remedy in ran.err


def test_the_simulated_exchange_asks_for_nothing_and_says_so(desk: Desk) -> None:
    ran = desk.scripted("account", "add", "paper", "--endpoint", "http://localhost", "--live")
    assert (ran.code, ran.out) == (1, "")
    assert "--endpoint, --live: nobody signs in at Paper" in ran.err


# real money


def test_real_money_needs_a_word(desk: Desk) -> None:
    ran, person = desk.types("account", "add", "toy", "--label", "mine", answers=("live", USER, PASSWORD, "", "yes"))
    assert (ran.code, desk.kept()) == (1, [])
    assert "will trade real money" in person.asked[-1]
    ran, _ = desk.types("account", "add", "toy", "--label", "mine", answers=("live", USER, PASSWORD, "", "live"))
    assert ran.code == 0, ran.err
    assert "It trades real money" in ran.out
    assert desk.stack.directory.account("mine").simulation is False


def test_a_script_says_it_beforehand(desk: Desk) -> None:
    live = {**ENTERED, "environment": "live"}
    ran = desk.scripted("account", "add", "toy", "--credentials", "-", pipe=live)
    assert (ran.code, desk.kept()) == (1, [])
    assert "--live" in ran.err
    assert desk.scripted("account", "add", "toy", "--credentials", "-", "--live", "--json", pipe=live).json["simulation"] is False


def test_an_account_does_not_come_to_real_money_by_a_change_of_settings(desk: Desk) -> None:
    account = desk.added()
    ran = desk.scripted("account", "set", account.account_id, "--set", "environment=live")
    assert (ran.code, desk.stack.target.accounts.account(account.account_id)) == (1, account)
    assert "--live" in ran.err
    desk.toy.holds = ()
    assert desk.scripted("account", "set", account.account_id, "--set", "environment=live", "--live").code == 0
    assert desk.stack.target.accounts.account(account.account_id).simulation is False


def test_a_venue_without_environments_trades_real_money(desk: Desk) -> None:
    desk.toy.fields = desk.toy.fields[1:]
    ran = desk.scripted("account", "add", "toy", "--credentials", "-")
    assert (ran.code, desk.kept()) == (1, [])
    assert "would trade real money" in ran.err
    desk.toy.can = replace(desk.toy.can, can_trade=False)
    assert desk.scripted("account", "add", "toy", "--credentials", "-").code == 0


# later


def test_signing_in_again_replaces_the_credentials_and_nothing_else(desk: Desk) -> None:
    account = desk.added("--set", "quarantine_s=9", "--symbols", "ES")
    target = desk.stack.target.accounts
    target.mark_access(account.account_id, Credentials.NEEDS_REAUTH, datetime.now(UTC))
    desk.toy.login_lasts = timedelta(days=7)
    ran = desk.scripted("account", "sign-in", account.account_id, "--credentials", "-", "--json", pipe={**ENTERED, "pin": "77"})
    assert ran.json["signed_in"] is True
    again = target.account(account.account_id)
    assert again.sign_in_by is not None
    assert again.model_copy(update={"sign_in_by": None}) == account
    assert timedelta(days=6, hours=23) < again.sign_in_by - datetime.now(UTC) <= timedelta(days=7)
    access = desk.vault.read(account.account_id)
    assert (access.credentials["pin"], access.version) == ("77", 2)


def test_a_sign_in_that_fails_leaves_what_there_was(desk: Desk) -> None:
    account = desk.added()
    ran = desk.scripted(
        "account", "sign-in", account.account_id, "--credentials", "-", pipe={"user": USER, "password": "another-password"}
    )
    assert ran.code == 1
    assert desk.stack.target.accounts.account(account.account_id) == account
    assert desk.vault.read(account.account_id).credentials == ENTERED


def test_who_signs_in_again_is_asked_with_what_is_known_of_the_connection(desk: Desk) -> None:
    account = desk.added("--live", "--set", "environment=live")
    ran, person = desk.types("account", "sign-in", account.account_id, answers=("", USER, PASSWORD, ""))
    assert (ran.code, list(person.left)) == (0, [])
    assert "live unless told" in person.asked[0]
    assert desk.stack.target.accounts.account(account.account_id) == account


def test_a_renewal_that_runs_just_now_is_waited_for(desk: Desk) -> None:
    account = desk.added()
    now = datetime.now(UTC)
    assert desk.ledger.take(account.account_id, "refresh_tokens", now, now + timedelta(seconds=50))
    ran = desk.scripted("account", "sign-in", account.account_id, "--credentials", "-")
    assert ran.code == 1
    assert "try again in a minute" in ran.err


def test_a_check_shows_what_the_venue_shows(desk: Desk) -> None:
    account = desk.added("--set", "account=T-1")
    desk.toy.shows = (FIRST, SECOND)
    shown = desk.scripted("account", "check", account.account_id).out
    for part in ("T-1", "Margin", "equity, future", "this one", "AAPL", "1,604.50 USD"):
        assert part in shown
    told = desk.scripted("account", "check", account.account_id, "--json").json
    assert told["balances"]["equity"] == "1604.5"
    assert [each["account_id"] for each in told["reaches"]] == ["T-1", "T-2"]
    assert told["positions"] == [{"symbol": "AAPL", "quantity": "3"}]


def test_a_check_says_what_is_wrong_and_what_to_do(desk: Desk) -> None:
    account = desk.added("--label", "mine")
    desk.toy.down = True
    ran = desk.scripted("account", "check", "mine")
    assert (ran.code, ran.out) == (1, "")
    assert "Toy Markets gave no answer" in ran.err
    desk.vault.delete(account.account_id)
    ran = desk.scripted("account", "check", "mine")
    assert (ran.code, ran.out) == (1, "")
    assert "./fillpath account sign-in mine" in ran.err.replace(f"--local {desk.folder} ", "")


def test_a_paper_account_is_checked_too(desk: Desk) -> None:
    assert desk.scripted("account", "check", "paper", "--json").json["reaches"] == []


def test_a_list_says_how_it_stands_with_each_account_s_access(desk: Desk) -> None:
    names = ("well", "over", "soon", "later", "none")
    accounts = {name: desk.added("--label", name, "--endpoint", f"https://{name}.toy.example") for name in names}
    now = datetime.now(UTC)
    known = {
        "over": (Credentials.NEEDS_REAUTH, None),
        "soon": (Credentials.VERIFIED, now + timedelta(days=1, hours=4, minutes=5)),
        "later": (Credentials.VERIFIED, now + timedelta(days=2, hours=1)),
        "none": (Credentials.MISSING, None),
    }
    for name, marks in known.items():
        desk.stack.target.accounts.mark_access(accounts[name].account_id, *marks)
    lines = {line.split()[1]: line for line in desk.scripted("account", "list").out.splitlines() if len(line.split()) > 1}
    shown = {
        "well": "verified",
        "over": "needs sign-in",
        "soon": "signs out in 1 d 4 h",
        "later": "verified",
        "none": "no credentials",
    }
    for name, text in shown.items():
        assert text in lines[name]
    assert "not needed" in lines["paper"]
    told = {account["label"]: account for account in desk.scripted("account", "list", "--json").json}
    assert {name: account["signed_in"] for name, account in told.items()} == {
        "paper": None,
        "well": True,
        "over": False,
        "soon": True,
        "later": True,
        "none": False,
    }
    assert told["soon"]["sign_in_by"].startswith(f"{known['soon'][1]:%Y-%m-%d}")


# removing


def test_a_removed_account_is_gone_with_its_secret_and_who_leads_to_it_is_named(desk: Desk) -> None:
    account = desk.added("--label", "mine")
    desk.scripted("webhook", "add", "--label", "flow", "--route", "mine")
    ran, person = desk.types("account", "remove", "mine", answers=("mine",))
    assert ran.code == 0, ran.err
    assert "Type its label" in person.asked[0]
    assert "flow" in ran.err
    assert desk.kept() == []
    with pytest.raises(NeedsReauth):
        desk.stack.target.tokens.access(account.account_id)


def test_nothing_is_removed_by_mistake(desk: Desk) -> None:
    account = desk.added("--label", "mine")
    assert desk.types("account", "remove", "mine", answers=("yes",))[0].code == 1
    refused = desk.scripted("account", "remove", "mine")
    assert (refused.code, "--yes" in refused.err) == (1, True)
    assert desk.kept() == [f"fillpath/test/broker/{account.account_id}", account.account_id]
    assert desk.scripted("account", "remove", "mine", "--yes", "--json").json == {
        "account_id": account.account_id,
        "removed": True,
        "webhooks": [],
    }


def test_an_account_with_an_open_order_stays(desk: Desk) -> None:
    account = desk.added("--label", "mine")
    desk.stack.target.orders.add(an_order(account_id=account.account_id))
    ran = desk.scripted("account", "remove", "mine", "--yes")
    assert (ran.code, ran.out) == (1, "")
    assert "has 1 open order" in ran.err
    assert len(desk.kept()) == 2


def test_a_paper_account_is_removed_as_well(desk: Desk) -> None:
    assert desk.scripted("account", "remove", "paper", "--yes").code == 0
    assert desk.stack.directory.accounts() == ()


# trouble at a venue


def test_one_account_s_trouble_does_not_hide_what_the_others_hold(desk: Desk) -> None:
    account = desk.added("--label", "mine")
    desk.toy.down = True
    ran = desk.scripted("positions", "--json")
    assert ran.code == 1
    assert ran.json == [{"account_id": account.account_id, "error": "toy.example gave no answer: ReadTimeout"}]
    shown = desk.scripted("positions")
    assert shown.code == 1
    for part in ("mine", "gave no", "unknown", "paper", "USD"):
        assert part in shown.out
    assert desk.scripted("positions", "--account", "paper").code == 0
    desk.toy.down = False
    desk.vault.delete(account.account_id)
    assert "sign-in mine" in desk.scripted("positions", "--json").json[0]["error"]


def test_flatten_with_the_venue_down_puts_closes_into_the_lanes_that_were_traded_lately(desk: Desk) -> None:
    account = desk.added("--label", "mine")
    orders = desk.stack.target.orders
    orders.add(an_order(account_id=account.account_id, user_id=account.user_id))
    desk.toy.down = True
    ran = desk.scripted("flatten", "mine", "--json", "--wait", "0")
    assert ran.code == 1
    assert [(order["action"], order["root"]) for order in ran.json] == [("flatten", "ES")]
    assert "What is held cannot be read" in ran.err


def test_a_check_of_an_account_that_the_venue_does_not_show_says_which_there_are(desk: Desk) -> None:
    desk.added("--label", "mine")
    desk.toy.shows = (SECOND,)
    ran = desk.scripted("account", "check", "mine")
    assert ran.code == 1
    assert "the venue shows no account T-1" in ran.err
    assert "it shows T-2" in ran.err
    assert "in a minute" not in ran.err


def test_an_answer_that_does_not_match_is_asked_again_and_refused_where_nobody_can_be(desk: Desk) -> None:
    desk.toy.fields = (*desk.toy.fields, Field("cid", "Key", "a number", secret=False, required=False, pattern="[0-9]+"))
    ran, person = desk.types("account", "add", "toy", "--label", "mine", answers=("", USER, PASSWORD, "", "one", "12"))
    assert (ran.code, list(person.left)) == (1, [])  # the toy's settings know no cid
    assert "that is not what it must be: a number" in ran.err
    assert "cid: is no setting of this venue" in ran.err
    assert "cid is not what it must be" in desk.scripted("account", "add", "toy", "--set", "cid=x", "--credentials", "-").err
    ran = desk.scripted("account", "add", "toy", "--credentials", "-", pipe={**ENTERED, "cid": "x"})
    assert "--credentials: cid is not what it must be" in ran.err


def test_entries_may_be_of_what_the_venue_trades_only(desk: Desk) -> None:
    account = desk.added("--label", "mine")
    desk.toy.can = Capabilities(asset_classes=frozenset({"equity"}))
    for command in (("account", "add", "toy", "--credentials", "-"), ("account", "set", "mine")):
        ran = desk.scripted(*command, "--symbols", "AAPL,ES")
        assert ran.code == 1
        assert "Toy Markets does not trade ES" in ran.err
        assert "it trades shares" in ran.err
    assert desk.stack.target.accounts.account(account.account_id) == account


def test_a_list_says_what_is_real_money_and_where_a_simulation_is(desk: Desk) -> None:
    desk.added("--label", "mine", "--endpoint", "http://127.0.0.1:1")
    desk.toy.holds = ()
    desk.added("--label", "earnest", "--set", "environment=live", "--live")
    shown = desk.scripted("account", "list").out
    for part in ("simulation", "http://127.0.0.1:1", "toy (live)", "real money"):
        assert part in shown
    assert "trader@" not in shown
    desk.stack.run("user", "add", "ann@example.com")
    assert "trader@" in desk.scripted("account", "list").out


def test_at_the_venue_one_position_that_cannot_be_closed_does_not_keep_the_others_open(desk: Desk) -> None:
    desk.added("--label", "mine")
    desk.toy.holds += (Position("MSFT", "MSFT", Decimal(1)),)
    desk.toy.keeps = {"AAPL"}
    ran = desk.scripted("flatten", "mine", "--at-venue", "--json")
    assert (ran.code, desk.toy.closed) == (1, ["MSFT"])
    assert (ran.json["liquidated"], ran.json["failed"]) == (["MSFT"], {"AAPL": "AAPL cannot be closed now"})
    assert "AAPL was not closed" in ran.err
