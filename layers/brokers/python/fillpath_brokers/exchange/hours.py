"""The end of the trading day for day orders."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_DAY_ENDS_AT = 17
_NEW_YORK = "America/New_York"


def end_of_day(now: datetime) -> datetime:
    """The next 17:00 in New York, in UTC: where a day order placed now ends."""
    local = now.astimezone(ZoneInfo(_NEW_YORK))
    end = local.replace(hour=_DAY_ENDS_AT, minute=0, second=0, microsecond=0)
    return (end if local < end else end + timedelta(days=1)).astimezone(UTC)
