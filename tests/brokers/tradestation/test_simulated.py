"""TradeStation's adapter against its simulator, where they have more to say than what every venue does."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from fillpath.accounts.model import Account
from fillpath.errors import BrokerUnavailable, NeedsReauth, NotSent, StreamEnded
from fillpath.market.bars import Bar, Gap, Interval, Trade
from fillpath.orders.model import Leg, LegStatus, OrderType, Side
from fillpath.orders.outcomes import Accepted, Rejected, Unknown
from fillpath_brokers.facade import Feed, OrderRef, OrderUpdate
from fillpath_brokers.signing_in import SignInContext
from fillpath_brokers.token_store import TokenStore
from fillpath_brokers.tradestation.sign_in import SIGN_IN, TradeStationSignIn
from fillpath_brokers.tradestation.venue import TradeStationBroker, open_account
from fillpath_brokers.web import Web
from tests.brokers.services import services_on
from tests.contract.broker_bench import Bench, bench
from tests.fakes.access_vault import FakeAccessVault
from tests.fakes.account_store import FakeAccountStore
from tests.fakes.clock import FakeClock
from tests.fakes.rate_limits import FakeRateLimits
from tests.fakes.token_ledger import FakeTokenLedger
from tests.simulators.exchange import SimulatedExchange
from tests.simulators.options import Options
from tests.simulators.server import Simulator, running
from tests.simulators.tradestation import CREDENTIALS
from tests.simulators.tradestation import connection as simulated
from tests.simulators.tradestation.house import MARGIN
from tests.waiting import PATIENCE_S, until

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]

W, F, C = LegStatus.WORKING, LegStatus.FILLED, LegStatus.CANCELLED


SECRETS = {name: CREDENTIALS[name] for name in ("client_id", "client_secret")}


class Office:
    """A simulator and a login there, by a clock that a test moves."""

    def __init__(self, simulator: Simulator, clock: FakeClock) -> None:
        self.simulator, self.clock = simulator, clock
        self.web = Web(FakeRateLimits(clock), clock)
        self.context = SignInContext("A1", {"endpoint": simulator.url}, self.web, clock)

    def broker(self) -> TradeStationBroker:
        """The account, signed in just now."""
        store, now = FakeAccountStore(), self.clock.now()
        connection = simulated(self.simulator.url)
        store.save(
            Account(account_id="A1", user_id="U1", venue="tradestation", label="mine", connection=connection, created_at=now)
        )
        tokens = TokenStore(FakeAccessVault(), FakeTokenLedger(), self.clock)
        credentials = {**SECRETS, "refresh_token": CREDENTIALS["refresh_token"]}
        tokens.keep("A1", credentials, SIGN_IN.sign_in(credentials, self.context), "a person")
        return open_account("A1", services_on(self.clock, accounts=store, tokens=tokens, web=self.web))

    def leg(self) -> Leg:
        """A market order, prepared just now."""
        now, fields = self.clock.now(), {"leg": "main", "client_order_id": "c-1", "contract": "ESZ6"}
        return Leg(**fields, side=Side.BUY, quantity=Decimal(2), prepared_at=now, submit_by=now + timedelta(seconds=10))


@pytest.fixture
def office() -> Iterator[Office]:
    clock = FakeClock(datetime(2026, 11, 25, 15, tzinfo=UTC))
    with running("tradestation", Options(strict=True), SimulatedExchange(now=clock.now)) as simulator:
        made = Office(simulator, clock)
        yield made
        made.web.close()


@pytest.fixture
def at() -> Iterator[Bench]:
    with bench("tradestation") as made:
        yield made


@pytest.fixture
def shares(at: Bench) -> TradeStationBroker:
    """The same login's account for shares."""
    at.simulator.exchange.set_price("AAPL", Decimal(200))
    record = at.services.accounts.account(at.account.account_id)
    store = FakeAccountStore()
    store.save(record.model_copy(update={"connection": record.connection | {"account": MARGIN}}))
    return open_account(record.account_id, replace(at.services, accounts=store))


