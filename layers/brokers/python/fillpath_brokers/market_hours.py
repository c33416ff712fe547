"""Whether a market is open: an instrument goes in, the answer or a text for people comes out, from the exchanges' calendars."""

import logging
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from fillpath.clock import Clock
from fillpath.errors import StorageUnavailable
from fillpath.market.calendars import Calendar, calendar_of, hours_text, last_trade_possible
from fillpath.market.instruments import Instrument, instrument_of
from fillpath.market.ports.trading_hours import Session, TradingHours
from fillpath.orders.outcomes import Rejected

Told = TypeVar("Told")

_log = logging.getLogger(__name__)


def closed(instrument: Instrument, contract: str) -> str:
    """The refusal of an order outside the instrument's hours, for people."""
    return f"Market closed: {contract} trades {hours_text(instrument)}"


class MarketHours:
    """The hours of every market as they are published. Where nothing is known, or nobody answers, a market is open."""

    def __init__(self, hours: TradingHours, clock: Clock) -> None:
        self._hours = hours
        self._clock = clock

    def is_open(self, instrument: Instrument) -> bool:
        """Whether the instrument can be traded now, as far as is known; coins always can."""
        return _is_open(*self._known(instrument), self._clock.now())

    def closed_text(self, instrument: Instrument, contract: str) -> str | None:
        """Why an order of the contract cannot be filled now: the usual hours, and when it opens again; None while it is open."""
        now = self._clock.now()
        calendar, sessions = self._known(instrument)
        if calendar is None or _is_open(calendar, sessions, now):
            return None
        again = next(session.opens for session in sessions if session.opens > now)
        local = again.astimezone(ZoneInfo(calendar.zone))
        city = calendar.zone.rpartition("/")[2].replace("_", " ")
        return f"{closed(instrument, contract)}; it opens again {again:%Y-%m-%d %H:%M} UTC ({local:%H:%M} {city})"

    def explained(self, outcome: Told, contract: str) -> Told | Rejected:
        """A venue's refusal because its market is closed also says when it opens again; any other outcome stays as it is."""
        if not isinstance(outcome, Rejected) or outcome.reason != "market_closed":
            return outcome
        instrument = instrument_of(contract)
        text = self.closed_text(instrument, contract) if instrument else None
        return Rejected(outcome.reason, f"{outcome.text} ({text})") if text else outcome

    def _known(self, instrument: Instrument) -> tuple[Calendar | None, tuple[Session, ...]]:
        calendar = calendar_of(instrument)
        if calendar is None:
            return None, ()
        try:
            return calendar, self._hours.sessions(calendar.code)
        except StorageUnavailable as exc:
            _log.warning("hours of %s are not known, it counts as open: %s", calendar.code, exc)
            return calendar, ()


def _is_open(calendar: Calendar | None, sessions: tuple[Session, ...], now: datetime) -> bool:
    if calendar is None or not sessions or now >= sessions[-1].closes:
        # After the last session nothing is known any more: nobody has published for days.
        return True
    return any(session.opens <= now < last_trade_possible(calendar, session) for session in sessions)
