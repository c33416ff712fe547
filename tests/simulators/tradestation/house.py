"""What the simulated TradeStation keeps beside its exchange: numbers of orders, accounts, who is let in and how often."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import wraps
from pathlib import Path
from threading import Lock
from typing import Any

from aiohttp import web

from tests.simulators.events import SimOrder
from tests.simulators.exchange import ACCOUNT, SimulatedExchange
from tests.simulators.limits import Limit, RequestLimits
from tests.simulators.options import EXCHANGE
from tests.simulators.schemas import Schemas
from tests.simulators.tradestation.tokens import Tokens

FUTURES, MARGIN = "SIM1234567F", "SIM1234567M"
EXCHANGE_ACCOUNTS = {FUTURES: ACCOUNT, MARGIN: f"{ACCOUNT}M"}
TYPES = {FUTURES: "Futures", MARGIN: "Margin"}
SCHEMAS = Schemas(Path(__file__).with_name("schema.json"))

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_LIMITS = {
    "accounts": (250, timedelta(minutes=5)),
    "balances": (250, timedelta(minutes=5)),
    "positions": (250, timedelta(minutes=5)),
    "orders": (250, timedelta(minutes=5)),
    "bars": (500, timedelta(minutes=5)),
    "quote streams": (500, timedelta(minutes=5)),
    "quotes": (30, timedelta(minutes=1)),
}
"""Of a login and an API key together. Of the execution of orders none is published."""
_ERRORS = {
    400: ("BadRequest", "The request could not be understood."),
    401: ("Unauthorized", "The access token is invalid or has expired."),
    403: ("Forbidden", "Request not allowed."),
    404: ("NotFound", "Not found."),
    429: ("TooManyRequests", "Too many requests."),
    500: ("InternalServerError", "An unexpected error occurred."),
    501: ("NotImplemented", "Not implemented."),
    503: ("ServiceUnavailable", "The service is unavailable."),
    504: ("GatewayTimeout", "The gateway timed out."),
}


class Refusal(Exception):
    """An answer that is an error; without a text, the usual one of its status."""

    def __init__(self, status: int, message: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.body = error_body(status) | ({"Message": message} if message else {})


@dataclass(frozen=True, slots=True)
class Notice:
    """What is to be said in every open stream, which ends after it."""

    message: Mapping[str, Any]


@dataclass(slots=True)
class House:
    """One for an application. Orders have numbers here; the exchange knows them by ids of its own."""

    exchange: SimulatedExchange
    credentials: Mapping[str, str]
    limits: RequestLimits
    login: Tokens = field(init=False)
    confirmed: set[str] = field(default_factory=set)
    links_hidden: bool = False
    _refusal_of_second: str = ""
    _refusal_of_exit: str = ""
    _numbers: dict[str, str] = field(default_factory=dict)
    _ids: dict[str, str] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self.login = Tokens(self.exchange.now, self.credentials)

    def number(self, order_id: str) -> str:
        """The number of an order of the exchange."""
        with self._lock:
            if order_id not in self._numbers:
                number = str(911_000_000 + len(self._numbers))
                self._numbers[order_id], self._ids[number] = number, order_id
            return self._numbers[order_id]

    def order(self, number: str) -> SimOrder | None:
        """The order of a number."""
        order_id = self._ids.get(number)
        return self.exchange.order(order_id) if order_id else None

    def let_in(self, authorization: str, group: str) -> None:
        """Count a request of that group; Refusal without a good token, and where the group's window is full."""
        if not self.login.lets_in(authorization):
            raise Refusal(401)
        if group in _LIMITS and self.limits.take(self.credentials["client_id"], Limit(group, *_LIMITS[group])).refused:
            raise Refusal(429)

    def announce(self, message: Mapping[str, Any]) -> None:
        """Say it in every open stream, and end them."""
        self.exchange.events.publish(Notice(message))  # type: ignore[arg-type]  # the bus carries what somebody subscribes to

    def refuse_second(self, text: Any) -> None:
        """The next group of orders is taken but for its second order."""
        self._refusal_of_second = str(text)

    def refusal_of_second(self) -> str:
        """What the second order of a group is refused with, once."""
        text, self._refusal_of_second = self._refusal_of_second, ""
        return text

    def refuse_exit(self, text: Any) -> None:
        """The next entry with exits is taken but for the last of them."""
        self._refusal_of_exit = str(text)

    def refusal_of_exit(self) -> str:
        """What the last exit of an entry is refused with, once."""
        text, self._refusal_of_exit = self._refusal_of_exit, ""
        return text

    def hide_links(self, hidden: Any) -> None:
        """Show no conditional orders, or show them again."""
        self.links_hidden = bool(hidden)


HOUSE = web.AppKey("house", House)


def error_body(status: int) -> dict[str, str]:
    """TradeStation's body of an error status."""
    error, message = _ERRORS.get(status, ("Error", "An error occurred."))
    return {"Error": error, "Message": message}


def signed(group: str) -> Callable[[Handler], Handler]:
    """Only with a token that is good, and inside the group's window; a Refusal becomes its answer."""

    def wrapped(handler: Handler) -> Handler:
        @wraps(handler)
        async def guarded(request: web.Request) -> web.StreamResponse:
            try:
                request.app[HOUSE].let_in(request.headers.get("Authorization", ""), group)
                return await handler(request)
            except Refusal as refusal:
                return SCHEMAS.answer(request, "ErrorResponse", refusal.body, status=refusal.status)

        return guarded

    return wrapped


def accounts_in(request: web.Request) -> tuple[list[str], list[dict[str, str]]]:
    """The accounts that a path names, and an error for each that is not there."""
    wanted = request.match_info["accounts"].split(",")
    errors = [{"AccountID": each, "Error": "Forbidden", "Message": "Invalid Account ID."} for each in wanted if each not in TYPES]
    return [each for each in wanted if each in TYPES], errors


def today(request: web.Request) -> datetime:
    """The beginning of the day."""
    return request.app[EXCHANGE].now().replace(hour=0, minute=0, second=0, microsecond=0)
