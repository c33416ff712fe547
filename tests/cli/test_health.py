"""What `status` tells beside numbers: what is halted, and what a person should look at, with the page that says how."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.commands.local import show_health
from cli.halting import halts, named
from cli.health import Health, Queue, State, Stopped, troubles
from fillpath.orders.model import Listing, Order
from tests.cli.local_stack import Stack
from tests.contract.records import an_order

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]


def order(age_s: int, listing: Listing) -> Order:
    return an_order(NOW - timedelta(seconds=age_s), listing=listing)


def test_a_healthy_stack_has_no_troubles() -> None:
    orders = [order(59, Listing.WAITING), order(299, Listing.UNKNOWN), order(9999, Listing.WORKING)]
    assert troubles({"orders": Queue(3, 1), "orders_dlq": Queue(0, 0)}, orders, NOW) == ()


def test_a_dead_letter_is_told_with_the_page_that_says_what_to_do() -> None:
    (trouble,) = troubles({"orders": Queue(1, 1), "orders_dlq": Queue(1, 0)}, [], NOW)
    assert trouble.text == "1 message in orders_dlq: that work was given up"
    assert trouble.runbook == "docs/runbooks/dead-letters.md"


@pytest.mark.parametrize(
    ("late", "begins", "runbook"),
    [
        (order(61, Listing.WAITING), "1 order waiting for more than a minute: ", "docs/runbooks/queue-age.md"),
        (order(301, Listing.UNKNOWN), "1 order unknown for more than five minutes: ", "docs/runbooks/oldest-unknown.md"),
    ],
)
def test_an_order_that_is_stuck_is_told(late: Order, begins: str, runbook: str) -> None:
    (trouble,) = troubles({}, [late], NOW)
    assert trouble.text == f"{begins}{late.order_id[-6:]}"
    assert trouble.runbook == runbook


def test_each_page_that_is_named_is_there() -> None:
    every = troubles({"a_dlq": Queue(1, 0)}, [order(999, Listing.WAITING), order(999, Listing.UNKNOWN)], NOW)
    assert [each.runbook for each in every if not (ROOT / each.runbook).is_file()] == []


def test_halts_and_troubles_stand_in_the_status(capsys: pytest.CaptureFixture[str]) -> None:
    stopped = Stopped("account:1", "account tv", "news")
    found = troubles({"orders_dlq": Queue(2, 0)}, [], NOW)
    show_health(Health(True, State.RUNNING, 1, "http://localhost:4566", {}, (stopped,), found).as_dict())
    shown = capsys.readouterr().out
    assert "account tv: news" in shown
    assert "2 messages in orders_dlq" in shown
    assert "docs/runbooks/dead-letters.md" in shown


@pytest.mark.integration
@pytest.mark.enable_socket
def test_every_halt_is_found_and_has_a_name(stack: Stack) -> None:
    controls, now = stack.target.controls, datetime.now(UTC)
    controls.halt(f"account:{stack.seeded['account_id']}", now, "news")
    (found,) = halts(stack.directory, controls)
    assert (named(found.scope, stack.directory), found.reason) == ("account paper", "news")
    controls.halt(f"user:{stack.seeded['user']['id']}", now, "holidays")
    (found,) = halts(stack.directory, controls)
    assert named(found.scope, stack.directory) == "user trader@example.com"
    controls.halt("environment", now, "all")
    assert {named(each.scope, stack.directory) for each in halts(stack.directory, controls)} == {"everything"}
