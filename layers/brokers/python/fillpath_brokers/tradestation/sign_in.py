"""Signing in at TradeStation: in a browser (authorization code), or with a refresh token that somebody already has.

Access tokens live for some minutes and are renewed beforehand. Refresh tokens do not expire, unless the key rotates them: then
each renewal gives a new one, and the login ends a day after it began.
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from fillpath.accounts.access import Access, Token
from fillpath.errors import BrokerUnavailable, NeedsReauth
from fillpath_brokers.session import access_token, bearer
from fillpath_brokers.signing_in import Field, SignInContext
from fillpath_brokers.tradestation.settings import Settings
from fillpath_brokers.web import Reply, Request

_AUDIENCE = "https://api.tradestation.com"
_WORTH_ANOTHER_TRY = {408, 429}
_SIGNED_IN_AT = "signed_in_at"


class TradeStationSignIn:
    """Remembers the verifiers of sign-ins that have begun in this process, for keys without a secret (PKCE)."""

    fields = (
        Field(
            "environment",
            "Environment",
            "sim trades with play money; the same login and key work for both",
            secret=False,
            default="sim",
            choices=("sim", "live"),
        ),
        Field("client_id", "API key (client id)", "TradeStation gives it to you when you ask its client service for API access"),
        Field("client_secret", "API secret", "comes with the key; leave it empty if your key has none (PKCE)", required=False),
        Field(
            "redirect_uri",
            "Redirect address",
            "where the browser comes back to; must be one that is registered for the key",
            secret=False,
            default="http://localhost:8080",
        ),
        Field(
            "refresh_token",
            "Refresh token",
            "only if you already have one: then no browser is needed; otherwise leave it empty",
            required=False,
        ),
    )
    endpoints = ("api_endpoint", "login_endpoint")
    renew_before: timedelta | None = timedelta(minutes=5)

    def __init__(self) -> None:
        self._verifiers: dict[str, str] = {}

    def check(self, connection: Mapping[str, str]) -> None:
        """Whether the connection's settings can be used; Refused(invalid_connection)."""
        Settings.of(connection)

    def authorize_url(self, credentials: Mapping[str, str], context: SignInContext) -> str | None:
        """The page on which a person allows the access; its `state` comes back with the code. None with a refresh token."""
        if credentials.get("refresh_token"):
            return None
        settings = Settings.of(context.connection)
        query = {
            "response_type": "code",
            "client_id": credentials["client_id"],
            "audience": _AUDIENCE,
            "redirect_uri": settings.redirect_uri,
            "scope": settings.scope,
            "state": secrets.token_urlsafe(16),
        }
        if not credentials.get("client_secret"):
            verifier = self._verifiers[context.account_id] = secrets.token_urlsafe(48)
            digest = hashlib.sha256(verifier.encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            query |= {"code_challenge": challenge, "code_challenge_method": "S256"}
        return f"{settings.login_url}/authorize?{urlencode(query)}"

    def sign_in(self, credentials: Mapping[str, str], context: SignInContext, code: str | None = None) -> Token | None:
        """The first token, from the browser's code or from the refresh token that was entered."""
        now = context.clock.now()
        if code is None:
            refresh_token = credentials.get("refresh_token")
            if not refresh_token:
                raise NeedsReauth("TradeStation wants a sign-in in the browser: ./fillpath account sign-in ID")
            form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
            return _token(
                _ask(form, credentials, context),
                now,
                Token("", now, refresh_token, extra={_SIGNED_IN_AT: now.isoformat()}),
                context,
            )
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": Settings.of(context.connection).redirect_uri}
        if not credentials.get("client_secret"):
            form["code_verifier"] = self._verifier(context.account_id)
        return _token(_ask(form, credentials, context), now, None, context)

    def renew(self, credentials: Mapping[str, str], token: Token, context: SignInContext) -> Token:
        """A new access token. NeedsReauth when the refresh token was revoked or has ended."""
        refresh_token = token.refresh_token or credentials.get("refresh_token")
        if not refresh_token:
            raise NeedsReauth("TradeStation gave no refresh token: ./fillpath account sign-in ID")
        now = context.clock.now()
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return _token(_ask(form, credentials, context), now, token, context)

    def _verifier(self, account_id: str) -> str:
        try:
            return self._verifiers.pop(account_id)
        except KeyError:
            raise NeedsReauth("this sign-in was begun elsewhere: ./fillpath account sign-in ID begins it anew") from None


def authorization(access: Access) -> dict[str, str]:
    """The header that lets a request in."""
    return bearer(access_token(access))


def _ask(form: Mapping[str, str], credentials: Mapping[str, str], context: SignInContext) -> Mapping[str, Any]:
    keys = {name: credentials[name] for name in ("client_id", "client_secret") if credentials.get(name)}
    url = f"{Settings.of(context.connection).login_url}/oauth/token"
    reply = context.web.call(Request("POST", url, form={**keys, **form}))
    if reply.ok:
        document = reply.json()
        if isinstance(document, Mapping) and document.get("access_token"):
            return document
        raise BrokerUnavailable("TradeStation's sign-in answers without a token")
    if 400 <= reply.status < 500 and reply.status not in _WORTH_ANOTHER_TRY:
        raise NeedsReauth(f"TradeStation's sign-in refuses: {_reason(reply)}")
    raise BrokerUnavailable(f"TradeStation's sign-in answers {reply.status}")


def _reason(reply: Reply) -> str:
    try:
        document = reply.json()
    except BrokerUnavailable:
        document = None
    if not isinstance(document, Mapping):
        return f"status {reply.status}"
    return str(document.get("error_description") or document.get("error") or f"status {reply.status}")


def _token(answer: Mapping[str, Any], now: datetime, before: Token | None, context: SignInContext) -> Token:
    """`before`: the token that was renewed. A refresh token that has changed shows that the key rotates them."""
    try:
        access_token, ends = str(answer["access_token"]), now + timedelta(seconds=float(answer["expires_in"]))
    except (KeyError, TypeError, ValueError) as exc:
        raise BrokerUnavailable("TradeStation's token answer cannot be read") from exc
    refresh_token = answer.get("refresh_token") or (before.refresh_token if before else None)
    if before is None:
        return Token(access_token, ends, refresh_token, extra={_SIGNED_IN_AT: now.isoformat()})
    login_ends = before.refresh_expires_at
    if refresh_token != before.refresh_token:
        began = datetime.fromisoformat(before.extra.get(_SIGNED_IN_AT, now.isoformat()))
        login_ends = began + timedelta(hours=Settings.of(context.connection).rotating_login_hours)
    return Token(access_token, ends, refresh_token, login_ends, before.extra)


SIGN_IN = TradeStationSignIn()
