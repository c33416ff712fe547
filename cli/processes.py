"""A process that outlives the command that started it: started in a session of its own, known by its number and start time."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import psutil


@dataclass(frozen=True)
class Background:
    """A started process. Numbers are given out again, so the start time says whether it is still the same one."""

    pid: int
    started_at: float

    @classmethod
    def start(cls, command: Sequence[str], *, env: Mapping[str, str], folder: Path, log: Path) -> Self:
        """Starts the command as the leader of its own process group, so that a Ctrl-C does not reach it."""
        with log.open("ab") as output:
            process = subprocess.Popen(
                command, env=dict(env), cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        # It outlives this command on purpose; without a result, subprocess would warn that nobody waited for it.
        process.returncode = 0
        return cls.of(process.pid)

    @classmethod
    def of(cls, pid: int) -> Self:
        """The process that has the number now, which must have been started by this one."""
        return cls(pid, psutil.Process(pid).create_time())

    @classmethod
    def read(cls, file: Path) -> Self | None:
        """The process that was written to the file; None if there is none."""
        try:
            return cls(**json.loads(file.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def write(self, file: Path) -> None:
        """Writes it down, for a later command to find."""
        file.write_text(json.dumps(asdict(self)))

    def runs(self) -> bool:
        """Whether it is alive, and not another process under its number."""
        process = self._process()
        return process is not None and process.status() != psutil.STATUS_ZOMBIE

    def stop(self, patience_s: float) -> None:
        """Asks it to end, kills it when it has not within the time, and then whatever it left behind in its group."""
        process = self._process()
        if process is None:
            return
        if patience_s:
            process.terminate()
        try:
            process.wait(patience_s)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(5)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def _process(self) -> psutil.Process | None:
        try:
            process = psutil.Process(self.pid)
            return process if process.create_time() == self.started_at else None
        except psutil.NoSuchProcess:
            return None


def discard(path: Path) -> None:
    """Takes the file or folder away at once; its many files are deleted by a process that nobody waits for."""
    if path.exists():
        path.rename(path.with_name(f"{_DISCARDED}{path.name}-{time.time_ns()}"))
    # Also what an interrupted deletion has left.
    left = [str(each) for each in path.parent.glob(f"{_DISCARDED}{path.name}-*")]
    if left:
        remove = ["/bin/rm", "-rf", *left]
        process = subprocess.Popen(remove, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        process.returncode = 0  # as above: nobody waits for it


_DISCARDED = ".discarded-"
