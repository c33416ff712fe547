"""Signing in at the simulated Schwab: a browser that agrees at once, tokens for half an hour, refresh tokens for a week.

Who has signed in may ask 120 times a minute; of a 429 neither a body nor a header is documented.
"""

import base64
import binascii
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import wraps
from urllib.parse import urlencode

from aiohttp import web

from tests.simulators.limits import Limit
from tests.simulators.options import EXCHANGE, LIMITS
from tests.simulators.schwab.errors import oauth_error, unauthorized
from tests.simulators.schwab.schema import SCHEMAS
from tests.simulators.schwab.state import ACCESS_LIFE, APP_KEY, APP_SECRET, CUSTOMER, REDIRECT_URI, STATE

REQUESTS = Limit("requests", 120, timedelta(minutes=1))
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def signed_in(handler: Handler) -> Handler:
    """Answers only those who show a good access token, and not too often."""

    @wraps(handler)
    async def guarded(request: web.Request) -> web.StreamResponse:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind != "Bearer" or not request.app[STATE].lets_in(token, request.app[EXCHANGE].now()):
            return unauthorized(request)
        if request.app[LIMITS].take(CUSTOMER, REQUESTS).refused:
            return web.Response(status=429)
        return await handler(request)

    return guarded


async def authorize(request: web.Request) -> web.Response:
    """Where the browser is sent: somebody signs in and allows access, and comes back to the callback with a code."""
    if request.query.get("client_id") != APP_KEY or request.query.get("redirect_uri") != REDIRECT_URI:
        return oauth_error(request, 401, "invalid_client", "Unauthorized: the app key or the callback is not known")
    code = request.app[STATE].new_code(request.app[EXCHANGE].now())
    query = urlencode({"code": code, "session": "sim-session"})
    return web.Response(status=302, headers={"Location": f"{REDIRECT_URI}/?{query}"})


async def token(request: web.Request) -> web.Response:
    """A code or a refresh token for an access token."""
    if not _is_the_app(request):
        return oauth_error(request, 401, "invalid_client", "Unauthorized")
    form, state, now = await request.post(), request.app[STATE], request.app[EXCHANGE].now()
    match form.get("grant_type"):
        case "authorization_code":
            ends = state.codes.pop(str(form.get("code")), None)
            if ends is None or ends < now or form.get("redirect_uri") != REDIRECT_URI:
                return oauth_error(
                    request, 400, "unsupported_token_type", '400 Bad Request: "Bad authorization code: AuthorizationCode"'
                )
            refresh = state.new_refresh(now)
        case "refresh_token":
            refresh = str(form.get("refresh_token"))
            if state.refresh.get(refresh, now) <= now:
                text = '400 Bad Request: "{\\"error_description\\":\\"refresh_token_authentication_error\\"}"'
                return oauth_error(request, 400, "unsupported_token_type", text)
        case _:
            return oauth_error(request, 400, "unsupported_grant_type", "grant_type")
    answer = {
        "expires_in": int(ACCESS_LIFE.total_seconds()),
        "token_type": "Bearer",
        "scope": "api",
        "refresh_token": refresh,
        "access_token": state.new_access(now),
        "id_token": "eyJ.sim.id",
    }
    return SCHEMAS.answer(request, "Token", answer)


def _is_the_app(request: web.Request) -> bool:
    kind, _, encoded = request.headers.get("Authorization", "").partition(" ")
    try:
        return kind == "Basic" and base64.b64decode(encoded).decode() == f"{APP_KEY}:{APP_SECRET}"
    except (binascii.Error, UnicodeDecodeError):
        return False
