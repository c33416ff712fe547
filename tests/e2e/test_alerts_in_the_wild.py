"""Alerts as they come in the wild: sent again, out of order, after a roll, without a secret in them, in other products' words."""

import json
import time
from datetime import UTC, datetime

import httpx
import pytest

from fillpath.accounts.model import SecretIn, TimeOf
from fillpath.alerts.signature import HEADER, sign
from fillpath.market.instruments import resolve
from fillpath.orders.model import OrderState
from tests.alerts import messages
from tests.e2e.conftest import NewTrader
from tests.e2e.local_stack import LocalStack
from tests.e2e.trader import Trader
from tests.waiting import until


def believed(before: int, after: int) -> dict[str, object]:
    """The position fields of a strategy that is long or flat."""
    sides = {name: "long" if size else "flat" for name, size in (("prev_market_position", before), ("market_position", after))}
    return {**sides, "prev_market_position_size": before, "market_position_size": after}


def test_an_alert_that_is_sent_four_times_is_executed_once(stack: LocalStack, trader: Trader) -> None:
    alert = trader.alert("buy", 1)
    with stack.denied("webhook", "dynamodb:TransactWriteItems", "dynamodb:PutItem"):
        assert [trader.send(alert).status_code for _ in range(2)] == [503, 503]
    assert [trader.send(alert).status_code for _ in range(2)] == [200, 403]
    assert (trader.position(), len(trader.broker_orders())) == (1, 1)


def test_a_close_and_an_open_350_ms_apart_are_done_in_their_order(patient: Trader) -> None:
    patient.hold(1)
    close = patient.order("sell", 1, **believed(1, 0))
    time.sleep(0.35)
    opened = patient.order("sell", 1, **believed(0, 0) | {"market_position": "short", "market_position_size": 1})
    assert [patient.ended(order).state for order in (close, opened)] == [OrderState.FILLED, OrderState.FILLED]
    assert patient.position() == -1


def test_two_partial_closes_that_arrive_swapped_end_where_the_strategy_is(trader: Trader) -> None:
    trader.hold(3)
    first, second = trader.alert("sell", 1, **believed(3, 2), age_s=1), trader.alert("sell", 1, **believed(2, 1))
    for alert in (second, first):
        assert trader.send(alert).status_code in {200, 202}
    until(lambda: trader.position() == 1)


def test_a_close_takes_the_contract_that_is_held_after_the_symbol_has_rolled(trader: Trader) -> None:
    held = resolve("ES2!", datetime.now(UTC).date()).contract
    trader.hold(1, held)
    order = trader.trade("close", symbol="ES1!")
    assert (order.state, [leg.contract for leg in order.legs]) == (OrderState.FILLED, [held])
    assert trader.position() == 0


def test_an_entry_into_a_contract_that_is_over_is_told_the_one_that_trades(trader: Trader) -> None:
    answer = trader.post("buy", 1, "ESH2025")
    assert (answer.status_code, answer.json()["details"]["field"]) == (400, "symbol")
    assert "ES1!" in answer.json()["message"]


def test_the_secret_may_stand_in_the_url(traders: NewTrader) -> None:
    trader = traders(secret_in=SecretIn.URL)
    path = f"/webhook/tradingview/{trader.access.token}"
    alert = trader.alert("buy", 1, secret=None)
    assert trader.send(alert, path=f"{path}/wrong").status_code == 401
    assert trader.send(alert, path=f"{path}/{trader.access.secret}").status_code == 200
    assert trader.position() == 1


def test_a_signed_request_needs_no_secret(stack: LocalStack, http: httpx.Client, trader: Trader) -> None:
    body, t = json.dumps(trader.alert("buy", 1, secret=None)).encode(), f"{time.time():.0f}"
    url = f"{stack.api_url}/webhook/tradingview/{trader.access.token}"
    forged, signed = ({HEADER: f"t={t},v1={sign(key, t, body)}"} for key in ("another", trader.access.secret))
    assert http.post(url, content=body, headers=forged).status_code == 401
    assert http.post(url, content=body, headers=signed).status_code == 200
    assert trader.position() == 1


@pytest.mark.parametrize(
    ("name", "position"),
    [
        ("traderspost/indicator.json", 1),
        ("pickmytrade/buy.json", 1),
        ("threecommas/documented_entry.json", 2),
        ("crosstrade/place.txt", 1),
        ("openalgo/place_order.json", 10),
    ],
)
def test_a_message_of_another_product_becomes_the_order_it_means(traders: NewTrader, name: str, position: int) -> None:
    its_secret = messages.expected(name)["alert"].get("secret")
    trader = traders(time=TimeOf.ARRIVAL, secret_in=SecretIn.BODY if its_secret else SecretIn.URL)
    # The contract that the message names is over by now.
    message = messages.body(name).decode().replace("MNQ 06-26", "MNQ1!")
    path = f"/webhook/tradingview/{trader.access.token}"
    if its_secret:
        message = message.replace(its_secret, trader.access.secret)
    else:
        path += f"/{trader.access.secret}"
    answer = trader.send(message, "text/plain", path)
    assert answer.status_code in {200, 202}, answer.text
    assert trader.ended(answer.json()["orders"][0]["order_id"]).state is OrderState.FILLED
    assert trader.position() == position
