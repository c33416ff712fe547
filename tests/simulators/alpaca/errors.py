"""Alpaca's refusals, who is let in, and how often: 200 requests a minute of each API, of which every answer tells the rest."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from math import ceil
from typing import Any

from aiohttp import web

from tests.simulators.alpaca.schemas import SCHEMAS
from tests.simulators.limits import Limit, Standing
from tests.simulators.options import LIMITS

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

TRADING = Limit("trading", 200, timedelta(minutes=1))
DATA = Limit("data", 200, timedelta(minutes=1))
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
    """Only with the right keys, and as often as they allow; a Refusal becomes its answer."""

    @wraps(handler)
    async def guarded(request: web.Request) -> web.StreamResponse:
        headers = request.headers
        key_id = headers.get("APCA-API-KEY-ID", "")
        if not request.app[KEYS].let_in(key_id, headers.get("APCA-API-SECRET-KEY")):
            return refused(request, Refusal(401, 40110000, "request is not authorized"))
        standing = request.app[LIMITS].take(key_id, DATA if request.path.startswith("/v2/stocks") else TRADING)
        answer = await _answered(request, handler, standing)
        answer.headers.update(_told(standing))
        return answer

    return guarded


def refused(request: web.Request, refusal: Refusal) -> web.Response:
    """The answer that a refusal is."""
    return SCHEMAS.answer(request, "Error", refusal.body, status=refusal.status)


async def _answered(request: web.Request, handler: Handler, standing: Standing) -> web.StreamResponse:
    if standing.refused:
        return refused(request, Refusal(429, *_MESSAGES[429]))
    try:
        return await handler(request)
    except Refusal as refusal:
        return refused(request, refusal)


def _told(standing: Standing) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(standing.most),
        "X-RateLimit-Remaining": str(standing.left),
        "X-RateLimit-Reset": str(ceil(standing.resets_at.timestamp())),
    }
