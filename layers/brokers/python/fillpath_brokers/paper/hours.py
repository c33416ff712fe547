"""Trading hours as the exchange states them in a refusal, and the end of the trading day for day orders."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from fillpath.market.instruments import Instrument

_DAY_ENDS_AT = 17
_NEW_YORK = "America/New_York"
_HOURS = {
    "EUREX": "Monday to Friday 01:10-22:00 Europe/Berlin",
    "future": "Sunday 18:00 to Friday 17:00 America/New_York, closed daily 17:00-18:00",
    "equity": "Monday to Friday 09:30-16:00 America/New_York",
    "crypto": "around the clock, closed for maintenance",
}


def trading_hours(instrument: Instrument) -> str:
    """When the instrument trades, for people. The paper exchange itself is always open."""
    return _HOURS.get(instrument.exchange) or _HOURS[instrument.kind]


def end_of_day(now: datetime) -> datetime:
    """The next 17:00 in New York, in UTC: where a day order placed now ends."""
    local = now.astimezone(ZoneInfo(_NEW_YORK))
    end = local.replace(hour=_DAY_ENDS_AT, minute=0, second=0, microsecond=0)
    return (end if local < end else end + timedelta(days=1)).astimezone(UTC)
