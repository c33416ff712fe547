"""The local stack as one thing: started, deployed and described; or stopped."""

import fcntl
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from cli import terminal
from cli.deployment import Outputs, deploy_local, stop_left_behind
from cli.emulator import ACCESS_KEY, REGION, Emulator
from cli.places import Local
from cli.problem import Problem
from cli.seed import seed
from cli.target import local_target, named
from cli.terminal import working
from cli.warm_up import warm_up

Description = Mapping[str, Any]


def bring_up(local: Local, *, port: int | None, reset: bool) -> Description:
    """Starts what does not run, deploys what has changed, writes stack.json; on a Problem no more runs than before."""
    emulator = Emulator(local.emulator)
    with _one_at_a_time(local):
        stop_left_behind(local)
        if reset or _is_unfinished(local, emulator):
            port = port or emulator.port
            clear(local, emulator)
        _warn_of_loss(emulator)
        started = _ensure_running(emulator, port)
        try:
            outputs = deploy_local(local, emulator)
            description = _furnish(_describe(outputs, emulator), outputs, local)
            emulator.keep_saved()
            _write(local, description)
        except BaseException:
            if started:
                # Half a deployment is not worth keeping, and could not be gone on with.
                emulator.drop()
            raise
    return description


def clear(local: Local, emulator: Emulator) -> None:
    """Stops the stack and forgets everything it held."""
    with working("Clearing the local stack"):
        emulator.drop()
        emulator.clear()
        for file in (local.stack, local.outputs, local.deployed):
            file.unlink(missing_ok=True)


def read_description(local: Local) -> Description:
    """stack.json of a stack that runs; raises Problem."""
    if not local.stack.exists() or not Emulator(local.emulator).runs():
        raise Problem("the local stack is not running", hint="start it: ./fillpath up --detach")
    try:
        description: Description = json.loads(local.stack.read_text())
    except ValueError as error:
        raise Problem(f"{local.stack} is not readable: {error}", hint="./fillpath up --detach writes it anew") from error
    return description


def is_being_brought_up(local: Local) -> bool:
    """Whether some `up` is at work on it."""
    try:
        with local.lock.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _is_unfinished(local: Local, emulator: Emulator) -> bool:
    """Whether a start was cut off before anything was ready: nothing of value is there, and it could not be gone on with."""
    unfinished = emulator.has_state and (not local.stack.exists() or (emulator.saved_at is None and not emulator.runs()))
    if unfinished:
        terminal.err.print("[yellow]An earlier start was cut off before it had saved anything; this one begins anew.[/]")
    return unfinished


def _warn_of_loss(emulator: Emulator) -> None:
    if emulator.saved_at is not None and not emulator.runs() and not emulator.stopped_in_order:
        terminal.err.print(
            "[bold yellow]The emulator was not stopped in order[/] (killed, or the machine went down): "
            f"all that happened after {emulator.saved_at.astimezone():%Y-%m-%d %H:%M:%S}, when it last saved, is lost."
        )


def _ensure_running(emulator: Emulator, port: int | None) -> bool:
    if port is not None and emulator.has_state and port != emulator.port:
        raise Problem(
            f"this stack lives on port {emulator.port}: its queues carry the number in their addresses",
            hint=f"leave --port away, or begin anew: ./fillpath up --reset --port {port}",
        )
    if emulator.runs():
        return False
    with working("Starting the emulator"):
        emulator.start(port or emulator.port)
    return True


@contextmanager
def _one_at_a_time(local: Local) -> Iterator[None]:
    local.folder.mkdir(parents=True, exist_ok=True)
    with local.lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Problem(
                "another ./fillpath up is at work on this stack", hint="wait for it, then look: ./fillpath status"
            ) from error
        yield


def _furnish(description: Description, outputs: Outputs, local: Local) -> Description:
    """Seeded and warm: the first alert is answered as fast as any other. Returns the description with what it was seeded with."""
    target = local_target(description, outputs)
    begins_with = seed(target, json.loads(local.stack.read_text()) if local.stack.exists() else {})
    with working("Starting the functions"):
        warm_up(target, begins_with["account_id"])
    return {"api_url": description["api_url"], **begins_with, **description}


def _write(local: Local, description: Description) -> None:
    """Only for its owner's eyes: it holds a password."""
    local.stack.touch(mode=0o600)
    local.stack.chmod(0o600)
    local.stack.write_text(json.dumps(description, indent=2) + "\n")


def _describe(outputs: Outputs, emulator: Emulator) -> Description:
    api_url = f"{emulator.endpoint}/restapis/{outputs['WebhookApiId']}/{_stage(outputs['WebhookApiUrl'])}/_user_request_"
    return {
        "api_url": api_url,
        "aws": {
            "endpoint_url": emulator.endpoint,
            "region": REGION,
            "access_key_id": ACCESS_KEY,
            "secret_access_key": ACCESS_KEY,
        },
        "tables": named(outputs, "TableName"),
        "queues": named(outputs, "QueueUrl") | {f"{name}_dlq": url for name, url in named(outputs, "DlqUrl").items()},
    }


def _stage(url: str) -> str:
    return url.rstrip("/").rsplit("/", 1)[-1]
