"""The emulator's life: what it refuses, and what it may not carry over from one start to the next."""

import json
import socket
from pathlib import Path

import pytest

from cli.emulator import DEFAULT_PORT, Emulator, free_port
from cli.places import Local
from cli.problem import Problem
from cli.stack import bring_up, read_description


@pytest.mark.enable_socket
def test_a_taken_port_is_told_before_anything_is_started(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Problem, match=f"port {port} cannot be used"):
            Emulator(tmp_path).start(port)
    assert not Emulator(tmp_path).has_state


@pytest.mark.enable_socket
def test_an_emulator_that_dies_while_starting_leaves_nothing_running(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where its folder should be")
    with pytest.raises((Problem, OSError)):
        Emulator(tmp_path).start(free_port())
    assert not Emulator(tmp_path).runs()


def test_a_stack_keeps_the_port_that_its_queues_carry_in_their_addresses(tmp_path: Path) -> None:
    local = Local(tmp_path)
    local.emulator.mkdir()
    (local.emulator / "port").write_text("4711")
    with pytest.raises(Problem, match="lives on port 4711"):
        bring_up(local, port=4712, reset=False)


def test_the_port_is_4566_unless_told(tmp_path: Path) -> None:
    assert Emulator(tmp_path).port == DEFAULT_PORT == 4566


def test_what_needs_a_stack_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(Problem) as told:
        read_description(Local(tmp_path))
    assert told.value.hint == "start it: ./fillpath up --detach"


@pytest.mark.enable_socket
def test_stream_positions_are_forgotten_because_streams_begin_anew(tmp_path: Path) -> None:
    saved = {"__ministack_format__": 2, "payload": {"dynamodb_stream_positions": {"mapping": 7}, "esms": {"mapping": {}}}}
    state = tmp_path / "state" / "lambda.json"
    state.parent.mkdir()
    state.write_text(json.dumps(saved))
    emulator = Emulator(tmp_path)
    emulator.start(free_port())
    kept = json.loads(state.read_text())["payload"]
    emulator.stop()
    assert kept == {"dynamodb_stream_positions": {}, "esms": {"mapping": {}}}
