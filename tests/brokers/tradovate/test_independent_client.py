"""A small client that knows nothing of ours, made from Tradovate's documented wire alone, against the simulator.

There is no official SDK for Python: this stands in for one, so that simulator and adapter cannot agree on a mistake of their own.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.simulators.options import Options
from tests.simulators.server import Simulator, running
from tests.simulators.tradovate import CREDENTIALS

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]

LOGIN = {
    "name": CREDENTIALS["name"],
    "password": CREDENTIALS["password"],
    "appId": "Sample App",
    "appVersion": "1.0",
    "deviceId": "71986488-882c-43db-c345-92a0a2ed9329",
    "cid": 8,
    "sec": CREDENTIALS["sec"],
}


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with running("tradovate", Options(strict=True)) as made:
        yield made


class Client:
    """REST as in the tutorials: a bearer token, JSON both ways."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=f"{url}/v1", timeout=5)
        answer = self._http.post("/auth/accesstokenrequest", json=LOGIN).json()
        self.token: str = answer["accessToken"]
        self.md_token: str = answer["mdAccessToken"]
        self.user_id: int = answer["userId"]
        self._http.headers["Authorization"] = f"Bearer {self.token}"
        self.account = self.get("account/list")[0]

    def get(self, path: str, **query: Any) -> Any:
        answer = self._http.get(f"/{path}", params=query)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, **body: Any) -> Any:
        answer = self._http.post(f"/{path}", json=body)
        answer.raise_for_status()
        return answer.json()

    def order(self, **fields: Any) -> dict[str, Any]:
        known = {"accountSpec": self.account["name"], "accountId": self.account["id"], "isAutomated": True, "orderQty": 1}
        return known | fields

    def close(self) -> None:
        self._http.close()


@pytest.fixture
def client(simulator: Simulator) -> Iterator[Client]:
    made = Client(simulator.url)
    yield made
    made.close()


@pytest.fixture
def contract(simulator: Simulator, client: Client) -> str:
    name: str = client.get("contract/suggest", t="ES", l=10)[0]["name"]
    simulator.exchange.set_price(name, Decimal(5900))
    return name


