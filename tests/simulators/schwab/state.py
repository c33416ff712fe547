"""What the simulated Schwab keeps besides its exchange: who has signed in, how orders are numbered, and who streams."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from aiohttp import web

from tests.simulators.exchange import ACCOUNT

APP_KEY, APP_SECRET = "sim-app-key-0000000000000000000000", "sim-app-secret"
REDIRECT_URI = "https://127.0.0.1"
ACCOUNTS: Mapping[str, str] = {"90000001": ACCOUNT, "90000002": "SIM0002"}
"""Account numbers, and whose they are at the exchange."""
HASHES: Mapping[str, str] = {
    "90000001": "5C1BD3A7E0F94B6288D1A6C30F7E4D2B915A08C6",
    "90000002": "E29F4407B1D84C3FA5560E9B7C12D8AA34F67710",
}
CUSTOMER, CORRELATION = "sim-customer-1d6f2a", "0f3c9a52-7c1e-4b60-9d88-2a41c3b57e90"
CHANNEL, FUNCTION = "N9", "APIAPP"
ACCESS_LIFE, REFRESH_LIFE, CODE_LIFE = timedelta(minutes=30), timedelta(days=7), timedelta(seconds=30)
_FIRST_ORDER = 1001416563700


@dataclass
class State:
    """`most_orders`: how many orders one listing may have before the gateway finds it too long."""

    codes: dict[str, datetime] = field(default_factory=dict)
    access: dict[str, datetime] = field(default_factory=dict)
    refresh: dict[str, datetime] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    most_orders: int = 3000
    heartbeat_s: float = 10.0
    empty_s: float = 30.0
    volumes: dict[str, int] = field(default_factory=dict)
    _next: "count[int]" = field(default_factory=lambda: count(_FIRST_ORDER))

    def new_code(self, now: datetime) -> str:
        """A code of the browser; it ends with an at sign."""
        code = f"C0.{secrets.token_urlsafe(24)}@"
        self.codes[code] = now + CODE_LIFE
        return code

    def new_access(self, now: datetime) -> str:
        """An access token for half an hour."""
        token = f"I0.{secrets.token_urlsafe(24)}@"
        self.access[token] = now + ACCESS_LIFE
        return token

    def new_refresh(self, now: datetime) -> str:
        """A refresh token for a week."""
        token = secrets.token_urlsafe(48) + "@"
        self.refresh[token] = now + REFRESH_LIFE
        return token

    def lets_in(self, token: str, now: datetime) -> bool:
        """Whether the access token is good."""
        return token in self.access and self.access[token] > now

    def number(self, key: str) -> int:
        """The order number of an order of the exchange, or of a group of them."""
        if key not in self.numbers:
            self.numbers[key] = next(self._next)
        return self.numbers[key]

    def key(self, number: str) -> str | None:
        """The order or group of this number."""
        return next((key for key, known in self.numbers.items() if str(known) == number), None)


STATE = web.AppKey("schwab", State)
