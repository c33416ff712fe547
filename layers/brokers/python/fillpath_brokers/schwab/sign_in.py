"""Signing in at Schwab: OAuth in a browser, once a week.

An access token lives for half an hour and is renewed with a refresh token. That one lives for seven days from the sign-in, and no
renewal makes it live longer: then a person signs in again.
"""

import base64
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from fillpath.accounts.access import Access, Token
from fillpath.errors import BrokerUnavailable, NeedsReauth
from fillpath_brokers.schwab.refusals import read
from fillpath_brokers.schwab.settings import Settings
from fillpath_brokers.session import access_token, bearer
from fillpath_brokers.signing_in import Field, SignInContext
from fillpath_brokers.web import Reply, Request

REFRESH_LIFE = timedelta(days=7)
_AGAIN = "sign in again with the browser: ./fillpath account sign-in ID"
_REFUSED = range(400, 404)


class SchwabSignIn:
    """App key and secret, then a browser."""

    fields = (
        Field(
            "environment",
            "Environment",
            "there is only live: Schwab has no paper accounts, so orders are real money (a simulator is reached by an endpoint)",
            secret=False,
            default="live",
            choices=("live",),
        ),
        Field("app_key", "App key", "developer.schwab.com, Dashboard, your app, which must be 'Ready for use'"),
        Field("app_secret", "App secret", "beside the app key"),
        Field(
            "redirect_uri",
            "Callback URL",
            "exactly as it was registered for the app, without a slash at the end",
            secret=False,
            default="https://127.0.0.1",
        ),
        Field(
            "account",
            "Account number",
            "as on the statement; may be empty if you let the app see one account only",
            secret=False,
            required=False,
        ),
    )
    endpoints = ("sign_in_endpoint", "trader_endpoint", "data_endpoint", "stream_endpoint")
    renew_before: timedelta | None = timedelta(minutes=5)

    def check(self, connection: Mapping[str, str]) -> None:
        """Whether the connection's settings can be used; Refused(invalid_connection)."""
        Settings.of(connection)

    def authorize_url(self, credentials: Mapping[str, str], context: SignInContext) -> str | None:
        """Where a person signs in and chooses the accounts; the browser then shows the callback with the code in it."""
        settings = Settings.of(context.connection)
        query = {"client_id": credentials["app_key"], "redirect_uri": settings.redirect_uri, "response_type": "code"}
        return f"{settings.sign_in_url}/authorize?{urlencode(query)}"

    def sign_in(self, credentials: Mapping[str, str], context: SignInContext, code: str | None = None) -> Token | None:
        """The first token, from the code of the callback or the whole address that the browser shows."""
        if not code:
            raise NeedsReauth(f"Schwab lets nobody in without a browser; {_AGAIN}")
        settings = Settings.of(context.connection)
        form = {"grant_type": "authorization_code", "code": _code(code), "redirect_uri": settings.redirect_uri}
        return _token(form, credentials, context, context.clock.now() + REFRESH_LIFE)

    def renew(self, credentials: Mapping[str, str], token: Token, context: SignInContext) -> Token:
        """A new access token; when a person must sign in again stays as it was."""
        ends = token.refresh_expires_at
        if token.refresh_token is None or (ends is not None and ends <= context.clock.now()):
            raise NeedsReauth(f"Schwab's weekly sign-in has ended; {_AGAIN}")
        form = {"grant_type": "refresh_token", "refresh_token": token.refresh_token}
        return _token(form, credentials, context, ends)


def authorization(access: Access) -> dict[str, str]:
    """The headers that let a request in."""
    return {**bearer(access_token(access)), "Accept": "application/json"}


def _token(form: Mapping[str, str], credentials: Mapping[str, str], context: SignInContext, ends: datetime | None) -> Token:
    pair = f"{credentials['app_key']}:{credentials['app_secret']}"
    headers = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    url = f"{Settings.of(context.connection).sign_in_url}/token"
    asked_at = context.clock.now()
    reply = context.web.call(Request("POST", url, headers=headers, form=form))
    if reply.status in _REFUSED:
        raise NeedsReauth(_why(reply))
    if not reply.ok:
        raise BrokerUnavailable(f"Schwab answers the sign-in with {reply.status}: {read(reply).text}")
    answer: Any = reply.json()
    try:
        lasts = timedelta(seconds=int(answer["expires_in"]))
        refresh = answer.get("refresh_token") or form.get("refresh_token")
        return Token(answer["access_token"], asked_at + lasts, refresh, ends)
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise BrokerUnavailable("Schwab's token answer cannot be read") from exc


def _why(reply: Reply) -> str:
    """What is wrong, and what helps."""
    text = read(reply).text
    if "invalid_client" in text or reply.status == 401:
        return f"Schwab refuses the app key or its secret ({text}); check them at developer.schwab.com, then {_AGAIN}"
    if "AuthorizationCode" in text or "authorization code" in text.lower():
        return f"Schwab refuses the code, which is good for half a minute and once only ({text}); {_AGAIN}"
    return f"Schwab refuses the sign-in ({text}); {_AGAIN}"


def _code(text: str) -> str:
    """The code as it is to be sent: out of a whole address, without percent signs. It ends with @."""
    text = text.strip()
    if "code=" in text:
        return parse_qs(urlsplit(text).query or text.rpartition("?")[2])["code"][0]
    return unquote(text)


SIGN_IN = SchwabSignIn()
