"""Which venues there are, and simulators of them."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from cli.application import run
from cli.commands.simulators import FOLDER, known
from fillpath_brokers import registry
from tests.simulators.server import venues as simulated

ROOT = Path(__file__).resolve().parents[2]


def test_venues_are_listed_for_programs_with_all_that_they_can_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["venues", "--json"]) == 0

    listed = {each["key"]: each for each in json.loads(capsys.readouterr().out)}

    assert tuple(listed) == registry.venues()
    paper = listed["paper"]
    assert paper["name"] == registry.name("paper")
    able = paper["capabilities"]
    assert (able["can_stream_data"], able["feeds"]) == (False, [])
    assert listed["alpaca"]["capabilities"]["feeds"] == ["bars", "quotes", "ticks"]
    assert able["order_types"] == ["limit", "market", "oco", "stop", "stop_limit", "trailing_stop"]
    assert able["time_in_force"] == ["day", "fok", "gtc", "ioc"]
    assert (able["bracket"], able["front_month"], able["requests_per_minute"]) == (True, False, None)


def test_venues_are_listed_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["venues"]) == 0
    out = capsys.readouterr().out
    for told in ("paper", "Paper (simulated exchange)", "trailing_stop, oco", "bracket", "equity"):
        assert told in out


def test_an_unknown_simulator_is_refused_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulator", "nowhere"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"there is no simulator of nowhere; there are: {', '.join(simulated())}" in captured.err


@pytest.mark.enable_socket
def test_a_port_that_is_taken_is_told_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert run(["simulator", "alpaca", "--port", str(port)]) == 1
    assert f"port {port} of 127.0.0.1 cannot be used" in capsys.readouterr().err


def test_the_command_knows_the_simulators_that_the_server_finds(tmp_path: Path) -> None:
    assert known(FOLDER) == list(simulated())
    assert known(tmp_path) == []


def start(*arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-P", "-m", "cli", "simulator", *arguments]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={"COLUMNS": "200"},
    )


@pytest.mark.integration
@pytest.mark.enable_socket
def test_a_simulator_runs_until_it_is_interrupted() -> None:
    with start("alpaca", "--json") as process:
        assert process.stdout
        told = json.loads(process.stdout.readline())
        assert httpx.get(f"{told['url']}/_sim/state").status_code == 200
        # As a terminal does it: the whole group is interrupted.
        _interrupt(process)
        process.communicate(timeout=30)
    assert (told["venue"], process.returncode) == ("alpaca", 0)


@pytest.mark.integration
@pytest.mark.enable_socket
def test_a_person_is_told_how_to_add_an_account_there() -> None:
    with start("alpaca") as process:
        assert process.stderr
        process.stderr.readline()
        _interrupt(process)
        out, _ = process.communicate(timeout=30)
    assert "./fillpath account add alpaca --endpoint http://127.0.0.1:" in out
    assert "/_sim/" in out


def _interrupt(process: "subprocess.Popen[str]") -> None:
    os.killpg(process.pid, signal.SIGINT)
