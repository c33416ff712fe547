"""RateLimits: token buckets that several processes share."""

import pytest

from fillpath.accounts.ports.rate_limits import Quota, RateLimits
from tests.contract.hosts import Host
from tests.fakes.clock import FakeClock

# One a second; three at once, one of them for what is urgent.
QUOTA = Quota(60, burst=3, reserve=1)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def limits(host: Host, clock: FakeClock) -> RateLimits:
    return host.limits(clock)


def taken(limits: RateLimits, times: int, *, urgent: bool = False) -> list[float]:
    return [limits.take("alpaca", QUOTA, urgent=urgent) for _ in range(times)]


def test_what_is_urgent_may_use_the_whole_burst(limits: RateLimits) -> None:
    assert taken(limits, 4, urgent=True) == [0, 0, 0, 1]


def test_what_is_not_urgent_leaves_the_reserve_for_what_is(limits: RateLimits) -> None:
    assert taken(limits, 3) == [0, 0, 1]
    assert taken(limits, 2, urgent=True) == [0, 1]
    assert taken(limits, 1) == [2]


def test_who_waits_as_long_as_told_gets_it_and_who_waits_less_does_not(limits: RateLimits, clock: FakeClock) -> None:
    (*_, wait_s) = taken(limits, 3)
    clock.sleep(wait_s - 0.001)
    assert taken(limits, 1) == [0.001]
    clock.sleep(0.001)
    assert taken(limits, 2) == [0, 1]


def test_a_refused_request_costs_nothing(limits: RateLimits, clock: FakeClock) -> None:
    taken(limits, 20)
    clock.sleep(1)
    assert taken(limits, 1) == [0]


def test_over_time_the_rate_is_kept(limits: RateLimits, clock: FakeClock) -> None:
    passed = 0
    for _ in range(200):
        passed += taken(limits, 1) == [0]
        clock.sleep(0.1)
    assert passed == 21  # the burst without its reserve, then one a second


def test_a_bucket_at_rest_fills_up_to_its_burst_and_no_further(limits: RateLimits, clock: FakeClock) -> None:
    taken(limits, 3, urgent=True)
    clock.sleep(1000)
    assert taken(limits, 4, urgent=True) == [0, 0, 0, 1]


def test_each_credential_has_a_bucket_of_its_own(limits: RateLimits) -> None:
    taken(limits, 3, urgent=True)
    assert limits.take("another", QUOTA) == 0


def test_all_processes_draw_from_one_bucket(host: Host, clock: FakeClock) -> None:
    processes = [host.limits(clock) for _ in range(5)]
    assert sorted(process.take("alpaca", QUOTA, urgent=True) for process in processes) == [0, 0, 0, 1, 1]


def test_a_reserve_as_large_as_the_burst_still_lets_one_through(limits: RateLimits) -> None:
    assert limits.take("small", Quota(60, burst=1, reserve=1)) == 0
    assert limits.take("small", Quota(60, burst=1, reserve=1)) == 1


def test_during_a_pause_nobody_gets_anything(limits: RateLimits, clock: FakeClock) -> None:
    limits.pause("alpaca", 30, "too many requests")
    assert taken(limits, 2, urgent=True) == [30, 30]
    clock.sleep(29.5)
    assert taken(limits, 1) == [0.5]
    clock.sleep(0.5)
    assert taken(limits, 1) == [0]


def test_a_pause_holds_a_bucket_that_is_in_use_too(limits: RateLimits, clock: FakeClock) -> None:
    taken(limits, 1)
    limits.pause("alpaca", 30, "too many requests")
    assert taken(limits, 1, urgent=True) == [30]
    clock.sleep(30)
    assert taken(limits, 1, urgent=True) == [0]


def test_a_shorter_pause_does_not_end_a_longer_one(limits: RateLimits) -> None:
    limits.pause("alpaca", 30, "too many requests")
    limits.pause("alpaca", 5, "too many requests")
    assert taken(limits, 1) == [30]
    limits.pause("alpaca", 60, "too many requests")
    assert taken(limits, 1) == [60]


def test_who_is_a_little_behind_waits_for_as_long(host: Host, limits: RateLimits, clock: FakeClock) -> None:
    taken(limits, 3, urgent=True)
    behind = FakeClock(clock.now())
    behind.sleep(-0.5)
    assert host.limits(behind).take("alpaca", QUOTA, urgent=True) == 1.5


def test_who_is_far_ahead_does_not_silence_the_others(host: Host, limits: RateLimits, clock: FakeClock) -> None:
    ahead = FakeClock(clock.now())
    ahead.sleep(300)
    assert host.limits(ahead).take("alpaca", QUOTA) == 0
    assert taken(limits, 1, urgent=True) == [1]
    clock.sleep(1)
    assert taken(limits, 1, urgent=True) == [0]


def test_who_gets_nothing_is_told_why_as_long_as_a_pause_lasts(host: Host, clock: FakeClock) -> None:
    one, other = host.limits(clock), host.limits(clock)
    one.pause("alpaca", 30, "it wants a captcha")
    one.pause("alpaca", 5, "a shorter one")
    assert other.take("alpaca", QUOTA) == 30
    assert other.silence("alpaca") == "it wants a captcha"
    clock.sleep(30)
    taken(other, 3, urgent=True)
    assert other.take("alpaca", QUOTA) > 0
    assert other.silence("alpaca") == ""
