"""What the price did between two looks: demo prices, whose path anyone can compute again."""

from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fillpath.market.instruments import instruments
from fillpath.orders.model import Leg, LegStatus
from fillpath.orders.outcomes import Accepted
from fillpath_brokers.exchange.prices import demo_price
from fillpath_brokers.paper.venue import PaperBroker
from tests.brokers.paper.exchange import ACCOUNT, PaperExchange, leg, pair, ref, trailing

NQ = "NQH6"
TICK = instruments()["NQ"].tick_size


def nq(exchange: PaperExchange, later_s: int = 0) -> Decimal:
    return demo_price(instruments()["NQ"], NQ, int(exchange.clock.now().timestamp()) + later_s)


class Dip(NamedTuple):
    """Where the path goes down to within so many seconds and has come back, and when it first is there."""

    price: Decimal
    seconds: int
    back_after: int


def dip(exchange: PaperExchange) -> Dip:
    path = [nq(exchange, second) for second in range(1_200)]
    lowest = min(path)
    first = path.index(lowest)
    back = next(second for second in range(first, len(path)) if path[second] > lowest + 4 * TICK)
    assert path[0] > lowest
    return Dip(lowest, first, back)


@pytest.fixture
def exchange() -> PaperExchange:
    return PaperExchange()


def test_a_stop_that_was_touched_between_two_looks_has_filled_then_and_there(exchange: PaperExchange) -> None:
    begun, low = exchange.clock.now(), dip(exchange)
    sent = leg("sell", "1", NQ, stop=str(low.price))
    assert exchange.accepted(sent).status is LegStatus.WORKING

    exchange.wait(low.back_after)

    view = exchange.seen(sent)
    assert (view.status, view.average_price) == (LegStatus.FILLED, low.price)
    assert view.filled_at == begun + timedelta(seconds=low.seconds)


def test_a_limit_that_was_touched_between_two_looks_has_filled_at_its_limit(exchange: PaperExchange) -> None:
    begun, low = exchange.clock.now(), dip(exchange)
    sent = leg("buy", "1", NQ, limit=str(low.price))
    exchange.accepted(sent)

    exchange.wait(low.back_after)

    view = exchange.seen(sent)
    assert (view.average_price, view.filled_at) == (low.price, begun + timedelta(seconds=low.seconds))


def test_a_cancellation_finds_what_has_filled_before_it(exchange: PaperExchange) -> None:
    low = dip(exchange)
    sent = leg("buy", "1", NQ, limit=str(low.price))
    exchange.accepted(sent)
    exchange.wait(low.back_after)

    exchange.broker.cancel(ref(sent))

    assert exchange.seen(sent).status is LegStatus.FILLED


def test_an_order_that_fills_first_in_time_fills_first(exchange: PaperExchange) -> None:
    """The later order's level is touched first: it takes the position, and the reduce-only stop finds nothing left."""
    low = dip(exchange)
    exchange.accepted(leg("buy", "1", NQ))
    at_the_low = leg("sell", "1", NQ, stop=str(low.price), reduce_only=True)
    before_it = leg("sell", "1", NQ, stop=str(nq(exchange, low.seconds - 1)), reduce_only=True)
    exchange.accepted(at_the_low)
    exchange.accepted(before_it)

    exchange.wait(low.back_after)

    assert exchange.held(NQ) == 0
    assert [exchange.seen(each).status for each in (before_it, at_the_low)] == [LegStatus.FILLED, LegStatus.CANCELLED]


def test_looking_again_and_from_elsewhere_changes_nothing(exchange: PaperExchange) -> None:
    low = dip(exchange)
    sent = leg("buy", "2", NQ, limit=str(low.price))
    exchange.accepted(sent)
    exchange.wait(low.back_after)
    elsewhere = PaperBroker(ACCOUNT, exchange.services)

    views = [exchange.broker.order(ref(sent)), elsewhere.order(ref(sent)), exchange.broker.order(ref(sent))]

    assert views[0] == views[1] == views[2]
    assert len(exchange.books.fills(ACCOUNT, sent.client_order_id)) == 1
    assert elsewhere.positions()[0].quantity == 2


