"""Whatever is sent: fills make up the position, the account is worth what it earned, reducing never crosses zero."""

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fillpath.orders.model import Leg, LegStatus
from fillpath.orders.outcomes import Accepted
from tests.brokers.paper.exchange import AAPL, ACCOUNT, ES, PaperExchange, leg, ref

SCENARIOS = [
    "normal",
    "delay",
    "partial_fill",
    "never_fill",
    "timeout=before",
    "timeout=after",
    "crash=after",
    "reject=market_closed",
]
prices = st.integers(5880, 5920).map(str)


@st.composite
def legs(draw: st.DrawFn) -> Leg:
    kind = draw(st.sampled_from(["market", "limit", "stop"]))
    contract = draw(st.sampled_from([ES, AAPL]))
    level = draw(prices)
    return leg(
        draw(st.sampled_from(["buy", "sell"])),
        str(draw(st.integers(1, 4))),
        contract,
        limit=level if kind == "limit" else None,
        stop=level if kind == "stop" else None,
        tif=draw(st.sampled_from(["day", "gtc", "ioc"])),
        reduce_only=draw(st.booleans()),
    )


steps = st.lists(
    st.one_of(
        legs(),
        st.tuples(st.just("price"), st.sampled_from([ES, AAPL]), prices),
        st.tuples(st.just("wait"), st.integers(1, 20_000)),
        st.tuples(st.just("scenario"), st.sampled_from(SCENARIOS)),
        st.tuples(st.just("cancel"), st.integers(0, 30)),
        st.tuples(st.just("look")),
    ),
    max_size=30,
)


@settings(max_examples=150, deadline=None)
@given(steps)
def test_the_account_adds_up_whatever_happens(steps: list[Leg | tuple[Any, ...]]) -> None:
    exchange, sent = PaperExchange(), []
    exchange.trades_at(AAPL, "5900")

    for step in steps:
        if isinstance(step, Leg):
            _submit(exchange, step)
            sent.append(step)
        else:
            _do(exchange, step, sent)

    for contract in (ES, AAPL):
        assert exchange.held(contract) == _sum_of_fills(exchange, [each for each in sent if each.contract == contract])
    _assert_worth(exchange)
    for each in sent:
        _assert_view(exchange, each)


def _do(exchange: PaperExchange, step: tuple[Any, ...], sent: list[Leg]) -> None:
    match step:
        case ("price", contract, price):
            exchange.trades_at(contract, price)
        case ("wait", seconds):
            exchange.wait(seconds)
        case ("scenario", name):
            exchange.under(name)
        case ("cancel", index) if sent:
            exchange.broker.cancel(ref(sent[index % len(sent)]))
        case _:
            exchange.broker.orders()


def _submit(exchange: PaperExchange, sent: Leg) -> None:
    before = exchange.held(sent.contract)
    outcome = exchange.broker.submit(sent)
    after = exchange.held(sent.contract)
    if sent.reduce_only and after != before:
        assert abs(after) < abs(before)
        assert after * before >= 0
    if isinstance(outcome, Accepted):
        assert exchange.broker.submit(sent) == outcome
        assert exchange.held(sent.contract) == after


def _sum_of_fills(exchange: PaperExchange, sent: list[Leg]) -> Decimal:
    fills = [fill for each in sent for fill in exchange.books.fills(ACCOUNT, each.client_order_id)]
    return sum((fill["quantity"] if fill["side"] == "buy" else -fill["quantity"] for fill in fills), Decimal(0))


def _assert_worth(exchange: PaperExchange) -> None:
    account = exchange.broker.balances()
    earned = account.realised_pnl + account.unrealised_pnl - account.commission
    assert abs(account.equity - (1_000_000 + earned)) < Decimal("1e-12")


def _assert_view(exchange: PaperExchange, sent: Leg) -> None:
    view = exchange.broker.order(ref(sent))
    fills = exchange.books.fills(ACCOUNT, sent.client_order_id)
    if view is None:
        assert not fills
        return
    assert view.filled_quantity == sum(fill["quantity"] for fill in fills)
    assert view.commission == sum(fill["commission"] for fill in fills)
    assert (view.status is LegStatus.FILLED) == (view.filled_quantity == sent.quantity)
    assert view.status is not LegStatus.WORKING or not fills
