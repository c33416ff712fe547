"""What every venue does, for the capabilities that it declares: adapters over HTTP against simulators, and the paper venue."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar

import pytest

from fillpath.accounts.capabilities import Capabilities
from fillpath.errors import Unsupported
from fillpath.market.bars import Bar, Gap, Interval, Quote, Trade
from fillpath.orders.model import LegStatus, OrderType, Side
from fillpath.orders.outcomes import Accepted, LegView, RateLimited, Rejected, Unknown
from fillpath_brokers import registry
from fillpath_brokers.facade import Change, Feed, OrderRef, OrderUpdate
from fillpath_brokers.token_store import Renewal
from tests.contract.broker_bench import PAPER, Bench, bench, traders
from tests.waiting import PATIENCE_S, until

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]

Event = TypeVar("Event")

W, P, F, C = LegStatus.WORKING, LegStatus.PARTIALLY_FILLED, LegStatus.FILLED, LegStatus.CANCELLED


@pytest.fixture
def at(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with bench(request.param) as made:
        yield made


def at_venues(
    declares: Callable[[Capabilities], bool] = lambda _: True, *, tokens: bool = False, http: bool = False
) -> pytest.MarkDecorator:
    """The test runs at every venue that declares this (and that has tokens, or is reached over HTTP)."""
    keys = [key for key in [*traders(), *(() if tokens or http else (PAPER,))] if declares(registry.capabilities(key))]
    with_tokens = [key for key in keys if tokens and registry.sign_in(key).renew_before is not None]
    return pytest.mark.parametrize("at", with_tokens if tokens else keys, indirect=True)


def exits_of(view: LegView) -> LegView:
    assert view.exits is not None, "a bracket shows its exits"
    assert view.exits.broker_order_id
    return view.exits


# --- the account ----------------------------------------------------------------------------------------------------------------


@at_venues()
def test_the_credentials_reach_an_account(at: Bench) -> None:
    assert at.broker.accounts()


@at_venues()
def test_an_account_begins_flat_and_worth_something(at: Bench) -> None:
    assert at.broker.positions() == ()
    assert at.broker.orders() == ()
    assert at.broker.balances().equity > 0


# --- orders ---------------------------------------------------------------------------------------------------------------------


@at_venues()
@pytest.mark.parametrize("side", ["buy", "sell"])
def test_a_market_order_fills_and_shows_as_a_position(at: Bench, side: str) -> None:
    view = at.filled(at.leg(side, "2"))
    assert (view.filled_quantity, view.average_price) == (2, at.price)
    assert view.filled_at is not None
    assert at.held() == 2 * Side(side).sign


@at_venues()
def test_an_order_is_found_by_its_own_id_and_by_ours(at: Bench) -> None:
    leg = at.leg()
    broker_order_id = at.accepted(leg).broker_order_id
    assert broker_order_id
    by_id, by_leg = at.becomes(leg, F, broker_order_id=broker_order_id), at.becomes(leg, F)
    assert by_id.broker_order_id == by_leg.broker_order_id == broker_order_id
    assert by_id.filled_quantity == by_leg.filled_quantity == 2


@at_venues()
def test_an_order_that_was_never_sent_is_not_shown(at: Bench) -> None:
    at.filled(at.leg("buy", "3"))
    leg = at.leg("buy", "2")
    assert at.broker.order(OrderRef(leg.client_order_id, None, leg)) is None


@at_venues()
def test_a_limit_order_rests_and_fills_at_its_price(at: Bench) -> None:
    leg = at.leg(type=OrderType.LIMIT, limit_price=at.away(-8))
    at.accepted(leg)
    assert at.becomes(leg, W).filled_quantity == 0
    [listed] = at.broker.orders()
    assert (listed.contract, listed.side, listed.quantity, listed.limit_price) == (at.contract, Side.BUY, 2, at.away(-8))
    at.trades_at(at.away(-9))
    assert at.becomes(leg, F).average_price == at.away(-8)
    assert at.broker.orders() == ()


@at_venues(lambda known: OrderType.STOP in known.order_types)
def test_a_stop_order_waits_for_its_price(at: Bench) -> None:
    at.hold(2)
    leg = at.leg("sell", type=OrderType.STOP, stop_price=at.away(-8), reduce_only=True)
    at.accepted(leg)
    assert at.becomes(leg, W).filled_quantity == 0
    at.trades_at(at.away(-8))
    assert at.becomes(leg, F).average_price == at.away(-8)
    assert at.held() == 0


@at_venues(lambda known: OrderType.STOP_LIMIT in known.order_types)
def test_a_stop_limit_order_becomes_a_limit_order(at: Bench) -> None:
    leg = at.leg(type=OrderType.STOP_LIMIT, stop_price=at.away(8), limit_price=at.away(9))
    at.accepted(leg)
    at.trades_at(at.away(20))
    assert at.becomes(leg, W).filled_quantity == 0
    at.trades_at(at.away(9))
    assert at.becomes(leg, F).average_price == at.away(9)


@at_venues(lambda known: OrderType.TRAILING_STOP in known.order_types)
def test_a_trailing_stop_follows_the_price(at: Bench) -> None:
    at.hold(2)
    leg = at.leg("sell", type=OrderType.TRAILING_STOP, trail_amount=10 * at.tick, reduce_only=True)
    at.accepted(leg)
    at.trades_at(at.away(20))
    until(lambda: at.seen(leg).status is W)
    at.trades_at(at.away(11))
    assert at.becomes(leg, W).filled_quantity == 0
    at.trades_at(at.away(10))
    assert at.becomes(leg, F).filled_quantity == 2


@at_venues()
def test_a_cancelled_order_ends_and_cancelling_again_is_no_error(at: Bench) -> None:
    leg = at.leg(type=OrderType.LIMIT, limit_price=at.away(-40))
    ref = OrderRef(leg.client_order_id, at.accepted(leg).broker_order_id, leg)
    at.broker.cancel(ref)
    assert at.becomes(leg, C).filled_quantity == 0
    at.broker.cancel(ref)
    assert at.seen(leg).status is C


@at_venues()
def test_cancelling_what_has_filled_changes_nothing(at: Bench) -> None:
    leg = at.leg()
    view = at.filled(leg)
    at.broker.cancel(OrderRef(leg.client_order_id, view.broker_order_id, leg))
    assert at.seen(leg, view.broker_order_id).status is F


@at_venues(lambda known: known.replace)
def test_a_working_order_can_be_changed(at: Bench) -> None:
    leg = at.leg(type=OrderType.LIMIT, limit_price=at.away(-40))
    first = at.accepted(leg).broker_order_id
    outcome = at.broker.replace(OrderRef(leg.client_order_id, first, leg), Change(limit_price=at.away(-4)))
    assert isinstance(outcome, Accepted), outcome
    changed = outcome.view.broker_order_id or first
    until(lambda: [each.limit_price for each in at.broker.orders()], lambda prices: prices == [at.away(-4)])
    at.trades_at(at.away(-5))
    assert at.becomes(leg, F, broker_order_id=changed).average_price == at.away(-4)
    assert at.held() == 2


@at_venues()
def test_a_partial_fill_is_cumulative(at: Bench) -> None:
    at.simulator.exchange.set_fill_mode("partial_fill", fraction="0.5", then="never")
    leg = at.leg(quantity="4")
    at.accepted(leg)
    view = at.becomes(leg, P)
    assert (view.filled_quantity, at.held()) == (2, 2)
    at.broker.cancel(OrderRef(leg.client_order_id, view.broker_order_id, leg))
    ended = at.becomes(leg, C)
    assert (ended.filled_quantity, ended.average_price) == (2, at.price)


@at_venues()
def test_fills_are_listed(at: Bench) -> None:
    since = at.services.clock.now() - timedelta(seconds=5)
    first, second = at.filled(at.leg("buy", "3")), at.filled(at.leg("sell", "1", reduce_only=True))
    fills = until(lambda: at.broker.fills(since), lambda found: len(found) >= 2)
    assert [(each.side, each.quantity, each.price, each.contract) for each in fills] == [
        (Side.BUY, 3, at.price, at.contract),
        (Side.SELL, 1, at.price, at.contract),
    ]
    assert [each.broker_order_id for each in fills] == [first.broker_order_id, second.broker_order_id]
    assert len({each.execution_id for each in fills}) == 2


# --- refusals -------------------------------------------------------------------------------------------------------------------


@at_venues()
def test_an_order_beyond_the_accounts_means_is_refused(at: Bench) -> None:
    at.simulator.exchange.set_cash(Decimal(100))
    leg = at.leg(quantity="10")
    outcome = at.desk.submit(at.account, leg)
    if isinstance(outcome, Accepted):  # a venue may take it and reject it then
        view = at.becomes(leg, LegStatus.REJECTED)
        assert (view.reason, bool(view.text)) == ("insufficient_margin", True)
    else:
        assert isinstance(outcome, Rejected)
        assert outcome.reason == "insufficient_margin"
        assert outcome.text
    assert at.held() == 0


@at_venues()
def test_what_would_be_refused_is_told_before(at: Bench) -> None:
    at.simulator.exchange.set_cash(Decimal(100))
    refusal = at.desk.precheck(at.account, at.leg(quantity="10"), Decimal(0))
    assert refusal is not None
    assert refusal.reason == "insufficient_margin"


@at_venues()
def test_what_would_be_taken_is_not_objected_to(at: Bench) -> None:
    assert at.desk.precheck(at.account, at.leg(), Decimal(0)) is None
    assert at.simulator.placing_requests == 0


@at_venues(lambda known: known.asset_classes < {"future", "equity", "crypto"})
def test_a_kind_of_instrument_that_the_venue_does_not_trade_is_refused_here(at: Bench) -> None:
    known = registry.capabilities(at.key).asset_classes
    foreign = next(
        symbol for kind, symbol in {"future": "ESZ6", "equity": "AAPL", "crypto": "BTCUSD"}.items() if kind not in known
    )
    outcome = at.desk.submit(at.account, at.leg(contract=foreign))
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "unsupported"
    assert at.simulator.placing_requests == 0


@at_venues()
@pytest.mark.parametrize("quantity", ["1", "2", "5"])
def test_a_reduce_only_order_never_crosses_zero(at: Bench, quantity: str) -> None:
    at.hold(2)
    leg = at.leg("sell", quantity, reduce_only=True)
    at.desk.submit(at.account, leg)
    until(at.held, lambda held: held == max(0, 2 - int(quantity)))
    assert at.broker.orders() == ()


@at_venues()
def test_a_reduce_only_order_never_opens(at: Bench) -> None:
    outcome = at.desk.submit(at.account, at.leg("sell", "1", reduce_only=True))
    assert not isinstance(outcome, Accepted) or outcome.view.filled_quantity == 0
    assert at.held() == 0
    assert at.broker.orders() == ()


@at_venues(lambda known: known.single_order_flip)
def test_one_order_goes_through_zero_where_that_is_declared(at: Bench) -> None:
    at.hold(-2)
    at.filled(at.leg("buy", "3"))
    assert at.held() == 1


# --- when the answer is lost ----------------------------------------------------------------------------------------------------


LOST: list[dict[str, Any]] = [{"drop": True}, {"status": 500}, {"status": 503}, {"status": 504}]


def submit_with(at: Bench, leg: Any, fault: dict[str, Any]) -> Any:
    """Submit while something goes wrong with the request that places it, and nothing else."""
    for method, path in at.simulator.placing:
        at.simulator.faults.add({**fault, "match": {"method": method, "path": path}})
    try:
        return at.desk.submit(at.account, leg)
    finally:
        at.simulator.faults.clear()


@at_venues(http=True)
@pytest.mark.parametrize("fault", LOST)
def test_a_lost_answer_is_unknown_and_asking_finds_the_one_order(at: Bench, fault: dict[str, Any]) -> None:
    leg = at.leg()
    assert isinstance(submit_with(at, leg, {**fault, "when": "after"}), Unknown)
    assert at.becomes(leg, F).filled_quantity == 2
    assert at.held() == 2
    assert at.simulator.placing_requests == 1


@at_venues(http=True)
@pytest.mark.parametrize("fault", LOST)
def test_a_request_that_was_lost_on_the_way_is_unknown_too_and_shows_no_order(at: Bench, fault: dict[str, Any]) -> None:
    leg = at.leg()
    assert isinstance(submit_with(at, leg, {**fault, "when": "before"}), Unknown)
    assert at.broker.order(OrderRef(leg.client_order_id, None, leg)) is None
    assert at.held() == 0
    assert at.simulator.placing_requests == 1


@at_venues(lambda known: known.deduplicates_s > 0, http=True)
def test_the_same_leg_again_makes_one_order_where_the_venue_deduplicates(at: Bench) -> None:
    leg = at.leg()
    submit_with(at, leg, {"drop": True, "when": "after"})
    again = at.desk.submit(at.account, leg)
    assert isinstance(again, Accepted)
    assert at.becomes(leg, F).broker_order_id == again.view.broker_order_id
    assert at.held() == 2


@at_venues(lambda known: not known.client_order_ids, http=True)
def test_of_two_equal_orders_the_lost_one_is_not_taken_for_the_known_one(at: Bench) -> None:
    first, second = at.leg(), at.leg()
    known = at.filled(first).broker_order_id
    assert known
    assert isinstance(submit_with(at, second, {"drop": True, "when": "before"}), Unknown)
    others = frozenset({known})
    assert at.desk.look_up(at.account, second, others) is None
    third = at.leg()
    assert isinstance(submit_with(at, third, {"drop": True, "when": "after"}), Unknown)
    view = until(lambda: at.desk.look_up(at.account, third, others))
    assert view is not None
    assert view.broker_order_id not in {known, None}


@at_venues(http=True)
def test_too_many_requests_places_nothing_and_says_when_to_come_back(at: Bench) -> None:
    leg = at.leg()
    outcome = submit_with(at, leg, {"status": 429, "when": "before"})
    assert isinstance(outcome, RateLimited)
    assert outcome.delay_s > 0
    assert at.simulator.exchange.log == []


AFTERWARDS: list[dict[str, Any]] = [{"drop": True}, *({"status": status} for status in (401, 403, 404, 429, 500))]


def submit_and_then(at: Bench, leg: Any, fault: dict[str, Any]) -> Any:
    """Submit while every question goes wrong; what has to be asked before was asked for an order before."""
    at.simulator.faults.add({**fault, "match": {"method": "GET"}})
    try:
        return at.desk.submit(at.account, leg)
    finally:
        at.simulator.faults.clear()


@at_venues(lambda known: known.bracket, http=True)
@pytest.mark.parametrize("fault", AFTERWARDS)
def test_trouble_with_the_questions_after_an_order_is_no_evidence_against_it(at: Bench, fault: dict[str, Any]) -> None:
    at.accepted(at.entry())
    before = at.simulator.placing_requests
    outcome = submit_and_then(at, at.entry(), fault)
    assert at.simulator.placing_requests == before + 1
    assert isinstance(outcome, Accepted | Unknown), outcome


@at_venues(lambda known: known.deduplicates_s > 0, http=True)
@pytest.mark.parametrize("fault", AFTERWARDS)
def test_a_duplicate_that_cannot_be_looked_up_is_in_doubt(at: Bench, fault: dict[str, Any]) -> None:
    leg = at.leg()
    at.accepted(leg)
    assert isinstance(submit_and_then(at, leg, fault), Unknown)


@at_venues(http=True)
def test_a_venue_that_is_not_there_was_not_asked(at: Bench) -> None:
    gone = at.elsewhere("http://127.0.0.1:9")
    assert isinstance(gone.submit(at.account, at.leg()), RateLimited)


@at_venues(http=True)
def test_a_refused_token_is_told_to_everybody_and_places_nothing(at: Bench) -> None:
    at.expire_tokens()
    outcome = at.desk.submit(at.account, at.leg())
    status = at.services.tokens.status(at.account.account_id)
    assert status is not None
    assert status.refused_version == status.version
    assert isinstance(outcome, RateLimited | Rejected)
    assert at.simulator.exchange.log == []


@at_venues(tokens=True)
def test_a_renewed_token_lets_the_account_in_again(at: Bench) -> None:
    at.expire_tokens()
    at.desk.submit(at.account, at.leg())
    assert at.renew() is Renewal.RENEWED
    assert at.filled(at.leg()).filled_quantity == 2


# --- brackets and pairs ---------------------------------------------------------------------------------------------------------


@at_venues(lambda known: known.bracket)
def test_a_bracket_shows_its_exits_and_the_target_ends_it(at: Bench) -> None:
    leg = at.entry()
    exits = exits_of(at.accepted(leg))
    at.becomes(leg, F)
    pair = at.exits_leg(leg)
    at.trades_at(at.away(11))
    view = at.becomes(pair, F, broker_order_id=exits.broker_order_id)
    assert (view.filled_quantity, view.average_price) == (2, at.away(10))
    until(at.held, lambda held: held == 0)
    until(at.broker.orders, lambda orders: orders == ())


@at_venues(lambda known: known.bracket)
def test_the_stop_of_a_bracket_ends_it_too(at: Bench) -> None:
    leg = at.leg("sell", take_profit=at.away(-10), stop_loss=at.away(10))
    exits = exits_of(at.accepted(leg))
    at.becomes(leg, F)
    assert at.held() == -2
    at.trades_at(at.away(10))
    assert at.becomes(at.exits_leg(leg), F, broker_order_id=exits.broker_order_id).average_price == at.away(10)
    until(at.held, lambda held: held == 0)
    until(at.broker.orders, lambda orders: orders == ())


@at_venues(lambda known: known.bracket)
@pytest.mark.parametrize("level", ["take_profit", "stop_loss"])
def test_a_bracket_may_have_one_exit_only(at: Bench, level: str) -> None:
    price = at.away(10 if level == "take_profit" else -10)
    leg = at.leg(**{level: price})
    exits = exits_of(at.accepted(leg))
    at.becomes(leg, F)
    at.trades_at(price)
    assert at.becomes(at.exits_leg(leg), F, broker_order_id=exits.broker_order_id).filled_quantity == 2
    until(at.held, lambda held: held == 0)


@at_venues(lambda known: known.bracket, http=True)
def test_the_exits_of_a_bracket_whose_answer_was_lost_are_found(at: Bench) -> None:
    leg = at.entry()
    assert isinstance(submit_with(at, leg, {"drop": True, "when": "after"}), Unknown)
    exits = exits_of(at.becomes(leg, F))
    at.trades_at(at.away(-10))
    assert at.becomes(at.exits_leg(leg), F, broker_order_id=exits.broker_order_id).filled_quantity == 2


@at_venues(lambda known: known.bracket)
def test_the_exits_end_with_an_entry_that_never_filled(at: Bench) -> None:
    leg = at.leg(
        type=OrderType.LIMIT, limit_price=at.away(-20), take_profit=at.away(10), stop_loss=at.away(-40), time_in_force="gtc"
    )
    accepted = at.accepted(leg)
    exits = exits_of(accepted)
    assert at.seen(at.exits_leg(leg), exits.broker_order_id).status is W
    at.broker.cancel(OrderRef(leg.client_order_id, accepted.broker_order_id, leg))
    at.becomes(leg, C)
    assert at.becomes(at.exits_leg(leg), C, broker_order_id=exits.broker_order_id).filled_quantity == 0
    until(at.broker.orders, lambda orders: orders == ())


@at_venues(lambda known: known.bracket)
def test_cancelling_the_exits_cancels_both_and_leaves_the_position(at: Bench) -> None:
    leg = at.entry()
    exits = exits_of(at.accepted(leg))
    at.becomes(leg, F)
    pair = at.exits_leg(leg)
    at.broker.cancel(OrderRef(pair.client_order_id, exits.broker_order_id, pair))
    assert at.becomes(pair, C, broker_order_id=exits.broker_order_id).filled_quantity == 0
    until(at.broker.orders, lambda orders: orders == ())
    assert at.held() == 2


@at_venues(lambda known: known.oco)
@pytest.mark.parametrize("ticks", [10, -10])
def test_an_exit_pair_exits_once(at: Bench, ticks: int) -> None:
    at.hold(2)
    leg = at.leg("sell", type=OrderType.OCO, limit_price=at.away(10), stop_price=at.away(-10), reduce_only=True, name="protect-1")
    broker_order_id = at.accepted(leg).broker_order_id
    assert at.becomes(leg, W, broker_order_id=broker_order_id).filled_quantity == 0
    at.trades_at(at.away(ticks))
    view = at.becomes(leg, F, broker_order_id=broker_order_id)
    assert (view.filled_quantity, view.average_price) == (2, at.away(ticks))
    until(at.held, lambda held: held == 0)
    until(at.broker.orders, lambda orders: orders == ())


@at_venues(lambda known: known.oco, http=True)
def test_an_exit_pair_whose_answer_was_lost_is_found(at: Bench) -> None:
    at.hold(2)
    leg = at.leg("sell", type=OrderType.OCO, limit_price=at.away(10), stop_price=at.away(-10), reduce_only=True, name="protect-1")
    assert isinstance(submit_with(at, leg, {"drop": True, "when": "after"}), Unknown)
    view = at.becomes(leg, W)
    assert view.broker_order_id
    at.broker.cancel(OrderRef(leg.client_order_id, view.broker_order_id, leg))
    at.becomes(leg, C, broker_order_id=view.broker_order_id)
    until(at.broker.orders, lambda orders: orders == ())


# --- whole account --------------------------------------------------------------------------------------------------------------


@at_venues()
def test_everything_can_be_cancelled_and_closed_by_the_venues_own_means(at: Bench) -> None:
    at.hold(2)
    at.accepted(at.leg(type=OrderType.LIMIT, limit_price=at.away(-40)))
    at.broker.cancel_all()
    until(at.broker.orders, lambda orders: orders == ())
    at.broker.liquidate(at.contract)
    until(at.held, lambda held: held == 0)
    at.broker.liquidate(at.contract)
    assert at.held() == 0


# --- symbols and data -----------------------------------------------------------------------------------------------------------


@at_venues()
def test_a_symbol_comes_back_from_the_venues_spelling(at: Bench) -> None:
    assert at.broker.to_canonical(at.broker.to_venue(at.contract)) == at.contract


@at_venues(lambda known: known.front_month)
def test_the_venue_says_what_the_front_month_is(at: Bench) -> None:
    front = at.broker.front_month("ES")
    assert front.startswith("ES")
    assert at.broker.supports(front)


@at_venues(lambda known: known.history)
def test_bars_are_paged_without_doubles(at: Bench) -> None:
    end = at.services.clock.now().replace(second=0, microsecond=0)
    start = end - timedelta(minutes=90)
    history = at.broker.history(at.contract, start, end, Interval.MINUTE)
    starts = [bar.start for bar in history.bars]
    assert starts == sorted(set(starts))
    assert starts
    assert start <= starts[0]
    assert starts[-1] < end
    assert all(bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in history.bars)
    assert {bar.symbol for bar in history.bars} == {at.contract}


# --- streams --------------------------------------------------------------------------------------------------------------------


async def first(events: AsyncIterator[Event], wanted: Any) -> Event:
    """The first event that is as wanted; TimeoutError when none comes in time."""
    async with asyncio.timeout(PATIENCE_S):
        async for event in events:
            if wanted(event):
                return event
    raise AssertionError("the stream ended")


@at_venues(lambda known: known.can_stream_orders, http=True)
def test_the_order_stream_tells_what_happens_and_after_a_reconnect_the_same_as_asking(at: Bench) -> None:

    async def follow() -> None:
        broker = at.broker
        updates = broker.order_updates()
        listening = asyncio.create_task(first(updates, lambda e: isinstance(e, OrderUpdate) and e.view.status is F))
        await asyncio.to_thread(at.simulator.wait_for_stream)
        leg = at.leg()
        view = await asyncio.to_thread(at.filled, leg)
        told = await listening
        assert isinstance(told, OrderUpdate)
        assert (told.view.broker_order_id, told.view.filled_quantity) == (view.broker_order_id, 2)
        assert told.contract == at.contract

        at.simulator.faults.add({"sockets": "drop"})
        gap = await first(updates, lambda e: isinstance(e, Gap))
        assert isinstance(gap, Gap)
        assert gap.since < gap.until
        second = at.leg("sell", "1", reduce_only=True)
        listening = asyncio.create_task(
            first(updates, lambda e: isinstance(e, OrderUpdate) and e.side is Side.SELL and e.view.status is F)
        )
        asked = await asyncio.to_thread(at.filled, second)
        told = await listening
        assert isinstance(told, OrderUpdate)
        assert told.view.filled_quantity == asked.filled_quantity
        await updates.aclose()  # type: ignore[attr-defined]  # an async generator
        broker.close()

    asyncio.run(follow())


@at_venues(lambda known: known.can_stream_data, http=True)
@pytest.mark.parametrize("feed", [Feed.TICKS, Feed.QUOTES, Feed.BARS])
def test_market_data_goes_on_after_a_reconnect_with_a_gap(at: Bench, feed: Feed) -> None:
    kind = {Feed.TICKS: Trade, Feed.QUOTES: Quote, Feed.BARS: Bar}[feed]
    if feed not in at.broker.capabilities.feeds:
        with pytest.raises(Unsupported):
            at.broker.stream([at.contract], feed)
        return

    async def follow() -> None:
        broker = at.broker
        events = broker.stream([at.contract], feed)
        listening = asyncio.create_task(first(events, lambda e: isinstance(e, kind)))
        moving = asyncio.create_task(_keep_moving(at, feed))
        event = await listening
        assert event.symbol == at.contract  # type: ignore[union-attr]  # of the kind that was waited for
        at.simulator.faults.add({"sockets": "drop"})
        assert isinstance(await first(events, lambda e: isinstance(e, Gap)), Gap)
        assert isinstance(await first(events, lambda e: isinstance(e, kind)), kind)
        moving.cancel()
        await events.aclose()  # type: ignore[attr-defined]  # an async generator
        broker.close()

    asyncio.run(follow())


@at_venues(lambda known: known.can_stream_data)
def test_every_feed_of_an_account_runs_at_once(at: Bench) -> None:
    kinds = {Feed.TICKS: Trade, Feed.QUOTES: Quote, Feed.BARS: Bar}
    feeds = sorted(at.broker.capabilities.feeds)

    async def follow() -> None:
        broker = at.broker
        streams = {feed: broker.stream([at.contract], feed) for feed in map(Feed, feeds)}
        hearing = [asyncio.create_task(first(events, of_kind(kinds[feed]))) for feed, events in streams.items()]
        moving = asyncio.create_task(_keep_moving(at, Feed.BARS))
        for event in await asyncio.gather(*hearing):
            assert event.symbol == at.contract  # type: ignore[union-attr]  # of the kind that was waited for
        at.simulator.faults.add({"sockets": "drop"})
        for events in streams.values():
            assert isinstance(await first(events, of_kind(Gap)), Gap)
        hearing = [asyncio.create_task(first(events, of_kind(kinds[feed]))) for feed, events in streams.items()]
        await asyncio.gather(*hearing)
        moving.cancel()
        for events in streams.values():
            await events.aclose()  # type: ignore[attr-defined]  # an async generator
        broker.close()

    asyncio.run(follow())


def of_kind(kind: type) -> Callable[[object], bool]:
    return lambda event: isinstance(event, kind)


async def _keep_moving(at: Bench, feed: Feed) -> None:
    """Trades, one after the other; of bars the simulator makes one out of them when it is told that the minute is over."""
    for number in range(10_000):
        at.trades_at(at.away(number % 7))
        if feed is Feed.BARS:
            at.simulator.exchange.end_minute()
        await asyncio.sleep(0.1)
