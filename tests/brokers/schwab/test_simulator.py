"""The adapter against the simulated Schwab, whose every answer is checked against Schwab's schema."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from decimal import Decimal
from typing import Any, TypeVar

import httpx
import pytest
from websockets.asyncio.client import connect

from fillpath.accounts.model import Account
from fillpath.clock import SystemClock
from fillpath.errors import BrokerUnavailable, NeedsReauth, StreamEnded
from fillpath.market.bars import Bar, Interval, Quote
from fillpath.orders.model import LegStatus, OrderType, Side
from fillpath.orders.outcomes import Accepted, Rejected
from fillpath_brokers.facade import Broker, Change, Feed, OrderRef, OrderUpdate
from fillpath_brokers.schwab.sign_in import SIGN_IN
from fillpath_brokers.schwab.venue import SchwabBroker
from fillpath_brokers.services import Services
from fillpath_brokers.session import access_token, bearer
from fillpath_brokers.signing_in import SignInContext
from fillpath_brokers.token_store import TokenStore
from fillpath_brokers.web import Web
from tests.brokers.schwab.site import leg
from tests.brokers.services import services_on
from tests.fakes.access_vault import FakeAccessVault
from tests.fakes.account_store import FakeAccountStore
from tests.fakes.rate_limits import FakeRateLimits
from tests.fakes.token_ledger import FakeTokenLedger
from tests.simulators.options import SOCKETS, Options
from tests.simulators.schwab import CREDENTIALS, connection
from tests.simulators.schwab.streamer import ONLY
from tests.simulators.server import Simulator, running
from tests.waiting import PATIENCE_S, until

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]

Event = TypeVar("Event")
SECRETS = {name: CREDENTIALS[name] for name in ("app_key", "app_secret")}
PRICE = Decimal(200)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with running("schwab", Options(strict=True)) as made:
        made.exchange.set_price("AAPL", PRICE)
        yield made


def context(services: Services, simulator: Simulator) -> SignInContext:
    return SignInContext("A1", connection(simulator.url), services.web, services.clock)


def code(simulator: Simulator, services: Services) -> str:
    url = SIGN_IN.authorize_url(SECRETS, context(services, simulator))
    assert url is not None
    return httpx.get(url, follow_redirects=False).headers["Location"]


@pytest.fixture
def services(simulator: Simulator) -> Iterator[Services]:
    """What a signed-in account works with."""
    clock = SystemClock()
    made = services_on(
        clock,
        accounts=FakeAccountStore(),
        tokens=TokenStore(FakeAccessVault(), FakeTokenLedger(), clock),
        web=Web(FakeRateLimits(clock), clock),
    )
    made.accounts.save(
        Account(
            account_id="A1",
            user_id="U1",
            venue="schwab",
            label="sim",
            connection=connection(simulator.url),
            created_at=clock.now(),
        )
    )
    token = SIGN_IN.sign_in(SECRETS, context(made, simulator), code(simulator, made))
    made.tokens.keep("A1", SECRETS, token, "a person")
    yield made
    made.web.close()


@pytest.fixture
def broker(services: Services) -> Iterator[SchwabBroker]:
    made = SchwabBroker("A1", services)
    yield made
    made.close()


def sent(broker: Broker, **fields: Any) -> OrderRef:
    """Place an order that must be taken."""
    now = SystemClock().now()
    wanted = leg(**{"prepared_at": now, "submit_by": now, **fields})
    outcome = broker.submit(wanted)
    assert isinstance(outcome, Accepted), outcome
    return OrderRef("", outcome.view.broker_order_id, wanted)


def becomes(broker: Broker, ref: OrderRef, status: LegStatus) -> Any:
    return until(lambda: broker.order(ref), lambda view: view is not None and view.status is status)


def test_the_code_of_the_browser_is_good_once(simulator: Simulator, services: Services) -> None:
    where, came_back = context(services, simulator), code(simulator, services)
    assert SIGN_IN.sign_in(SECRETS, where, came_back) is not None
    with pytest.raises(NeedsReauth, match="once only"):
        SIGN_IN.sign_in(SECRETS, where, came_back)
    with pytest.raises(NeedsReauth, match="app key"):
        SIGN_IN.sign_in({**SECRETS, "app_secret": "wrong"}, where, code(simulator, services))


def test_a_refresh_token_that_has_ended_needs_a_person(simulator: Simulator, services: Services) -> None:
    where = context(services, simulator)
    token = SIGN_IN.sign_in(SECRETS, where, code(simulator, services))
    assert token is not None
    assert SIGN_IN.renew(SECRETS, token, where).refresh_expires_at == token.refresh_expires_at
    simulator.faults.add({"expire_refresh": True})
    with pytest.raises(NeedsReauth, match="browser"):
        SIGN_IN.renew(SECRETS, token, where)


def test_a_login_may_ask_120_times_a_minute(simulator: Simulator, services: Services) -> None:
    with httpx.Client(base_url=simulator.url, headers=bearer(access_token(services.tokens.access("A1")))) as client:
        answers = [client.get("/trader/v1/accounts/accountNumbers") for _ in range(121)]
        assert [each.status_code for each in answers] == [200] * 120 + [429]
        assert answers[-1].content == b""
        assert client.get("/marketdata/v1/quotes", params={"symbols": "AAPL"}).status_code == 429


def test_every_kind_of_order_passes_the_schema(broker: SchwabBroker) -> None:
    since = SystemClock().now()
    opened = sent(broker, quantity=Decimal(4))
    becomes(broker, opened, LegStatus.FILLED)
    away: dict[str, Any] = {"quantity": Decimal(1), "time_in_force": "gtc"}
    resting = [
        sent(broker, **away, type=OrderType.LIMIT, limit_price=PRICE - 20),
        sent(broker, **away, type=OrderType.STOP, stop_price=PRICE + 20),
        sent(broker, **away, type=OrderType.STOP_LIMIT, stop_price=PRICE + 20, limit_price=PRICE + 21),
        sent(broker, **away, type=OrderType.TRAILING_STOP, trail_percent=Decimal(9), side=Side.SELL, reduce_only=True),
        sent(
            broker,
            **away,
            type=OrderType.OCO,
            limit_price=PRICE + 20,
            stop_price=PRICE - 20,
            side=Side.SELL,
            reduce_only=True,
        ),
    ]
    assert {becomes(broker, each, LegStatus.WORKING).status for each in resting} == {LegStatus.WORKING}
    assert {each.type for each in broker.orders()} == set(OrderType) - {OrderType.MARKET, OrderType.OCO}
    broker.cancel_all()
    until(broker.orders, lambda orders: orders == ())
    assert [each.quantity for each in broker.positions()] == [4]
    assert [each.quantity for each in broker.fills(since)] == [4]


def test_the_fills_of_a_replaced_order_count(broker: SchwabBroker, simulator: Simulator) -> None:
    simulator.exchange.set_fill_mode("partial_fill", fraction="0.4", then="never")
    ref = sent(broker, type=OrderType.LIMIT, limit_price=PRICE)
    becomes(broker, ref, LegStatus.PARTIALLY_FILLED)
    simulator.exchange.set_fill_mode("normal")
    outcome = broker.replace(ref, Change(limit_price=PRICE + 1))
    assert isinstance(outcome, Accepted), outcome
    by_new = becomes(broker, OrderRef("", outcome.view.broker_order_id, ref.leg), LegStatus.FILLED)
    by_old = becomes(broker, ref, LegStatus.FILLED)
    assert by_new.filled_quantity == by_old.filled_quantity == 10
    assert [each.quantity for each in broker.positions()] == [10]


def test_an_order_that_is_rejected_after_it_was_taken_says_why(broker: SchwabBroker, simulator: Simulator) -> None:
    view = becomes(broker, sent(broker, side=Side.SELL, reduce_only=True), LegStatus.REJECTED)
    assert view.reason == "insufficient_position"
    simulator.exchange.set_cash(Decimal(100))
    bracket = sent(broker, take_profit=PRICE + 5, stop_loss=PRICE - 5)
    assert becomes(broker, bracket, LegStatus.REJECTED).reason == "insufficient_margin"
    assert isinstance(broker.submit(leg(type=OrderType.LIMIT, limit_price=Decimal("200.001"))), Rejected)


def test_a_listing_that_stays_too_long_is_no_listing(broker: SchwabBroker, simulator: Simulator) -> None:
    for step in range(3):
        sent(broker, quantity=Decimal(1), type=OrderType.LIMIT, limit_price=PRICE - 20 - step)
    simulator.faults.add({"most_orders": 2})
    # Three orders of one moment are not told apart by halves of the time: that is said, none is left out.
    with pytest.raises(BrokerUnavailable, match="cannot list so many orders"):
        broker.orders()
    simulator.faults.add({"most_orders": 3})
    assert len(broker.orders()) == 3


def test_futures_have_bars_to_hear_and_none_to_ask_for(simulator: Simulator, services: Services) -> None:
    token = services.tokens.access("A1").token
    assert token is not None
    answer = httpx.get(
        f"{simulator.url}/marketdata/v1/pricehistory",
        params={"symbol": "/ES", "periodType": "day", "frequencyType": "minute", "frequency": "1"},
        headers={"Authorization": f"Bearer {token.access_token}"},
    )
    assert answer.json() == {"symbol": "/ES", "empty": True, "candles": []}


async def first(events: AsyncIterator[Event], wanted: Callable[[Event], bool]) -> Event:
    async with asyncio.timeout(PATIENCE_S):
        async for event in events:
            if wanted(event):
                return event
    raise AssertionError("the stream ended")


def test_quotes_bars_and_orders_come_over_one_connection(broker: SchwabBroker, simulator: Simulator) -> None:
    async def follow() -> None:
        quotes, bars, orders = (
            broker.stream(["ES", "AAPL"], Feed.QUOTES),
            broker.stream(["ESZ6"], Feed.BARS),
            broker.order_updates(),
        )
        tasks = [
            asyncio.create_task(first(quotes, lambda event: isinstance(event, Quote) and event.symbol == "ES")),
            asyncio.create_task(first(bars, lambda event: isinstance(event, Bar))),
            asyncio.create_task(
                first(orders, lambda event: isinstance(event, OrderUpdate) and event.view.status is LegStatus.FILLED)
            ),
        ]
        await asyncio.to_thread(until, lambda: len(services_of(simulator)) == 4)
        ref = await asyncio.to_thread(sent, broker)
        simulator.exchange.end_minute()
        quote, bar, update = await asyncio.gather(*tasks)
        assert isinstance(quote, Quote)
        assert quote.bid is not None
        assert quote.ask is not None
        assert quote.bid < quote.ask
        assert (bar.symbol, update.view.broker_order_id) == ("ESZ6", ref.broker_order_id)  # type: ignore[union-attr]  # as wanted
        assert simulator_streams(simulator) == 1
        for events in (quotes, bars, orders):
            await events.aclose()  # type: ignore[attr-defined]  # async generators
        await asyncio.to_thread(until, lambda: simulator_streams(simulator) == 0)

    asyncio.run(follow())


def services_of(simulator: Simulator) -> set[str]:
    return {service for each in simulator.application[ONLY].values() for service in each.services}


def simulator_streams(simulator: Simulator) -> int:
    return len(simulator.application[SOCKETS])


def test_a_second_connection_of_the_login_ends_the_first_which_does_not_fight(
    broker: SchwabBroker, services: Services, simulator: Simulator
) -> None:
    other = SchwabBroker("A1", services)

    async def follow() -> None:
        mine, theirs = broker.stream(["AAPL"], Feed.QUOTES), other.stream(["AAPL"], Feed.QUOTES)
        await first(mine, lambda event: isinstance(event, Quote))
        await first(theirs, lambda event: isinstance(event, Quote))
        with pytest.raises(StreamEnded, match="another connection took over"):
            await first(mine, lambda _: False)
        await first(theirs, lambda event: isinstance(event, Quote))
        await theirs.aclose()  # type: ignore[attr-defined]  # an async generator

    asyncio.run(follow())


async def spoken(url: str, *requests: dict[str, Any]) -> list[Any]:
    """What the streamer says to these requests until it ends the connection."""
    heard = []
    async with connect(url.replace("http", "ws", 1) + "/ws") as socket:
        for request in requests:
            await socket.send(json.dumps({"requests": [request]}))
        async with asyncio.timeout(PATIENCE_S):
            async for message in socket:
                heard.append(json.loads(message))  # noqa: PERF401  what was heard before the end counts
    return heard


def test_a_command_before_the_login_ends_the_connection(simulator: Simulator) -> None:
    request = {"service": "LEVELONE_FUTURES", "command": "SUBS", "requestid": "1", "parameters": {"keys": "/ES", "fields": "0,1"}}
    [answer] = asyncio.run(spoken(simulator.url, request))
    assert answer["response"][0]["content"]["code"] == 20


def test_a_connection_on_which_nothing_is_asked_for_is_ended(simulator: Simulator, services: Services) -> None:
    simulator.faults.add({"empty_s": 0.3, "heartbeat_s": 0.1})
    token = services.tokens.access("A1").token
    assert token is not None
    access = {"Authorization": f"Bearer {token.access_token}"}
    told = httpx.get(f"{simulator.url}/trader/v1/userPreference", headers=access).json()["streamerInfo"][0]
    login = {
        "service": "ADMIN",
        "command": "LOGIN",
        "requestid": "1",
        "SchwabClientCustomerId": told["schwabClientCustomerId"],
        "SchwabClientCorrelId": told["schwabClientCorrelId"],
        "parameters": {
            "Authorization": token.access_token,
            "SchwabClientChannel": told["schwabClientChannel"],
            "SchwabClientFunctionId": told["schwabClientFunctionId"],
        },
    }
    heard = asyncio.run(spoken(simulator.url, login))
    assert heard[0]["response"][0]["content"]["code"] == 0
    assert any("heartbeat" in each["notify"][0] for each in heard if "notify" in each)
    assert heard[-1]["notify"][0]["content"]["code"] == 30


def test_bars_of_every_interval_are_read(broker: SchwabBroker) -> None:
    end = SystemClock().now().replace(minute=0, second=0, microsecond=0)
    for interval in (Interval.MINUTE, Interval.FIVE_MINUTES, Interval.QUARTER_HOUR, Interval.HOUR):
        bars = broker.history("AAPL", end - 4 * Interval.HOUR.duration, end, interval).bars
        assert len(bars) == 4 * Interval.HOUR.duration / interval.duration
        assert {bar.start.timestamp() % interval.duration.total_seconds() for bar in bars} == {0}
    assert broker.history("AAPL", end - 5 * Interval.DAY.duration, end, Interval.DAY).bars