def token_of(at: Bench) -> str:
    token = at.services.tokens.access(at.account.account_id).token
    assert token is not None
    return token.access_token


def traded(at: Bench, broker: TradeStationBroker, leg: Leg) -> None:
    outcome = broker.submit(leg)
    assert isinstance(outcome, Accepted), outcome
    number = outcome.view.broker_order_id
    until(lambda: broker.order(OrderRef(leg.client_order_id, number, leg)), lambda view: view is not None and view.status is F)


def share(at: Bench, side: str, quantity: str, **more: Any) -> Leg:
    return at.leg(side, quantity, contract="AAPL", **more)


# --- shares ---------------------------------------------------------------------------------------------------------------------


def test_shares_are_bought_sold_sold_short_and_covered(at: Bench, shares: TradeStationBroker) -> None:
    held = lambda: {each.contract: each.quantity for each in shares.positions()}  # noqa: E731  read four times
    traded(at, shares, share(at, "buy", "10"))
    assert held() == {"AAPL": 10}
    traded(at, shares, share(at, "sell", "10", reduce_only=True))
    traded(at, shares, share(at, "sell", "5"))
    assert held() == {"AAPL": -5}
    traded(at, shares, share(at, "buy", "5", reduce_only=True))
    assert held() == {}


def test_a_short_sale_while_shares_are_held_is_refused(at: Bench, shares: TradeStationBroker) -> None:
    traded(at, shares, share(at, "buy", "10"))
    outcome = shares.submit(share(at, "sell", "15"))
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "insufficient_position"
    assert "EC804" in outcome.text


def test_the_exits_of_a_short_sale_cover_it(at: Bench, shares: TradeStationBroker) -> None:
    leg = share(at, "sell", "5", take_profit=Decimal(190), stop_loss=Decimal(210))
    outcome = shares.submit(leg)
    assert isinstance(outcome, Accepted)
    assert outcome.view.exits is not None
    at.simulator.exchange.set_price("AAPL", Decimal(189))
    until(shares.positions, lambda held: held == ())
    until(shares.orders, lambda orders: orders == ())


def test_a_future_in_an_account_for_shares_is_refused(at: Bench, shares: TradeStationBroker) -> None:
    outcome = shares.submit(at.leg())
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "unsupported"


def test_shares_are_worth_what_their_account_says(at: Bench, shares: TradeStationBroker) -> None:
    traded(at, shares, share(at, "buy", "10"))
    at.simulator.exchange.set_price("AAPL", Decimal(201))
    assert shares.balances().unrealised_pnl == 10
    assert shares.precheck(share(at, "buy", "10"), Decimal(0)) is None
    refused = shares.precheck(share(at, "buy", "1000000"), Decimal(0))
    assert refused is not None
    assert refused.reason == "insufficient_margin"


# --- orders ---------------------------------------------------------------------------------------------------------------------


def test_a_stop_on_the_wrong_side_is_taken_and_rejected_then(at: Bench) -> None:
    leg = at.leg("sell", type=OrderType.STOP, stop_price=at.away(10))
    at.accepted(leg)
    assert at.becomes(leg, LegStatus.REJECTED).reason == "invalid_price"


def test_the_second_of_a_pair_is_refused_and_the_first_taken_back(at: Bench) -> None:
    at.hold(2)
    at.simulator.faults.add({"refuse_second_of_group": "Type = LMT has invalid Price"})
    leg = at.leg("sell", type=OrderType.OCO, limit_price=at.away(10), stop_price=at.away(-10), reduce_only=True)
    outcome = at.desk.submit(at.account, leg)
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "invalid_price"
    assert at.broker.orders() == ()
    assert at.held() == 2