class Socket:
    """One WebSocket: numbered requests of four lines, answers by number, events in their order."""

    def __init__(self, line: ClientConnection) -> None:
        self._line = line
        self._number = 0
        self._answers: dict[int, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []

    async def ask(self, endpoint: str, body: Any = None, query: str = "") -> dict[str, Any]:
        number = self._number
        self._number += 1
        text = body if isinstance(body, str) else json.dumps(body) if body is not None else ""
        await self._line.send(f"{endpoint}\n{number}\n{query}\n{text}")
        await self._until(lambda: number in self._answers)
        return self._answers.pop(number)

    async def event(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        await self._until(lambda: any(map(wanted, self.events)))
        return next(each for each in self.events if wanted(each))

    async def entity(self, kind: str, **fields: Any) -> dict[str, Any]:
        def fits(event: dict[str, Any]) -> bool:
            data = event["d"]
            is_kind = event["e"] == "props" and data["entityType"] == kind
            return is_kind and all(data["entity"].get(name) == value for name, value in fields.items())

        found: dict[str, Any] = (await self.event(fits))["d"]["entity"]
        return found

    async def _until(self, there: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not there():
                await self._read()

    async def _read(self) -> None:
        frame = str(await self._line.recv())
        if frame[0] == "h":
            await self._line.send("[]")
        if frame[0] != "a":
            return
        for message in json.loads(frame[1:]):
            if "e" in message:
                self.events.append(message)
            else:
                self._answers[message["i"]] = message


@asynccontextmanager
async def socket(simulator: Simulator, token: str) -> AsyncIterator[Socket]:
    async with connect(f"{simulator.url.replace('http', 'ws')}/v1/websocket") as line:
        assert await line.recv() == "o"
        made = Socket(line)
        assert await made.ask("authorize", token) == {"s": 200, "i": 0}
        yield made


def run(story: Awaitable[None]) -> None:
    async def finish() -> None:
        await story

    asyncio.run(finish())


def test_it_signs_in_synchronizes_places_sees_the_events_and_cancels(simulator: Simulator, client: Client, contract: str) -> None:
    async def story() -> None:
        async with socket(simulator, client.token) as user:
            snapshot = (await user.ask("user/syncrequest", {"users": [client.user_id]}))["d"]
            assert snapshot["accounts"] == [client.account]
            assert snapshot["orders"] == []

            limit = client.order(
                action="Buy", symbol=contract, orderType="Limit", price=5800.25, timeInForce="GTC", clOrdId="mine-1"
            )
            placed = await asyncio.to_thread(lambda: client.post("order/placeorder", **limit))
            order_id = placed["orderId"]
            new = await user.entity("order", id=order_id, ordStatus="PendingNew")
            assert new["action"] == "Buy"
            assert "price" not in new
            version = await user.entity("orderVersion", orderId=order_id)
            assert (version["price"], version["orderQty"], version["timeInForce"]) == (5800.25, 1, "GTC")
            assert (await user.entity("command", orderId=order_id))["clOrdId"] == "mine-1"
            await user.entity("commandReport", commandStatus="RiskPassed")
            await user.entity("executionReport", orderId=order_id, execType="New")
            await user.entity("order", id=order_id, ordStatus="Working")

            cancelled = await asyncio.to_thread(lambda: client.post("order/cancelorder", orderId=order_id, isAutomated=True))
            assert "commandId" in cancelled
            await user.entity("order", id=order_id, ordStatus="Canceled")
            again = await asyncio.to_thread(lambda: client.post("order/cancelorder", orderId=order_id))
            assert again["failureReason"] == "TooLate"

    run(story())


def test_a_market_order_fills_and_moves_position_and_cash(simulator: Simulator, client: Client, contract: str) -> None:
    async def story() -> None:
        async with socket(simulator, client.token) as user:
            await user.ask("user/syncrequest", {"users": [client.user_id]})
            answer = await user.ask(
                "order/placeorder", client.order(action="Sell", symbol=contract, orderType="Market", orderQty=2)
            )
            order_id = answer["d"]["orderId"]
            fill = await user.entity("fill", orderId=order_id)
            assert (fill["qty"], fill["price"], fill["active"]) == (2, 5900.0, True)
            await user.entity("executionReport", orderId=order_id, execType="Trade")
            await user.entity("order", id=order_id, ordStatus="Filled")
            await user.entity("position", netPos=-2)
            await user.entity("cashBalance", accountId=client.account["id"])

    run(story())
    assert client.get("order/item", id=client.get("order/list")[0]["id"])["ordStatus"] == "Filled"
    [position] = client.get("position/list")
    assert (position["netPos"], position["netPrice"]) == (-2, 5900.0)
    liquidated = client.post(
        "order/liquidateposition", accountId=client.account["id"], contractId=position["contractId"], admin=False
    )
    assert "orderId" in liquidated
    assert client.get("position/list")[0]["netPos"] == 0


def test_an_oso_becomes_a_pair_when_its_entry_fills(simulator: Simulator, client: Client, contract: str) -> None:
    placed = client.post(
        "order/placeOSO",
        **client.order(action="Buy", symbol=contract, orderType="Limit", price=5880),
        bracket1={"action": "Sell", "orderType": "Limit", "price": 5920},
        bracket2={"action": "Sell", "orderType": "Stop", "stopPrice": 5860},
    )
    ids = [placed["orderId"], placed["oso1Id"], placed["oso2Id"]]

    def statuses() -> list[str]:
        return [each["ordStatus"] for each in client.get("order/items", ids=",".join(map(str, ids)))]

    assert statuses() == ["Working", "Suspended", "Suspended"]
    simulator.exchange.set_price(contract, Decimal(5880))
    assert statuses() == ["Filled", "Working", "Working"]
    simulator.exchange.set_price(contract, Decimal(5860))
    assert statuses() == ["Filled", "Canceled", "Filled"]
    children = client.get("order/items", ids=f"{ids[1]},{ids[2]}")
    assert {each["parentId"] for each in children} == {ids[0]}


def test_an_oco_and_a_change_that_sends_all_values(simulator: Simulator, client: Client, contract: str) -> None:
    pair = client.post(
        "order/placeoco",
        **client.order(action="Sell", symbol=contract, orderType="Stop", stopPrice=5850),
        other={"action": "Sell", "orderType": "Limit", "price": 5950},
    )
    assert client.get("orderVersion/deps", masterid=pair["orderId"])[0]["orderType"] == "Stop"
    changed = client.post(
        "order/modifyorder", orderId=pair["ocoId"], orderQty=1, orderType="Limit", price=5940.5, isAutomated=True
    )
    assert "commandId" in changed
    assert client.get("orderVersion/deps", masterid=pair["ocoId"])[-1]["price"] == 5940.5
    incomplete = client.post("order/modifyorder", orderId=pair["ocoId"], orderQty=2, orderType="Limit")
    assert incomplete["failureReason"] == "InvalidPrice"


def test_without_money_an_order_is_taken_and_rejected_by_the_risk_check(
    simulator: Simulator, client: Client, contract: str
) -> None:
    simulator.exchange.set_cash(Decimal(100))
    placed = client.post("order/placeorder", **client.order(action="Buy", symbol=contract, orderType="Market"))
    assert client.get("order/item", id=placed["orderId"])["ordStatus"] == "Rejected"
    [command] = client.get("command/deps", masterid=placed["orderId"])
    [report] = client.get("commandReport/deps", masterid=command["id"])
    assert report["commandStatus"] == "RiskRejected"
    assert "margin" in report["text"].lower()


def test_quotes_and_charts_come_over_the_market_data_socket(simulator: Simulator, client: Client, contract: str) -> None:
    number = client.get("contract/find", name=contract)["id"]

    async def story() -> None:
        async with socket(simulator, client.md_token) as market:
            assert (await market.ask("md/subscribeQuote", {"symbol": contract}))["s"] == 200
            quote = (await market.event(lambda each: each["e"] == "md"))["d"]["quotes"][0]
            assert quote["contractId"] == number
            assert {"Bid", "Offer", "Trade", "TotalTradeVolume"} <= quote["entries"].keys()
            chart = {
                "underlyingType": "MinuteBar",
                "elementSize": 1,
                "elementSizeUnit": "UnderlyingUnits",
                "withHistogram": False,
            }
            wanted = {"symbol": contract, "chartDescription": chart, "timeRange": {"asMuchAsElements": 120}}
            ids = (await market.ask("md/getChart", wanted))["d"]

            def is_over(event: dict[str, Any]) -> bool:
                return event["e"] == "chart" and event["d"]["charts"][0] == {"id": ids["historicalId"], "eoh": True}

            await market.event(is_over)
            packets = [each["d"]["charts"][0] for each in market.events if each["e"] == "chart"]
            rows = [row for each in packets if each["id"] == ids["historicalId"] for row in each.get("bars", [])]
            assert len(rows) == 119  # the running minute comes live
            assert (await market.ask("md/cancelChart", {"subscriptionId": ids["realtimeId"]}))["s"] == 200
            denied = await market.ask("user/syncrequest", {"users": [client.user_id]})
            assert (denied["s"], denied["d"]) == (401, "Access is denied")

    run(story())


def test_a_penalty_is_served_and_paid_with_its_ticket(simulator: Simulator, client: Client, contract: str) -> None:
    simulator.faults.add({"penalty": {"endpoint": "order/placeorder", "time": 1}})
    order = client.order(action="Buy", symbol=contract, orderType="Market")
    penalty = client.post("order/placeorder", **order)
    assert (penalty["p-time"], penalty["p-captcha"]) == (1, False)
    assert client.get("order/list") == []
    assert "orderId" in client.post("order/placeorder", **order, **{"p-ticket": penalty["p-ticket"]})


def test_a_third_login_ends_the_oldest_session(simulator: Simulator, client: Client) -> None:
    others = [Client(simulator.url) for _ in range(2)]
    with pytest.raises(httpx.HTTPStatusError, match="401"):
        client.get("account/list")
    for other in others:
        assert other.get("account/list")
        other.close()


def test_a_renewed_token_has_a_new_end(simulator: Simulator, client: Client) -> None:
    renewed = client.get("auth/renewaccesstoken")
    assert renewed["accessToken"] != client.token
    assert client.get("auth/me")["userId"] == client.user_id == renewed["userId"]


def test_who_does_not_beat_is_dropped(simulator: Simulator, client: Client) -> None:
    simulator.faults.add({"silence_s": 0.5})
    heard: list[str] = []

    async def story() -> None:
        async with connect(f"{simulator.url.replace('http', 'ws')}/v1/websocket") as line, asyncio.timeout(20):
            heard.extend([str(frame) async for frame in line])

    run(story())
    assert heard[0] == "o"
    assert len(heard) <= 2
