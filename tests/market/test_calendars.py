from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fillpath.market.calendars import EXCHANGES, as_traded, calendar_of, hours_text, last_trade_possible
from fillpath.market.instruments import US_SHARES, instruments
from fillpath.market.ports.trading_hours import Session

CHICAGO = ZoneInfo("America/Chicago")
CME, NYMEX, EUREX, NYSE = (EXCHANGES[name] for name in ("CME", "NYMEX", "EUREX", "NYSE"))


def chicago(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of November 2026 by the clock of Chicago."""
    return datetime(2026, 11, day, hour, minute, tzinfo=CHICAGO).astimezone(UTC)


def test_every_exchange_of_the_catalogue_has_a_calendar_unless_it_never_closes() -> None:
    without = {each.kind for each in instruments().values() if calendar_of(each) is None}
    assert without == {"crypto"}
    assert {each.exchange for each in instruments().values() if each.kind != "crypto"} == EXCHANGES.keys() - {US_SHARES}


@pytest.mark.parametrize(
    ("root", "code"),
    [("ES", "CMES"), ("ZN", "CMES"), ("CL", "CMES"), ("GC", "CMES"), ("FDAX", "XEUR"), ("AAPL", "XNYS"), ("SPY", "XNYS")],
)
def test_an_instrument_follows_the_calendar_of_its_exchange(root: str, code: str) -> None:
    calendar = calendar_of(instruments()[root])
    assert calendar is not None
    assert calendar.code == code


def test_hours_for_people_name_the_time_zone() -> None:
    assert hours_text(instruments()["AAPL"]) == "Mon-Fri 09:30-16:00 America/New_York"
    assert hours_text(instruments()["BTCUSD"]) == "around the clock, closed for maintenance"


def test_the_cme_stops_for_an_hour_before_its_calendar_s_day_ends() -> None:
    session = Session(chicago(22, 17), chicago(23, 17))
    assert as_traded(CME, session) == Session(chicago(22, 17), chicago(23, 16))


def test_a_short_day_of_the_cme_stays_as_short_as_it_is() -> None:
    session = Session(chicago(25, 17), chicago(26, 12))
    assert as_traded(CME, session) == session


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)))
def test_the_cme_s_day_ends_at_four_in_chicago_on_every_day_of_the_year(day: date) -> None:
    closes = datetime.combine(day, time(17), CHICAGO).astimezone(UTC)
    traded = as_traded(CME, Session(closes - timedelta(days=1), closes))
    assert traded.closes.astimezone(CHICAGO).replace(tzinfo=None) == datetime.combine(day, time(16))


@pytest.mark.parametrize(("month", "opens"), [(1, "01:10"), (7, "02:10")])
def test_eurex_opens_for_asia_where_clocks_never_change(month: int, opens: str) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    session = Session(datetime(2026, month, 8, 8, tzinfo=berlin), datetime(2026, month, 8, 22, tzinfo=berlin))
    traded = as_traded(EUREX, session)
    assert (traded.opens.utcoffset(), f"{traded.opens.astimezone(berlin):%H:%M}") == (timedelta(0), opens)
    assert traded.closes == session.closes


def test_shares_are_traded_as_their_calendar_says() -> None:
    session = Session(chicago(27, 8, 30), chicago(27, 12))
    assert as_traded(NYSE, session) == session
    assert last_trade_possible(NYSE, session) == session.closes


def test_after_a_short_day_of_the_cme_some_products_are_still_traded() -> None:
    short, usual = Session(chicago(26, 17), chicago(27, 12)), Session(chicago(22, 17), chicago(23, 16))
    assert last_trade_possible(CME, short) == chicago(27, 12, 15)
    assert last_trade_possible(NYMEX, short) == chicago(27, 13, 45)
    assert last_trade_possible(CME, usual) == last_trade_possible(NYMEX, usual) == usual.closes
