"""alert-to-fill: alerts through the running local stack, each measured from the post to the answer that shows its paper fill."""

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from fillpath.orders.model import OrderState
from fillpath.orders.ports.order_store import OrderStore
from fillpath_aws.clients import service
from fillpath_aws.json_rpc import Connection, Keys
from fillpath_aws.order_store import DynamoOrderStore
from tests.benchmarks.figures import figures

AT_A_TIME = 16
SYMBOLS = ("ES1!", "NQ1!", "YM1!", "RTY1!", "CL1!", "GC1!", "6E1!", "ZN1!", "AAPL", "MSFT")


class Sender:
    """Posts alerts to one webhook; every alert differs from every other by its id."""

    def __init__(self, url: str, secret: str) -> None:
        self._url, self._secret = url, secret
        self._client = httpx.Client(timeout=30, limits=httpx.Limits(max_connections=64))
        self._number = 0

    def alert(self, symbol: str, action: str) -> dict[str, Any]:
        """One alert."""
        self._number += 1
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        identity = f"bench {self._number} {time.time_ns()}"
        return {"action": action, "symbol": symbol, "quantity": 1, "timestamp": now, "id": identity, "secret": self._secret}

    def post(self, alert: dict[str, Any]) -> httpx.Response:
        """Post it."""
        return self._client.post(self._url, content=json.dumps(alert))

    def filled(self, alert: dict[str, Any]) -> float:
        """Milliseconds from the post to the fill; an answer without one is an error."""
        begun = time.perf_counter()
        answer = self.post(alert)
        took = (time.perf_counter() - begun) * 1000
        states = [order["state"] for order in answer.json().get("orders", [])]
        if answer.status_code != 200 or states != ["FILLED"]:
            raise RuntimeError(f"{answer.status_code} {answer.text}")
        return took


def run(stack_file: Path, n: int = 200) -> dict[str, Any]:
    """One after another; then five at once, a hundred over ten symbols, and one alert 202 times."""
    stack = json.loads(stack_file.read_text())
    sender, orders = Sender(stack["webhook_url"], stack["webhook_secret"]), _orders(stack)
    _warm(sender)
    local = stack_file.parent
    impatient = _impatient_sender(local)
    times = [sender.filled(sender.alert("ES1!", "buy" if number % 2 == 0 else "close")) for number in range(n)]
    _quiet(local)
    five = _burst(impatient, orders, [[symbol] for symbol in SYMBOLS[:5]])
    _quiet(local)
    return figures(
        "alert-to-fill",
        times,
        five_at_once_ms=five,
        hundred_over_ten_symbols_ms=_burst(impatient, orders, [[symbol] * 10 for symbol in SYMBOLS]),
        identical_posts=202,
        orders_of_identical_posts=_identical(sender, 202),
    )


def _impatient_sender(local: Path) -> Sender:
    """For bursts: a webhook that answers without waiting for the result."""
    added = _fillpath(local, "webhook", "add", "--label", "bench", "--wait-s", "0")
    return Sender(added["url"], added["secret"])


def _quiet(local: Path) -> None:
    """Wait until the messages of what went before are used up: the emulator reads its queues one message at a time."""
    while any(queue["waiting"] or queue["in_flight"] for queue in _fillpath(local, "status")["queues"].values()):
        time.sleep(0.5)


def _fillpath(local: Path, *command: str) -> Any:
    ran = subprocess.run(
        [sys.executable, "-m", "cli", "--local", str(local), *command, "--json"], check=True, capture_output=True, text=True
    )
    return json.loads(ran.stdout)


def _orders(stack: dict[str, Any]) -> OrderStore:
    aws = stack["aws"]
    keys = Keys(aws["access_key_id"], aws["secret_access_key"])
    dynamodb = service("dynamodb", Connection(aws["region"], f"{aws['endpoint_url']}/", lambda: keys))
    return DynamoOrderStore(dynamodb, stack["tables"]["orders"])


def _warm(sender: Sender) -> None:
    """The emulator keeps one process for each invocation at a time: have them all started, and every symbol traded once."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        list(pool.map(lambda _: sender.post({"action": "none"}), range(AT_A_TIME * 3)))
    for symbol in SYMBOLS:
        for action in ("buy", "close"):
            sender.post(sender.alert(symbol, action))


def _burst(sender: Sender, orders: OrderStore, groups: list[list[str]]) -> float:
    """Milliseconds until the last alert shows its fill; groups are posted at once, a group's alerts one after another."""

    def post(symbols: list[str]) -> list[str]:
        answers = [sender.post(sender.alert(symbol, "buy")) for symbol in symbols]
        return [answer.json()["orders"][0]["order_id"] for answer in answers]

    begun = time.perf_counter()
    with ThreadPoolExecutor(len(groups)) as pool:
        waiting = {order_id for group in pool.map(post, groups) for order_id in group}
    while waiting:
        states = {order_id: orders.get(order_id).state for order_id in waiting}
        waiting = {order_id for order_id, state in states.items() if not state.ended}
        if set(states.values()) & {OrderState.REJECTED, OrderState.EXPIRED}:
            raise RuntimeError(f"not every alert was filled: {states}")
    return round((time.perf_counter() - begun) * 1000, 1)


def _identical(sender: Sender, times: int) -> int:
    """How many orders came of one alert posted so many times, sixteen at once."""
    alert = sender.alert("ES1!", "buy")
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        answers = list(pool.map(lambda _: sender.post(alert), range(times)))
    orders = [answer.json().get("orders") or answer.json()["details"]["orders"] for answer in answers]
    return len({order["order_id"] for found in orders for order in found})
