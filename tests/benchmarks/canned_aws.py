"""AWS as a webhook meets it on a good day: a process that answers every call at once with what a seeded stack would say.

Run as a program it prints its port. `GET /calls` tells the names of the calls since it was last asked.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

MASTER_KEY = "k" * 40
WEBHOOK_ID, USER_ID, ACCOUNT_ID = "W1", "U1", "A1"
_CREATED = {"S": "2026-01-01T00:00:00.000Z"}


def _text(value: str) -> dict[str, str]:
    return {"S": value}


_TOKEN = {
    "pk": _text("TOKEN#x"),
    "sk": _text("TOKEN"),
    "webhook_id": _text(WEBHOOK_ID),
    "generation": {"N": "1"},
    "user_id": _text(USER_ID),
    "account_ids": {"L": [_text(ACCOUNT_ID)]},
}
_ROUTE = {"M": {"account_id": _text(ACCOUNT_ID), "multiplier": {"N": "1"}}}
_CONTEXT: list[dict[str, Any]] = [
    {
        "pk": _text(f"WEBHOOK#{WEBHOOK_ID}"),
        "sk": _text("WEBHOOK"),
        "webhook_id": _text(WEBHOOK_ID),
        "user_id": _text(USER_ID),
        "label": _text("benchmark"),
        "generation": {"N": "1"},
        "routes": {"L": [_ROUTE]},
        "created_at": _CREATED,
    },
    {
        "pk": _text(f"USER#{USER_ID}"),
        "sk": _text("USER"),
        "user_id": _text(USER_ID),
        "email": _text("trader@example.com"),
        "created_at": _CREATED,
    },
    {
        "pk": _text(f"ACCOUNT#{ACCOUNT_ID}"),
        "sk": _text("ACCOUNT"),
        "account_id": _text(ACCOUNT_ID),
        "user_id": _text(USER_ID),
        "venue": _text("paper"),
        "label": _text("paper"),
        "terms_accepted_at": _CREATED,
        "credentials": _text("verified"),
        "created_at": _CREATED,
    },
]


class _Aws(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536  # one segment an answer: two would wait for each other's acknowledgement
    disable_nagle_algorithm = True
    calls: list[str] = []  # noqa: RUF012  one list for the process is what is wanted

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        self.calls.append(operation)
        self._send(_answer(operation, request))

    def do_GET(self) -> None:
        calls, self.calls[:] = list(self.calls), []
        self._send(calls)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class names it so
        """Say nothing."""

    def _send(self, answer: Any) -> None:
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()


def _answer(operation: str, request: dict[str, Any]) -> dict[str, Any]:
    match operation:
        case "GetSecretValue":
            return {"SecretString": MASTER_KEY}
        case "GetItem":
            return {"Item": _TOKEN}
        case "BatchGetItem":
            table = next(name for name in request["RequestItems"] if "accounts" in name)
            return {"Responses": {table: _CONTEXT}, "UnprocessedKeys": {}}
        case "SendMessage":
            return {"MessageId": "m"}
    return {}


@contextmanager
def canned_aws() -> Iterator[str]:
    """The address of a running one."""
    with subprocess.Popen([sys.executable, "-m", __name__], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


def calls_since(endpoint: str) -> list[str]:
    """The names of the calls since the last time it was asked."""
    calls: list[str] = httpx.get(f"{endpoint}/calls").json()
    return calls


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Aws)
    print(server.server_port, flush=True)
    server.serve_forever()
