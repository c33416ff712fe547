"""`./fillpath down` and `up` again, on a stack of its own: what was there is there, and it goes on trading."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.emulator import free_port
from cli.places import ROOT
from fillpath.orders.model import OrderState
from tests.e2e.local_stack import LocalStack
from tests.e2e.trader import Trader, new_trader


class Commands:
    """./fillpath on a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.stack_file = folder / "stack.json"
        self._folder = folder

    def run(self, *arguments: str) -> str:
        command = [str(ROOT / "fillpath"), "--local", str(self._folder), *arguments]
        completed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert completed.returncode == 0, completed.stderr
        return completed.stdout

    def up(self, *arguments: str) -> dict[str, Any]:
        described: dict[str, Any] = json.loads(self.run("up", "--detach", "--json", *arguments))
        return described


@pytest.fixture
def commands(tmp_path: Path) -> Iterator[Commands]:
    own = Commands(tmp_path)
    yield own
    own.run("down")


def test_orders_and_positions_are_there_after_down_and_up(commands: Commands, http: httpx.Client) -> None:
    before = commands.up("--port", str(free_port()))
    trader = new_trader(LocalStack(commands.stack_file), http)
    trader.hold(2)
    order = trader.trade("sell", 1)
    alert = trader.alert("buy", 3)
    assert trader.send(alert).status_code == 200

    commands.run("down")
    assert commands.up() == before

    again = Trader(LocalStack(commands.stack_file), http, trader.user, trader.accounts, trader.webhook)
    assert (again.look(order), again.position()) == (order, 3)
    assert again.access == trader.access
    assert again.send(alert).json()["error"] == "replayed_alert"
    assert again.trade("close").state is OrderState.FILLED
    assert again.position() == 0
