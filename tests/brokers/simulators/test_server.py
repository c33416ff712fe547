"""The server around a simulated venue: control, faults, counts, streams that break, and how it ends."""

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from fillpath.orders.model import Side
from tests.fakes.clock import FakeClock
from tests.simulators.exchange import NewOrder, SimulatedExchange
from tests.simulators.options import EXCHANGE, FAULTS, PLACING, SOCKETS, Options
from tests.simulators.server import Simulator, running, skeleton
from tests.simulators.sockets import StreamLine, WebSocketLine
from tests.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]

ROOT = Path(__file__).resolve().parents[3]
PLACE = ("POST", "/accounts/{account}/orders")


async def place(request: web.Request) -> web.Response:
    wanted = await request.json()
    order = request.app[EXCHANGE].place(NewOrder(wanted["symbol"], Side.BUY, Decimal(wanted["qty"])))
    return web.json_response({"id": order.id})


async def chat(request: web.Request) -> web.WebSocketResponse:
    response = web.WebSocketResponse()
    await response.prepare(request)
    line = request.app[SOCKETS].add(WebSocketLine(request, response, "chat"))
    async for message in response:
        try:
            await line.send(message.data)
        except ConnectionResetError:
            break
    request.app[SOCKETS].remove(line)
    return response


async def lines(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse()
    await answer.prepare(request)
    line = request.app[SOCKETS].add(StreamLine(request, answer))
    try:
        while True:
            await line.send(b'{"n": 1}\n')
            await asyncio.sleep(0.01)
    except ConnectionResetError:
        request.app[SOCKETS].remove(line)
    return answer


def application(exchange: SimulatedExchange, options: Options) -> web.Application:
    app = skeleton(exchange, options)
    app.router.add_post(PLACE[1], place)
    app.router.add_get("/chat", chat)
    app.router.add_get("/lines", lines)
    app[PLACING].add(PLACE)
    app[FAULTS].error_body = lambda status: {"venue says": status}
    app[FAULTS].on("expire_tokens", lambda value: app[EXCHANGE].set_cash(Decimal(value)))
    return app


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with running(application) as made:
        yield made


@pytest.fixture
def client(simulator: Simulator) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=simulator.url) as made:
        yield made


def buy(client: httpx.Client) -> httpx.Response:
    return client.post("/accounts/1/orders", json={"symbol": "AAPL", "qty": "1"})


def fault(client: httpx.Client, **wanted: Any) -> None:
    client.post("/_sim/faults", json=wanted).raise_for_status()


def placed(simulator: Simulator) -> int:
    return len(simulator.exchange.orders())


def talk(simulator: Simulator) -> ClientConnection:
    return connect(simulator.url.replace("http", "ws") + "/chat")


class TestControl:
    def test_a_price_is_set(self, client: httpx.Client, simulator: Simulator) -> None:
        assert client.post("/_sim/price", json={"symbol": "AAPL", "price": 123.45}).status_code == 200
        assert simulator.exchange.price("AAPL") == Decimal("123.45")

    def test_the_account_is_set_and_shown(self, client: httpx.Client) -> None:
        wanted = {"cash": 5000, "positions": {"AAPL": {"quantity": "-3", "average_price": "200"}}}
        client.post("/_sim/account", json=wanted).raise_for_status()

        (account,) = client.get("/_sim/state").json()["accounts"].values()

        assert account["cash"] == "5000"
        assert account["positions"] == {"AAPL": {"quantity": "-3", "average_price": "200"}}

    def test_the_fill_mode_is_set(self, client: httpx.Client, simulator: Simulator) -> None:
        client.post("/_sim/fill_mode", json={"name": "never_fill"}).raise_for_status()
        buy(client)
        assert simulator.exchange.positions() == {}

    @pytest.mark.parametrize(
        ("path", "body", "told"),
        [
            ("price", {"symbol": "AAPL"}, "price is missing"),
            ("price", {"symbol": "ZZZZ9", "price": 1}, "ZZZZ9 is not in the catalogue"),
            ("fill_mode", {"name": "delay", "seconds": "soon"}, "seconds"),
            ("faults", {"statsu": 500}, "expire_tokens"),
            ("faults", {"status": 500, "when": "later"}, "neither before nor after"),
            ("faults", {"sockets": "melt"}, "drop, half, silence, speak"),
        ],
    )
    def test_what_is_wrong_with_a_control_request_is_told(
        self, client: httpx.Client, path: str, body: dict[str, Any], told: str
    ) -> None:
        answer = client.post(f"/_sim/{path}", json=body)
        assert (answer.status_code, told in answer.json()["error"]) == (400, True)

    def test_requests_that_place_orders_are_counted_whatever_becomes_of_them(
        self, client: httpx.Client, simulator: Simulator
    ) -> None:
        buy(client)
        fault(client, status=503, when="before", times=1)
        buy(client)

        state = client.get("/_sim/state").json()

        assert (state["placing_requests"], simulator.placing_requests, placed(simulator)) == (2, 2, 1)
        assert state["requests"] == {"POST /accounts/{account}/orders": 2}
        assert [order["status"] for order in state["accounts"]["SIM0001"]["orders"]] == ["FILLED"]

    def test_a_reset_forgets_everything(self, client: httpx.Client) -> None:
        buy(client)
        fault(client, status=500)
        client.post("/_sim/reset").raise_for_status()

        state = client.get("/_sim/state").json()

        assert (state["accounts"], state["placing_requests"], state["faults"]) == ({}, 0, [])


