"""The AWS emulator of the local stack: a folder and a port come in, a process that answers goes out."""

import json
import socket
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import urllib3

from cli import surroundings
from cli.emulator_process import HOLD, SAVE
from cli.problem import Problem
from cli.processes import Background, discard

DEFAULT_PORT = 4566
REGION = "us-east-1"
ACCOUNT = "000000000000"
# The emulator lets these keys do everything; each role's own keys do only what its policies allow.
ACCESS_KEY = "test"
START_PATIENCE_S = 30.0
# It writes its state to disk when it is asked to stop.
STOP_PATIENCE_S = 15.0
SAVE_PATIENCE_S = 15.0
LOG_LINES_SHOWN = 15


class Emulator:
    """The emulator whose state lies in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process_file = folder / "process.json"
        self._port_file = folder / "port"
        self.log = folder / "emulator.log"

    @property
    def endpoint(self) -> str:
        """The address for AWS clients."""
        return f"http://localhost:{self.port}"

    @property
    def port(self) -> int:
        """The port that the saved state belongs to: queue URLs in it carry the number. Raises Problem."""
        try:
            return int(self._port_file.read_text())
        except FileNotFoundError:
            return DEFAULT_PORT
        except ValueError as error:
            hint = f"write the number into it, or begin anew: ./fillpath up --reset --port {DEFAULT_PORT}"
            raise Problem(f"{self._port_file} does not hold a port number", hint=hint) from error

    @property
    def has_state(self) -> bool:
        """Whether something was started here before."""
        return self._port_file.exists()

    @property
    def saved_at(self) -> datetime | None:
        """When it last wrote its tables to disk; None if it never has."""
        tables, stacks = (self._folder / "state" / f"{name}.json" for name in ("dynamodb", "cloudformation"))
        return datetime.fromtimestamp(tables.stat().st_mtime, UTC) if tables.exists() and stacks.exists() else None

    def runs(self) -> bool:
        """Whether the process that was started here is alive."""
        return self.pid is not None

    @property
    def pid(self) -> int | None:
        """The number of its process, None unless it runs."""
        process = Background.read(self._process_file)
        return process.pid if process is not None and process.runs() else None

    @property
    def stopped_in_order(self) -> bool:
        """Whether someone stopped it, as opposed to its ending by itself or with the machine."""
        return not self._process_file.exists()

    def start(self, port: int) -> None:
        """Starts it with the saved state and returns when it answers; raises Problem, with nothing left running."""
        _require_free(port, "--reset " if self.has_state else "")
        self._prepare(port)
        process = Background.start(
            [sys.executable, "-P", "-m", "cli.emulator_process"], env=self._environment(port), folder=self._folder, log=self.log
        )
        process.write(self._process_file)
        try:
            self._await_answer(process)
        except BaseException:
            # What it has read so far must not take the place of what was saved.
            self.drop()
            raise

    def stop(self) -> bool:
        """Stops it and everything it started, once it has saved its state; answers whether it was running."""
        return self._end(STOP_PATIENCE_S)

    def drop(self) -> bool:
        """Stops it without saving: what it held when it last saved is what it starts with."""
        return self._end(0)

    def keep_saved(self) -> None:
        """Has it save now, and from now on every half minute; raises Problem."""
        self._ask(SAVE)

    def hold_saving(self) -> None:
        """Has it save no more until it is told to, or stopped; raises Problem."""
        self._ask(HOLD)

    def clear(self) -> None:
        """Forgets everything; only when it is stopped."""
        discard(self._folder)

    def log_tail(self) -> str:
        """The end of its log, to explain a failure."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-LOG_LINES_SHOWN:])

    def _end(self, patience_s: float) -> bool:
        process = Background.read(self._process_file)
        if process is None or not process.runs():
            return False
        self._process_file.unlink(missing_ok=True)
        process.stop(patience_s)
        self._discard_code()
        return True

    def _discard_code(self) -> None:
        """The unpacked code of every function that ran, which the emulator leaves behind."""
        discard(self._folder / "tmp")

    def _ask(self, path: str) -> None:
        try:
            answer = urllib3.request("POST", f"{self.endpoint}{path}", timeout=SAVE_PATIENCE_S, retries=False)
        except urllib3.exceptions.HTTPError as error:
            raise Problem(f"the emulator does not answer: {type(error).__name__}", output=self.log_tail()) from error
        if answer.status != 204:
            raise Problem("the emulator could not save its state", output=self.log_tail())

    def _prepare(self, port: int) -> None:
        self._discard_code()
        for name in ("state", "objects", "tmp"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        self._port_file.write_text(str(port))
        self.log.write_text("")
        _forget_stream_positions(self._folder / "state" / "lambda.json")

    def _environment(self, port: int) -> dict[str, str]:
        # Functions inherit these, so nothing of the person's own environment is among them.
        return {
            "PATH": surroundings.whole()["PATH"],
            "LANG": "C.UTF-8",
            "TMPDIR": str(self._folder / "tmp"),
            "GATEWAY_PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_REGION": REGION,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
            "AUTH": "true",
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self._folder / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self._folder / "objects"),
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
        }

    def _await_answer(self, process: Background) -> None:
        until = time.monotonic() + START_PATIENCE_S
        while time.monotonic() < until:
            if not process.runs():
                raise Problem("the emulator ended while starting", output=self.log_tail())
            if _answers(self.port):
                return
            time.sleep(0.05)
        raise Problem(f"the emulator does not answer after {START_PATIENCE_S:.0f} s", output=self.log_tail())


def free_port() -> int:
    """A port that nothing uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _require_free(port: int, option: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            hint = f"stop what uses it, or choose another: ./fillpath up {option}--port {port + 1}"
            raise Problem(f"port {port} cannot be used: {error.strerror}", hint=hint) from error


def _answers(port: int) -> bool:
    try:
        answer = urllib3.request("GET", f"http://127.0.0.1:{port}/_ministack/ready", timeout=2, retries=False)
        return bool(answer.json().get("status") == "completed")
    except (urllib3.exceptions.HTTPError, ValueError):
        return False


def _forget_stream_positions(state: Path) -> None:
    """Drops how far each function had read its table stream.

    The emulator saves the positions but not the streams, which begin anew with each start: with the old position, as many
    new records as there were old ones would be skipped.
    """
    if state.exists():
        saved = json.loads(state.read_text())
        saved["payload"]["dynamodb_stream_positions"] = {}
        state.write_text(json.dumps(saved))
