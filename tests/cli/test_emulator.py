"""The emulator's life: what it refuses, and what it may not carry over from one start to the next."""

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.application import run
from cli.deployment import stop_left_behind
from cli.emulator import DEFAULT_PORT, Emulator, free_port
from cli.places import Local
from cli.problem import Problem
from cli.processes import Background
from cli.stack import bring_up, read_description


@contextmanager
def a_taken_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def a_stopped_stack(folder: Path, port: int = 4711) -> Local:
    """What `up` and `down` leave behind."""
    local = Local(folder)
    state = local.emulator / "state"
    state.mkdir(parents=True)
    for name in ("cloudformation", "dynamodb"):
        (state / f"{name}.json").write_text("{}")
    (local.emulator / "port").write_text(str(port))
    local.stack.write_text("{}")
    return local


@pytest.mark.enable_socket
def test_a_taken_port_is_told_before_anything_is_started(tmp_path: Path) -> None:
    with a_taken_port() as port, pytest.raises(Problem, match=f"port {port} cannot be used"):
        Emulator(tmp_path).start(port)
    assert not Emulator(tmp_path).has_state


@pytest.mark.enable_socket
def test_an_emulator_that_dies_while_starting_leaves_nothing_running(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where its folder should be")
    with pytest.raises((Problem, OSError)):
        Emulator(tmp_path).start(free_port())
    assert not Emulator(tmp_path).runs()


def test_a_stack_keeps_the_port_that_its_queues_carry_in_their_addresses(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="lives on port 4711"):
        bring_up(a_stopped_stack(tmp_path), port=4712, reset=False)


@pytest.mark.enable_socket
@pytest.mark.parametrize("missing", ["stack.json", "emulator/state/cloudformation.json"])
def test_a_start_that_was_cut_off_before_anything_was_saved_is_cleared_away(
    tmp_path: Path, missing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    local = a_stopped_stack(tmp_path)
    (tmp_path / missing).unlink()
    with a_taken_port() as port, pytest.raises(Problem, match=f"port {port} cannot be used"):
        bring_up(local, port=port, reset=False)
    assert not local.emulator.exists()
    assert "this one begins anew" in capsys.readouterr().err


@pytest.mark.enable_socket
def test_what_was_lost_with_a_killed_emulator_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with a_taken_port() as port:
        local = a_stopped_stack(tmp_path, port)
        Background(pid=1, started_at=0).write(local.emulator / "process.json")
        with pytest.raises(Problem, match="cannot be used"):
            bring_up(local, port=None, reset=False)
    told = " ".join(capsys.readouterr().err.split())
    saved_at = Emulator(local.emulator).saved_at
    assert saved_at is not None
    assert f"after {saved_at.astimezone():%Y-%m-%d %H:%M:%S}, when it last saved, is lost" in told


@pytest.mark.enable_socket
def test_after_an_orderly_stop_nothing_is_said_to_be_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with a_taken_port() as port, pytest.raises(Problem, match="cannot be used"):
        bring_up(a_stopped_stack(tmp_path, port), port=None, reset=False)
    assert "lost" not in capsys.readouterr().err


def test_a_port_file_without_a_number_is_told_with_its_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    local = a_stopped_stack(tmp_path)
    (local.emulator / "port").write_text("rubbish")
    assert run(["--local", str(tmp_path), "up"]) == 1
    told = capsys.readouterr().err
    assert "does not hold a port number" in told
    assert f"./fillpath --local {tmp_path} up --reset --port" in told


def test_a_folder_that_cannot_be_used_is_told_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--local", "/dev/null", "up"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("fillpath: /dev/null")


@pytest.mark.parametrize(("held", "state"), [(True, "starting"), (False, "unfinished")])
def test_a_start_under_way_and_one_that_was_cut_off_are_told_apart(
    tmp_path: Path, held: bool, state: str, capsys: pytest.CaptureFixture[str]
) -> None:
    local = a_stopped_stack(tmp_path)
    local.stack.unlink()
    Background.of(os.getpid()).write(local.emulator / "process.json")
    with local.lock.open("w") as lock:
        if held:
            fcntl.flock(lock, fcntl.LOCK_EX)
        assert run(["--local", str(tmp_path), "status", "--json"]) == 1
    health = json.loads(capsys.readouterr().out)
    assert (health["running"], health["state"], health["pid"]) == (False, state, os.getpid())


def test_the_deployment_of_a_killed_start_is_stopped(tmp_path: Path) -> None:
    process = Background.start(["sleep", "60"], env=os.environ, folder=tmp_path, log=tmp_path / "log")
    process.write(Local(tmp_path).deployer)
    assert stop_left_behind(Local(tmp_path))
    assert not process.runs()
    assert not stop_left_behind(Local(tmp_path))


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
