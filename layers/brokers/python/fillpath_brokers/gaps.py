"""Bars as a venue paged them out come in, a History goes out: sorted, without doubles, and with what is missing in between.

Inside the sessions that are known, every stretch without a bar counts as missing: a minute without a trade looks the same, and
who uses the bars can tell by asking for the trades. Where no sessions are known, a hole that is shorter than any night does.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from fillpath.errors import StorageUnavailable
from fillpath.market.bars import Bar, Gap, History, Interval
from fillpath.market.calendars import calendar_of
from fillpath.market.instruments import Instrument
from fillpath.market.ports.trading_hours import Session, TradingHours

SHORTEST_NIGHT = timedelta(hours=1)
_log = logging.getLogger(__name__)


def with_gaps(
    bars: Iterable[Bar], instrument: Instrument, start: datetime, end: datetime, interval: Interval, hours: TradingHours
) -> History:
    """The bars that begin in [start, end) and the holes between them; of two bars of one start the later told one is kept."""
    kept = {bar.start: bar for bar in bars if start <= bar.start < end}
    ordered = tuple(kept[at] for at in sorted(kept))
    if interval is Interval.DAY:
        return History(ordered)
    return History(ordered, tuple(_gaps(ordered, start, end, interval.duration, _sessions(instrument, hours))))


def _gaps(bars: Sequence[Bar], start: datetime, end: datetime, step: timedelta, sessions: Sequence[Session]) -> Iterator[Gap]:
    edges = [start, *(bar.start + step for bar in bars)]
    starts = [*(bar.start for bar in bars), end]
    for since, until in zip(edges, starts, strict=True):
        if until > since:
            yield from _open_part(since, until, sessions, inside=start < since and until < end)


def _open_part(since: datetime, until: datetime, sessions: Sequence[Session], *, inside: bool) -> Iterator[Gap]:
    known = [session for session in sessions if session.opens < until and since < session.closes]
    if known:
        yield from (Gap(max(since, session.opens), min(until, session.closes)) for session in known)
    elif inside and not _covered(since, sessions) and until - since < SHORTEST_NIGHT:
        yield Gap(since, until)


def _covered(at: datetime, sessions: Sequence[Session]) -> bool:
    return bool(sessions) and sessions[0].opens <= at <= sessions[-1].closes


def _sessions(instrument: Instrument, hours: TradingHours) -> tuple[Session, ...]:
    calendar = calendar_of(instrument)
    if calendar is None:
        return ()
    try:
        return hours.sessions(calendar.code)
    except StorageUnavailable:
        _log.warning("the sessions of %s are not known; holes are judged by their length", calendar.code)
        return ()
