"""What each venue's account may ask for: more than the venue allows must not go out in any minute."""

from datetime import timedelta
from importlib import import_module

import pytest

from fillpath.accounts.ports.rate_limits import Quota
from tests.fakes.clock import FakeClock
from tests.fakes.rate_limits import FakeRateLimits


@pytest.mark.parametrize("venue", ["alpaca", "schwab", "tradovate"])
def test_in_no_minute_more_goes_out_than_the_venue_allows(venue: str) -> None:
    known = import_module(f"fillpath_brokers.{venue}.capabilities")
    clock = FakeClock()
    limits, quota = FakeRateLimits(clock), Quota(known.CAPABILITIES.requests_per_minute, known.BURST, known.RESERVE)
    begin, sent = clock.now(), 0
    while clock.now() < begin + timedelta(minutes=1):
        wait_s = limits.take("key", quota, urgent=True)
        sent += not wait_s
        clock.sleep(wait_s)
    assert known.CAPABILITIES.requests_per_minute < sent <= known.ALLOWED_PER_MINUTE
