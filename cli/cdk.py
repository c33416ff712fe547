"""The CDK command line: what to do with which stacks comes in, its output or a Problem goes out."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from cli.places import ROOT
from cli.problem import Problem

CDK = ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk"
OUTPUT_LINES_SHOWN = 40


def cdk(*arguments: str, env: Mapping[str, str] | None = None, folder: Path = ROOT, log: Path | None = None) -> None:
    """Runs it. With a log, its output goes there and is shown only on failure; raises Problem."""
    completed = subprocess.run(
        _command(arguments),
        cwd=folder,
        env=_environment(env or {}),
        stdin=None if log is None else subprocess.DEVNULL,
        stdout=None if log is None else subprocess.PIPE,
        stderr=None if log is None else subprocess.STDOUT,
        text=True,
        check=False,
    )
    if log is not None:
        log.write_text(completed.stdout)
    if completed.returncode:
        raise Problem(
            f"cdk {arguments[0]} failed",
            output=_tail(completed.stdout or ""),
            hint=f"all of its output: {log}" if log else "",
        )


def context(values: Mapping[str, object]) -> list[str]:
    """The values as options that the CDK app reads."""
    return [part for name, value in values.items() for part in ("--context", f"{name}={value}")]


def _command(arguments: Sequence[str]) -> list[str]:
    return ["node", str(CDK), *arguments, "--no-notices", "--no-color" if not sys.stdout.isatty() else "--color"]


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    quiet = {
        "CDK_DISABLE_VERSION_CHECK": "1",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
    }
    return {**os.environ, **quiet, **extra}


def _tail(output: str) -> str:
    return "\n".join(output.splitlines()[-OUTPUT_LINES_SHOWN:])
