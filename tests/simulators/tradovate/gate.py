"""Who is let in, and how often: logins, sessions and their tokens, devices that wait for approval, limits, penalties.

A user may ask 5,000 times in any hour; then nothing is answered for an hour, which begins anew with each request. Of some
endpoints much less is allowed, and what is too much costs a penalty.

Faults: {"expire_tokens": true} ends every token; {"unapproved_device": true|false} denies every token until it is false again;
{"login": "text"} refuses logins with that text ("" takes it back); {"penalty": {"endpoint", "time", "captcha"?, "times"?}}
answers an endpoint with a ticket; {"lifetime_s": 60} is how long new tokens live; {"no_market_data": true} has no licence for
data.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from tests.simulators.limits import Limit, RequestLimits

USER_ID, USER_NAME = 15460, "simulated-trader"
PASSWORD, CID, SECRET = "simulated-password", "8", "f0000000-0000-4000-8000-000000000000"
LIFETIME_S = 90 * 60.0
SILENCE_S = 10.0
MOST_SESSIONS = 2
WRONG = "Incorrect username or password. Please try again, noting that passwords are case-sensitive."
DENIED = "Access is denied"
_HOUR = timedelta(hours=1)
USER = Limit("user", 5_000, _HOUR, rolling=True, locked=_HOUR)
ANONYMOUS = Limit("anonymous", 1_000, _HOUR, rolling=True, locked=_HOUR)
_ENDPOINTS = {
    "auth/accesstokenrequest": (5, 15),
    "auth/renewaccesstoken": (15, 15),
    "auth/me": (10, 30),
    "user/syncrequest": (300, 3),
}
"""How often in any hour, and the seconds of the penalty for more."""


@dataclass(slots=True)
class Ticket:
    """A penalty of one endpoint; `due`: how often it still strikes. Who comes with the ticket is let through."""

    endpoint: str
    time: int
    captcha: bool
    due: int
    text: str = field(default_factory=lambda: f"11,{uuid4().hex}")

    @property
    def answer(self) -> dict[str, Any]:
        """What is answered instead."""
        return {"p-ticket": self.text, "p-time": self.time, "p-captcha": self.captcha}


@dataclass(slots=True)
class Token:
    """One token: of which session, until when, and whether it is good for market data only."""

    session: str
    until: datetime
    data_only: bool = False


class Gate:
    """The tokens of one simulator."""

    def __init__(self, limits: RequestLimits) -> None:
        self._limits = limits
        self.tokens: dict[str, Token] = {}
        self.sessions: list[str] = []
        self.logins = 0
        self.devices: list[str] = []
        self.denies = False
        self.without_data = False
        self.refusal = ""
        self.lifetime_s = LIFETIME_S
        self.silence_s = SILENCE_S
        self.tickets: list[Ticket] = []

    def login(self, body: dict[str, Any], now: datetime) -> dict[str, Any]:
        """A new session: a third one ends the oldest."""
        self.logins += 1
        if self.refusal:
            return {"errorText": self.refusal}
        if (body.get("name"), body.get("password")) != (USER_NAME, PASSWORD):
            return {"errorText": WRONG}
        if str(body.get("cid")) != CID or body.get("sec") != SECRET:
            return {"errorText": "The app is not registered"}
        self.devices.append(str(body.get("deviceId") or ""))
        session = uuid4().hex
        self.sessions.append(session)
        for ended in self.sessions[:-MOST_SESSIONS]:
            self.tokens = {name: token for name, token in self.tokens.items() if token.session != ended}
        self.sessions = self.sessions[-MOST_SESSIONS:]
        return self._answer(session, now)

    def renew(self, token: Token, now: datetime) -> dict[str, Any]:
        """A new token of the same session."""
        return self._answer(token.session, now)

    def user(self, header: str, now: datetime) -> Token | None:
        """The token of an Authorization header; None if it is not let in."""
        return self.token(header.removeprefix("Bearer "), now)

    def token(self, name: str, now: datetime) -> Token | None:
        """A token that is good now."""
        token = self.tokens.get(name)
        return token if token and token.until > now and not self.denies else None

    def is_too_often(self, limit: Limit = USER) -> bool:
        """Count a request of the user's, or one that nobody has signed: whether it is one too many."""
        return self._limits.take(USER_NAME, limit).refused

    def penalty(self, endpoint: str, ticket: str | None) -> dict[str, Any] | None:
        """The penalty that an endpoint answers with, unless its ticket is there."""
        held = next((each for each in self.tickets if each.endpoint == endpoint.lower()), None) or self._earned(endpoint)
        if held is None:
            return None
        if ticket == held.text and not held.captcha:
            held.due -= 1
            if held.due <= 0:
                self.tickets.remove(held)
                return None
        return held.answer

    def expire(self, _: Any) -> None:
        """Every token has ended."""
        self.tokens.clear()

    def punish(self, wanted: dict[str, Any]) -> None:
        """Add a penalty."""
        endpoint, time = wanted["endpoint"].lower(), int(wanted.get("time", 1))
        self.tickets.append(Ticket(endpoint, time, bool(wanted.get("captcha")), int(wanted.get("times", 1))))

    def _earned(self, endpoint: str) -> Ticket | None:
        most, wait_s = _ENDPOINTS.get(endpoint, (0, 0))
        if not most or not self.is_too_often(Limit(endpoint, most, _HOUR, rolling=True)):
            return None
        self.punish({"endpoint": endpoint, "time": wait_s})
        return self.tickets[-1]

    def _answer(self, session: str, now: datetime) -> dict[str, Any]:
        until = now + timedelta(seconds=self.lifetime_s)
        names = [f"sim-{uuid4().hex}", f"sim-md-{uuid4().hex}"]
        self.tokens |= {names[0]: Token(session, until), names[1]: Token(session, until, data_only=True)}
        return {
            "accessToken": names[0],
            "mdAccessToken": names[1],
            "expirationTime": stamp(until),
            "passwordExpirationTime": stamp(now + timedelta(days=90)),
            "userStatus": "Active",
            "userId": USER_ID,
            "name": USER_NAME,
            "hasLive": False,
        }


def stamp(at: datetime) -> str:
    """An instant as Tradovate writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
