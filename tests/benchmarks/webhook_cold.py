"""webhook-cold: a fresh process, its imports, its clients and its first call; beside it what such a handler usually costs."""

import json
import os
import statistics
import subprocess
import sys
from tempfile import TemporaryDirectory
from typing import Any

from tests.benchmarks.canned_aws import calls_since, canned_aws
from tests.benchmarks.figures import figures
from tests.benchmarks.webhook_event import webhook_event, webhook_variables

_USUAL_PATH = {"httpMethod": "POST", "path": "/webhook/tradingview/t", "headers": {}, "resource": "/"}


def run(n: int = 15) -> dict[str, Any]:
    """Both handlers in turn, so that a busy machine weighs on both."""
    ours: list[float] = []
    usual: list[float] = []
    with canned_aws() as endpoint, TemporaryDirectory() as bytecode:
        variables = {
            **webhook_variables(endpoint),
            "POWERTOOLS_TRACE_DISABLED": "true",
            "POWERTOOLS_LOG_LEVEL": "CRITICAL",
            # Compiled by the first pair of calls, as a deployed function's layers are.
            "PYTHONPYCACHEPREFIX": bytecode,
            "PYTHONDONTWRITEBYTECODE": "",
        }
        for number in range(n + 1):
            own = _first_call("functions.webhook.handler", webhook_event(number), variables, 202)
            calls = calls_since(endpoint)
            other = _first_call("tests.benchmarks.usual_handler", webhook_event(number) | _USUAL_PATH, variables, 200)
            calls_since(endpoint)
            if number:  # the first pair reads every file from the disk
                ours.append(own)
                usual.append(other)
    ratio = statistics.median(ours) / statistics.median(usual)
    return figures(
        "webhook-cold",
        ours,
        usual_handler_median_ms=round(statistics.median(usual), 2),
        ratio=round(ratio, 3),
        aws_calls=len(calls),
    )


def _first_call(module: str, event: dict[str, Any], variables: dict[str, str], status: int) -> float:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.first_call", module],
        input=json.dumps(event),
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise RuntimeError(f"{module} failed:\n{ran.stderr}")
    told = json.loads(ran.stdout.splitlines()[-1])
    if told["status"] != status:
        raise RuntimeError(f"{module} answered {told['status']}, not {status}:\n{ran.stdout}")
    return float(told["ms"])
