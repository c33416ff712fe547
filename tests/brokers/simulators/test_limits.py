"""How many requests a simulated venue takes."""

from datetime import timedelta

import httpx
import pytest
from aiohttp import web

from tests.fakes.clock import FakeClock
from tests.simulators.exchange import SimulatedExchange
from tests.simulators.limits import Limit, RequestLimits
from tests.simulators.options import LIMITS, Options
from tests.simulators.server import running, skeleton

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
FIXED = Limit("fixed", 3, MINUTE)
ROLLING = Limit("rolling", 3, MINUTE, rolling=True)
LOCKING = Limit("locking", 3, MINUTE, rolling=True, locked=HOUR)


class Counter:
    """Limits by a clock that a test moves."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.limits = RequestLimits(self.clock.now, counting=True)

    def ask(self, limit: Limit, *after_s: float, who: str = "somebody") -> list[bool]:
        """Ask once after each of these seconds, and hear what was taken."""
        taken = []
        for seconds in after_s:
            self.clock.sleep(seconds)
            taken.append(not self.limits.take(who, limit).refused)
        return taken


@pytest.mark.parametrize("limit", [FIXED, ROLLING, LOCKING], ids=lambda each: each.name)
def test_so_many_are_taken_and_no_more(limit: Limit) -> None:
    counter = Counter()
    assert counter.ask(limit, 0, 0, 0, 0) == [True, True, True, False]
    assert counter.limits.refused == 1


@pytest.mark.parametrize(("limit", "then"), [(FIXED, [True, True, True]), (ROLLING, [True, False, False])])
def test_a_window_is_over_at_once_or_passes_request_by_request(limit: Limit, then: list[bool]) -> None:
    assert Counter().ask(limit, 0, 50, 0, 11, 0, 0) == [True, True, True, *then]


def test_what_is_asked_while_nothing_is_taken_makes_it_last_longer() -> None:
    counter = Counter()
    counter.ask(LOCKING, 0, 0, 0, 0)
    assert counter.ask(LOCKING, 3_599, 3_599) == [False, False]
    assert counter.ask(LOCKING, 3_600) == [True]


def test_each_credential_and_each_limit_has_a_count_of_its_own() -> None:
    counter = Counter()
    counter.ask(FIXED, 0, 0, 0)
    assert counter.ask(FIXED, 0, who="somebody else") == [True]
    assert counter.ask(ROLLING, 0) == [True]
    assert counter.ask(FIXED, 0) == [False]


def test_where_all_is_used_up_it_is_so_until_the_window_is_over() -> None:
    counter = Counter()
    counter.limits.switch("used up")
    assert counter.ask(FIXED, 0, 59, 1) == [False, False, True]


def test_it_is_told_how_many_are_left_and_until_when() -> None:
    counter = Counter()
    begun = counter.clock.now()
    counter.ask(FIXED, 0, 10)
    standing = counter.limits.take("somebody", FIXED)
    assert (standing.most, standing.left, standing.resets_at) == (3, 0, begun + MINUTE)


def application(exchange: SimulatedExchange, options: Options) -> web.Application:
    async def ask(request: web.Request) -> web.Response:
        return web.Response(status=429 if request.app[LIMITS].take("somebody", FIXED).refused else 200)

    app = skeleton(exchange, options)
    app.router.add_get("/", ask)
    return app


@pytest.mark.integration
@pytest.mark.enable_socket
class TestAtASimulator:
    def test_they_count_unless_told_otherwise(self) -> None:
        for limited, last in ((True, 429), (False, 200)):
            with running(application, Options(limited=limited)) as simulator:
                assert [httpx.get(simulator.url).status_code for _ in range(4)] == [200, 200, 200, last]

    def test_they_are_switched_off_and_on_and_begin_anew(self) -> None:
        with running(application) as simulator, httpx.Client(base_url=simulator.url) as client:
            asked = lambda: [client.get("/").status_code for _ in range(4)]  # noqa: E731  asked three times
            client.post("/_sim/faults", json={"rate_limits": "off"})
            assert asked() == [200, 200, 200, 200]
            client.post("/_sim/faults", json={"rate_limits": "on"})
            assert asked() == [200, 200, 200, 429]
            assert client.get("/_sim/state").json()["refused_as_too_many"] == 1
            client.post("/_sim/reset")
            assert asked() == [200, 200, 200, 429]
            client.post("/_sim/reset")
            client.post("/_sim/faults", json={"rate_limits": "used up"})
            assert asked() == [429, 429, 429, 429]
            assert client.post("/_sim/faults", json={"rate_limits": "half"}).status_code == 400