def test_a_bracket_whose_exits_are_not_shown_is_in_doubt_until_they_are(at: Bench) -> None:
    at.simulator.faults.add({"hide_links": True})
    leg = at.entry()
    assert isinstance(at.desk.submit(at.account, leg), Unknown)
    with pytest.raises(BrokerUnavailable):
        at.seen(leg)
    at.simulator.faults.add({"hide_links": False})
    view = at.becomes(leg, F)
    assert view.exits is not None
    assert at.simulator.placing_requests == 1


def test_the_same_leg_twice_is_one_order_and_in_doubt(at: Bench) -> None:
    leg = at.leg()
    at.filled(leg)
    assert isinstance(at.desk.submit(at.account, leg), Unknown)
    assert at.held() == 2


def test_two_orders_that_look_alike_cannot_be_told_apart(at: Bench) -> None:
    leg = at.leg(type=OrderType.LIMIT, limit_price=at.away(-40))
    at.accepted(leg)
    at.accepted(at.leg(type=OrderType.LIMIT, limit_price=at.away(-40)))
    with pytest.raises(BrokerUnavailable, match="cannot tell which"):
        at.seen(leg)


def test_a_partly_filled_exit_is_taken_off_its_other_half(at: Bench) -> None:
    at.hold(4)
    at.simulator.exchange.set_fill_mode("partial_fill", fraction="0.5", then="never")
    leg = at.leg("sell", "4", type=OrderType.OCO, limit_price=at.away(10), stop_price=at.away(-10), reduce_only=True)
    at.accepted(leg)
    at.trades_at(at.away(10))
    view = at.becomes(leg, LegStatus.PARTIALLY_FILLED)
    assert view.filled_quantity == 2
    stop = next(order for order in at.broker.orders() if order.type is OrderType.STOP)
    assert stop.quantity == 2


def test_more_requests_than_a_window_lets_through_are_refused_there(at: Bench) -> None:
    headers = {"Authorization": f"Bearer {token_of(at)}"}
    url = f"{at.simulator.url}/v3/brokerage/accounts"
    with httpx.Client(headers=headers) as client:
        statuses = [client.get(url).status_code for _ in range(251)]
    assert (statuses[249], statuses[250]) == (200, 429)
    with pytest.raises(NotSent):
        at.broker.accounts()
    assert at.broker.positions() == ()


def test_orders_of_former_days_are_found_in_the_history(office: Office) -> None:
    leg = office.leg()
    office.simulator.exchange.set_price("ESZ6", Decimal(5900))
    assert isinstance(office.broker().submit(leg), Accepted)
    office.clock.sleep(86_400)
    broker = office.broker()
    assert broker.orders() == ()
    view = broker.order(OrderRef(leg.client_order_id, None, leg))
    assert view is not None
    assert view.status is F
    assert broker.order(OrderRef(leg.client_order_id, view.broker_order_id, leg)) == view
    assert [each.quantity for each in broker.fills(office.clock.now() - timedelta(days=2))] == [2]


def test_bars_of_minutes_and_days_are_read(office: Office) -> None:
    broker, now = office.broker(), office.clock.now()
    history = broker.history("ES", now - timedelta(hours=2), now, Interval.FIVE_MINUTES)
    assert len(history.bars) == 24
    days = broker.history("AAPL", now - timedelta(days=5), now, Interval.DAY)
    assert {each.start.hour for each in days.bars} == {5}


# --- signing in -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("secret", [True, False])
def test_a_browser_comes_back_with_a_code_that_lets_the_account_in(office: Office, secret: bool) -> None:
    credentials = SECRETS if secret else {"client_id": SECRETS["client_id"]}
    sign_in = TradeStationSignIn()
    url = sign_in.authorize_url(credentials, office.context)
    assert url is not None
    back = urlsplit(httpx.get(url, follow_redirects=False).headers["Location"])
    assert back.netloc == "localhost:8080"
    assert parse_qs(back.query)["state"] == parse_qs(urlsplit(url).query)["state"]
    token = sign_in.sign_in(credentials, office.context, parse_qs(back.query)["code"][0])
    assert token is not None
    renewed = sign_in.renew(credentials, token, office.context)
    assert renewed.access_token != token.access_token
    assert renewed.refresh_token == token.refresh_token


