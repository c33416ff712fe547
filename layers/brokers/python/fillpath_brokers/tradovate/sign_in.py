"""Signing in at Tradovate: a user's name and password with the key of an application make a token for an hour and a half.

A token is renewed before it ends. A new login opens a session, of which Tradovate allows two: a third one ends the oldest, so one
is made only where there is nothing to renew. Logins are counted, failed ones too, five an hour; here they are held back before
that, for all processes together, as renewals are. Nothing loops: what a person entered wrong waits for a person.
"""

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from fillpath.accounts.access import Access, Token
from fillpath.accounts.ports.rate_limits import Quota
from fillpath.errors import BrokerUnavailable, NeedsReauth, NotSent
from fillpath_brokers.session import access_token, bearer
from fillpath_brokers.signing_in import Field, SignInContext
from fillpath_brokers.tradovate.penalty import Penalty, penalty_in, with_ticket
from fillpath_brokers.tradovate.refusals import failure_in, text_in
from fillpath_brokers.tradovate.settings import Settings
from fillpath_brokers.web import Limit, Reply, Request

RENEW_BEFORE = timedelta(minutes=15)
LONGEST_PENALTY_S = 30.0
"""In all, so that a renewal ends while it is still the only one."""
LOCKED_OUT = "Tradovate has locked the login out for asking too often (429)"
APPROVE = (
    "Tradovate does not let this device in yet: approve it in the e-mail that Tradovate has sent to the account's owner "
    "(or under Application Settings, My Devices), then sign in again: ./fillpath account sign-in ID"
)
MARKET_DATA_LOGIN, USER, ACCOUNT, ACCOUNT_NAME = "md_access_token", "user_id", "account_id", "account_name"
"""What a token has besides: its market data token, the user's id, and the account that orders name."""
_LOGINS = Quota(per_minute=2 / 60, burst=3)
_RENEWALS = Quota(per_minute=12 / 60, burst=3)
_UNAUTHORIZED, _TOO_MANY = 401, 429
_REFUSED = {400, 401, 403}
_LOGIN_S = 15.0
_SHORTEST_PENALTY_S = 1.0
"""What one counts for that tells no time, so that they come to an end."""


@dataclass(frozen=True, slots=True)
class _Way:
    """How one login reaches Tradovate."""

    context: SignInContext
    settings: Settings

    def limit(self, what: str, quota: Quota) -> Limit:
        """The bucket of one kind of request, named so that nothing of the login can be read."""
        login = f"{self.settings.rest_url}\n{self.settings.name}\n{self.settings.cid}"
        return Limit(f"tradovate#{hashlib.sha256(login.encode()).hexdigest()[:16]}#{what}", quota)

    def ask(self, request: Request, limit: Limit) -> dict[str, Any]:
        """The document that answers, once penalties are over. NeedsReauth for what Tradovate refuses; BrokerUnavailable."""
        waited_s, asked = 0.0, request
        while True:
            reply = self.context.web.call(asked, limit)
            document = self._read(reply, limit)
            penalty = penalty_in(document)
            if penalty is None:
                return self._accepted(document)
            waited_s += max(penalty.wait_s, _SHORTEST_PENALTY_S)
            if penalty.captcha or waited_s > LONGEST_PENALTY_S:
                raise self._too_long(penalty, limit)
            self.context.clock.sleep(penalty.wait_s)
            asked = with_ticket(request, penalty)

    def _read(self, reply: Reply, limit: Limit) -> Any:
        if reply.status == _TOO_MANY:
            self._pause(limit, self.settings.rate_limit_wait_s, LOCKED_OUT)
            raise NotSent(LOCKED_OUT, self.settings.rate_limit_wait_s)
        if reply.status in _REFUSED:
            raise self.refusal(text_in(reply) or f"status {reply.status}")
        if not reply.ok:
            raise BrokerUnavailable(f"Tradovate answers {reply.status}: {reply.text}")
        return reply.json()

    def _accepted(self, document: Any) -> dict[str, Any]:
        if (failure := failure_in(document)) is not None:
            raise self.refusal(failure[1])
        if not isinstance(document, dict):
            raise BrokerUnavailable("Tradovate's answer cannot be read")
        return document

    def refusal(self, text: str) -> NeedsReauth:
        """What a person must do about what Tradovate says."""
        if self.settings.wants_approval(text):
            return NeedsReauth(f"{APPROVE} (it says: {text})")
        return NeedsReauth(f"Tradovate refuses the login: {text}")

    def _too_long(self, penalty: Penalty, limit: Limit) -> NotSent:
        self._pause(limit, penalty.wait_s, penalty.text)
        return NotSent(penalty.text, penalty.wait_s)

    def _pause(self, limit: Limit, seconds: float, why: str) -> None:
        """What was asked, and logins in any case: they follow where nothing can be renewed."""
        for each in (limit, self.limit("login", _LOGINS)):
            self.context.web.pause(each, seconds, why)


