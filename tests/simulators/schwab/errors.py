"""Schwab's error answers, each part of it with its own shape."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from aiohttp import web

from tests.simulators.schwab.schema import SCHEMAS

CORRELATION = "Schwab-Client-CorrelID"


def service_error(request: web.Request, status: int, message: str, errors: Sequence[str] = ()) -> web.Response:
    """The trader's."""
    return SCHEMAS.answer(request, "ServiceError", {"message": message, "errors": list(errors)}, status=status, headers=traced())


def market_error(request: web.Request, status: int, detail: str, parameter: str) -> web.Response:
    """The market data's."""
    error = {
        "id": str(uuid4()),
        "status": str(status),
        "title": "Bad Request" if status == 400 else "Not Found",
        "detail": detail,
        "source": {"parameter": parameter},
    }
    return SCHEMAS.answer(request, "ErrorResponse", {"errors": [error]}, status=status, headers=traced())


def unauthorized(request: web.Request) -> web.Response:
    """A token that is over, or none."""
    return SCHEMAS.answer(request, "Unauthorized", _unauthorized(), status=401, headers=traced())


def too_long(request: web.Request) -> web.Response:
    """The gateway's, for an answer that is longer than it passes on."""
    fault = {"faultstring": "Body buffer overflow", "detail": {"errorcode": "protocol.http.TooBigBody"}}
    return SCHEMAS.answer(request, "Fault", {"fault": fault}, status=502)


def oauth_error(request: web.Request, status: int, error: str, description: str) -> web.Response:
    """The sign-in's."""
    return SCHEMAS.answer(request, "OAuthError", {"error": error, "error_description": description}, status=status)


def body_of(status: int) -> Any:
    """For a status that a fault asks for."""
    if status == 401:
        return _unauthorized()
    if status == 429:
        return ""
    return {"message": f"simulated status {status}", "errors": []}


def traced() -> dict[str, str]:
    """The header by which Schwab finds a request again."""
    return {CORRELATION: str(uuid4())}


def _unauthorized() -> dict[str, Any]:
    return {"errors": [{"id": str(uuid4()), "status": 401, "title": "Unauthorized", "detail": "Client not authorized"}]}
