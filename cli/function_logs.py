"""What the functions of the local stack logged: CloudWatch events come in, one line per event goes out."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError
from rich.text import Text

from cli.deployment import read_outputs
from cli.emulator import Emulator
from cli.places import Local
from cli.problem import Problem
from cli.sessions import emulator_client
from cli.stack import read_description

POLL_S = 0.5
COLOURS = ("cyan", "magenta", "green", "blue", "yellow", "bright_cyan", "bright_magenta")
LEVELS = {"DEBUG": "dim", "INFO": "", "WARNING": "yellow", "ERROR": "red", "CRITICAL": "bold red"}
# What the Lambda service itself says around each invocation.
FRAMING = ("START RequestId", "END RequestId", "REPORT RequestId", "INIT_START")
# What makes a line a measurement (CloudWatch embedded metric format).
METRIC = "_aws"
# What is on every line, and is shown in its own column or not at all.
SERVICE_FIELDS = ("function_name", "function_memory_size", "function_arn", "function_request_id", "xray_trace_id", "cold_start")
ENVELOPE = frozenset({"level", "message", "location", "timestamp", "service", "environment", METRIC, *SERVICE_FIELDS})


@dataclass(frozen=True)
class LogEvent:
    """One line that a function logged, with its time in milliseconds since 1970."""

    at_ms: int
    function: str
    message: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


class FunctionLogs:
    """Reads the logs of one function or of all."""

    def __init__(self, local: Local, function: str | None) -> None:
        read_description(local)
        endpoint = Emulator(local.emulator).endpoint
        self._logs = emulator_client("logs", endpoint)
        self._lambda = emulator_client("lambda", endpoint)
        self._groups = {name: self._group(physical) for name, physical in _chosen(local, function).items()}

    def events(self, begin_ms: int, *, follow: bool) -> Iterator[LogEvent]:
        """Events since a time, oldest first; with follow it never ends."""
        seen: set[LogEvent] = set()
        while True:
            found = [event for name, group in self._groups.items() for event in self._read(name, group, begin_ms, seen)]
            yield from sorted(found, key=lambda event: event.at_ms)
            if not follow:
                return
            time.sleep(POLL_S)

    def _read(self, name: str, group: str, begin_ms: int, seen: set[LogEvent]) -> Iterator[LogEvent]:
        try:
            pages = self._logs.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=begin_ms)
            for page in pages:
                for event in page["events"]:
                    found = LogEvent(event["timestamp"], name, event["message"].rstrip())
                    if found not in seen and found.message and not found.message.startswith(FRAMING):
                        yield found
                    # The emulator gives events no id; the same line twice in a millisecond is shown once.
                    seen.add(found)
        except ClientError as error:
            # A function that never ran has no log yet.
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise

    def _group(self, function: str) -> str:
        configuration = self._lambda.get_function_configuration(FunctionName=function)
        return configuration.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{function}"


def render(event: LogEvent) -> Text:
    """One line for a person: time, function, and what it said with its fields."""
    at = datetime.fromtimestamp(event.at_ms / 1000, UTC).astimezone()
    colour = COLOURS[sum(event.function.encode()) % len(COLOURS)]
    line = Text.assemble((f"{at:%H:%M:%S}.{at.microsecond // 1000:03d} ", "dim"), (f"{event.function:<14}", colour), " ")
    record = _record(event.message)
    if record is None:
        return line.append(event.message)
    message = "metric" if METRIC in record else str(record.get("message", ""))
    line.append(message, LEVELS.get(str(record.get("level")), ""))
    fields = {name: value for name, value in record.items() if name not in ENVELOPE}
    return line.append("".join(f"  {name}={_short(value)}" for name, value in fields.items()), "dim")


def _record(message: str) -> Mapping[str, Any] | None:
    try:
        record = json.loads(message)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _chosen(local: Local, function: str | None) -> dict[str, str]:
    outputs = read_outputs(local)
    functions = {
        _snake(name.removesuffix("FunctionName")): value for name, value in outputs.items() if name.endswith("FunctionName")
    }
    if function is None:
        return functions
    if function not in functions:
        raise Problem(f"there is no function {function}", hint=f"one of {', '.join(sorted(functions))}")
    return {function: functions[function]}


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
