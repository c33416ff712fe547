"""Tokens: who may get some, which ones are good, and for how long."""

import base64
import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

LIFE_S = 1200


class Refused(Exception):
    """No token is given; `error` is the OAuth code."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.body = {"error": error, "error_description": description}


@dataclass(frozen=True, slots=True)
class _Grant:
    client_id: str
    redirect_uri: str
    challenge: str


class Tokens:
    """Of one key, which also works without its secret where a code was asked for with a challenge (PKCE)."""

    def __init__(self, now: Callable[[], datetime], credentials: Mapping[str, str]) -> None:
        self._now = now
        self._credentials = credentials
        self._access: dict[str, datetime] = {}
        self._refresh = {credentials["refresh_token"]}
        self._codes: dict[str, _Grant] = {}
        self._rotates = False
        self._given = 0

    def expire(self, expired: Any) -> None:
        """Every access token ends now."""
        if expired:
            self._access.clear()

    def rotate(self, rotates: Any) -> None:
        """Whether refresh tokens change with each use."""
        self._rotates = bool(rotates)

    def lets_in(self, header: str) -> bool:
        """Whether an Authorization header has a good token."""
        ends = self._access.get(header.removeprefix("Bearer "))
        return ends is not None and self._now() < ends

    def code(self, query: Mapping[str, str]) -> str:
        """A code for the redirect address; Refused."""
        if query.get("client_id") != self._credentials["client_id"] or query.get("response_type") != "code":
            raise Refused(403, "unauthorized_client", "Unknown client.")
        if query.get("redirect_uri") != self._credentials["redirect_uri"]:
            raise Refused(403, "access_denied", "Callback URL mismatch.")
        code = secrets.token_urlsafe(12)
        self._codes[code] = _Grant(query["client_id"], query["redirect_uri"], query.get("code_challenge", ""))
        return code

    def exchange(self, form: Mapping[str, str]) -> dict[str, Any]:
        """The token that a form asks for; Refused."""
        match form.get("grant_type"):
            case "authorization_code":
                return self._by_code(form)
            case "refresh_token":
                return self._by_refresh_token(form)
        raise Refused(403, "unsupported_grant_type", "Grant type not allowed.")

    def _by_code(self, form: Mapping[str, str]) -> dict[str, Any]:
        grant = self._codes.pop(form.get("code", ""), None)
        if grant is None or grant.redirect_uri != form.get("redirect_uri"):
            raise Refused(403, "invalid_grant", "Invalid authorization code.")
        if grant.challenge:
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != grant.challenge:
                raise Refused(403, "invalid_grant", "Failed to verify code verifier.")
            self._check(form, secret=False)
        else:
            self._check(form, secret=True)
        fresh = self._new("refresh")
        self._refresh.add(fresh)
        return self._answer() | {"refresh_token": fresh}

    def _by_refresh_token(self, form: Mapping[str, str]) -> dict[str, Any]:
        known = form.get("refresh_token", "")
        if known not in self._refresh:
            raise Refused(403, "invalid_grant", "Unknown or invalid refresh token.")
        self._check(form, secret="client_secret" in form)
        if not self._rotates:
            return self._answer()
        fresh = self._new("refresh")
        self._refresh.remove(known)
        self._refresh.add(fresh)
        return self._answer() | {"refresh_token": fresh}

    def _check(self, form: Mapping[str, str], *, secret: bool) -> None:
        wrong_secret = secret and form.get("client_secret") != self._credentials["client_secret"]
        if form.get("client_id") != self._credentials["client_id"] or wrong_secret:
            raise Refused(401, "access_denied", "Unauthorized")

    def _answer(self) -> dict[str, Any]:
        token = self._new("access")
        self._access[token] = self._now() + timedelta(seconds=LIFE_S)
        scope = "openid profile MarketData ReadAccount Trade offline_access"
        return {"access_token": token, "expires_in": LIFE_S, "scope": scope, "id_token": self._new("id"), "token_type": "Bearer"}

    def _new(self, kind: str) -> str:
        self._given += 1
        return f"simulated-{kind}-{self._given}-{secrets.token_hex(8)}"
