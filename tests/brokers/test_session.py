"""A session: what a refused token and too many requests tell, and what a pause must not break."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from fillpath.accounts.access import Access, Token
from fillpath.accounts.model import Account
from fillpath.accounts.ports.rate_limits import Quota
from fillpath.errors import NeedsReauth, NotSent
from fillpath.orders.outcomes import Rejected
from fillpath_brokers.sending import send_once
from fillpath_brokers.session import Session, access_token, bearer
from fillpath_brokers.token_store import TokenStore
from fillpath_brokers.web import Request, Web
from tests.fakes.access_vault import FakeAccessVault
from tests.fakes.clock import FakeClock
from tests.fakes.rate_limits import FakeRateLimits
from tests.fakes.token_ledger import FakeTokenLedger

URL = "https://venue.example/orders"
KEYS = {"secret": "hush-hush"}


class Scene:
    """One account, signed in at a venue that answers so."""

    def __init__(self, answer: httpx.Response, *, with_token: bool = True) -> None:
        self.clock = FakeClock()
        self.ledger = FakeTokenLedger()
        self.tokens = TokenStore(FakeAccessVault(), self.ledger, self.clock)
        self.limits = FakeRateLimits(self.clock)
        token = Token("t0ken", self.clock.now() + timedelta(minutes=20)) if with_token else None
        self.tokens.keep("A1", KEYS, token, "a person")
        client = httpx.Client(transport=httpx.MockTransport(lambda _: answer))
        account = Account(account_id="A1", user_id="U1", venue="venue", label="mine", created_at=self.clock.now())
        web = Web(self.limits, self.clock, client)
        self.session = Session(account, self.tokens, web, lambda _: {}, Quota(60, burst=10), wait_s=30)

    def send(self) -> Any:
        return self.session.send(Request("POST", URL))


@pytest.mark.parametrize(
    ("header", "wait_s"), [("7", 7), ("inf", 30), ("nan", 30), ("-1", 30), ("0", 30), ("soon", 30), ("9e12", 900)]
)
def test_only_a_sensible_wait_is_believed(header: str, wait_s: float) -> None:
    with pytest.raises(NotSent) as raised:
        Scene(httpx.Response(429, headers={"Retry-After": header})).send()
    assert raised.value.delay_s == wait_s


@pytest.mark.parametrize("with_token", [True, False])
def test_a_venue_that_repeats_a_secret_is_not_quoted(with_token: bool) -> None:
    at = Scene(httpx.Response(401, text="who is hush-hush with t0ken?"), with_token=with_token)
    with pytest.raises(NotSent if with_token else NeedsReauth) as raised:
        at.send()
    assert "hush-hush" not in str(raised.value)
    assert not with_token or "t0ken" not in str(raised.value)


@pytest.mark.parametrize("status", [200, 403])
def test_no_outcome_holds_what_a_venue_repeats_of_a_secret(status: int) -> None:
    at = Scene(httpx.Response(status, json={"message": "hush-hush is wrong, t0ken too", "code": 40310000}))
    outcome = send_once(at.session, Request("POST", URL), lambda reply: Rejected("rejected", reply.json()["message"]))
    assert outcome == Rejected("rejected", "*** is wrong, *** too")
    assert "hush" not in at.send().text


def test_a_pause_after_an_answer_works_though_the_token_has_ended_meanwhile() -> None:
    at = Scene(httpx.Response(423))
    reply = at.send()
    at.clock.sleep(3600)
    at.session.pause(60, "it wants a captcha")
    assert reply.status == 423
    assert at.limits.buckets.paused_until


def test_who_has_not_signed_in_has_no_token() -> None:
    with pytest.raises(NeedsReauth):
        access_token(Access(KEYS))
    assert bearer("t0ken") == {"Authorization": "Bearer t0ken"}


class Shared:
    """Accounts of one process, each of which may ask three times at once; nothing comes back in between."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.tokens = TokenStore(FakeAccessVault(), FakeTokenLedger(), self.clock)
        client = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200)))
        self.web = Web(FakeRateLimits(self.clock), self.clock, client)

    def account(self, account_id: str, keys: dict[str, str], **connection: str) -> Session:
        self.tokens.keep(account_id, keys, None, "a person")
        known = {"user_id": "U1", "venue": "venue", "label": account_id, "created_at": self.clock.now()}
        account = Account(account_id=account_id, connection=connection, **known)
        return Session(account, self.tokens, self.web, lambda _: {}, Quota(1, burst=3))


def asked(session: Session) -> int:
    """How often it may ask, until it is told to wait."""
    for number in range(10):
        try:
            session.send(Request("POST", URL))
        except NotSent:
            return number
    raise AssertionError("nothing limits it")


def test_accounts_that_share_a_credential_share_its_requests() -> None:
    at = Shared()
    first, second = at.account("A1", KEYS), at.account("A2", KEYS)
    first.send(Request("POST", URL))
    assert asked(second) == 2
    assert asked(first) == 0


def test_another_credential_or_place_or_kind_of_requests_is_counted_by_itself() -> None:
    at = Shared()
    assert asked(at.account("A1", KEYS)) == 3
    assert asked(at.account("A2", KEYS | {"secret": "another"})) == 3
    assert asked(at.account("A3", KEYS, endpoint="https://sim.example")) == 3
    assert asked(at.account("A4", KEYS).counted_as("bars", Quota(1, burst=3))) == 3
    assert asked(at.account("A5", KEYS)) == 0
