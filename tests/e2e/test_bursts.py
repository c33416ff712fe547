"""Many alerts at once: each acts once, and in its lane in its order. Times are recorded, never asserted tightly."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest

from fillpath.orders.model import Order, OrderState
from tests.e2e.local_stack import LocalStack
from tests.e2e.trader import Trader
from tests.waiting import until

# The emulator starts a process for each concurrent invocation and keeps it: more at a time would measure the machine's memory.
AT_A_TIME = 16
SYMBOLS = ("MES1!", "MNQ1!", "M2K1!", "MYM1!", "MCL1!", "AAPL", "MSFT", "NVDA", "AMZN", "KO")
Timed = Callable[[str], "contextmanager[None]"]


@pytest.fixture
def timed(record_property: Callable[[str, object], None], capsys: pytest.CaptureFixture[str]) -> Timed:
    """Tells how long something took, in the terminal and in a report."""

    @contextmanager
    def measure(what: str) -> Iterator[None]:
        begun = time.monotonic()
        yield
        seconds = time.monotonic() - begun
        record_property(what, seconds)
        with capsys.disabled():
            print(f"\n{what}: {seconds:.2f} s")

    return measure


def test_200_identical_posts_at_once_make_one_fill(trader: Trader, timed: Timed) -> None:
    alert = trader.alert("buy", 1)
    with timed("200 identical posts"), ThreadPoolExecutor(AT_A_TIME) as pool:
        answers = list(pool.map(lambda _: trader.send(alert), range(200)))
    accepted = [answer for answer in answers if answer.status_code in {200, 202}]
    replayed = [answer.json() for answer in answers if answer.status_code == 403]
    assert (len(accepted), len(replayed)) == (1, 199)
    first = accepted[0].json()
    assert {answer["error"] for answer in replayed} == {"replayed_alert"}
    assert {answer["details"]["alert_id"] for answer in replayed} == {first["alert_id"]}
    order = trader.ended(first["orders"][0]["order_id"])
    assert (order.state, trader.position(), len(trader.broker_orders())) == (OrderState.FILLED, 1, 1)


def test_five_alerts_at_once_are_all_applied(patient: Trader, timed: Timed) -> None:
    alerts = [patient.alert("buy", 1) for _ in range(5)]
    with timed("5 alerts at once, to the last fill"), ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(patient.send, alerts))
        orders = [patient.ended(_order_id(answer)) for answer in answers]
    assert {order.state for order in orders} == {OrderState.FILLED}
    assert patient.position() == 5


def test_100_alerts_over_ten_symbols_act_in_order_in_each_lane(stack: LocalStack, patient: Trader, timed: Timed) -> None:
    def trade(symbol: str) -> list[str]:
        return [_order_id(patient.post("buy", 1, symbol)) for _ in range(10)]

    with timed("100 alerts over 10 symbols, to the last fill"), ThreadPoolExecutor(len(SYMBOLS)) as pool:
        lanes = list(pool.map(trade, SYMBOLS))
        ended = [[patient.ended(order_id, patience_s=60) for order_id in lane] for lane in lanes]
    for lane in ended:
        assert {order.state for order in lane} == {OrderState.FILLED}
        assert sorted(lane, key=_acted_at) == sorted(lane, key=lambda order: order.order_id)
    assert patient.position() == 100
    assert len(patient.broker_orders()) == 100
    until(stack.is_quiet, patience_s=60)


def test_a_close_300_ms_after_its_entry_ends_flat(patient: Trader) -> None:
    entry = patient.order("buy", 1)
    sent = time.monotonic()
    until(lambda: time.monotonic() - sent > 0.3)
    close = patient.trade("close")
    assert (patient.look(entry).state, close.state, patient.position()) == (OrderState.FILLED, OrderState.FILLED, 0)


def test_a_close_that_overtakes_its_slow_entry_ends_flat(patient: Trader) -> None:
    patient.scenario("delay", seconds="1")
    entry = patient.order("buy", 1)
    patient.became(entry, OrderState.WORKING)
    close = patient.trade("close")
    assert (patient.look(entry).state, close.state, patient.position()) == (OrderState.FILLED, OrderState.FILLED, 0)


def _order_id(answer: httpx.Response) -> str:
    assert answer.status_code in {200, 202}, answer.text
    return str(answer.json()["orders"][0]["order_id"])


def _acted_at(order: Order) -> tuple[float, int]:
    """When it was sent; within a millisecond by the fence of its run."""
    submitting = next(event for event in order.events if event.to_state == "SUBMITTING")
    return submitting.at.timestamp(), order.fence
