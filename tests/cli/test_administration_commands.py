"""Users, accounts and webhooks by hand: what programs get, what is stored, and what is refused with its remedy."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from fillpath.accounts.model import Gate
from fillpath.accounts.tokens import token_digest
from fillpath.alerts.message import strategy_message
from fillpath_aws.alert_store import DynamoAlertStore, Tables
from fillpath_aws.paper_book_store import DynamoPaperBookStore
from fillpath_brokers.paper.documents import read_book
from tests.cli.local_stack import Stack
from tests.contract.moto import Moto

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]


def owner_of(moto: Moto, url: str) -> object:
    tables = Tables(orders="orders", accounts="accounts", guards="guards")
    return DynamoAlertStore(moto.dynamodb, tables).owner_of(token_digest(url.rsplit("/", 1)[1]))


def test_a_user_is_added_once_and_changed(stack: Stack) -> None:
    added = stack.run("user", "add", "ann@example.com", "--plan", "desk", "--json").json
    assert (added["email"], added["plan"], added["plan_active"]) == ("ann@example.com", "desk", True)
    again = stack.run("user", "add", "Ann@example.com")
    assert (again.code, again.out) == (1, "")
    assert "there is a user Ann@example.com already" in again.err
    stack.run("user", "set", "ann@example.com", "--plan", "pro", "--inactive")
    stored = stack.target.accounts.user(added["user_id"])
    assert (stored.plan, stored.plan_active) == ("pro", False)
    assert [user["email"] for user in stack.run("user", "list", "--json").json] == ["trader@example.com", "ann@example.com"]


def test_an_account_is_added_for_the_first_user_unless_told(stack: Stack) -> None:
    added = stack.run("account", "add", "paper", "--json").json
    assert added["account_id"] in [account.account_id for account in stack.directory.accounts()]
    assert (added["user_id"], added["label"], added["terms_accepted_at"]) == (stack.seeded["user"]["id"], "paper-2", None)
    stack.run("user", "add", "ann@example.com")
    of_ann = stack.run("account", "add", "paper", "--user", "ann@example.com", "--terms", "--symbols", "NQ", "--json").json
    assert of_ann["user_id"] == stack.directory.user("ann@example.com").user_id
    assert of_ann["terms_accepted_at"] is not None
    assert of_ann["symbols"] == ["NQ"]


def test_terms_and_symbols_of_an_account_are_changed(stack: Stack) -> None:
    changed = stack.run("account", "set", "paper", "--no-terms", "--symbols", "ES1!,CME_MINI:NQ1!,es", "--json").json
    assert (changed["terms_accepted_at"], changed["symbols"]) == (None, ["ES", "NQ"])
    assert stack.run("account", "set", "paper", "--symbols", "all", "--json").json["symbols"] == []
    assert "terms not accepted" in stack.run("account", "list").out


def test_accounts_are_listed_with_what_halts_them(stack: Stack) -> None:
    stack.target.controls.halt("environment", datetime.now(UTC), "why")
    assert "halted (environment)" in stack.run("account", "list").out
    assert [account["label"] for account in stack.run("account", "list", "--json").json] == ["paper"]


@pytest.mark.parametrize(
    ("typed", "document"),
    [
        pytest.param(("never_fill",), {"name": "never_fill"}, id="name"),
        pytest.param(("crash=before",), {"name": "crash", "when": "before", "times": "1"}, id="short form"),
        pytest.param(("delay", "seconds=5", "side=buy"), {"name": "delay", "seconds": "5", "side": "buy"}, id="settings"),
    ],
)
def test_a_scenario_is_put_on_the_account(stack: Stack, moto: Moto, typed: tuple[str, ...], document: dict[str, str]) -> None:
    told = stack.run("account", "scenario", "paper", *typed, "--json").json
    assert told == {"account_id": stack.seeded["account_id"], "scenario": document}
    book = read_book(DynamoPaperBookStore(moto.dynamodb, "paper").load(stack.seeded["account_id"])[0])
    assert book.scenario.to_document() == document


def test_a_webhook_is_added_with_what_a_sender_needs(stack: Stack, moto: Moto) -> None:
    added = stack.run("webhook", "add", "--json").json
    assert set(added) == {"webhook_id", "url", "secret", "message"}
    assert added["message"] == strategy_message(added["secret"])
    owner = owner_of(moto, added["url"])
    assert owner is not None
    stored = stack.target.accounts.webhook(added["webhook_id"])
    assert [(route.account_id, route.multiplier) for route in stored.routes] == [(stack.seeded["account_id"], Decimal(1))]


def test_routes_gate_limit_and_patience_of_a_webhook_are_kept(stack: Stack) -> None:
    second = stack.run("account", "add", "paper", "--json").json["account_id"]
    routes = ("--route", f"{second}:0.5", "--route", "paper")
    added = stack.run("webhook", "add", *routes, "--gate", "resync", "--daily-limit", "3", "--wait-s", "0", "--json").json
    stored = stack.target.accounts.webhook(added["webhook_id"])
    expected = [(second, Decimal("0.5")), (stack.seeded["account_id"], Decimal(1))]
    assert [(route.account_id, route.multiplier) for route in stored.routes] == expected
    assert (stored.gate, stored.daily_limit, stored.wait_s) == (Gate.RESYNC, 3, 0)
    changed = stack.run("webhook", "set", added["webhook_id"], "--daily-limit", "none", "--gate", "reject", "--json").json
    assert (changed["daily_limit"], changed["gate"], changed["wait_s"]) == (None, "reject", "0")
    assert len(stack.target.accounts.webhook(added["webhook_id"]).routes) == 2


def test_a_rotated_webhook_has_two_addresses_for_a_while(stack: Stack, moto: Moto) -> None:
    before = stack.seeded["webhook_url"]
    rotated = stack.run("webhook", "rotate", "tradingview", "--overlap", "30m", "--json").json
    assert set(rotated) == {"webhook_id", "url", "secret", "message"}
    assert rotated["url"] != before
    assert rotated["secret"] != stack.seeded["webhook_secret"]
    old, new = owner_of(moto, before), owner_of(moto, rotated["url"])
    assert new.expires_at is None
    assert timedelta(minutes=29) < old.expires_at - datetime.now(UTC) < timedelta(minutes=31)
    assert stack.run("webhook", "list", "--show-secrets", "--json").json[0]["url"] == rotated["url"]


def test_secrets_are_shown_only_where_asked_for(stack: Stack) -> None:
    secret, token = stack.seeded["webhook_secret"], stack.seeded["webhook_url"].rsplit("/", 1)[1]
    listed = stack.run("webhook", "list")
    assert secret not in listed.out + listed.err
    assert token not in listed.out + listed.err
    shown = stack.run("webhook", "list", "--show-secrets").out
    assert f"\n{stack.seeded['webhook_url']}\n" in shown
    assert f"\n{strategy_message(secret)}\n" in shown
    assert stack.run("webhook", "list", "--show-secrets", "--json").json[0]["secret"] == secret
    hidden = stack.run("webhook", "list", "--json")
    assert [hidden.json[0][name] for name in ("url", "secret", "message")] == [None, None, None]
    assert secret not in hidden.out


@pytest.mark.parametrize(
    ("arguments", "reason", "remedy"),
    [
        ("user add bob", "EMAIL: 'bob' is not an address", "name@example.com"),
        ("user add a@b", "EMAIL: 'a@b' is not an address", "name@example.com"),
        ("user set bob --active", "there is no user bob", "trader@example.com"),
        ("user set trader@example.com", "nothing to change was given", "--plan NAME"),
        ("account add nyse", "there is no venue 'nyse'", "paper"),
        ("account set none --terms", "there is no account none", "paper"),
        ("account set paper", "nothing to change was given", "--symbols ES,NQ"),
        ("account set paper --symbols FOO", "'FOO' is not in the catalogue", "use a root (ES)"),
        ("account scenario paper foo", "there is no scenario 'foo'", "never_fill"),
        ("account scenario paper delay 5", "'5' is not KEY=VALUE", "seconds=5"),
        ("webhook add --route none", "there is no account none", "paper"),
        ("webhook add --route paper:x", "the multiplier 'x' is not a number above 0", "ACCOUNT:MULTIPLIER"),
        ("webhook add --route paper:0", "the multiplier '0' is not a number above 0", "ACCOUNT:MULTIPLIER"),
        ("webhook add --route paper:nan", "the multiplier 'nan' is not a number above 0", "ACCOUNT:MULTIPLIER"),
        ("webhook add --route paper --route paper:2", "an account stands there twice", "one route per account"),
        ("webhook add --gate maybe", "--gate: there is no 'maybe'", "ignore, reject, resync"),
        ("webhook add --wait-s 26", "--wait-s: '26' is not a number of seconds", "from 0 to 25"),
        ("webhook set tradingview", "nothing to change was given", "--daily-limit"),
        ("webhook set tradingview --daily-limit some", "--daily-limit: 'some'", "or none"),
        ("webhook rotate tradingview --overlap soon", "--overlap: 'soon' is not a time", "24h"),
    ],
)
def test_what_is_wrong_is_named_with_its_remedy_and_nothing_is_printed(
    stack: Stack, arguments: str, reason: str, remedy: str
) -> None:
    ran = stack.run(*arguments.split(), "--json")
    assert (ran.code, ran.out) == (1, "")
    assert reason in ran.err
    assert remedy in ran.err


def test_a_webhook_leads_to_accounts_of_one_user_only(stack: Stack) -> None:
    stack.run("user", "add", "ann@example.com")
    stack.run("account", "add", "paper", "--user", "ann@example.com", "--label", "hers")
    ran = stack.run("webhook", "add", "--route", "paper", "--route", "hers")
    assert (ran.code, ran.out) == (1, "")
    assert "belong to different users" in ran.err


def test_what_is_nearly_a_label_is_suggested(stack: Stack) -> None:
    assert "there is no account papr; did you mean paper?" in stack.run("account", "set", "papr", "--terms").err
    assert "there is no webhook TradingVeiw; did you mean tradingview?" in stack.run("webhook", "show", "TradingVeiw").err
    assert "did you mean" not in stack.run("account", "set", "nosuch", "--terms").err


def test_how_many_more_there_are_is_told_with_the_command_that_shows_them(stack: Stack) -> None:
    for number in range(10):
        stack.run("account", "add", "paper", "--label", f"{number}-{'x' * 30}")
    hint = stack.run("webhook", "add", "--route", "nosuch").err.splitlines()[-1]
    named = hint.count("xxx-") or hint.count("-xxx")
    assert f"and {11 - 1 - named} more: ./fillpath" in hint
    assert len(hint) < 300


def test_a_label_as_long_as_an_id_is_found(stack: Stack) -> None:
    stack.run("account", "add", "paper", "--label", "a" * 26)
    assert stack.run("account", "set", "a" * 26, "--terms").code == 0


@pytest.mark.parametrize("command", [("account", "add", "paper"), ("account", "set", "paper"), ("webhook", "add")])
@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ("  ", "--label: it is empty"),
        ("a\tb", "--label: '\\t' cannot be in a label"),
        ("a\nb", "--label: '\\n' cannot be in a label"),
        ("a\u202eb", "--label: '\\u202e' cannot be in a label"),
        ("x" * 33, "--label: it has 33 characters"),
    ],
)
def test_what_would_break_a_listing_is_no_label(stack: Stack, command: tuple[str, ...], label: str, reason: str) -> None:
    ran = stack.run(*command, "--label", label)
    assert (ran.code, ran.out) == (1, "")
    assert reason in ran.err
    assert [each.label for each in stack.directory.accounts()] == ["paper"]


def test_blanks_around_a_label_are_left_away(stack: Stack) -> None:
    assert stack.run("account", "add", "paper", "--label", "  x ", "--json").json["label"] == "x"
    stack.run("webhook", "set", "tradingview", "--label", " hook ")
    assert [each.label for each in stack.directory.webhooks()] == ["hook"]


def test_a_hint_names_an_account_as_one_types_it(stack: Stack) -> None:
    assert "account set 'two words' --terms" in stack.run("account", "add", "paper", "--label", "two words").err


def test_a_scenario_shows_in_the_list_until_it_is_over(stack: Stack) -> None:
    stack.run("account", "scenario", "paper", "delay", "seconds=5")
    assert "scenario delay seconds=5" in stack.run("account", "list").out
    assert stack.run("account", "list", "--json").json[0]["scenario"] == {"name": "delay", "seconds": "5"}
    stack.run("account", "scenario", "paper", "normal")
    assert "scenario" not in stack.run("account", "list").out


def test_a_name_with_markup_is_shown_as_it_is(stack: Stack) -> None:
    stack.run("account", "set", "paper", "--label", "[red]:abc:")
    assert "[red]:abc:" in stack.run("account", "list").out
