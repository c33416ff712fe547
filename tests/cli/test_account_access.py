"""Accounts at real venues by hand: asked for, tried, kept; or nothing is kept, and no secret shows anywhere."""

import json
from dataclasses import replace

import pytest

from fillpath.accounts.access import TokenStatus
from fillpath.accounts.model import Credentials
from fillpath_brokers.signing_in import Field
from tests.cli.local_stack import KEY_ARN
from tests.cli.toy_desk import ENTERED, Desk
from tests.cli.toy_venue import FIRST, LOGIN_URL, PASSWORD, SECOND, USER

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]


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


def test_what_the_venues_account_trades_is_kept_with_it(desk: Desk) -> None:
    assert desk.added().kinds == ("equity",)


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


def test_an_answer_that_does_not_match_is_asked_again_and_refused_where_nobody_can_be(desk: Desk) -> None:
    desk.toy.fields = (*desk.toy.fields, Field("cid", "Key", "a number", secret=False, required=False, pattern="[0-9]+"))
    ran, person = desk.types("account", "add", "toy", "--label", "mine", answers=("", USER, PASSWORD, "", "one", "12"))
    assert (ran.code, list(person.left)) == (1, [])  # the toy's settings know no cid
    assert "that is not what it must be: a number" in ran.err
    assert "cid: is no setting of this venue" in ran.err
    assert "cid is not what it must be" in desk.scripted("account", "add", "toy", "--set", "cid=x", "--credentials", "-").err
    ran = desk.scripted("account", "add", "toy", "--credentials", "-", pipe={**ENTERED, "cid": "x"})
    assert "--credentials: cid is not what it must be" in ran.err


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
