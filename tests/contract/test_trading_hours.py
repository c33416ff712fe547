"""TradingHours and HoursPublisher: what was published of a calendar is what is known of it."""

from datetime import UTC, datetime, timedelta

from fillpath.market.ports.trading_hours import Session
from tests.contract.hosts import Host
from tests.contract.records import NOW, later

MONDAY = Session(datetime(2026, 3, 2, 14, 30, tzinfo=UTC), datetime(2026, 3, 2, 21, tzinfo=UTC))
TUESDAY = Session(MONDAY.opens + timedelta(days=1), MONDAY.closes + timedelta(days=1))


def test_nothing_is_known_of_a_calendar_that_nobody_published(host: Host) -> None:
    host.hours.publish("XNYS", (MONDAY,), NOW)
    assert host.hours.sessions("XEUR") == ()


def test_sessions_are_read_as_published(host: Host) -> None:
    host.hours.publish("XNYS", (MONDAY, TUESDAY), NOW)
    host.hours.publish("CMES", (TUESDAY,), NOW)
    assert host.hours.sessions("XNYS") == (MONDAY, TUESDAY)
    assert host.hours.sessions("CMES") == (TUESDAY,)


def test_publishing_again_replaces_also_what_was_read_before(host: Host) -> None:
    host.hours.publish("XNYS", (MONDAY,), NOW)
    assert host.hours.sessions("XNYS") == (MONDAY,)
    host.hours.publish("XNYS", (TUESDAY,), later(3600))
    assert host.hours.sessions("XNYS") == (TUESDAY,)


def test_a_calendar_of_which_nothing_was_known_is_known_once_it_is_published(host: Host) -> None:
    assert host.hours.sessions("XNYS") == ()
    host.hours.publish("XNYS", (MONDAY,), NOW)
    assert host.hours.sessions("XNYS") == (MONDAY,)


def test_a_calendar_without_sessions_is_one_of_which_nothing_is_known(host: Host) -> None:
    host.hours.publish("XNYS", (), NOW)
    assert host.hours.sessions("XNYS") == ()