class TestFaults:
    @pytest.mark.parametrize(("when", "acted"), [("before", 0), ("after", 1)])
    def test_a_status_comes_before_or_after_the_venue_has_acted(
        self, client: httpx.Client, simulator: Simulator, when: str, acted: int
    ) -> None:
        fault(client, status=503, when=when, times=1)

        answer = buy(client)

        assert (answer.status_code, answer.json(), placed(simulator)) == (503, {"venue says": 503}, acted)
        assert buy(client).status_code == 200

    def test_it_has_the_headers_and_the_body_that_were_wanted(self, client: httpx.Client) -> None:
        fault(client, status=429, headers={"Retry-After": "2"}, body="slow down")
        answer = buy(client)
        assert (answer.status_code, answer.headers["Retry-After"], answer.text) == (429, "2", "slow down")

    @pytest.mark.parametrize(("when", "acted"), [("before", 0), ("after", 1)])
    def test_the_line_drops_before_or_after_the_venue_has_acted(
        self, client: httpx.Client, simulator: Simulator, when: str, acted: int
    ) -> None:
        fault(client, drop=True, when=when, times=1)
        with pytest.raises(httpx.TransportError):
            buy(client)
        assert placed(simulator) == acted
        assert buy(client).status_code == 200

    def test_an_answer_may_come_late(self, client: httpx.Client, simulator: Simulator) -> None:
        fault(client, latency_ms=2_000, times=1)
        with pytest.raises(httpx.ReadTimeout):
            client.post("/accounts/1/orders", json={"symbol": "AAPL", "qty": "1"}, timeout=0.1)
        assert placed(simulator) == 0

    def test_a_venue_may_act_at_once_and_answer_late(self, client: httpx.Client, simulator: Simulator) -> None:
        fault(client, latency_ms=2_000, when="after", times=1)
        with pytest.raises(httpx.ReadTimeout):
            client.post("/accounts/1/orders", json={"symbol": "AAPL", "qty": "1"}, timeout=0.1)
        assert until(lambda: placed(simulator)) == 1

    def test_a_venue_may_act_long_after_nobody_waits_any_more_by_its_own_clock(self) -> None:
        clock = FakeClock()
        with running(application, exchange=SimulatedExchange(now=clock.now)) as simulator:
            with httpx.Client(base_url=simulator.url) as client:
                fault(client, overdue_ms=30_000, times=1)
                with pytest.raises(httpx.TransportError):
                    buy(client)
                clock.sleep(29.9)
                client.get("/_sim/state")
                [held] = simulator.faults.overdue
                assert (placed(simulator), held.done.is_set()) == (0, False)
                clock.sleep(0.1)
                assert held.done.wait(10)
            assert (placed(simulator), simulator.faults.overdue) == (1, [])

    def test_only_requests_that_match_are_touched(self, client: httpx.Client) -> None:
        fault(client, status=500, match={"method": "GET"})
        fault(client, status=501, match={"path": "^/accounts/2/"})

        assert buy(client).status_code == 200
        assert client.post("/accounts/2/orders", json={}).status_code == 501
        assert client.get("/accounts/2").status_code == 500

    def test_they_are_listed_and_taken_away(self, client: httpx.Client) -> None:
        fault(client, status=500)
        assert [each["status"] for each in client.get("/_sim/faults").json()["faults"]] == [500]

        client.delete("/_sim/faults").raise_for_status()

        assert buy(client).status_code == 200

    def test_a_venue_has_faults_of_its_own(self, client: httpx.Client, simulator: Simulator) -> None:
        fault(client, expire_tokens="7")
        assert simulator.exchange.balances().cash == 7


