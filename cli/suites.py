"""The test suites: names come in, pytest runs, and whether all passed goes out."""

import subprocess
import sys
from collections.abc import Sequence
from enum import StrEnum

from cli import surroundings, terminal
from cli.emulator import Emulator, free_port
from cli.places import ROOT, Local


class Suite(StrEnum):
    """unit: fast, in memory. integration: moto and synthesized templates. e2e: a local stack over HTTP."""

    UNIT = "unit"
    INTEGRATION = "integration"
    E2E = "e2e"


MARKED = {Suite.UNIT: "not integration and not e2e", Suite.INTEGRATION: "integration"}


def run_suites(suites: Sequence[Suite], local: Local, arguments: Sequence[str]) -> bool:
    """Runs them in order, all of them even if one fails."""
    passed = [_run(suite, local, arguments) for suite in suites]
    return all(passed)


def _run(suite: Suite, local: Local, arguments: Sequence[str]) -> bool:
    terminal.err.rule(f"[bold]{suite}", align="left")
    if suite is Suite.E2E:
        return _end_to_end(local, arguments)
    return _pytest("-m", MARKED[suite], *arguments)


def _end_to_end(local: Local, arguments: Sequence[str]) -> bool:
    """On a stack of its own, so that a person's orders are left alone and the tests begin with nothing."""
    from cli.stack import bring_up, clear  # noqa: PLC0415  loads AWS's SDK, which no other command needs for its start

    own = Local(local.folder / "e2e")
    bring_up(own, port=free_port(), reset=True)
    try:
        return _pytest("-m", "e2e", f"--stack={own.stack}", *arguments)
    finally:
        clear(own, Emulator(own.emulator))


def _pytest(*arguments: str) -> bool:
    # Without -P: the checkout comes first, before the tests that an installed package has brought along.
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.run(command, cwd=ROOT, env=surroundings.for_the_local_stack(), check=False).returncode == 0
