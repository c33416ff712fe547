"""When a window is open: by the clocks of its zone, overnight and over summer time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fillpath.alerts.window import is_open, parse_window
from fillpath.errors import Refused

SESSION = "Mon-Fri 09:30-16:00 America/New_York"
GLOBEX = "Sun-Thu 18:00-17:00 America/New_York"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("window", "open_", "closed"),
    [
        pytest.param(
            SESSION,
            ["2026-03-02T14:30", "2026-03-06T20:59:59.999999"],
            ["2026-03-02T14:29:59.999999", "2026-03-02T21:00", "2026-03-07T15:00", "2026-03-08T15:00"],
            id="a day session in winter",
        ),
        pytest.param(SESSION, ["2026-03-09T13:30", "2026-03-09T19:59"], ["2026-03-09T13:29", "2026-03-09T20:00"], id="in summer"),
        pytest.param(
            GLOBEX,
            ["2026-03-01T23:00", "2026-03-02T00:00", "2026-03-02T12:00", "2026-03-02T21:59", "2026-03-06T21:59"],
            ["2026-03-01T22:59", "2026-03-02T22:00", "2026-03-02T22:59", "2026-03-06T22:00", "2026-03-06T23:00"],
            id="overnight",
        ),
        pytest.param(
            "Mon,Wed 00:00-24:00 UTC",
            ["2026-03-02T00:00", "2026-03-02T23:59", "2026-03-04T12:00"],
            ["2026-03-01T23:59", "2026-03-03T00:00", "2026-03-05T00:00"],
            id="whole days",
        ),
        pytest.param(
            "Fri-Mon 08:00-09:00 UTC", ["2026-03-07T08:00", "2026-03-02T08:30"], ["2026-03-03T08:30"], id="over the weekend"
        ),
        pytest.param(
            "mon 22:00-22:00 Europe/Zurich", ["2026-03-02T21:00", "2026-03-03T20:59"], ["2026-03-03T21:00"], id="24 hours"
        ),
        pytest.param(
            "Sun 01:30-03:30 America/New_York",
            ["2026-11-01T05:30", "2026-11-01T06:30", "2026-11-01T08:29"],
            ["2026-11-01T08:30"],
            id="the hour that comes twice",
        ),
    ],
)
def test_a_window_is_open_by_the_clocks_of_its_zone(window: str, open_: list[str], closed: list[str]) -> None:
    assert [moment for moment in open_ if not is_open(window, at(moment))] == []
    assert [moment for moment in closed if is_open(window, at(moment))] == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "is not a window"),
        ("always", "is not a window"),
        ("Mon-Fri 09:30-16:00", "is not a window"),
        ("Mon-Fri 9-16 UTC", "is not a window"),
        ("Mon-Foo 09:30-16:00 UTC", "'Foo'"),
        ("Mon-Fri-Sun 09:30-16:00 UTC", "'Fri-Sun'"),
        ("Mon, 09:30-16:00 UTC", "''"),
        ("Mon 25:00-26:00 UTC", "25:00"),
        ("Mon 09:60-10:00 UTC", "09:60"),
        ("Mon 24:30-10:00 UTC", "24:30"),
        ("Mon 09:30-16:00 New_York", "'New_York'"),
        ("Mon 09:30-16:00 ../../etc/passwd", "is not a window"),
        ("Mon 09:30-16:00 /etc", "'/etc'"),
        ("Mon 09:30-16:00 " + "A" * 50, "is not a window"),
    ],
)
def test_what_is_wrong_with_a_window_is_named(text: str, named: str) -> None:
    with pytest.raises(Refused) as caught:
        parse_window(text)
    assert caught.value.code == "bad_window"
    assert named in caught.value.message


@given(st.integers(0, 7 * 24 * 60 - 1), st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata", "Pacific/Apia"]))
def test_an_overnight_window_and_the_rest_of_the_days_share_every_moment(minutes: int, zone: str) -> None:
    moment = at("2026-06-01T00:00") + timedelta(minutes=minutes)
    assert is_open(f"Mon-Sun 18:00-17:00 {zone}", moment) is not is_open(f"Mon-Sun 17:00-18:00 {zone}", moment)
