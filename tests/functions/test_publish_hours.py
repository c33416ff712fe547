"""The sessions that are published, against what the exchanges have announced for days that are not like the others."""

from datetime import UTC, date, datetime, timedelta

import pytest

from fillpath.market.calendars import EXCHANGES
from fillpath.market.ports.trading_hours import Session
from functions.publish_hours.sessions import sessions_of

# The library still uses what pandas is about to change.
pytestmark = pytest.mark.filterwarnings("ignore:Series.values returning an ndarray")

IN_ALL_SEASONS = [date(2026, month, 1) for month in (1, 3, 6, 10, 12)]


def on(exchange: str, day: date) -> list[str]:
    """The sessions that end on that day, in UTC."""
    sessions = sessions_of(EXCHANGES[exchange], day - timedelta(days=3))
    return [_words(session) for session in sessions if session.closes.date() == day]


def _words(session: Session) -> str:
    begins = session.opens.strftime("%a %H:%M" if session.opens.date() != session.closes.date() else "%H:%M")
    return f"{begins}-{session.closes:%H:%M}"


@pytest.mark.parametrize(
    ("day", "nyse", "cme", "eurex"),
    [
        (date(2026, 11, 25), ["14:30-21:00"], ["Tue 23:00-22:00"], ["00:10-21:00"]),
        # Thanksgiving: shares rest, the CME stops at noon in Chicago and opens again for Friday.
        (date(2026, 11, 26), [], ["Wed 23:00-18:00"], ["00:10-21:00"]),
        # The day after: a half day for shares too.
        (date(2026, 11, 27), ["14:30-18:00"], ["Thu 23:00-18:00"], ["00:10-21:00"]),
        (date(2026, 12, 24), ["14:30-18:00"], ["Wed 23:00-18:00"], []),
        (date(2026, 12, 25), [], [], []),
        # The last day before New York's clocks are set forward, the first one after, and the first one after Europe's.
        (date(2026, 3, 6), ["14:30-21:00"], ["Thu 23:00-22:00"], ["00:10-21:00"]),
        (date(2026, 3, 9), ["13:30-20:00"], ["Sun 22:00-21:00"], ["00:10-21:00"]),
        (date(2026, 3, 30), ["13:30-20:00"], ["Sun 22:00-21:00"], ["00:10-20:00"]),
        (date(2026, 3, 8), [], [], []),
    ],
)
def test_holidays_half_days_and_changes_of_the_clock_come_out_right(
    day: date, nyse: list[str], cme: list[str], eurex: list[str]
) -> None:
    assert (on("NYSE", day), on("CME", day), on("EUREX", day)) == (nyse, cme, eurex)


@pytest.mark.parametrize("exchange", ["NYSE", "CME", "EUREX"])
def test_sessions_go_from_yesterday_to_two_weeks_ahead(exchange: str) -> None:
    sessions = sessions_of(EXCHANGES[exchange], date(2026, 11, 4))
    assert sessions[0].closes.date() == date(2026, 11, 3)
    assert sessions[-1].closes.date() == date(2026, 11, 18)


@pytest.mark.parametrize("exchange", ["NYSE", "CME", "EUREX"])
def test_sessions_are_instants_in_order_in_all_seasons(exchange: str) -> None:
    for day in IN_ALL_SEASONS:
        sessions = sessions_of(EXCHANGES[exchange], day)
        instants = [instant for session in sessions for instant in (session.opens, session.closes)]
        assert instants == sorted(instants)
        assert {type(instant) for instant in instants} == {datetime}
        assert all(instant.tzinfo is UTC for instant in instants)


def test_the_cme_stops_for_an_hour_between_two_days() -> None:
    monday, tuesday = sessions_of(EXCHANGES["CME"], date(2026, 11, 4))[:2]
    assert tuesday.opens - monday.closes == timedelta(hours=1)
