"""A loopback HTTP server that answers as scripted and keeps what it was asked: for what no emulator does at will."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import MappingProxyType
from typing import Any, NamedTuple

from fillpath_aws.json_rpc import Connection, Keys

SECRET = "a-secret-key-of-the-tests"


class Request(NamedTuple):
    """What was asked."""

    operation: str
    body: dict[str, Any]
    headers: dict[str, str]


class Reply(NamedTuple):
    """What is answered: after `delay_s`; `status` 0 drops the line instead."""

    status: int = 200
    body: Mapping[str, Any] | str = MappingProxyType({})
    delay_s: float = 0


Script = Callable[[Request], Reply]


class ScriptedServer:
    """Answers with the replies in their order, each a Reply or a function of the request; the last one stays."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.replies: list[Reply | Script] = [Reply()]
        self.connection = Connection("eu-west-1", "", lambda: Keys("AKID", SECRET, "a-session-token"))

    def answer(self, request: Request) -> Reply:
        """The next reply."""
        reply = self.replies[min(len(self.requests), len(self.replies) - 1)]
        self.requests.append(request)
        return reply(request) if callable(reply) else reply

    @property
    def operations(self) -> list[str]:
        """What was asked for, in order."""
        return [request.operation for request in self.requests]


@contextmanager
def scripted_server() -> Iterator[ScriptedServer]:
    """A server as long as the block runs."""
    script = ScriptedServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            operation = self.headers["X-Amz-Target"].rpartition(".")[2]
            reply = script.answer(Request(operation, json.loads(content), dict(self.headers)))
            time.sleep(reply.delay_s)
            if not reply.status:
                self.close_connection = True
                return
            body = (reply.body if isinstance(reply.body, str) else json.dumps(dict(reply.body))).encode()
            self.send_response(reply.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """A caller that does not wait for its answer is part of the script."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    script.connection = script.connection._replace(url=f"http://127.0.0.1:{server.server_port}/")
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
