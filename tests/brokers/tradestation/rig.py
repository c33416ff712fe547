"""One account at a TradeStation that a test writes the answers of, without sockets; and samples of its messages."""

import json
from collections import deque
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx

from fillpath.accounts.access import Access, Token
from fillpath.accounts.model import Account, Credentials
from fillpath.orders.model import Leg, LegStatus, OrderType, Side
from fillpath_brokers.token_store import TokenStore
from fillpath_brokers.tradestation.venue import TradeStationBroker, open_account
from fillpath_brokers.web import Web
from tests.brokers.services import services_on
from tests.fakes.access_vault import FakeAccessVault
from tests.fakes.account_store import FakeAccountStore
from tests.fakes.clock import FakeClock
from tests.fakes.rate_limits import FakeRateLimits
from tests.fakes.token_ledger import FakeTokenLedger
from tests.fakes.trading_hours import FakeTradingHours

EVENTS = Path(__file__).parents[3] / "events" / "brokers" / "tradestation"
NOW = datetime(2026, 11, 25, 15, 4, 5, tzinfo=UTC)
ACCOUNT = "SIM1234567F"
BASE = f"/v3/brokerage/accounts/{ACCOUNT}"
ORDERS, GROUPS = "/v3/orderexecution/orders", "/v3/orderexecution/ordergroups"
SECRETS = {"client_id": "the-key", "client_secret": "the-s3cret"}

PRICED: dict[str, Any] = {"type": OrderType.LIMIT, "limit_price": Decimal("5890.25")}
BRACKET: dict[str, Any] = {"take_profit": Decimal(5920), "stop_loss": Decimal(5880)}
PAIR: dict[str, Any] = {
    "type": OrderType.OCO,
    "limit_price": Decimal(5920),
    "stop_price": Decimal(5880),
    "reduce_only": True,
    "side": Side.SELL,
}

Answer = tuple[int, Any] | Exception


def sample(name: str) -> Any:
    """One message as TradeStation sends it."""
    return json.loads((EVENTS / f"{name}.json").read_text())


def leg(**fields: Any) -> Leg:
    """A leg that was prepared just now."""
    known: dict[str, Any] = {
        "leg": "main",
        "client_order_id": "01KJQHXDKVZ8Q4T6W2YB3N5M7R-main",
        "contract": "ESZ6",
        "side": Side.BUY,
        "quantity": Decimal(2),
        "prepared_at": NOW,
        "submit_by": NOW + timedelta(seconds=10),
        "status": LegStatus.SUBMITTING,
    }
    return Leg(**{**known, **fields})


class Rig:
    """`answers` says what comes for a request; the last answer is given again and again. What was asked is in `asked`."""

    def __init__(self, **connection: str) -> None:
        self.clock = FakeClock(NOW)
        self.hours = FakeTradingHours()
        self.vault, self.ledger = FakeAccessVault(), FakeTokenLedger()
        self.limits = FakeRateLimits(self.clock)
        self.asked: list[httpx.Request] = []
        self.ahead: timedelta | None = timedelta()
        """Of ours is TradeStation's clock, which its answers tell; None: they do not."""
        self._answers: dict[tuple[str, str], deque[Answer]] = {}
        self.web = Web(self.limits, self.clock, httpx.Client(transport=httpx.MockTransport(self._answer)))
        accounts = FakeAccountStore()
        accounts.save(
            Account(
                account_id="A1",
                user_id="U1",
                venue="tradestation",
                label="mine",
                credentials=Credentials.VERIFIED,
                connection={"endpoint": "http://tradestation.test", "account": ACCOUNT, **connection},
                created_at=NOW,
            )
        )
        self.tokens = TokenStore(self.vault, self.ledger, self.clock)
        self.tokens.keep("A1", SECRETS, Token("the-token", NOW + timedelta(minutes=20), "the-refresh-token"), "a person")
        services = services_on(self.clock, accounts=accounts, tokens=self.tokens, web=self.web, hours=self.hours)
        self.broker: TradeStationBroker = open_account("A1", services)

    def answers(self, method: str, path: str, *replies: Any) -> None:
        """A reply is a body, a status with a body, or an error."""
        self._answers[method, path] = deque(each if isinstance(each, tuple | Exception) else (200, each) for each in replies)

    def shows(self, *orders: Any, older: tuple[Any, ...] = ()) -> None:
        """The listings, in whatever way they are asked."""
        self.answers("GET", f"{BASE}/orders", {"Orders": list(orders), "Errors": []})
        self.answers("GET", f"{BASE}/historicalorders", {"Orders": list(older), "Errors": []})

    def shows_by_id(self, name: str) -> None:
        """Every way to ask for some orders of a sample by their ids."""
        orders = sample(name)["Orders"]
        ids = [each["OrderID"] for each in orders]
        for wanted in (ids, ids[1:], sorted(ids), [ids[0]]):
            found = [each for each in orders if each["OrderID"] in wanted]
            self.answers("GET", f"{BASE}/orders/{','.join(wanted)}", {"Orders": found, "Errors": []})

    def sent(self, method: str, path: str) -> list[Any]:
        """The bodies of these requests."""
        found = [each for each in self.asked if (each.method, each.url.path) == (method, path)]
        return [json.loads(each.content) if each.content else None for each in found]

    def paths(self, method: str) -> list[str]:
        """Where requests of that method went."""
        return [each.url.path for each in self.asked if each.method == method]

    def access(self) -> Access:
        """What lets the account in."""
        return self.tokens.access("A1")

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        waiting = self._answers.get((request.method, request.url.path))
        if waiting is None:
            raise AssertionError(f"nobody expected {request.method} {request.url.path}")
        answer = waiting.popleft() if len(waiting) > 1 else waiting[0]
        if isinstance(answer, Exception):
            raise answer
        status, body = answer
        dated = {} if self.ahead is None else {"Date": format_datetime(self.clock.now() + self.ahead, usegmt=True)}
        if isinstance(body, str):
            return httpx.Response(status, headers=dated, text=body)
        return httpx.Response(status, headers=dated, json=body)
