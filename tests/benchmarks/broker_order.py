"""broker-order: what one market order costs through the desk and a venue's adapter, against simulators on this machine.

Each venue's simulator is a process of its own, so that the CPU time of this thread is the adapter's alone: its requests and
answers, the desk, the HTTP library. Where an order comes from, and its record, are not part of it.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx

from fillpath.clock import SystemClock
from fillpath.ids import client_order_id, new_id
from fillpath.orders.model import Leg, LegStatus, Side
from fillpath.orders.outcomes import Accepted, LegView
from fillpath.orders.ports.desk import AccountRef
from fillpath_brokers.desk import BrokerDesk
from tests.benchmarks.figures import figures, percentile
from tests.contract.broker_bench import signed_in, traded

VENUES = ("alpaca", "tradovate")
WARM = 10
PATIENCE_S = 5.0
CLOCK = SystemClock()


@dataclass
class Times:
    """Of every order: until it was accepted, until its fill was seen, and this thread's CPU time for the latter, in ms."""

    accepted: list[float] = field(default_factory=list)
    fill_seen: list[float] = field(default_factory=list)
    own_cpu: list[float] = field(default_factory=list)


def run(n: int = 300) -> dict[str, Any]:
    """`n` orders one after the other at each venue, after some that warm it up."""
    told: dict[str, str] = {}
    first: list[float] = []
    for key in VENUES:
        times = _venue(key, n)
        first = first or times.fill_seen
        for name, values in vars(times).items():
            told[f"{key}_{name}_ms"] = f"p50 {statistics.median(values):.2f}, p99 {percentile(values, 99):.2f}"
    return figures("broker-order", first, **told)


def _venue(key: str, n: int) -> Times:
    times = Times()
    with _simulator(key) as url:
        account, services = signed_in(key, url, CLOCK, requests_per_minute="1000000")
        desk = BrokerDesk(services)
        try:
            for number in range(WARM + n):
                _order(desk, account, _leg(key, number), times if number >= WARM else Times())
        finally:
            desk.close()
            services.web.close()
    return times


def _order(desk: BrokerDesk, account: AccountRef, leg: Leg, times: Times) -> None:
    begun, cpu = time.perf_counter(), time.thread_time()
    outcome = desk.submit(account, leg)
    if not isinstance(outcome, Accepted):
        raise RuntimeError(f"the order was not accepted: {outcome}")
    times.accepted.append((time.perf_counter() - begun) * 1000)
    view: LegView | None = outcome.view
    while view is None or view.status is not LegStatus.FILLED:
        if time.perf_counter() - begun > PATIENCE_S:
            raise RuntimeError(f"the order was not filled: {view}")
        view = desk.look_up(account, leg.model_copy(update={"broker_order_id": outcome.view.broker_order_id}))
    times.fill_seen.append((time.perf_counter() - begun) * 1000)
    times.own_cpu.append((time.thread_time() - cpu) * 1000)


def _leg(key: str, number: int) -> Leg:
    """Bought and sold in turn, so that nothing adds up."""
    now = CLOCK.now()
    return Leg(
        leg="main",
        client_order_id=client_order_id(new_id(now), "main"),
        contract=traded(key, CLOCK)[0],
        side=Side.SELL if number % 2 else Side.BUY,
        quantity=Decimal(1),
        prepared_at=now,
        submit_by=now + timedelta(seconds=10),
        status=LegStatus.SUBMITTING,
        attempts=1,
    )


@contextmanager
def _simulator(key: str) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.simulators", key, "--json", "--until-stdin-closes"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if process.stdout is None or process.stdin is None:
            raise RuntimeError("the simulator has no pipes")
        try:
            url = str(json.loads(process.stdout.readline())["url"])
            httpx.post(f"{url}/_sim/faults", json={"rate_limits": "off"}).raise_for_status()
            yield url
        finally:
            process.stdin.close()