class TestStreams:
    def test_a_web_socket_is_cut(self, client: httpx.Client, simulator: Simulator) -> None:
        with talk(simulator) as chatting:
            chatting.send("hello")
            assert chatting.recv(5) == "hello"
            assert client.get("/_sim/state").json()["open_streams"] == ["chat"]

            fault(client, sockets="drop")

            with pytest.raises(ConnectionClosed):
                chatting.recv(5)

    @pytest.mark.parametrize("length", [20, 20_000])
    def test_a_web_socket_is_cut_inside_a_frame(self, client: httpx.Client, simulator: Simulator, length: int) -> None:
        with talk(simulator) as chatting:
            chatting.send("hello")
            assert chatting.recv(5) == "hello"
            fault(client, sockets="half")
            chatting.send("x" * length)
            with pytest.raises(ConnectionClosed):
                chatting.recv(5)

    def test_a_web_socket_says_nothing_for_a_while(self, client: httpx.Client, simulator: Simulator) -> None:
        with talk(simulator) as chatting:
            fault(client, sockets="silence")
            chatting.send("one")
            with pytest.raises(TimeoutError):
                chatting.recv(0.1)
            fault(client, sockets="speak")
            chatting.send("two")
            assert chatting.recv(5) == "two"

    @pytest.mark.parametrize(("kind", "whole"), [("drop", True), ("half", False)])
    def test_a_long_answer_is_cut_between_or_inside_lines(
        self, client: httpx.Client, simulator: Simulator, kind: str, whole: bool
    ) -> None:
        received: list[bytes] = []
        with pytest.raises(httpx.TransportError):
            _read_lines(simulator, received, lambda: fault(client, sockets=kind))
        assert received[-1].endswith(b"}\n") is whole

    def test_nothing_hangs_on_an_open_stream_when_it_ends(self) -> None:
        with ExitStack() as ended_later:
            with running(application) as simulator:
                ended_later.enter_context(talk(simulator))
                begun = time.monotonic()
            assert time.monotonic() - begun < 10


async def follow(request: web.Request) -> web.StreamResponse:
    """A stream that says nothing until something happens, so that it does not notice that its client has gone."""
    answer = web.StreamResponse()
    with request.app[EXCHANGE].events.subscribe() as events:
        await answer.prepare(request)
        await events.next()
    return answer


def follower(exchange: SimulatedExchange, options: Options) -> web.Application:
    app = skeleton(exchange, options)
    app.router.add_get("/follow", follow)
    return app


def test_a_stream_whose_client_has_gone_ends_with_the_simulator() -> None:
    with running(follower) as simulator:
        with httpx.stream("GET", f"{simulator.url}/follow"):
            simulator.wait_for_stream()
        assert len(simulator.exchange.events) == 1

    assert len(simulator.exchange.events) == 0


def test_what_keeps_a_venue_from_starting_is_raised() -> None:
    def broken(exchange: SimulatedExchange, options: Options) -> web.Application:
        raise RuntimeError("no such file")

    with pytest.raises(RuntimeError, match="no such file"), running(broken):
        pass


class TestProcess:
    def start(self, *arguments: str, **how: Any) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "tests.simulators", *arguments]
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how)

    def test_an_unknown_venue_is_told_with_those_there_are(self) -> None:
        with self.start("nowhere") as process:
            out, err = process.communicate(timeout=30)
        assert (process.returncode, out) == (2, "")
        assert "there is no simulator of 'nowhere'" in err

    def test_it_tells_where_it_is_and_ends_when_asked(self) -> None:
        with self.start("alpaca", "--json") as process:
            assert process.stdout
            told = json.loads(process.stdout.readline())
            state = httpx.get(f"{told['url']}/_sim/state").json()
            process.terminate()
            process.communicate(timeout=30)
        assert (told["venue"], process.returncode, state["accounts"]) == ("alpaca", 0, {})
        assert told["credentials"]

    def test_it_ends_with_its_standard_input(self) -> None:
        with self.start("alpaca", "--until-stdin-closes", stdin=subprocess.PIPE) as process:
            assert process.stdout
            assert "is simulated at http://127.0.0.1:" in process.stdout.readline()
            process.communicate(timeout=30)
        assert process.returncode == 0

    def test_it_ends_with_the_process_that_started_it(self) -> None:
        parent = (
            "import subprocess, sys\n"
            "command = [sys.executable, '-m', 'tests.simulators', 'alpaca', '--json']\n"
            "child = subprocess.Popen(command, stdout=subprocess.PIPE)\n"
            "print(child.stdout.readline().decode(), flush=True)\n"
            "import os; os._exit(0)\n"
        )
        ended = subprocess.run([sys.executable, "-c", parent], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
        port = int(json.loads(ended.stdout)["url"].rpartition(":")[2])

        until(lambda: not _listens(port))


def _read_lines(simulator: Simulator, received: list[bytes], after_two: Callable[[], None]) -> None:
    with httpx.Client(base_url=simulator.url) as other, other.stream("GET", "/lines") as answer:
        for chunk in answer.iter_raw():
            received.append(chunk)
            if len(received) == 2:
                after_two()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
