"""The gate: every check that a change must pass, run two at a time, each with its time and, where it fails, its output."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from cli import surroundings
from cli.cdk import CDK, context
from cli.places import LOCAL, ROOT

# The two shapes that the stacks have: for AWS with everything, and for the emulator.
SYNTHESIZED = ("prod", "local")
TEMPLATES = LOCAL / "check"


@dataclass(frozen=True)
class Check:
    """A name, and commands that run one after the other until one fails."""

    name: str
    commands: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Result:
    """How a check went."""

    name: str
    passed: bool
    seconds: float
    output: str


def checks() -> list[Check]:
    """All of them, the slow ones first."""
    return [
        Check("types", (_python("mypy"),)),
        *(Check(f"stacks of {name}: cdk synth, cdk-nag, cfn-lint", _templates(name)) for name in SYNTHESIZED),
        Check("imports", (("lint-imports", "--no-cache"),)),
        Check("lint", (_python("ruff", "check", "."),)),
        Check("format", (_python("ruff", "format", "--check", "--diff", "--quiet", "."),)),
    ]


def run_checks(wanted: Sequence[Check], started: Callable[[Check], None]) -> Iterator[Result]:
    """Runs them on two cores and gives each result when it is there."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        futures = [pool.submit(_run, check, started) for check in wanted]
        for future in as_completed(futures):
            yield future.result()


def _run(check: Check, started: Callable[[Check], None]) -> Result:
    started(check)
    begun = time.monotonic()
    output, passed = _first_failure(check.commands)
    return Result(check.name, passed, time.monotonic() - begun, output)


def _first_failure(commands: Iterable[tuple[str, ...]]) -> tuple[str, bool]:
    for command in commands:
        env = surroundings.for_the_local_stack()
        completed = subprocess.run(
            command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        if completed.returncode:
            return completed.stdout, False
    return "", True


def _templates(environment: str) -> tuple[tuple[str, ...], ...]:
    folder = TEMPLATES / environment
    synth = (
        "node",
        str(CDK),
        "synth",
        "--quiet",
        "--no-notices",
        "--no-color",
        "--output",
        str(folder),
        *context({"env": environment}),
    )
    return synth, ("cfn-lint", "--template", f"{folder}/*.template.json")


def _python(module: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-P", "-m", module, *arguments)
