"""Signing in at Schwab: a browser's code, tokens for half an hour, and a person again after seven days."""

import base64
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from fillpath.accounts.access import Access, Token
from fillpath.errors import BrokerUnavailable, NeedsReauth, Refused
from fillpath_brokers.facade import OrderRef
from fillpath_brokers.schwab.settings import Settings
from fillpath_brokers.schwab.sign_in import REFRESH_LIFE, SIGN_IN, authorization
from fillpath_brokers.signing_in import SignInContext
from fillpath_brokers.token_store import Renewal, TokenStore
from fillpath_brokers.web import Web
from tests.brokers.schwab.site import CREDENTIALS, NOW, Bench, Site, answers, sample
from tests.fakes.access_vault import FakeAccessVault
from tests.fakes.clock import FakeClock
from tests.fakes.rate_limits import FakeRateLimits
from tests.fakes.token_ledger import FakeTokenLedger

TOKEN = "POST /v1/oauth/token"
CODE = "C0.b2F1dGgyLmJkYy5zY2h3YWIuY29t.sample@"


def context(site: Site, clock: FakeClock | None = None, **connection: str) -> SignInContext:
    clock = clock or FakeClock(NOW)
    web = Web(FakeRateLimits(clock), clock, httpx.Client(transport=site.transport))
    return SignInContext("A1", connection, web, clock)


def form(site: Site) -> dict[str, str]:
    [request] = site.requests
    return {name: value for name, [value] in parse_qs(request.content.decode()).items()}


def signed_in(site: Site, clock: FakeClock | None = None) -> Token:
    token = SIGN_IN.sign_in(CREDENTIALS, context(site, clock), CODE)
    assert token is not None
    return token


def test_the_browser_is_sent_to_schwab_with_the_app_and_its_callback() -> None:
    url = SIGN_IN.authorize_url(CREDENTIALS, context(Site(), redirect_uri="https://127.0.0.1:8182"))
    assert url is not None
    parts = urlsplit(url)
    assert (parts.netloc, parts.path) == ("api.schwabapi.com", "/v1/oauth/authorize")
    assert parse_qs(parts.query) == {
        "client_id": ["app-key-sample"],
        "redirect_uri": ["https://127.0.0.1:8182"],
        "response_type": ["code"],
    }


@pytest.mark.parametrize(
    "pasted",
    [
        CODE,
        CODE.replace("@", "%40"),
        f"  https://127.0.0.1/?code={CODE.replace('@', '%40')}&session=s  ",
        f"?code={CODE}&session=s",
    ],
)
def test_the_code_is_sent_decoded_whatever_was_pasted(pasted: str) -> None:
    site = Site({TOKEN: answers("token")})
    SIGN_IN.sign_in(CREDENTIALS, context(site), pasted)
    assert form(site) == {"grant_type": "authorization_code", "code": CODE, "redirect_uri": "https://127.0.0.1"}
    pair = base64.b64encode(b"app-key-sample:app-secret-sample").decode()
    assert site.requests[0].headers["Authorization"] == f"Basic {pair}"


def test_the_token_lives_for_half_an_hour_and_the_sign_in_for_seven_days() -> None:
    token = signed_in(Site({TOKEN: answers("token")}))
    assert token.access_token == sample("token")["access_token"]
    assert token.expires_at == NOW + timedelta(minutes=30)
    assert token.refresh_expires_at == NOW + timedelta(days=7)
    assert SIGN_IN.renew_before == timedelta(minutes=5)


def test_a_renewal_does_not_make_the_sign_in_last_longer() -> None:
    clock, site = FakeClock(NOW), Site({TOKEN: answers("token")})
    token = signed_in(site, clock)
    site.requests.clear()
    clock.sleep(86_400)
    renewed = SIGN_IN.renew(CREDENTIALS, token, context(site, clock))
    assert form(site) == {"grant_type": "refresh_token", "refresh_token": token.refresh_token}
    assert renewed.expires_at == clock.now() + timedelta(minutes=30)
    assert renewed.refresh_expires_at == token.refresh_expires_at == NOW + REFRESH_LIFE


def test_after_seven_days_nobody_asks_schwab_any_more() -> None:
    clock, site = FakeClock(NOW), Site({TOKEN: answers("token")})
    token = signed_in(site, clock)
    site.requests.clear()
    clock.sleep(7 * 86_400)
    with pytest.raises(NeedsReauth, match=r"browser: \./fillpath account sign-in"):
        SIGN_IN.renew(CREDENTIALS, token, context(site, clock))
    assert site.requests == []


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("refusal_refresh_token", 400, "sign in again with the browser"),
        ("refusal_code", 400, "half a minute"),
        ("refusal_app_key", 401, "app key"),
    ],
)
def test_a_refused_sign_in_says_what_a_person_must_do(name: str, status: int, words: str) -> None:
    site = Site({TOKEN: answers(name, status)})
    with pytest.raises(NeedsReauth, match=words) as refused:
        SIGN_IN.renew(CREDENTIALS, Token("old", NOW, "refresh-sample", NOW + timedelta(days=1)), context(site))
    assert "app-secret-sample" not in str(refused.value)
    assert "refresh-sample" not in str(refused.value)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(429),
        httpx.Response(200, content=b"<html>"),
        httpx.Response(200, json={"access_token": "only"}),
        httpx.Response(200, json=[1]),
        httpx.ReadTimeout("late"),
    ],
)
def test_trouble_at_schwab_is_no_reason_for_a_person(answer: Any) -> None:
    with pytest.raises(BrokerUnavailable):
        signed_in(Site({TOKEN: answer}))


