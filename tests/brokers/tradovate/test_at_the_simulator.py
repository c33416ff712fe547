"""The adapter over HTTP and sockets against the simulator, where Tradovate goes its own ways."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from fillpath.errors import NeedsReauth, StreamEnded, Unsupported
from fillpath.market.bars import Interval
from fillpath.orders.model import LegStatus, OrderType
from fillpath.orders.outcomes import Accepted, RateLimited, Rejected
from fillpath_brokers import registry
from fillpath_brokers.facade import Change, Feed, OrderRef
from fillpath_brokers.session import access_token, bearer
from fillpath_brokers.signing_in import SignInContext
from tests.contract.broker_bench import Bench, bench
from tests.fakes.clock import FakeClock
from tests.simulators.options import REQUESTS
from tests.simulators.tradovate import CREDENTIALS
from tests.simulators.tradovate.rest import DESK

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]


@pytest.fixture
def at() -> Iterator[Bench]:
    with bench("tradovate") as made:
        yield made


def requests_of(at: Bench) -> list[tuple[str, Any]]:
    return at.simulator.application[DESK].world.requests


def sign_in(at: Bench) -> Any:
    account = at.services.accounts.account(at.account.account_id)
    context = SignInContext(account.account_id, account.connection, at.services.web, at.services.clock)
    secrets = {name: CREDENTIALS[name] for name in ("password", "sec")}
    return registry.sign_in("tradovate").sign_in(secrets, context)


def test_every_request_about_an_order_says_that_it_is_automated(at: Bench) -> None:
    leg = at.leg(type=OrderType.LIMIT, limit_price=at.away(-20), take_profit=at.away(10), stop_loss=at.away(-40))
    at.accepted(leg)
    at.broker.replace(OrderRef(leg.client_order_id, None, leg), Change(limit_price=at.away(-21)))
    at.broker.cancel(OrderRef(leg.client_order_id, None, leg))
    sent = [(endpoint, body) for endpoint, body in requests_of(at) if endpoint.startswith("order/")]
    assert [endpoint for endpoint, _ in sent] == ["order/placeoso", "order/modifyorder", "order/cancelorder"]
    assert all(body["isAutomated"] is True for _, body in sent)


def test_a_change_is_a_new_version_of_the_same_order(at: Bench) -> None:
    leg = at.leg(type=OrderType.STOP_LIMIT, stop_price=at.away(8), limit_price=at.away(9), time_in_force="gtc")
    order_id = at.accepted(leg).broker_order_id
    outcome = at.broker.replace(OrderRef(leg.client_order_id, order_id), Change(quantity=Decimal(3), stop_price=at.away(7)))
    assert isinstance(outcome, Accepted)
    assert outcome.view.broker_order_id == order_id
    [listed] = at.broker.orders()
    assert (listed.quantity, listed.stop_price, listed.limit_price) == (3, at.away(7), at.away(9))


def test_the_risk_check_s_no_comes_after_the_acceptance_and_has_its_words(at: Bench) -> None:
    at.simulator.exchange.set_cash(Decimal(100))
    leg = at.leg()
    at.accepted(leg)
    view = at.becomes(leg, LegStatus.REJECTED)
    assert view.reason == "insufficient_margin"
    assert (view.text or "").startswith("Insufficient margin")


def test_a_closed_session_is_a_refusal(at: Bench) -> None:
    at.simulator.faults.add({"refuse": {"failureReason": "SessionClosed", "failureText": "The market is closed"}})
    outcome = at.desk.submit(at.account, at.leg())
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "market_closed"
    assert isinstance(at.desk.submit(at.account, at.leg()), Accepted)


def test_a_short_penalty_costs_a_second_and_a_long_one_a_wait(at: Bench) -> None:
    at.simulator.faults.add({"penalty": {"endpoint": "order/placeorder", "time": 1}})
    assert isinstance(at.desk.submit(at.account, at.leg()), Accepted)
    at.simulator.faults.add({"penalty": {"endpoint": "order/placeorder", "time": 30}})
    outcome = at.desk.submit(at.account, at.leg())
    assert isinstance(outcome, RateLimited)
    assert outcome.delay_s == 30
    assert len([endpoint for endpoint, _ in requests_of(at) if endpoint == "order/placeorder"]) == 1


def test_an_unapproved_device_is_told_at_the_sign_in_and_heals_with_the_approval(at: Bench) -> None:
    at.simulator.faults.add({"unapproved_device": True})
    with pytest.raises(NeedsReauth, match="approve it in the e-mail"):
        sign_in(at)
    at.simulator.faults.add({"unapproved_device": False})
    assert sign_in(at).extra["account_name"] == "DEMO123456"


def test_a_user_who_has_asked_5000_times_in_an_hour_hears_nothing_for_an_hour() -> None:
    clock = FakeClock()
    with bench("tradovate", clock, hurried=False) as at:
        gate, token = at.simulator.application[DESK].gate, access_token(at.services.tokens.access(at.account.account_id))
        already = at.simulator.application[REQUESTS]["GET /v1/{kind}/{how}"]
        assert not any(gate.is_too_often() for _ in range(5_000 - already))
        with httpx.Client(base_url=at.simulator.url, headers=bearer(token)) as client:
            answer = client.get("/v1/account/list")
        assert (answer.status_code, answer.content) == (429, b"")
        for seconds, refused in ((3_599, True), (3_599, True), (3_600, False)):
            clock.sleep(seconds)
            assert gate.is_too_often() is refused


def test_a_socket_says_the_same_with_a_status_alone(at: Bench) -> None:
    at.simulator.faults.add({"rate_limits": "used up"})
    token = access_token(at.services.tokens.access(at.account.account_id))
    with connect(at.simulator.url.replace("http", "ws") + "/v1/websocket") as socket:
        socket.send(f"authorize\n0\n\n{token}")
        socket.send("account/list\n1\n\n")
        heard = [socket.recv(5) for _ in range(3)]
    assert heard == ["o", 'a[{"s":200,"i":0}]', 'a[{"s":429,"i":1}]']


def test_a_sixth_login_in_an_hour_costs_a_penalty(at: Bench) -> None:
    body = {name: CREDENTIALS[name] for name in ("name", "password", "cid", "sec")} | {"appId": "test", "appVersion": "1"}
    url = f"{at.simulator.url}/v1/auth/accesstokenrequest"
    at.simulator.faults.add({"rate_limits": "on"})
    answers = [httpx.post(url, json=body).json() for _ in range(6)]
    assert [answer.get("p-time") for answer in answers] == [None] * 5 + [15]
    assert httpx.post(url, json={**body, "p-ticket": answers[-1]["p-ticket"]}).json()["accessToken"]


def test_the_device_id_is_the_connection_s(at: Bench) -> None:
    sign_in(at)
    assert set(at.simulator.application[DESK].gate.devices) == {CREDENTIALS["device_id"]}


def test_bars_come_over_many_pages(at: Bench) -> None:
    end = at.services.clock.now().replace(second=0, microsecond=0)
    found = at.broker.history("ES", end - timedelta(minutes=600), end, Interval.MINUTE)
    assert len(found.bars) == 600
    assert {bar.symbol for bar in found.bars} == {"ES"}
    asked = at.broker.history(at.contract, end - timedelta(days=3), end, Interval.DAY)
    assert asked.bars


def test_without_a_licence_there_is_trading_and_no_data(at: Bench) -> None:
    at.simulator.faults.add({"no_market_data": True})
    end = at.services.clock.now()
    with pytest.raises(Unsupported, match="licence"):
        at.broker.history(at.contract, end - timedelta(minutes=5), end, Interval.MINUTE)

    async def listen() -> None:
        async for _ in at.broker.stream([at.contract], Feed.TICKS):
            pass

    with pytest.raises(StreamEnded, match="licence"):
        asyncio.run(asyncio.wait_for(listen(), 10))
    assert at.filled(at.leg()).filled_quantity == 2


def test_a_shutdown_for_too_many_connections_ends_the_stream(at: Bench) -> None:
    async def listen() -> None:
        async for _ in at.broker.order_updates():
            pass

    async def follow() -> None:
        listening = asyncio.create_task(listen())
        await asyncio.to_thread(at.simulator.wait_for_stream)
        await asyncio.sleep(0)
        at.simulator.faults.add({"shutdown": "ConnectionQuotaReached"})
        await asyncio.wait_for(listening, 10)

    with pytest.raises(StreamEnded, match="too many"):
        asyncio.run(follow())
