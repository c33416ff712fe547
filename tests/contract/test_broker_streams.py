"""Every venue's streams: orders that are changed, orders that fill while the line is down, and symbols without data."""

import asyncio

import pytest

from fillpath.errors import StreamEnded
from fillpath.market.instruments import resolve
from fillpath.orders.model import Leg, LegStatus, OrderType
from fillpath.orders.outcomes import Accepted, LegView
from fillpath_brokers import registry
from fillpath_brokers.facade import Change, Feed, NoData, OrderRef, OrderUpdate
from tests.contract.broker_bench import Bench, traders
from tests.contract.listening import EVENTS, Heard, Line, keep_moving, looked, streaming_over
from tests.contract.venues import at_venues
from tests.simulators.options import SOCKETS

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]

LONGER_THAN_ANY_SILENCE_S = 60.0
F = LegStatus.FILLED


def views(events: list[object], broker_order_id: str | None = None) -> list[LegView]:
    """Of the orders that were told, or of one."""
    told = [each.view for each in events if isinstance(each, OrderUpdate)]
    return [each for each in told if broker_order_id in (None, each.broker_order_id)]


# --- orders ---------------------------------------------------------------------------------------------------------------------


@at_venues(lambda known: known.can_stream_orders and known.replace, http=True)
def test_an_order_that_was_changed_is_told_to_work_until_it_really_ends(at: Bench) -> None:
    leg = at.leg(type=OrderType.LIMIT, limit_price=at.away(-8))

    async def follow() -> None:
        broker = at.broker
        heard = Heard(broker.order_updates())
        await asyncio.to_thread(at.simulator.wait_for_stream)
        first = (await asyncio.to_thread(at.accepted, leg)).broker_order_id
        await heard.becomes(lambda events: views(events, first))
        ref = OrderRef(leg.client_order_id, first, leg)
        outcome = await asyncio.to_thread(broker.replace, ref, Change(limit_price=at.away(-4)))
        assert isinstance(outcome, Accepted), outcome
        at.trades_at(at.away(-5))
        asked = await asyncio.to_thread(at.becomes, leg, F, broker_order_id=outcome.view.broker_order_id or first)
        events = await heard.becomes(lambda events: views(events)[-1].status is F)
        assert {each.status for each in views(events) if each.status.ended} == {F}
        assert {each.broker_order_id for each in views(events) if each.status is F} == {asked.broker_order_id}
        await heard.close()
        broker.close()

    asyncio.run(follow())


async def fills_while_the_line_is_down(at: Bench, leg: Leg, name: str | None, fault: str, line: Line) -> LegView:
    """The order as asking shows it before the stream is there again."""
    line.network.hold()
    at.simulator.faults.add({"sockets": fault})
    at.trades_at(at.away(-9))
    asked = await asyncio.to_thread(at.becomes, leg, F, broker_order_id=name)
    if fault == "silence":
        line.clock.skip(LONGER_THAN_ANY_SILENCE_S)
    await looked(lambda: line.network.tries, lambda tries: tries == 2)
    at.simulator.faults.add({"sockets": "speak"})
    line.network.release()
    return asked


@at_venues(lambda known: known.can_stream_orders, http=True)
@pytest.mark.parametrize("fault", ["drop", "half", "silence"])
def test_what_fills_while_the_line_is_down_lies_in_the_gap_and_stream_and_asking_agree(at: Bench, fault: str) -> None:
    leg = at.leg(type=OrderType.LIMIT, limit_price=at.away(-8))

    async def follow() -> None:
        line = Line()
        broker = streaming_over(at, line)
        heard = Heard(broker.order_updates())
        await asyncio.to_thread(at.simulator.wait_for_stream)
        name = (await asyncio.to_thread(at.accepted, leg)).broker_order_id
        before = len(await heard.becomes(lambda events: views(events, name)))
        asked = await fills_while_the_line_is_down(at, leg, name, fault, line)
        await heard.becomes(lambda _: heard.gaps())
        [gap] = heard.gaps()
        assert asked.filled_at is not None
        assert gap.since.replace(microsecond=0) <= asked.filled_at < gap.until
        second = await asyncio.to_thread(at.filled, at.leg("sell", "1", reduce_only=True))
        events = await heard.becomes(lambda events: any(each.status is F for each in views(events, second.broker_order_id)))
        assert views(events, second.broker_order_id)[-1].filled_quantity == second.filled_quantity
        told = views(events[before:], name)
        assert {(each.status, each.filled_quantity) for each in told} <= {(F, asked.filled_quantity)}
        assert (await asyncio.to_thread(at.seen, leg, name)).status is F
        await heard.close()
        broker.close()

    asyncio.run(follow())


# --- market data ----------------------------------------------------------------------------------------------------------------


def other_than(at: Bench) -> str:
    """Another contract that the venue knows."""
    futures = "future" in at.broker.capabilities.asset_classes
    return resolve("NQ1!" if futures else "MSFT", at.services.clock.now().date()).contract


@pytest.mark.parametrize(
    ("at", "feed"),
    [(key, Feed(feed)) for key in traders() for feed in sorted(registry.capabilities(key).feeds)],
    indirect=["at"],
)
def test_a_symbol_without_data_leaves_the_stream_which_tells_it_once_and_goes_on(at: Bench, feed: Feed) -> None:
    other, kind = other_than(at), EVENTS[feed]
    at.simulator.application[SOCKETS].without_data.add(other)

    async def follow() -> None:
        broker = at.broker
        heard = Heard(broker.stream([other, at.contract], feed))
        moving = asyncio.create_task(keep_moving(at, other))
        await heard.becomes(lambda _: heard.of(NoData, other) and heard.of(kind, at.contract))
        at.simulator.faults.add({"sockets": "drop"})
        await heard.becomes(lambda _: heard.gaps())
        so_far = len(heard.of(kind, at.contract))
        await heard.becomes(lambda _: len(heard.of(kind, at.contract)) > so_far)
        assert [bool(each.text) for each in heard.of(NoData, other)] == [True]
        broker.update_subscription(feed, add=[other])
        await heard.becomes(lambda _: len(heard.of(NoData, other)) == 2)
        assert heard.of(kind, other) == []
        assert heard.error is None
        moving.cancel()
        await heard.close()
        broker.close()

    asyncio.run(follow())


@at_venues(lambda known: known.can_stream_data, http=True)
def test_a_stream_all_of_whose_symbols_are_without_data_ends_and_says_so(at: Bench) -> None:
    both = {other_than(at), at.contract}
    at.simulator.application[SOCKETS].without_data |= both

    async def follow() -> None:
        broker = at.broker
        for feed in map(Feed, sorted(broker.capabilities.feeds)):
            heard = Heard(broker.stream(both, feed))
            assert isinstance(await heard.ended(), StreamEnded)
            assert {each.symbol for each in heard.events if isinstance(each, NoData)} == both
        broker.close()

    asyncio.run(follow())