def test_looks_that_find_nothing_write_nothing_for_some_minutes(exchange: PaperExchange) -> None:
    sent = leg("buy", "1", NQ, limit="1000", tif="gtc")
    exchange.accepted(sent)
    written = exchange.books.load(ACCOUNT)[0]

    exchange.wait(300)
    exchange.seen(sent)
    assert exchange.books.load(ACCOUNT)[0] == written

    exchange.wait(1)
    exchange.seen(sent)
    assert exchange.books.load(ACCOUNT)[0] != written


def test_a_path_of_a_year_is_looked_at_in_time(exchange: PaperExchange) -> None:
    sent = leg("buy", "1", NQ, limit="1000", tif="gtc")
    exchange.accepted(sent)
    exchange.wait(365 * 86_400)

    assert len(exchange.services.paper_books.load(ACCOUNT)[0]["working"]) == 1
    assert exchange.seen(sent).status is LegStatus.WORKING


def test_a_price_that_was_set_counts_once_it_is_known_however_old_it_says_it_is(exchange: PaperExchange) -> None:
    sent = leg("buy", "1", limit="5890")
    exchange.accepted(sent)
    exchange.wait(10)
    exchange.last_prices.put("ESH6", Decimal(5890), exchange.clock.now() - timedelta(seconds=60))

    assert exchange.seen(sent).status is LegStatus.FILLED


@st.composite
def _legs(draw: st.DrawFn, price: Decimal) -> Leg:
    def level(low: int, high: int) -> str:
        return str(price + draw(st.integers(low, high)) * TICK)

    side = draw(st.sampled_from(["buy", "sell"]))
    quantity = str(draw(st.integers(1, 3)))
    up, down = (1, 30), (-30, -1)
    better, worse = (down, up) if side == "buy" else (up, down)
    match draw(st.sampled_from(["limit", "stop", "stop_limit", "trailing", "pair", "bracket", "delayed"])):
        case "limit":
            return leg(side, quantity, NQ, limit=level(*better), reduce_only=draw(st.booleans()))
        case "stop":
            return leg(side, quantity, NQ, stop=level(*worse), reduce_only=draw(st.booleans()))
        case "stop_limit":
            return leg(side, quantity, NQ, stop=level(*worse), limit=level(-30, 30), type="stop_limit")
        case "trailing":
            return trailing(side, quantity, NQ, amount=str(draw(st.integers(1, 20)) * TICK))
        case "pair":
            return pair(side, quantity, limit=level(*better), stop=level(*worse)).model_copy(update={"contract": NQ})
        case "bracket":
            profit, loss = level(*worse), level(*better)
            return leg(side, quantity, NQ, take_profit=profit, stop_loss=loss)
        case _:
            return leg(side, quantity, NQ)


class Script(NamedTuple):
    """What is sent when, and when somebody looks."""

    sent: list[tuple[int, Leg, str]]
    looks: list[int]


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    exchange = PaperExchange()
    sent = []
    for at in sorted(draw(st.lists(st.integers(0, 900), min_size=1, max_size=6))):
        price = nq(exchange, at)
        sent.append((at, draw(_legs(price)), draw(st.sampled_from(["normal", "normal", "delay", "partial_fill"]))))
    return Script(sent, draw(st.lists(st.integers(0, 1_200), max_size=40)))


@settings(max_examples=120, deadline=None)
@given(scripts())
def test_how_often_anybody_looks_changes_no_fill(script: Script) -> None:
    assert _fills(script, []) == _fills(script, script.looks)


def _fills(script: Script, looks: list[int]) -> dict[str, Any]:
    exchange = PaperExchange()
    begun = exchange.clock.now()
    steps = sorted([*((at, 0, sent) for at, *sent in script.sent), *((at, 1, []) for at in looks)], key=lambda step: step[:2])
    for at, _, sent in steps:
        exchange.clock.set(begun + timedelta(seconds=at))
        if not sent:
            exchange.broker.orders()
            continue
        exchange.under(sent[1], **({"then": "complete", "after": "30"} if sent[1] == "partial_fill" else {}))
        assert isinstance(exchange.broker.submit(sent[0]), Accepted)
    exchange.clock.set(begun + timedelta(seconds=1_200))
    exchange.broker.orders()
    return {"fills": exchange.books.filled, "held": exchange.broker.positions()}
