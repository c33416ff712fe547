"""An account at Tradovate on fakes: what Tradovate answers is written down beforehand, what it was asked is written down too."""

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx

from fillpath.accounts.access import Token
from fillpath.accounts.model import Account
from fillpath.orders.model import Leg, Side
from fillpath_brokers.signing_in import SignInContext
from fillpath_brokers.token_store import TokenStore
from fillpath_brokers.tradovate.history import MarketReader
from fillpath_brokers.tradovate.market_socket import Line
from fillpath_brokers.tradovate.settings import Settings
from fillpath_brokers.tradovate.venue import TradovateBroker
from fillpath_brokers.web import Web
from tests.brokers.services import services_on
from tests.fakes.access_vault import FakeAccessVault
from tests.fakes.account_store import FakeAccountStore
from tests.fakes.clock import FakeClock
from tests.fakes.rate_limits import FakeRateLimits
from tests.fakes.token_ledger import FakeTokenLedger
from tests.fakes.trading_hours import FakeTradingHours

EVENTS = Path(__file__).parents[3] / "events" / "brokers" / "tradovate"
SECRETS = {"password": "pa55word!", "sec": "f03741b6-sample"}
CONNECTION = {"name": "ann-smith", "cid": "8", "device_id": "71986488-882c-43db-c345-92a0a2ed9329", "first_stop_within_s": "0"}
ACCOUNT_ID = "acc-1"


def sample(name: str) -> Any:
    """A document as it is read."""
    return json.loads((EVENTS / f"{name}.json").read_text(), parse_float=Decimal)


def recorded(name: str) -> list[str]:
    """The frames of a recording."""
    return (EVENTS / "streams" / f"{name}.txt").read_text().splitlines()


def leg(**fields: Any) -> Leg:
    """A leg to buy three ES at the market, but for what is given."""
    known = {"leg": "open", "client_order_id": "c-1", "contract": "ESZ6", "side": Side.BUY, "quantity": Decimal(3)}
    return Leg(**{**known, **fields})


@dataclass
class Asked:
    """One request that Tradovate got."""

    method: str
    endpoint: str
    query: dict[str, str]
    body: Any
    text: str
    headers: httpx.Headers = field(repr=False, default_factory=httpx.Headers)


def order(number: int, **fields: Any) -> dict[str, Any]:
    """A working order."""
    return {**sample("order_working"), "id": number, **fields}


def version(number: int, **fields: Any) -> dict[str, Any]:
    """Its version."""
    return {**sample("version_market"), "id": number + 5000, "orderId": number, **fields}


def command(number: int, name: str) -> dict[str, Any]:
    """The command that placed it."""
    return {"id": number + 9000, "orderId": number, "commandType": "New", "clOrdId": name, "commandStatus": "AtExecution"}


class FakeTradovate:
    """Answers each endpoint with what was laid down for it, in turn; the last one stays. Nothing laid down: an empty list."""

    def __init__(self, clock: FakeClock) -> None:
        self.asked: list[Asked] = []
        self.ahead: timedelta | None = timedelta()
        """Of ours is Tradovate's clock, which its answers tell; None: they do not."""
        self._clock = clock
        self._answers: dict[str, list[tuple[int, Any]]] = defaultdict(list)

    def lay_down(self, endpoint: str, *documents: Any, status: int = 200) -> None:
        """These answers, after those that are there. An exception is raised in place of an answer."""
        self._answers[endpoint] += [(status, document) for document in documents]

    def instead(self, endpoint: str, *documents: Any, status: int = 200) -> None:
        """These answers and no others."""
        self._answers[endpoint].clear()
        self.lay_down(endpoint, *documents, status=status)

    def requests(self, endpoint: str) -> list[Asked]:
        """What an endpoint was asked."""
        return [each for each in self.asked if each.endpoint == endpoint]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        endpoint, text = request.url.path.removeprefix("/v1/"), request.content.decode()
        body = json.loads(text) if text else None
        self.asked.append(Asked(request.method, endpoint, dict(request.url.params), body, text, request.headers))
        laid = self._answers[endpoint]
        status, document = (laid.pop(0) if len(laid) > 1 else laid[0]) if laid else (200, [])
        if isinstance(document, Exception):
            raise document
        content = document.encode() if isinstance(document, str) else json.dumps(document, default=str).encode()
        dated = {} if self.ahead is None else {"Date": format_datetime(self._clock.now() + self.ahead, usegmt=True)}
        return httpx.Response(status, headers=dated, content=content)


class House:
    """One account, signed in, and all that it stands on."""

    def __init__(self, market: MarketReader | None = None, **connection: str) -> None:
        self.clock = FakeClock()
        self.venue = FakeTradovate(self.clock)
        self.limits = FakeRateLimits(self.clock)
        self.vault, self.ledger, self.hours = FakeAccessVault(), FakeTokenLedger(), FakeTradingHours()
        self.tokens = TokenStore(self.vault, self.ledger, self.clock)
        self.web = Web(self.limits, self.clock, httpx.Client(transport=httpx.MockTransport(self.venue)))
        self.connection = CONNECTION | connection
        accounts = FakeAccountStore()
        accounts.save(account(self.clock.now(), self.connection))
        extra = {"md_access_token": "md-1", "user_id": "15460", "account_id": "123", "account_name": "DEMO123456"}
        self.keep(Token("token-1", self.clock.now() + timedelta(minutes=90), extra=extra))
        self.services = services_on(self.clock, accounts=accounts, tokens=self.tokens, web=self.web, hours=self.hours)
        self.broker = TradovateBroker(ACCOUNT_ID, self.services, market)

    @property
    def context(self) -> SignInContext:
        """What signing in works with."""
        return SignInContext(ACCOUNT_ID, self.connection, self.web, self.clock)

    def keep(self, token: Token) -> None:
        """A token is stored, as if somebody had signed in."""
        self.tokens.keep(ACCOUNT_ID, SECRETS, token, "a person")


def account(at: datetime, connection: dict[str, str]) -> Account:
    """The record of an account."""
    return Account(
        account_id=ACCOUNT_ID, user_id="user-1", venue="tradovate", label="futures", connection=connection, created_at=at
    )


class FakeLine:
    """A market data socket that says what was written down; what it is sent can be answered by `on`."""

    def __init__(self, *frames: str) -> None:
        self.frames = list(frames)
        self.sent: list[str] = []

    def send(self, message: str) -> None:
        self.sent.append(message)

    def recv(self, timeout: float | None = None) -> str:
        if not self.frames:
            raise TimeoutError
        return self.frames.pop(0)

    def asked(self) -> list[tuple[str, Any]]:
        """Endpoints and bodies of the requests, without heartbeats."""
        parts = [frame.split("\n", 3) for frame in self.sent if frame != "[]"]
        return [(part[0], json.loads(part[3]) if part[0] != "authorize" else part[3]) for part in parts]


class Stopwatch:
    """Each look at it takes a second."""

    def __init__(self, step_s: float = 1.0) -> None:
        self.seconds = 0.0
        self.step_s = step_s

    def __call__(self) -> float:
        self.seconds += self.step_s
        return self.seconds


def market(line: Line, clock: FakeClock | None = None, watch: Stopwatch | None = None, **settings: Any) -> MarketReader:
    """What reads bars, over this line."""

    @contextmanager
    def connect(_url: str, _within_s: float) -> Iterator[Line]:
        yield line

    made = Settings.of({name: str(value) for name, value in settings.items()})
    return MarketReader(made, clock or FakeClock(), connect, watch or Stopwatch(0.01))
