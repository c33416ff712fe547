"""Accounts at real venues later on: signed in again, checked, listed, removed, and what is told when a venue is in trouble."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from fillpath.accounts.model import Credentials
from fillpath.errors import NeedsReauth
from fillpath.orders.model import Leg, LegStatus, Listing, OrderState, OrderType, Side
from fillpath.orders.outcomes import LegView, Position
from fillpath_brokers.facade import BrokerOrder
from tests.cli.toy_desk import ENTERED, Desk
from tests.cli.toy_venue import FIRST, PASSWORD, SECOND, USER
from tests.contract.records import an_order

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]

SENT = Leg(leg="main", client_order_id="one", contract="ESH6", side=Side.BUY, quantity=Decimal(1), attempts=1)


# signing in again


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


def test_a_sign_in_that_leads_to_another_account_needs_force(desk: Desk) -> None:
    account = desk.added("--label", "mine")
    desk.toy.shows = (SECOND,)
    ran = desk.scripted("account", "sign-in", "mine", "--credentials", "-")
    assert (ran.code, desk.stack.target.accounts.account(account.account_id)) == (1, account)
    assert "shows no account T-1" in ran.err
    assert desk.scripted("account", "sign-in", "mine", "--credentials", "-", "--force").code == 0
    assert desk.stack.target.accounts.account(account.account_id).connection["account"] == "T-2"


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


# checks and lists


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


def test_a_check_of_an_account_that_the_venue_does_not_show_says_which_there_are(desk: Desk) -> None:
    desk.added("--label", "mine")
    desk.toy.shows = (SECOND,)
    ran = desk.scripted("account", "check", "mine")
    assert ran.code == 1
    assert "the venue shows no account T-1" in ran.err
    assert "it shows T-2" in ran.err
    assert "in a minute" not in ran.err


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
    paper, mine = ran.json
    assert paper["balances"]["equity"] == "1000000"
    assert mine == {"account_id": account.account_id, "error": "toy.example gave no answer: ReadTimeout"}
    shown = desk.scripted("positions")
    assert shown.code == 1
    for part in ("unknown", "paper", "USD"):
        assert part in shown.out
    assert shown.out.splitlines()[-1] == "mine: What it holds cannot be read: toy.example gave no answer: ReadTimeout"
    assert desk.scripted("positions", "--account", "paper").code == 0
    desk.toy.down = False
    desk.vault.delete(account.account_id)
    assert "sign-in mine" in desk.scripted("positions", "--json").json[1]["error"]


def test_flatten_with_the_venue_down_puts_closes_into_the_lanes_that_were_traded_lately(desk: Desk) -> None:
    account = desk.added("--label", "mine")
    orders = desk.stack.target.orders
    orders.add(an_order(account_id=account.account_id, user_id=account.user_id))
    desk.toy.down = True
    ran = desk.scripted("flatten", "mine", "--json", "--wait", "0")
    assert ran.code == 1
    assert [(order["action"], order["root"]) for order in ran.json] == [("flatten", "ES")]
    assert "What is held cannot be read" in ran.err


@pytest.mark.parametrize(
    ("fields", "closed"),
    [
        ({"state": OrderState.REJECTED}, []),
        ({"state": OrderState.EXPIRED}, []),
        ({"state": OrderState.CANCELLED, "reason": "vanished", "legs": (SENT,)}, ["ES"]),
        ({"state": OrderState.REJECTED, "legs": (SENT,)}, []),
        ({"state": OrderState.CANCELLED, "filled_quantity": Decimal(1)}, ["ES"]),
        ({"state": OrderState.SKIPPED, "position_before": Decimal(2)}, ["ES"]),
    ],
)
def test_flatten_with_the_venue_down_closes_nothing_where_an_order_was_only_ever_refused(
    desk: Desk, fields: dict[str, Any], closed: list[str]
) -> None:
    account = desk.added("--label", "mine")
    ended = an_order(account_id=account.account_id, user_id=account.user_id, listing=Listing.NONE, **fields)
    desk.stack.target.orders.add(ended)
    desk.toy.down = True
    ran = desk.scripted("flatten", "mine", "--json", "--wait", "0")
    assert [order["root"] for order in ran.json] == closed


def test_at_the_venue_one_position_that_cannot_be_closed_does_not_keep_the_others_open(desk: Desk) -> None:
    desk.added("--label", "mine")
    desk.toy.holds += (Position("MSFT", "MSFT", Decimal(1)),)
    desk.toy.keeps = {"AAPL"}
    ran = desk.scripted("flatten", "mine", "--at-venue", "--json")
    assert (ran.code, desk.toy.closed) == (1, ["MSFT"])
    assert (ran.json["liquidated"], ran.json["failed"]) == (["MSFT"], {"AAPL": "AAPL cannot be closed now"})
    for part in ("AAPL was not closed", "Held still: +3 AAPL, and nothing protects it", "What is left"):
        assert part in ran.err


def test_at_the_venue_what_is_left_is_named_with_the_order_that_cannot_be_cancelled(desk: Desk) -> None:
    desk.added("--label", "mine")
    desk.toy.holds += (Position("MSFT", "MSFT", Decimal(1)),)
    stop = LegView(LegStatus.WORKING, "17")
    desk.toy.stuck = (BrokerOrder("", "AAPL", Side.SELL, Decimal(3), OrderType.STOP, None, Decimal(190), False, stop),)
    ran = desk.scripted("flatten", "mine", "--at-venue", "--wait", "0")
    assert (ran.code, desk.toy.closed) == (1, ["MSFT"])
    assert "was asked to cancel everything in mine, and to close MSFT" in ran.out
    told = " ".join(ran.err.split())
    for part in (
        "On the way: order 17 cannot be cancelled",
        "AAPL was not closed: an order that closes it works still",
        "Works still: sell 3 AAPL stop 190.00 (order 17)",
        "Held still: +3 AAPL What is left",
    ):
        assert part in told
    again = desk.scripted("flatten", "mine", "--at-venue", "--wait", "0", "--json").json
    assert ([each["broker_order_id"] for each in again["working"]], again["held"]) == (
        ["17"],
        [{"symbol": "AAPL", "quantity": "3"}],
    )
