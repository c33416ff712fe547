"""A local stack as far as the commands see it: moto's tables, secret and functions, a webhook that answers as told."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple
from zipfile import ZipFile

import boto3
import psutil
import pytest
import urllib3

from cli.application import run
from cli.directory import Directory
from cli.means import Means
from cli.places import Local
from cli.processes import Background
from cli.seed import seed
from cli.stack import read_description
from cli.target import Target, local_target
from tests.contract.moto import KEYS, REGION, Moto

FUNCTION = "sweep"
FUNCTION_NAME = "fillpath-test-sweep"
KEY_ARN = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"


class Ran(NamedTuple):
    """One command that ran."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed for programs."""
        return json.loads(self.out)


class Stack:
    """The commands against it, and what they reach."""

    def __init__(self, local: Local, capsys: pytest.CaptureFixture[str], webhook: "Webhook") -> None:
        self._local = local
        self._capsys = capsys
        self.webhook = webhook
        self.means = Means()
        outputs = {name: value for part in json.loads(local.outputs.read_text()).values() for name, value in part.items()}
        self.target: Target = local_target(read_description(local), outputs)
        self.directory = Directory(self.target.accounts)
        self.seeded = seed(self.target, {})

    def run(self, *arguments: str) -> Ran:
        """As typed behind ./fillpath."""
        self._capsys.readouterr()
        code = run(["--local", str(self._local.folder), *arguments], self.means)
        return Ran(code, *self._capsys.readouterr())


class Webhook:
    """Answers alerts and keeps them."""

    def __init__(self) -> None:
        self.url = ""
        self.alerts: list[tuple[str, dict[str, Any]]] = []
        self.status, self.body = 200, '{"alert_id": "A", "orders": []}'

    def answers(self, status: int, body: Mapping[str, Any]) -> None:
        """From now on."""
        self.status, self.body = status, json.dumps(body)


@contextmanager
def a_webhook_server() -> Iterator[Webhook]:
    """A server as long as the block runs."""
    webhook = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            webhook.alerts.append((self.path, json.loads(body)))
            self.send_response(webhook.status)
            self.end_headers()
            self.wfile.write(webhook.body.encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class names it so
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    webhook.url = f"http://127.0.0.1:{server.server_port}"
    Thread(target=lambda: server.serve_forever(poll_interval=0.01), daemon=True).start()
    try:
        yield webhook
    finally:
        server.shutdown()
        server.server_close()


def describe(folder: Path, moto: Moto, webhook: Webhook) -> Local:
    """The files that `up` leaves behind, with this process in the emulator's place."""
    local = Local(folder)
    local.emulator.mkdir()
    Background(os.getpid(), psutil.Process().create_time()).write(local.emulator / "process.json")
    aws = {
        "endpoint_url": moto.url,
        "region": REGION,
        "access_key_id": KEYS.access_key,
        "secret_access_key": KEYS.secret_key,
    }
    local.stack.write_text(json.dumps({"api_url": webhook.url, "aws": aws}))
    tables = {f"{name.title()}TableName": name for name in ("orders", "accounts", "guards", "market", "paper", "fleet")}
    secrets = {"MasterKeySecretId": moto.create_secret(), "BrokerSecretPrefix": "fillpath/test/broker", "KeyArn": KEY_ARN}
    outputs = {**tables, **secrets, "SweepFunctionName": FUNCTION_NAME}
    local.outputs.write_text(json.dumps({"Stack": outputs}))
    return local


def create_function(moto: Moto, folder: Path, result: Mapping[str, Any]) -> None:
    """A function that answers so, without running anything."""
    urllib3.request("POST", f"{moto.url}/moto-api/config", json={"lambda": {"use_docker": False}})
    answer = {"results": [json.dumps(result)] * 3, "account_id": "123456789012", "region": REGION}
    urllib3.request("POST", f"{moto.url}/moto-api/static/lambda-simple/response", json=answer)
    session = boto3.Session(KEYS.access_key, KEYS.secret_key, region_name=REGION)
    role = session.client("iam", endpoint_url=moto.url).create_role(RoleName="sweep", AssumeRolePolicyDocument="{}")
    code = folder / "code.zip"
    with ZipFile(code, "w") as archive:
        archive.writestr("handler.py", "")
    session.client("lambda", endpoint_url=moto.url).create_function(
        FunctionName=FUNCTION_NAME,
        Runtime="python3.13",
        Role=role["Role"]["Arn"],
        Handler="handler.handler",
        Code={"ZipFile": code.read_bytes()},
    )