def test_rotating_refresh_tokens_are_followed(at: Bench) -> None:
    context = SignInContext("A1", {"endpoint": at.simulator.url}, at.services.web, at.services.clock)
    credentials = {**SECRETS, "refresh_token": CREDENTIALS["refresh_token"]}
    at.simulator.faults.add({"rotate_refresh_tokens": True})
    first = SIGN_IN.sign_in(credentials, context)
    assert first is not None
    second = SIGN_IN.renew(credentials, first, context)
    assert len({CREDENTIALS["refresh_token"], first.refresh_token, second.refresh_token}) == 3
    assert second.refresh_expires_at is not None
    with pytest.raises(NeedsReauth):
        SIGN_IN.renew(credentials, first, context)


# --- streams --------------------------------------------------------------------------------------------------------------------


async def heard(events: AsyncIterator[Any], wanted: Callable[[Any], bool]) -> Any:
    async with asyncio.timeout(PATIENCE_S):
        async for event in events:
            if wanted(event):
                return event
    raise AssertionError("the stream ended")


def test_a_server_that_goes_away_is_replaced_with_a_gap(at: Bench) -> None:
    async def follow() -> None:
        updates = at.broker.order_updates()
        waiting = asyncio.create_task(heard(updates, lambda event: isinstance(event, Gap)))
        await asyncio.to_thread(at.simulator.wait_for_stream)
        at.simulator.faults.add({"go_away": True})
        assert await waiting
        told = asyncio.create_task(heard(updates, lambda event: isinstance(event, OrderUpdate) and event.view.status is F))
        await asyncio.to_thread(at.filled, at.leg())
        assert (await told).view.filled_quantity == 2
        await updates.aclose()  # type: ignore[attr-defined]  # an async generator

    asyncio.run(follow())


def test_a_second_session_of_the_same_user_ends_the_stream(at: Bench) -> None:
    async def follow() -> None:
        events = at.broker.stream([at.contract], Feed.TICKS)
        waiting = asyncio.create_task(heard(events, lambda event: False))
        await asyncio.to_thread(at.simulator.wait_for_stream)
        at.simulator.faults.add({"dual_logon": True})
        with pytest.raises(StreamEnded, match="elsewhere"):
            await waiting

    asyncio.run(follow())


def test_a_stream_that_a_token_does_not_open_waits_for_the_next_one(at: Bench) -> None:
    async def follow() -> None:
        at.expire_tokens()
        updates = at.broker.order_updates()
        waiting = asyncio.create_task(heard(updates, lambda event: isinstance(event, OrderUpdate)))
        status = lambda: at.services.tokens.status(at.account.account_id)  # noqa: E731  looked at until it is as wanted
        await asyncio.to_thread(until, status, lambda told: told.refused_version == told.version)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

    asyncio.run(follow())


def test_market_data_changes_its_symbols_while_it_runs(at: Bench) -> None:
    async def follow() -> None:
        broker = at.broker
        for feed, kind in ((Feed.TICKS, Trade), (Feed.BARS, Bar)):
            events = broker.stream([at.contract], feed)
            assert (await heard(events, lambda event, kind=kind: isinstance(event, kind))).symbol == at.contract
            broker.update_subscription(feed, add=["AAPL"])
            await heard(events, lambda event, kind=kind: isinstance(event, kind) and event.symbol == "AAPL")
            broker.update_subscription(feed, remove=[at.contract])
            await events.aclose()  # type: ignore[attr-defined]  # an async generator
        broker.close()

    asyncio.run(follow())
