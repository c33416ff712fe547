"""What every venue tells of markets and orders: names of contracts, bars, and streams that go on after a reconnect with a gap."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from fillpath.errors import Unsupported
from fillpath.market.bars import Bar, Gap, Interval, Quote, Trade
from fillpath.orders.model import LegStatus, Side
from fillpath_brokers.facade import Feed, OrderUpdate
from tests.contract.broker_bench import Bench
from tests.contract.venues import at_venues
from tests.waiting import PATIENCE_S

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]

Event = TypeVar("Event")


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
        listening = asyncio.create_task(
            first(updates, lambda e: isinstance(e, OrderUpdate) and e.view.status is LegStatus.FILLED)
        )
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
            first(updates, lambda e: isinstance(e, OrderUpdate) and e.side is Side.SELL and e.view.status is LegStatus.FILLED)
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
