"""One signed JSON call to an AWS service: an operation and its parameters go in, the answer or an AwsError comes out.

This stands in for boto3 on the order path, where the import of `botocore.session` and the building of clients from their
models would cost a cold start more than everything else together. Only signing comes from botocore.

A call is tried again after throttling, a connection that was not made, a time-out, a 5xx or an unreadable answer: at most 3
attempts, none begun later than 1.5 `read_s` after the first, so that one time-out is forgiven and two are not. The last three
are ambiguous: the first attempt may have worked. So what is sent must bear being done twice: a transaction has its client
request token, a FIFO message its deduplication id, an execution its name, an unconditional put or delete is the same twice; a
conditional put may fail by its own first attempt, and its caller finds out by the nonce it wrote. Only an operation that adds
up (`repeatable=False`) is not sent again then.
"""

import json
import random
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError
from urllib3.util import parse_url

from fillpath.errors import StorageUnavailable

ATTEMPTS = 3
CONNECT_S = 1.0
BACKOFF_S = 0.05
LAST_START = 1.5
_BUSY = frozenset(
    {"ProvisionedThroughputExceededException", "RequestLimitExceeded", "TransactionInProgressException", "SlowDown"}
)


class AwsError(StorageUnavailable):
    """A call failed: with the service's error code, or `NoAnswer`. Adapters catch the codes that mean something to a port.

    `item`: what stood where a condition failed, if the call asked for it.
    """

    def __init__(
        self,
        call: str,
        code: str,
        message: str = "",
        cancellation_reasons: tuple[str, ...] = (),
        *,
        ambiguous: bool = False,
        item: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{call}: {code}: {message[:300]}")
        self.code = code
        self.message = message
        self.cancellation_reasons = cancellation_reasons
        self.ambiguous = ambiguous
        self.item = item or {}

    @property
    def lost_condition(self) -> bool:
        """Whether a condition failed or another transaction was at the item: nothing was written, another was there first."""
        return self.code in {"ConditionalCheckFailedException", "TransactionConflictException"} or any(
            reason in {"ConditionalCheckFailed", "TransactionConflict"} for reason in self.cancellation_reasons
        )


class Keys(NamedTuple):
    """Credentials as the signer reads them."""

    access_key: str
    secret_key: str
    token: str | None = None


class Connection(NamedTuple):
    """Where a service is and who asks; `keys` is called for each request, since some credentials expire."""

    region: str
    url: str
    keys: Callable[[], Keys]


class Wire(NamedTuple):
    """How a service is spoken to: the prefix of its targets, its JSON version, its name in signatures and host names."""

    target: str
    version: str
    name: str


class JsonRpc:
    """One service at one connection. Connections are kept alive and may be shared by threads."""

    def __init__(self, wire: Wire, connection: Connection, read_s: float) -> None:
        self._wire = wire
        self._connection = connection
        self._read_s = read_s
        timeout = urllib3.Timeout(connect=CONNECT_S, read=read_s)
        self._path = parse_url(connection.url).request_uri
        self._pool = urllib3.connection_from_url(connection.url, maxsize=10, timeout=timeout, retries=False)

    def call(self, operation: str, parameters: Mapping[str, Any], *, repeatable: bool = True) -> dict[str, Any]:
        """The answer of one operation; AwsError (a StorageUnavailable) when there is none."""
        body = json.dumps(parameters, separators=(",", ":")).encode()
        last_start = time.monotonic() + LAST_START * self._read_s
        attempt = 1
        while True:
            try:
                return self._attempt(operation, body)
            except AwsError as error:
                again = (error.ambiguous and repeatable) or _is_certain_not_done(error)
                if not again or attempt == ATTEMPTS or time.monotonic() > last_start:
                    raise
            time.sleep(random.uniform(0, BACKOFF_S * 2**attempt))  # noqa: S311  no secret depends on it
            attempt += 1

    def _attempt(self, operation: str, body: bytes) -> dict[str, Any]:
        call = f"{self._wire.name} {operation}"
        try:
            answer = self._pool.urlopen("POST", self._path, body, self._headers(operation, body), redirect=False)
        except (NewConnectionError, ConnectTimeoutError) as error:
            raise AwsError(call, "NotConnected", type(error).__name__) from error
        except HTTPError as error:
            raise AwsError(call, "NoAnswer", type(error).__name__, ambiguous=True) from error
        content = _parsed(call, answer.status, answer.data)
        if answer.status == 200:
            return content
        raise _error(call, answer.status, content)

    def _headers(self, operation: str, body: bytes) -> dict[str, str]:
        headers = {
            "Content-Type": f"application/x-amz-json-{self._wire.version}",
            "X-Amz-Target": f"{self._wire.target}.{operation}",
        }
        request = AWSRequest("POST", self._connection.url, headers, body)
        signer = SigV4Auth(
            self._connection.keys(),  # type: ignore[arg-type]  # reads these three fields only; botocore's own class costs 8 ms
            self._wire.name,
            self._connection.region,
        )
        signer.add_auth(request)
        return dict(request.headers.items())


def _is_certain_not_done(error: AwsError) -> bool:
    return error.code == "NotConnected" or error.code in _BUSY or "throttl" in error.code.lower()


def _parsed(call: str, status: int, data: bytes) -> dict[str, Any]:
    try:
        content = json.loads(data or b"{}")
    except ValueError as error:
        raise AwsError(call, "Unreadable", f"status {status}", ambiguous=True) from error
    if not isinstance(content, dict):
        raise AwsError(call, "Unreadable", f"status {status}", ambiguous=True)
    return content


def _error(call: str, status: int, content: dict[str, Any]) -> AwsError:
    code = str(content.get("__type") or content.get("code") or status).rpartition("#")[2]
    message = str(content.get("message") or content.get("Message") or "")
    reasons = tuple(str(reason.get("Code", "None")) for reason in content.get("CancellationReasons") or ())
    return AwsError(call, code, message, reasons, ambiguous=status >= 500, item=content.get("Item"))
