"""The simulated Alpaca: what it says is what Alpaca would say, and it takes 200 requests a minute."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from fillpath.orders.model import Side
from tests.brokers.alpaca.test_wire import sample
from tests.fakes.clock import FakeClock
from tests.simulators.alpaca import CREDENTIALS
from tests.simulators.alpaca.schemas import SCHEMAS
from tests.simulators.exchange import NewOrder, SimulatedExchange
from tests.simulators.options import OPTIONS, Options
from tests.simulators.schemas import WrongReply
from tests.simulators.server import Simulator, running
from tests.waiting import until

KEYS = {"APCA-API-KEY-ID": CREDENTIALS["key_id"], "APCA-API-SECRET-KEY": CREDENTIALS["secret_key"]}
ALLOWED = 200


@pytest.mark.parametrize(
    "wrong", [{"replacedby": None}, {"id": "not-a-uuid"}, {"created_at": "yesterday"}, {"legs": [{"symbol": "AAPL"}]}]
)
def test_an_order_that_alpaca_would_not_send_is_found(wrong: dict[str, Any]) -> None:
    SCHEMAS.check("Order", sample("order_new"))
    with pytest.raises(WrongReply):
        SCHEMAS.check("Order", sample("order_new") | wrong)


def test_so_is_an_order_without_what_alpaca_always_tells() -> None:
    order = sample("order_new")
    for name in order:
        with pytest.raises(WrongReply, match=f"'{name}' is a required property"):
            SCHEMAS.check("Order", {key: value for key, value in order.items() if key != name})


@pytest.mark.parametrize("wrong", [{"code": "40310000"}, {"text": "no"}, {"message": ""}])
def test_so_is_an_error(wrong: dict[str, Any]) -> None:
    SCHEMAS.check("Error", sample("refusal_qty"))
    with pytest.raises(WrongReply):
        SCHEMAS.check("Error", sample("refusal_qty") | wrong)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def simulator(clock: FakeClock) -> Iterator[Simulator]:
    with running("alpaca", Options(strict=True), SimulatedExchange(now=clock.now)) as made:
        made.exchange.set_price("AAPL", Decimal(200))
        yield made


@pytest.fixture
def client(simulator: Simulator) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=simulator.url, headers=KEYS) as made:
        yield made


@pytest.mark.integration
@pytest.mark.enable_socket
class TestLimits:
    def test_every_answer_tells_what_is_left_and_the_next_one_is_refused(self, client: httpx.Client, clock: FakeClock) -> None:
        reset = str(int(clock.now().timestamp()) + 60)
        for left in range(ALLOWED - 1, -1, -1):
            answer = client.get("/v2/clock")
            assert answer.status_code == 200
            told = [answer.headers[f"X-RateLimit-{name}"] for name in ("Limit", "Remaining", "Reset")]
            assert told == [str(ALLOWED), str(left), reset]

        refused = client.get("/v2/clock")

        assert (refused.status_code, refused.headers["X-RateLimit-Remaining"]) == (429, "0")
        assert (refused.headers["X-RateLimit-Reset"], refused.json()) == (
            reset,
            {"code": 42910000, "message": "too many requests."},
        )
        clock.sleep(60)
        assert client.get("/v2/clock").status_code == 200

    def test_what_is_refused_counts_and_market_data_is_counted_by_itself(self, client: httpx.Client) -> None:
        client.get("/v2/orders/1")
        assert client.get("/v2/orders/1").headers["X-RateLimit-Remaining"] == str(ALLOWED - 2)
        latest = client.get("/v2/stocks/trades/latest", params={"symbols": "AAPL,MSFT"})
        assert latest.headers["X-RateLimit-Remaining"] == str(ALLOWED - 1)
        assert sorted(latest.json()["trades"]) == ["AAPL", "MSFT"]


@pytest.mark.integration
@pytest.mark.enable_socket
def test_an_order_in_a_stream_is_checked_too() -> None:
    with pytest.raises(WrongReply, match=r"UpdateFrame.*order\.client_order_id"):
        tell_a_wrong_order()


def tell_a_wrong_order() -> None:
    with running("alpaca", Options(strict=True)) as made:
        made.exchange.set_price("AAPL", Decimal(200))
        with connect(made.url.replace("http", "ws") + "/stream") as stream:
            stream.send(json.dumps({"action": "auth", "key": CREDENTIALS["key_id"], "secret": CREDENTIALS["secret_key"]}))
            stream.send(json.dumps({"action": "listen", "data": {"streams": ["trade_updates"]}}))
            made.wait_for_stream()
            made.exchange.place(NewOrder("AAPL", Side.BUY, Decimal(1), client_order_id="longer than Alpaca takes " * 6))
            until(lambda: made.application[OPTIONS].wrong)
