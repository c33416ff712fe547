"""An account at a venue that speaks Alpaca's protocol, from its keys to what it holds; the venue is simulated on this machine."""

import json
from collections.abc import Iterator

import pytest

from cli.means import Means
from fillpath.accounts.model import Credentials, OutsideHours
from tests.cli.local_stack import Ran, Stack
from tests.cli.toy_venue import Absent
from tests.simulators.alpaca import CREDENTIALS
from tests.simulators.options import Options
from tests.simulators.server import Simulator, running

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]


@pytest.fixture
def alpaca() -> Iterator[Simulator]:
    with running("alpaca", Options(strict=True)) as simulator:
        yield simulator


def run(stack: Stack, *arguments: str, **keys: str) -> Ran:
    """With these keys on standard input."""
    stack.means = Means(person=Absent(json.dumps({**CREDENTIALS, **keys})))
    return stack.run(*arguments)


def test_an_account_is_added_checked_signed_in_again_and_removed(stack: Stack, alpaca: Simulator) -> None:
    added = run(stack, "account", "add", "alpaca", "--endpoint", alpaca.url, "--credentials", "-", "--terms", "--json")
    assert added.code == 0, added.err
    account = stack.target.accounts.account(added.json["account_id"])
    assert (account.credentials, account.simulation, account.outside_hours) == (Credentials.VERIFIED, True, OutsideHours.QUEUE)
    assert {**account.connection, "account": ""} == {"environment": "paper", "endpoint": alpaca.url, "account": ""}
    checked = run(stack, "account", "check", "alpaca", "--json").json
    assert [each["account_id"] for each in checked["reaches"]] == [account.connection["account"]]
    assert checked["balances"]["currency"] == "USD"
    (worth,) = run(stack, "positions", "--account", "alpaca", "--json").json
    assert worth["balances"]["realised_pnl"] is None  # its API does not tell it
    assert run(stack, "account", "sign-in", "alpaca", "--credentials", "-").code == 0
    assert stack.target.tokens.access(account.account_id).version == 2
    assert run(stack, "account", "remove", "alpaca", "--yes").code == 0
    assert [each.venue for each in stack.directory.accounts()] == ["paper"]


def test_keys_that_it_does_not_know_are_not_kept(stack: Stack, alpaca: Simulator) -> None:
    ran = run(stack, "account", "add", "alpaca", "--endpoint", alpaca.url, "--credentials", "-", secret_key="not-the-secret")
    assert (ran.code, ran.out) == (1, "")
    assert "Alpaca lets nobody in with that" in ran.err
    assert "these must be keys of the paper environment" in ran.err
    assert "not-the-secret" not in ran.err
    assert [each.venue for each in stack.directory.accounts()] == ["paper"]


def add_at(stack: Stack, endpoint: str) -> str:
    """What is told when nothing comes of it."""
    ran = run(stack, "account", "add", "alpaca", "--endpoint", endpoint, "--credentials", "-")
    assert (ran.code, ran.out) == (1, "")
    assert "nothing was kept" in ran.err
    assert endpoint in ran.err
    return ran.err


def test_where_nobody_listens_is_told(stack: Stack) -> None:
    assert "127.0.0.1:9 was not reached: nobody answers there (connection refused)" in add_at(stack, "http://127.0.0.1:9")


def test_a_host_that_there_is_not_is_told(stack: Stack) -> None:
    assert "no-such-host.invalid was not reached: there is no host of that name" in add_at(stack, "http://no-such-host.invalid")


def test_a_server_without_tls_is_told(stack: Stack, alpaca: Simulator) -> None:
    assert "does not speak TLS; is it http instead of https?" in add_at(stack, alpaca.url.replace("http", "https"))


def test_a_path_that_is_not_the_venue_s_is_told(stack: Stack, alpaca: Simulator) -> None:
    told = add_at(stack, f"{alpaca.url}/wrong")
    assert "Alpaca answers 404" in told
    assert "knows no such page: is the path right, and is it Alpaca" in told


def test_of_a_web_page_the_words_are_shown_and_no_markup(stack: Stack, alpaca: Simulator) -> None:
    page = '<?xml version="1.0"?>\n<Error><Code>NoSuchBucket</Code><Message>There is no bucket</Message></Error>'
    alpaca.faults.add({"status": 404, "body": page})
    told = add_at(stack, alpaca.url)
    assert "NoSuchBucket There is no bucket" in told
    assert "<" not in told
