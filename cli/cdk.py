"""The CDK command line: what to do with which stacks comes in, its output or a Problem goes out."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from cli import surroundings
from cli.places import ROOT
from cli.problem import Problem
from cli.processes import Background

CDK = ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk"
OUTPUT_LINES_SHOWN = 40
STOP_PATIENCE_S = 5.0
_QUIET = {
    "CDK_DISABLE_VERSION_CHECK": "1",
    "CDK_DISABLE_CLI_TELEMETRY": "true",
    "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
}


def cdk(*arguments: str, region: str) -> None:
    """Runs it for the person's own account, in their terminal; raises Problem."""
    env = {**surroundings.whole(), **_QUIET, "AWS_REGION": region, "AWS_DEFAULT_REGION": region}
    if subprocess.run(_command(arguments), cwd=ROOT, env=env, check=False).returncode:
        raise Problem(f"cdk {arguments[0]} failed")


def quiet_cdk(*arguments: str, env: Mapping[str, str], log: Path, note: Path, folder: Path = ROOT) -> None:
    """Runs it, with its output in the log only unless it fails. The note says which process it is; raises Problem."""
    with log.open("w") as output:
        process = subprocess.Popen(
            _command(arguments),
            cwd=folder,
            env={**env, **_QUIET},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    known = Background.of(process.pid)
    known.write(note)
    try:
        failed = process.wait() != 0
    finally:
        known.stop(STOP_PATIENCE_S)
        note.unlink(missing_ok=True)
    if failed:
        raise Problem(f"cdk {arguments[0]} failed", output=_tail(log.read_text()), hint=f"all of its output: {log}")


def context(values: Mapping[str, object]) -> list[str]:
    """The values as options that the CDK app reads."""
    return [part for name, value in values.items() for part in ("--context", f"{name}={value}")]


def _command(arguments: Sequence[str]) -> list[str]:
    return ["node", str(CDK), *arguments, "--no-notices", "--no-color" if not sys.stdout.isatty() else "--color"]


def _tail(output: str) -> str:
    return "\n".join(output.splitlines()[-OUTPUT_LINES_SHOWN:])
