"""The stacks of environment `local` in the emulator: the checkout comes in, the stacks' outputs go out."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from botocore.exceptions import ClientError

from cli import surroundings
from cli.cdk import context, quiet_cdk
from cli.emulator import ACCESS_KEY, ACCOUNT, REGION, Emulator
from cli.places import ROOT, Local
from cli.processes import Background
from cli.sessions import emulator_client
from cli.terminal import working

ENVIRONMENT = "local"
# Everything that a template or an asset is made of.
SOURCES = (
    "app.py",
    "cdk.json",
    "functions",
    "infra",
    "layers",
    "requirements/lambda.txt",
    "requirements/calendars.txt",
    "requirements/dev.txt",
)

STOP_PATIENCE_S = 5.0

Outputs = Mapping[str, str]


def deploy_local(local: Local, emulator: Emulator) -> Outputs:
    """Brings the emulator's stacks up to the checkout, at no cost where they are already; raises Problem."""
    wanted = fingerprint()
    if not _is_deployed(local, emulator, wanted):
        local.deployed.unlink(missing_ok=True)
        emulator.hold_saving()
        env = _environment(emulator)
        if not _stack_exists(emulator, "CDKToolkit"):
            with working("Preparing the emulator for the CDK"):
                # From a folder without a CDK app, or it would be synthesized for nothing.
                where = {"log": local.deploy_log, "note": local.deployer, "folder": local.folder}
                quiet_cdk("bootstrap", f"aws://{ACCOUNT}/{REGION}", env=env, **where)
        with working("Deploying the stacks"):
            _deploy(local, env)
        local.deployed.write_text(wanted)
    return read_outputs(local)


def stop_left_behind(local: Local) -> bool:
    """Stops the deployment of an `up` that was killed; answers whether there was one."""
    process = Background.read(local.deployer)
    local.deployer.unlink(missing_ok=True)
    if process is None or not process.runs():
        return False
    process.stop(STOP_PATIENCE_S)
    return True


def read_outputs(local: Local) -> Outputs:
    """The outputs of all stacks of the last deployment, by name."""
    stacks: Mapping[str, Mapping[str, str]] = json.loads(local.outputs.read_text())
    return {name: value for outputs in stacks.values() for name, value in outputs.items()}


def fingerprint(root: Path = ROOT) -> str:
    """A digest of everything that is deployed."""
    digest = hashlib.sha256()
    for file in _source_files(root):
        digest.update(str(file.relative_to(root)).encode() + b"\0")
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _source_files(root: Path) -> Iterator[Path]:
    for name in SOURCES:
        path = root / name
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                yield file


def _is_deployed(local: Local, emulator: Emulator, wanted: str) -> bool:
    if not (local.deployed.exists() and local.outputs.exists() and local.deployed.read_text() == wanted):
        return False
    # The emulator saves its state only when it is stopped in order, so after a crash the file may say more than is there.
    return all(_stack_exists(emulator, stack) for stack in json.loads(local.outputs.read_text()))


def _stack_exists(emulator: Emulator, name: str) -> bool:
    client = emulator_client("cloudformation", emulator.endpoint)
    try:
        status = client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
    except ClientError:
        return False
    return status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


def _deploy(local: Local, env: Mapping[str, str]) -> None:
    where = ["--output", str(local.assembly), "--outputs-file", str(local.outputs)]
    how = ["--require-approval", "never", "--concurrency", "4", "--asset-parallelism", *context({"env": ENVIRONMENT})]
    # A killed CDK leaves locks, whose number may by now be that of any process.
    for lock in local.assembly.glob("*.lock"):
        lock.unlink()
    quiet_cdk("deploy", "--all", *where, *how, env=env, log=local.deploy_log, note=local.deployer)


def _environment(emulator: Emulator) -> dict[str, str]:
    keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": ACCESS_KEY}
    places = {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL": emulator.endpoint}
    # A profile would win over the keys.
    files = {"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
    return surroundings.for_the_local_stack({**keys, **places, **files})