def test_without_a_browser_nobody_gets_in() -> None:
    with pytest.raises(NeedsReauth, match="browser"):
        SIGN_IN.sign_in(CREDENTIALS, context(Site()))


def test_the_store_renews_with_margin_and_gives_up_when_the_week_is_over() -> None:
    clock, site = FakeClock(NOW), Site({TOKEN: answers("token")})
    store = TokenStore(FakeAccessVault(), FakeTokenLedger(), clock)
    store.keep("A1", CREDENTIALS, signed_in(site, clock), "a person")
    where = context(site, clock)
    assert store.renew_if_due("A1", SIGN_IN, where, "run-1") is Renewal.NOT_DUE
    clock.sleep(25 * 60)
    assert store.renew_if_due("A1", SIGN_IN, where, "run-2") is Renewal.RENEWED
    clock.sleep(7 * 86_400)
    assert store.renew_if_due("A1", SIGN_IN, where, "run-3") is Renewal.NEEDS_REAUTH
    status = store.status("A1")
    assert status is not None
    assert "browser" in (status.reason or "")


def test_requests_carry_the_token_as_bearer() -> None:
    assert authorization(Access({}, Token("abc", NOW)))["Authorization"] == "Bearer abc"


@pytest.mark.parametrize(
    "connection", [{"environment": "paper"}, {"environment": "demo"}, {"accounts": "1"}, {"quarantine_s": "-1"}]
)
def test_a_connection_that_cannot_be_used_is_refused_by_name(connection: dict[str, str]) -> None:
    with pytest.raises(Refused) as refused:
        SIGN_IN.check(connection)
    assert refused.value.details["field"] == next(iter(connection))


def test_there_is_no_environment_but_live_and_the_person_is_told_so() -> None:
    [environment] = [each for each in SIGN_IN.fields if each.key == "environment"]
    assert (environment.choices, environment.secret) == (("live",), False)
    assert "real money" in environment.help
    assert Settings.of({}).environment == "live"
    assert {each.key for each in SIGN_IN.fields if each.secret} == {"app_key", "app_secret"}


def test_one_endpoint_stands_for_every_address_even_for_the_streamer() -> None:
    settings = Settings.of({"endpoint": "http://127.0.0.1:8080/"})
    assert {settings.sign_in_url, settings.trader_url, settings.data_url} == {
        "http://127.0.0.1:8080/v1/oauth",
        "http://127.0.0.1:8080/trader/v1",
        "http://127.0.0.1:8080/marketdata/v1",
    }
    assert settings.stream_url("wss://streamer-api.schwab.com/ws") == "ws://127.0.0.1:8080/ws"
    assert Settings.of({}).stream_url("wss://streamer-api.schwab.com/ws") == "wss://streamer-api.schwab.com/ws"
    own = Settings.of({"endpoint": "http://a", "stream_endpoint": "ws://b/ws", "trader_endpoint": "http://c"})
    assert (own.stream_url("wss://x"), own.trader_url, own.data_url) == (
        "ws://b/ws",
        "http://c/trader/v1",
        "http://a/marketdata/v1",
    )


def test_the_hash_of_the_account_is_asked_for_once() -> None:
    at = Bench({"GET /orders/7": answers("order_working")})
    for _ in range(3):
        at.broker.order(OrderRef("", "7"))
    assert len(at.site.asked("accountNumbers")) == 1
    assert all("5C1BD3A7E0F94B6288D1A6C30F7E4D2B915A08C6" in str(each.url) for each in at.site.asked("/orders/"))


@pytest.mark.parametrize(("account", "words"), [("12345678", r"\.\.\.678 is not among them"), (None, "no account number is set")])
def test_an_account_that_the_login_does_not_reach_needs_a_person(account: str | None, words: str) -> None:
    at = Bench(**({"account": account} if account else {}))
    if account is None:
        record = at.services.accounts.account("A1")
        at.services.accounts.save(record.model_copy(update={"connection": {}}))
        at.broker = type(at.broker)("A1", at.services)
    with pytest.raises(NeedsReauth, match=words):
        at.broker.positions()


def test_the_only_account_need_not_be_named() -> None:
    only = httpx.Response(200, json=[{"accountNumber": "90000009", "hashValue": "ONLY"}])
    at = Bench({"GET /accounts/accountNumbers": only, "GET /accounts/ONLY": answers("account_margin")})
    record = at.services.accounts.account("A1")
    at.services.accounts.save(record.model_copy(update={"connection": {}}))
    assert type(at.broker)("A1", at.services).positions()
