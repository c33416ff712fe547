"""Session windows: `Mon-Fri 09:30-16:00 America/New_York` as text, and whether it is open at a moment.

Days are those on which a window begins; one that ends at or before its beginning goes on into the next day (`Sun-Thu
18:00-17:00 America/New_York`). Clocks are those of its zone, summer time included.
"""

import re
from datetime import datetime, time, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fillpath.errors import Refused

_FORM = re.compile(r"(?P<days>[A-Za-z,-]+)\s+(?P<start>\d{1,2}:\d{2})-(?P<end>\d{1,2}:\d{2})\s+(?P<zone>[A-Za-z0-9_+/-]{1,40})")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EXAMPLE = "Mon-Fri 09:30-16:00 America/New_York"


class Window(NamedTuple):
    """Days (0 is Monday) on which it begins, local times, and their zone."""

    days: frozenset[int]
    start: time
    end: time
    zone: ZoneInfo


def is_open(text: str, at: datetime) -> bool:
    """Whether the window is open at an aware moment: its start belongs to it, its end does not. Refused(bad_window)."""
    window = parse_window(text)
    local = at.astimezone(window.zone)
    today, yesterday, clock = local.weekday(), (local - timedelta(days=1)).weekday(), local.time()
    if window.start < window.end:
        return today in window.days and window.start <= clock < window.end
    return (today in window.days and clock >= window.start) or (yesterday in window.days and clock < window.end)


@cache
def parse_window(text: str) -> Window:
    """The window of a text; Refused(bad_window) saying which part is wrong."""
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise Refused("bad_window", f"{text!r} is not a window; write it like {EXAMPLE}")
    try:
        zone = ZoneInfo(match["zone"])
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Refused("bad_window", f"there is no time zone {match['zone']!r}; one such as America/New_York or UTC") from None
    days = frozenset(day for part in match["days"].split(",") for day in _days(part))
    return Window(days, _clock(match["start"]), _clock(match["end"]), zone)


def _days(text: str) -> list[int]:
    first, dash, last = text.partition("-")
    begin = _day(first)
    return [(begin + n) % 7 for n in range((_day(last) - begin) % 7 + 1)] if dash else [begin]


def _day(name: str) -> int:
    if name.lower() not in _DAYS:
        raise Refused("bad_window", f"{name!r} is not a day; one of {', '.join(day.title() for day in _DAYS)}")
    return _DAYS.index(name.lower())


def _clock(text: str) -> time:
    hour, minute = (int(part) for part in text.split(":"))
    if hour > 24 or minute > 59 or (hour == 24 and minute):
        raise Refused("bad_window", f"{text} is not a time of day")
    return time(hour % 24, minute)
