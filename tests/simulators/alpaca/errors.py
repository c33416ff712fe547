"""Alpaca's refusals, and who is let in."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_MESSAGES = {
    429: (42910000, "too many requests."),
    500: (50010000, "internal server error occurred"),
    503: (50310000, "service unavailable"),
    504: (50410000, "gateway timeout"),
}


class Refusal(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, code: int, message: str, **extras: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"code": code, "message": message, **extras}


@dataclass(slots=True)
class Keys:
    """The pair that is let in."""

    key_id: str
    secret_key: str
    expired: bool = False

    def expire(self, expired: Any) -> None:
        """Let nobody in any more, or again."""
        self.expired = bool(expired)

    def let_in(self, key_id: object, secret_key: object) -> bool:
        """Whether these are the right ones."""
        return not self.expired and (key_id, secret_key) == (self.key_id, self.secret_key)


KEYS = web.AppKey("keys", Keys)


def error_body(status: int) -> dict[str, Any]:
    """The body of a status that a fault asks for."""
    code, message = _MESSAGES.get(status, (status * 100_000, "error"))
    return {"code": code, "message": message}


def signed(handler: Handler) -> Handler:
    """Only with the right keys; a Refusal becomes its answer."""

    @wraps(handler)
    async def guarded(request: web.Request) -> web.StreamResponse:
        headers = request.headers
        if not request.app[KEYS].let_in(headers.get("APCA-API-KEY-ID"), headers.get("APCA-API-SECRET-KEY")):
            return web.json_response({"code": 40110000, "message": "request is not authorized"}, status=401)
        try:
            return await handler(request)
        except Refusal as refusal:
            return web.json_response(refusal.body, status=refusal.status)

    return guarded
