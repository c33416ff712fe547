"""Tradovate's REST API: logins, and everything else behind a token."""

import json
from typing import Any

from aiohttp import web

from tests.simulators.options import OPTIONS
from tests.simulators.tradovate.calls import Desk, Refusal, answer
from tests.simulators.tradovate.gate import ANONYMOUS, DENIED, USER_ID, USER_NAME, Gate, Token
from tests.simulators.tradovate.schemas import SCHEMAS, definition, is_request

DESK = web.AppKey("tradovate", Desk)
ROUTES = web.RouteTableDef()


@ROUTES.post("/v1/auth/accesstokenrequest")
async def login(request: web.Request) -> web.Response:
    """A new session, a penalty, or a refusal; all of them with status 200."""
    body = await _body(request)
    gate, now = _gate(request), request.app[DESK].exchange.now()
    if gate.is_too_often(ANONYMOUS):
        return web.Response(status=429)
    ticket = body.pop("p-ticket", None)
    if penalty := gate.penalty("auth/accesstokenrequest", ticket):
        return _reply(request, "Penalty", penalty)
    if wrong := is_request("POST", "auth/accesstokenrequest", body):
        return web.Response(status=400, text=wrong)
    return _reply(request, "AccessTokenResponse", gate.login(body, now))


@ROUTES.get("/v1/auth/renewaccesstoken")
async def renew(request: web.Request) -> web.Response:
    """The same session for longer."""
    token = _let_in(request)
    if not isinstance(token, Token):
        return token
    gate, now = _gate(request), request.app[DESK].exchange.now()
    if penalty := gate.penalty("auth/renewaccesstoken", request.query.get("p-ticket")):
        return _reply(request, "Penalty", penalty)
    return _reply(request, "AccessTokenResponse", gate.renew(token, now))


@ROUTES.get("/v1/auth/me")
async def me(request: web.Request) -> web.Response:
    """Who the token belongs to."""
    token = _let_in(request)
    if not isinstance(token, Token):
        return token
    if penalty := _gate(request).penalty("auth/me", request.query.get("p-ticket")):
        return _reply(request, "Penalty", penalty)
    return _reply(request, "OAuthMeResponse", {"userId": USER_ID, "name": USER_NAME, "emailVerified": True, "isTrial": False})


@ROUTES.post("/v1/order/placeorder")
@ROUTES.post("/v1/order/placeoso")
@ROUTES.post("/v1/order/placeoco")
@ROUTES.post("/v1/{kind}/{how}")
@ROUTES.get("/v1/{kind}/{how}")
async def call(request: web.Request) -> web.Response:
    """Any other endpoint."""
    desk, token = request.app[DESK], _let_in(request)
    if not isinstance(token, Token):
        return token
    endpoint = endpoint_named(request.path.removeprefix("/v1/"))
    body = await _body(request) if request.method == "POST" else None
    ticket = (body or request.query).get("p-ticket")
    if penalty := desk.gate.penalty(endpoint, ticket):
        return _reply(request, "Penalty", penalty)
    try:
        document = answer(desk, request.method, endpoint, request.query, body)
    except Refusal as refusal:
        return web.Response(status=refusal.status, text=refusal.text)
    return _reply(request, definition(request.method, endpoint, "reply"), document)


def endpoint_named(text: str) -> str:
    """The endpoint as the schema has it: what is done is written in lower case, whatever the client writes."""
    kind, _, how = text.partition("/")
    return f"{kind}/{how.lower()}"


def _gate(request: web.Request) -> Gate:
    return request.app[DESK].gate


def _let_in(request: web.Request) -> Token | web.Response:
    """Whose request it is, or why it is not answered."""
    token = _gate(request).user(request.headers.get("Authorization", ""), request.app[DESK].exchange.now())
    if token is None:
        return web.Response(status=401, text=DENIED)
    return web.Response(status=429) if _gate(request).is_too_often() else token


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.text() or "{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="the body is no JSON object")
    return body


def _reply(request: web.Request, name: str | None, document: Any) -> web.Response:
    if name is None or (not document and document is not None and not isinstance(document, list)):
        return web.json_response(document)
    SCHEMAS.told(request.app[OPTIONS], name, document)
    return web.json_response(document)
