"""A process is known by its number and its start time."""

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from cli.processes import Background, discard

# Tells its child's number, then waits longer than any test.
PARENT = "import subprocess, sys, time; child = subprocess.Popen(['sleep', '60']); print(child.pid, flush=True); time.sleep(60)"


@pytest.fixture
def background(tmp_path: Path) -> Iterator[Background]:
    process = Background.start([sys.executable, "-c", PARENT], env=os.environ, folder=tmp_path, log=tmp_path / "log")
    while not (tmp_path / "log").read_text().strip():
        assert process.runs()
    yield process
    process.stop(5)


def test_stopping_ends_the_process_and_what_it_started(background: Background, tmp_path: Path) -> None:
    child = psutil.Process(int((tmp_path / "log").read_text()))
    background.stop(5)
    assert not background.runs()
    while child.is_running() and child.status() != psutil.STATUS_ZOMBIE:  # killed, and soon gone
        time.sleep(0.01)


def test_another_process_under_the_same_number_is_left_alone(background: Background) -> None:
    other = replace(background, started_at=background.started_at - 1)
    assert not other.runs()
    other.stop(1)
    assert background.runs()


def test_a_later_command_finds_what_an_earlier_one_started(background: Background, tmp_path: Path) -> None:
    background.write(tmp_path / "process.json")
    assert Background.read(tmp_path / "process.json") == background


def test_a_half_written_file_is_no_process(tmp_path: Path) -> None:
    (tmp_path / "process.json").write_text('{"pid": 1')
    assert Background.read(tmp_path / "process.json") is None


def test_what_is_discarded_is_gone_at_once_and_deleted_soon(tmp_path: Path) -> None:
    (tmp_path / "code" / "inner").mkdir(parents=True)
    discard(tmp_path / "code")
    assert not (tmp_path / "code").exists()
    until = time.monotonic() + 10
    while list(tmp_path.iterdir()):
        assert time.monotonic() < until
        time.sleep(0.01)


def test_without_patience_a_process_is_killed(background: Background) -> None:
    background.stop(0)
    assert not background.runs()
