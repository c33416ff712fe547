"""The sign-in: /authorize, where everybody agrees at once, and /oauth/token."""

from urllib.parse import urlencode

from aiohttp import web

from tests.simulators.tradestation.house import HOUSE, SCHEMAS
from tests.simulators.tradestation.tokens import Refused

ROUTES = web.RouteTableDef()


@ROUTES.get("/authorize")
async def authorize(request: web.Request) -> web.StreamResponse:
    """Back to the redirect address with a code, without asking anybody."""
    try:
        code = request.app[HOUSE].login.code(request.query)
    except Refused as refused:
        return SCHEMAS.answer(request, "TokenError", refused.body, status=refused.status)
    query = urlencode({"code": code, "state": request.query.get("state", "")})
    raise web.HTTPFound(f"{request.query['redirect_uri']}?{query}")


@ROUTES.post("/oauth/token")
async def token(request: web.Request) -> web.StreamResponse:
    """A token for a code or a refresh token."""
    form = {name: str(value) for name, value in (await request.post()).items()}
    try:
        answer = request.app[HOUSE].login.exchange(form)
    except Refused as refused:
        return SCHEMAS.answer(request, "TokenError", refused.body, status=refused.status)
    return SCHEMAS.answer(request, "Token", answer)
