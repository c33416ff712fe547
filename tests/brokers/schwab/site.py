"""Schwab as a test scripts it: requests are kept, answers come from a table. And samples of what the real one says."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx

from fillpath.accounts.access import Token
from fillpath.accounts.model import Account
from fillpath.orders.model import Leg, Side
from fillpath_brokers.schwab.venue import SchwabBroker
from fillpath_brokers.services import Services
from fillpath_brokers.token_store import TokenStore
from fillpath_brokers.web import Web
from tests.brokers.services import services_on
from tests.fakes.access_vault import FakeAccessVault
from tests.fakes.account_store import FakeAccountStore
from tests.fakes.clock import FakeClock
from tests.fakes.rate_limits import FakeRateLimits
from tests.fakes.token_ledger import FakeTokenLedger

EVENTS = Path(__file__).parents[3] / "events" / "brokers" / "schwab"
NOW = datetime(2026, 11, 25, 15, 51, 50, tzinfo=UTC)
HASH = "5C1BD3A7E0F94B6288D1A6C30F7E4D2B915A08C6"
CREDENTIALS = {"app_key": "app-key-sample", "app_secret": "app-secret-sample"}
Answer = httpx.Response | Exception
Answering = Callable[[httpx.Request], Answer] | Answer


def sample(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text(), parse_float=Decimal)


def raw(name: str) -> bytes:
    return (EVENTS / f"{name}.json").read_bytes()


def answers(name: str, status: int = 200) -> httpx.Response:
    """A sample as an answer."""
    return httpx.Response(status, content=raw(name))


def listing(*names: str) -> httpx.Response:
    """Samples as a listing of orders."""
    return httpx.Response(200, content=b"[" + b",".join(raw(name) for name in names) + b"]")


def dumped(document: Any) -> httpx.Response:
    """A document as an answer."""
    return httpx.Response(200, content=json.dumps(document, default=float).encode())


def created(order_id: int) -> httpx.Response:
    """The answer to a new order."""
    return httpx.Response(201, headers={"Location": f"https://api.schwabapi.com/trader/v1/accounts/{HASH}/orders/{order_id}"})


class Site:
    """`table`: the answer by `METHOD /end-of-path`; the longest that fits is taken."""

    def __init__(self, table: Mapping[str, Answering] | None = None) -> None:
        self.table: dict[str, Answering] = {"GET /accounts/accountNumbers": answers("account_numbers"), **(table or {})}
        self.requests: list[httpx.Request] = []
        self.now: datetime | None = NOW
        """The time by its clock, which its answers tell; None: they do not."""
        self.transport = httpx.MockTransport(self._answer)

    def sent(self, method: str) -> list[Any]:
        """The bodies that were sent."""
        return [json.loads(each.content, parse_float=Decimal) for each in self.requests if each.method == method]

    def asked(self, text: str) -> list[httpx.Request]:
        """The requests whose address has this text."""
        return [each for each in self.requests if text in str(each.url)]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        known = f"{request.method} {request.url.path}"
        fits = [key for key in self.table if key.split(" ")[0] == request.method and known.endswith(key.split(" ", 1)[1])]
        assert fits, f"nobody answers {known}"
        answer = self.table[max(fits, key=len)]
        answer = answer(request) if callable(answer) else answer
        if isinstance(answer, Exception):
            raise answer
        dated = {} if self.now is None else {"Date": format_datetime(self.now, usegmt=True)}
        return httpx.Response(answer.status_code, headers={**dated, **answer.headers}, content=answer.content)


class Bench:
    """One account that is signed in."""

    def __init__(self, table: Mapping[str, Answering] | None = None, **connection: str) -> None:
        self.site = Site(table)
        self.clock = FakeClock(NOW)
        self.vault, self.ledger = FakeAccessVault(), FakeTokenLedger()
        self.services: Services = services_on(
            self.clock,
            accounts=FakeAccountStore(),
            tokens=TokenStore(self.vault, self.ledger, self.clock),
            web=Web(FakeRateLimits(self.clock), self.clock, httpx.Client(transport=self.site.transport)),
        )
        self.services.accounts.save(
            Account(
                account_id="A1",
                user_id="U1",
                venue="schwab",
                label="schwab",
                connection={"account": "90000001", **connection},
                created_at=NOW,
            )
        )
        token = Token("access-sample", NOW + timedelta(minutes=30), "refresh-sample", NOW + timedelta(days=7))
        self.services.tokens.keep("A1", CREDENTIALS, token, "a person")
        self.broker = SchwabBroker("A1", self.services)


def leg(**fields: Any) -> Leg:
    """A leg that was prepared a moment ago."""
    known: dict[str, Any] = {
        "leg": "main",
        "client_order_id": "FP-1-main",
        "contract": "AAPL",
        "side": Side.BUY,
        "quantity": Decimal(10),
        "prepared_at": NOW - timedelta(seconds=2),
        "submit_by": NOW + timedelta(seconds=8),
    }
    return Leg(**{**known, **fields})