class TradovateSignIn:
    """Name, password and API key."""

    endpoints = ("rest_endpoint", "socket_endpoint", "data_endpoint")
    renew_before: timedelta | None = RENEW_BEFORE

    @property
    def fields(self) -> tuple[Field, ...]:
        """What is asked for; the device's id is made anew with each call, and kept once it was entered."""
        return (*_FIELDS, replace(_DEVICE, default=str(uuid.uuid4())))

    def check(self, connection: Mapping[str, str]) -> None:
        """Whether the connection's settings can be used; Refused(invalid_connection)."""
        Settings.of(connection)

    def authorize_url(self, credentials: Mapping[str, str], context: SignInContext) -> str | None:
        """Nobody needs a browser."""
        return None

    def sign_in(self, credentials: Mapping[str, str], context: SignInContext, code: str | None = None) -> Token | None:
        """A new session, proved by a look at its accounts."""
        settings = Settings.of(context.connection)
        if not settings.name or not settings.cid:
            raise NeedsReauth("Tradovate needs the user's name and the API key's cid: ./fillpath account sign-in ID")
        way = _Way(context, settings)
        request = Request(
            "POST",
            f"{settings.rest_url}/auth/accesstokenrequest",
            json={
                "name": settings.name,
                "password": credentials["password"],
                "appId": settings.app_id,
                "appVersion": settings.app_version,
                "deviceId": settings.device_id or str(uuid.uuid5(uuid.NAMESPACE_OID, context.account_id)),
                "cid": int(settings.cid) if settings.cid_as == "number" and settings.cid.isdecimal() else settings.cid,
                "sec": credentials["sec"],
            },
            timeout_s=_LOGIN_S,
        )
        return _proved(_token(way.ask(request, way.limit("login", _LOGINS)), {}), way)

    def renew(self, credentials: Mapping[str, str], token: Token, context: SignInContext) -> Token:
        """The same session for another hour and a half; NeedsReauth where it has ended, a login may follow."""
        if token.expires_at <= context.clock.now():
            raise NeedsReauth("the session has ended")
        way = _Way(context, Settings.of(context.connection))
        request = Request(
            "GET", f"{way.settings.rest_url}/auth/renewaccesstoken", headers=bearer(token.access_token), timeout_s=_LOGIN_S
        )
        return _proved(_token(way.ask(request, way.limit("renew", _RENEWALS)), token.extra), way)


def authorization(access: Access) -> dict[str, str]:
    """The header that lets a request in."""
    return bearer(access_token(access))


def _token(document: Mapping[str, Any], before: Mapping[str, str]) -> Token:
    """The token of an answer; what the answer leaves out stays as it was."""
    status = document.get("userStatus")
    if not document.get("accessToken"):
        if status not in {None, "Active"}:
            raise NeedsReauth(f"Tradovate lets the user not in: its status is {status}")
        raise BrokerUnavailable("Tradovate's answer has no token")
    try:
        expires_at = datetime.fromisoformat(document["expirationTime"])
    except (KeyError, TypeError, ValueError) as exc:
        raise BrokerUnavailable("Tradovate does not say how long its token is good for") from exc
    told = {MARKET_DATA_LOGIN: document.get("mdAccessToken"), USER: document.get("userId")}
    extra = {**before, **{name: str(value) for name, value in told.items() if value}}
    return Token(document["accessToken"], expires_at, extra=extra)


def _proved(token: Token, way: _Way) -> Token:
    """The token with the account that orders will name: a new device shows here, where its token is denied."""
    request = Request("GET", f"{way.settings.rest_url}/account/list", headers=bearer(token.access_token), safe=True)
    reply = way.context.web.call(request)
    if reply.status == _UNAUTHORIZED:
        raise way.refusal(reply.text or "Access is denied")
    if not reply.ok:
        return token
    account = chosen(_accounts(reply), way.settings.account)
    return replace(token, extra={**token.extra, ACCOUNT: str(account["id"]), ACCOUNT_NAME: str(account["name"])})


def _accounts(reply: Reply) -> list[dict[str, Any]]:
    try:
        documents = json.loads(reply.body)
    except ValueError as exc:
        raise BrokerUnavailable("Tradovate's accounts cannot be read") from exc
    return documents if isinstance(documents, list) else []


def chosen(accounts: list[dict[str, Any]], wanted: str | None) -> dict[str, Any]:
    """The account of that name, or the only active one; NeedsReauth names those there are."""
    named = [each for each in accounts if (each["name"] == wanted if wanted else each.get("active", True))]
    if len(named) == 1:
        return named[0]
    names = ", ".join(sorted(str(each["name"]) for each in accounts)) or "none"
    wish = f"there is no account {wanted}" if wanted else "the login has several accounts; set `account` to one of them"
    raise NeedsReauth(f"{wish if accounts else 'the login has no account'}; there are: {names}")


_FIELDS = (
    Field(
        "environment",
        "Environment",
        "demo trades with play money; live needs a funded account with the API add-on",
        secret=False,
        default="demo",
        choices=("demo", "live"),
    ),
    Field("name", "User name", "the one you log in to Tradovate with", secret=False),
    Field("password", "Password", "of that user, or the dedicated password that was set for the API key"),
    Field(
        "cid", "API key: cid", "a number; Application Settings, API Access, Generate API Key", secret=False, pattern="[0-9]{1,18}"
    ),
    Field("sec", "API key: secret", "shown once, when the key is made"),
    Field("account", "Account", "its name, such as DEMO123456; needed if the login has several", secret=False, required=False),
    Field("app_id", "Application", "the name that the API key was made for", secret=False, required=False, default="Fillpath"),
    Field("app_version", "Application version", "as entered for the API key", secret=False, required=False, default="1.0"),
)
_DEVICE = Field(
    "device_id",
    "Device id",
    "keep what is there: a new one must be approved by e-mail again",
    secret=False,
    required=False,
)
SIGN_IN = TradovateSignIn()
