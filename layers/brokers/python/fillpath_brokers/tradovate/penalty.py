"""Penalties: Tradovate answers any request, on any way, with a ticket instead of doing it, when it was asked too often.

The same request is sent again with the ticket once the time is over. Where a captcha is wanted no program can help itself: it
heals after about an hour, if nothing is asked meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from fillpath.errors import NotSent
from fillpath_brokers.web import Request

CAPTCHA_WAIT_S = 3600.0
_TICKET = "p-ticket"


@dataclass(frozen=True, slots=True)
class Penalty:
    """What an answer with a ticket says."""

    ticket: str = field(repr=False)
    wait_s: float
    captcha: bool

    @property
    def text(self) -> str:
        """For people."""
        if self.captcha:
            return "Tradovate wants a captcha: sign in at its website and solve it. Nothing is asked here for an hour"
        return f"Tradovate wants {self.wait_s:.0f} s of patience"

    @property
    def fields(self) -> dict[str, str]:
        """What the repeated request has besides."""
        return {_TICKET: self.ticket}


def penalty_in(document: Any) -> Penalty | None:
    """The penalty that an answer is; None if it is none."""
    if not isinstance(document, Mapping) or not document.get(_TICKET):
        return None
    captcha = bool(document.get("p-captcha"))
    try:
        wait_s = float(document.get("p-time") or 0)
    except (TypeError, ValueError):
        wait_s = 0.0
    sensible = min(wait_s, CAPTCHA_WAIT_S) if wait_s > 0 else 0.0
    return Penalty(str(document[_TICKET]), CAPTCHA_WAIT_S if captcha else sensible, captcha)


def with_ticket(request: Request, penalty: Penalty) -> Request:
    """The same request with the ticket: in its body, or where it has none, in its query."""
    if request.json is not None:
        return replace(request, json={**request.json, **penalty.fields})
    return replace(request, params={**(request.params or {}), **penalty.fields})


class Tickets:
    """The tickets of requests that were told to come back, for the same request when it does. Of this process only."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[Any, Penalty, datetime]] = {}

    def keep(self, request: Request, penalty: Penalty, now: datetime) -> None:
        """This request got that penalty."""
        self._held[request.url] = (_what(request), penalty, now + timedelta(seconds=penalty.wait_s))

    def applied(self, request: Request, now: datetime) -> Request:
        """The request, with its ticket if it has one; NotSent before the penalty of its address is over."""
        if request.url not in self._held:
            return request
        what, penalty, until = self._held[request.url]
        left_s = (until - now).total_seconds()
        if left_s > 0:
            raise NotSent(f"{penalty.text}; {left_s:.0f} s are left", left_s)
        del self._held[request.url]
        return with_ticket(request, penalty) if what == _what(request) else request


def _what(request: Request) -> Any:
    return request.method, request.json, dict(request.params or {})
