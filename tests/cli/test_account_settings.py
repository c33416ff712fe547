"""How an account at a real venue trades and where it is reached: set, changed, or refused with what would be right."""

import pytest

from fillpath.accounts.capabilities import Capabilities
from fillpath.accounts.model import Credentials, OutsideHours, RollBy
from tests.cli.local_stack import Ran
from tests.cli.toy_desk import Desk
from tests.cli.toy_venue import FIRST, PASSWORD, SECOND, USER
from tests.contract.records import an_order

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]


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
        ("--roll days:61", "--roll: 61 days before the last trading day are too many", "days:0 to days:60"),
        ("--outside-hours maybe", "--outside-hours: there is no 'maybe'", "refuse, queue"),
        ("--set environment", "is not KEY=VALUE", "--set environment=paper"),
        ("--set pa55word!", "is not KEY=VALUE", "--set environment"),
        ("--set password=pa55word!", "password of Toy Markets is secret", "--credentials FILE"),
        ("--set colour=red", "colour: is no setting of this venue", "settings of this venue: account, endpoint, environment"),
        ("--set quarantine_s=soon", "quarantine_s:", "nothing was kept"),
        ("--endpoint localhost", "endpoint: 'localhost' is not an address", "https://127.0.0.1:8443"),
        ("--endpoint http://ann:pa55word!@localhost", "with a user or a password in it", "https://127.0.0.1:8443"),
        ("--credentials /nowhere", "--credentials: /nowhere cannot be read: No such file", "a file with one JSON object"),
    ],
)
def test_what_is_wrong_is_named_with_its_remedy_and_nothing_is_kept(desk: Desk, typed: str, reason: str, remedy: str) -> None:
    ran = desk.scripted("account", "add", "toy", "--credentials", "-", *typed.split())
    assert (ran.code, ran.out, desk.kept(), desk.toy.connections) == (1, "", [], [])
    assert reason in ran.err
    assert remedy in ran.err


def test_a_venue_without_futures_rolls_nothing_and_says_so(desk: Desk) -> None:
    desk.added("--label", "mine")
    desk.toy.can = Capabilities(asset_classes=frozenset({"equity"}))
    for roll in ("days:3", "venue"):
        ran = desk.scripted("account", "set", "mine", "--roll", roll)
        assert ran.code == 1
        assert "--roll: Toy Markets trades no futures" in ran.err


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (("--roll", "venue"), "changed: roll by the venue's front month"),
        (("--roll", "days:3"), "changed: roll 3 days before the last trading day"),
        (("--one-order-flip",), "changed: reversals by one order"),
        (("--two-order-flip", "--no-terms"), "changed: terms not accepted; reversals by two orders"),
        (("--outside-hours", "queue"), "changed: market orders outside hours: queue"),
        (("--symbols", "ES,NQ", "--label", "its own"), "its own at toy changed: called its own; entries of ES, NQ"),
        (("--set", "quarantine_s=9"), "changed: quarantine_s 9"),
        (("--set", "quarantine_s="), "changed: quarantine_s as by default"),
    ],
)
def test_what_was_set_is_told(desk: Desk, typed: tuple[str, ...], told: str) -> None:
    desk.added("--label", "mine")
    assert told in desk.scripted("account", "set", "mine", *typed).out


def test_every_option_that_changes_something_is_in_the_hint_when_none_was_given(desk: Desk) -> None:
    hint = desk.scripted("account", "set", "paper").err
    for option in ("--label", "--terms", "--symbols", "--roll", "--one-order-flip", "--outside-hours", "--set"):
        assert option in hint


def test_entries_may_be_of_what_the_venue_trades_only(desk: Desk) -> None:
    account = desk.added("--label", "mine")
    desk.toy.can = Capabilities(asset_classes=frozenset({"equity"}))
    for command in (("account", "add", "toy", "--credentials", "-"), ("account", "set", "mine")):
        ran = desk.scripted(*command, "--symbols", "AAPL,ES")
        assert ran.code == 1
        assert "Toy Markets does not trade ES" in ran.err
        assert "it trades shares" in ran.err
    assert desk.stack.target.accounts.account(account.account_id) == account


def test_the_simulated_exchange_asks_for_nothing_and_says_so(desk: Desk) -> None:
    ran = desk.scripted("account", "add", "paper", "--endpoint", "http://localhost", "--live")
    assert (ran.code, ran.out) == (1, "")
    assert "--endpoint, --live: nobody signs in at Paper" in ran.err
