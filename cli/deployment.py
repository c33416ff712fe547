"""The stacks of environment `local` in the emulator: the checkout comes in, the stacks' outputs go out."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import boto3
from botocore.exceptions import ClientError

from cli.cdk import cdk, context
from cli.emulator import ACCESS_KEY, ACCOUNT, REGION, Emulator
from cli.places import ROOT, Local
from cli.terminal import working

ENVIRONMENT = "local"
# Everything that a template or an asset is made of.
SOURCES = ("app.py", "cdk.json", "functions", "infra", "layers", "requirements/lambda.txt", "requirements/dev.txt")

Outputs = Mapping[str, str]


def aws_session() -> boto3.Session:
    """A session with the emulator's keys, whatever the person's own settings are."""
    return boto3.Session(aws_access_key_id=ACCESS_KEY, aws_secret_access_key=ACCESS_KEY, region_name=REGION)


def deploy_local(local: Local, emulator: Emulator) -> Outputs:
    """Brings the emulator's stacks up to the checkout, at no cost where they are already; raises Problem."""
    wanted = fingerprint()
    if not _is_deployed(local, emulator, wanted):
        local.deployed.unlink(missing_ok=True)
        env = _environment(emulator)
        if not _stack_exists(emulator, "CDKToolkit"):
            with working("Preparing the emulator for the CDK"):
                # From a folder without a CDK app, or it would be synthesized for nothing.
                cdk("bootstrap", f"aws://{ACCOUNT}/{REGION}", env=env, folder=local.folder, log=local.deploy_log)
        with working("Deploying the stacks"):
            _deploy(local, env)
        local.deployed.write_text(wanted)
    return read_outputs(local)


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
    client = aws_session().client("cloudformation", endpoint_url=emulator.endpoint)
    try:
        status = client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
    except ClientError:
        return False
    return status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


def _deploy(local: Local, env: Mapping[str, str]) -> None:
    where = ["--output", str(local.assembly), "--outputs-file", str(local.outputs)]
    how = ["--require-approval", "never", "--concurrency", "4", "--asset-parallelism", *context({"env": ENVIRONMENT})]
    cdk("deploy", "--all", *where, *how, env=env, log=local.deploy_log)


def _environment(emulator: Emulator) -> dict[str, str]:
    keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": ACCESS_KEY, "AWS_SESSION_TOKEN": ""}
    places = {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL": emulator.endpoint}
    # A profile would win over the keys.
    return {**keys, **places, "AWS_PROFILE": "", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
