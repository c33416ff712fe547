"""alert-to-fill: alerts through the running local stack, each measured from the post to the answer that shows its paper fill."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from tests.benchmarks.figures import figures

SYMBOLS = ("ES1!", "NQ1!", "YM1!", "RTY1!", "CL1!", "GC1!", "6E1!", "ZN1!", "AAPL", "MSFT")


class Sender:
    """Posts alerts to one webhook; every alert differs from every other by its id."""

    def __init__(self, stack: dict[str, Any]) -> None:
        self._url, self._secret = stack["webhook_url"], stack["webhook_secret"]
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
    sender = Sender(json.loads(stack_file.read_text()))
    for symbol in SYMBOLS:
        _warm(sender, symbol)
    times = [sender.filled(sender.alert("ES1!", "buy" if number % 2 == 0 else "close")) for number in range(n)]
    return figures(
        "alert-to-fill",
        times,
        five_at_once_ms=_burst(sender, SYMBOLS[:5]),
        hundred_over_ten_symbols_ms=_burst(sender, SYMBOLS * 10),
        identical_posts=202,
        fills_of_identical_posts=_identical(sender, 202),
    )


def _warm(sender: Sender, symbol: str) -> None:
    sender.post(sender.alert(symbol, "buy"))
    sender.post(sender.alert(symbol, "close"))


def _burst(sender: Sender, symbols: tuple[str, ...]) -> float:
    """Milliseconds until the last of these alerts, posted sixteen at a time, shows its fill; slow ones are asked for again."""
    alerts = [sender.alert(symbol, "buy") for symbol in symbols]
    begun = time.perf_counter()
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda alert: _until_filled(sender, alert), alerts))
    return round((time.perf_counter() - begun) * 1000, 1)


def _until_filled(sender: Sender, alert: dict[str, Any]) -> None:
    answer = sender.post(alert)
    while answer.status_code == 202 or (answer.status_code == 403 and not _all_filled(answer)):
        time.sleep(0.05)
        answer = sender.post(alert)  # a replay answers with the first one's orders and executes nothing
    if answer.status_code not in {200, 403} or not _all_filled(answer):
        raise RuntimeError(f"{answer.status_code} {answer.text}")


def _all_filled(answer: httpx.Response) -> bool:
    body = answer.json()
    orders = body.get("orders") or body.get("details", {}).get("orders", [])
    return bool(orders) and all(order["state"] == "FILLED" for order in orders)


def _identical(sender: Sender, times: int) -> int:
    """How many orders came of one alert posted so many times at once."""
    alert = sender.alert("ES1!", "buy")
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: sender.post(alert), range(times)))
    orders = [answer.json().get("orders") or answer.json()["details"]["orders"] for answer in answers]
    return len({order["order_id"] for found in orders for order in found})
