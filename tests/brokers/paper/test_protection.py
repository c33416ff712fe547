"""Whatever prices do and whoever trades: what only reduces, exit pairs and exits of entries never turn a position around."""

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fillpath.orders.model import Leg, LegStatus
from fillpath.orders.outcomes import Accepted, LegView
from tests.brokers.paper.exchange import ES, PaperExchange, leg, pair, ref, trailing

sides = st.sampled_from(["buy", "sell"])
quantities = st.integers(1, 4).map(str)
prices = st.integers(-30, 30).map(lambda points: Decimal(5900 + points))


@st.composite
def protections(draw: st.DrawFn) -> Leg:
    side, quantity = draw(sides), draw(quantities)
    sign = 1 if side == "sell" else -1
    near, far = (str(5900 + sign * points) for points in (draw(st.integers(1, 20)), -draw(st.integers(1, 20))))
    match draw(st.sampled_from(["pair", "stop", "limit", "trailing", "stop_limit", "market"])):
        case "pair":
            return pair(side, quantity, limit=near, stop=far)
        case "stop":
            return leg(side, quantity, stop=far, reduce_only=True)
        case "limit":
            return leg(side, quantity, limit=near, reduce_only=True)
        case "trailing":
            return trailing(side, quantity, amount="5").model_copy(update={"reduce_only": True})
        case "stop_limit":
            return leg(side, quantity, stop=far, limit=far, type="stop_limit", reduce_only=True)
        case _:
            return leg(side, quantity, reduce_only=True, tif=draw(st.sampled_from(["day", "ioc", "fok"])))


@st.composite
def entries(draw: st.DrawFn) -> Leg:
    side, quantity = draw(sides), draw(quantities)
    sign = 1 if side == "buy" else -1
    profit, loss = (str(5900 + sign * points) for points in (draw(st.integers(1, 30)), -draw(st.integers(1, 30))))
    exits = draw(st.sampled_from([{"take_profit": profit}, {"stop_loss": loss}, {"take_profit": profit, "stop_loss": loss}, {}]))
    level = draw(st.sampled_from([{}, {"limit": "5900"}, {"stop": "5900"}]))
    return leg(side, quantity, **level, **exits)


steps = st.lists(
    st.one_of(
        protections(),
        entries(),
        prices,
        st.tuples(st.just("wait"), st.integers(1, 5)),
        st.tuples(st.just("scenario"), st.sampled_from(["normal", "delay", "partial_fill", "complete"])),
        st.tuples(st.just("cancel"), st.integers(0, 30)),
        st.tuples(st.just("cancel exits"), st.integers(0, 30)),
    ),
    max_size=25,
)


@settings(max_examples=200, deadline=None)
@given(steps)
def test_no_protection_turns_a_position_around(steps: list[Any]) -> None:
    exchange, views = PaperExchange(), []
    for step in steps:
        if not isinstance(step, Leg):
            _do(exchange, step, views)
        elif isinstance(outcome := exchange.broker.submit(step), Accepted):
            views.append((step, outcome.view))
        exchange.broker.orders()

    _assert_nothing_turned(exchange, {sent.client_order_id for sent, _ in views if not sent.reduce_only})
    for sent, view in views:
        _assert_no_more_than_wanted(exchange, sent, view)


def _do(exchange: PaperExchange, step: Any, views: list[tuple[Leg, LegView]]) -> None:
    match step:
        case Decimal():
            exchange.trades_at(ES, str(step))
        case ("wait", seconds):
            exchange.wait(seconds)
        case ("scenario", "complete"):
            exchange.under("partial_fill", then="complete", after="3")
        case ("scenario", name):
            exchange.under(name)
        case ("cancel", index) if views:
            exchange.broker.cancel(ref(views[index % len(views)][0]))
        case ("cancel exits", index) if views and views[index % len(views)][1].exits:
            exchange.broker.cancel(ref(*_exits(views[index % len(views)])))


def _exits(sent: tuple[Leg, LegView]) -> tuple[Leg, LegView | None]:
    return sent[0], sent[1].exits


def _assert_nothing_turned(exchange: PaperExchange, entered: set[str]) -> None:
    shown, held = exchange.held(), Decimal(0)  # looking moves the exchange: the fills are read after the last look
    for fill in exchange.filled():
        after = held + (fill["quantity"] if fill["side"] == "buy" else -fill["quantity"])
        if fill["client_order_id"] not in entered:
            assert abs(after) < abs(held)
            assert after * held >= 0
        held = after
    assert held == shown


def _assert_no_more_than_wanted(exchange: PaperExchange, sent: Leg, view: LegView) -> None:
    seen = exchange.seen(sent)
    assert seen.filled_quantity <= sent.quantity
    if view.exits:
        exits = exchange.shown(view.exits)
        assert exits.filled_quantity <= seen.filled_quantity
        assert exits == seen.exits
        if seen.status.ended and not seen.filled_quantity:
            assert exits.status.ended
    if seen.status is LegStatus.FILLED:
        assert seen.filled_quantity == sent.quantity
