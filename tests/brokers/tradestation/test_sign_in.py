"""Signing in at TradeStation: in the browser, by a refresh token, and renewing."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from fillpath.accounts.access import Token
from fillpath.errors import BrokerUnavailable, NeedsReauth, Refused
from fillpath_brokers.signing_in import SignInContext
from fillpath_brokers.tradestation.settings import Settings
from fillpath_brokers.tradestation.sign_in import SIGN_IN, TradeStationSignIn
from tests.brokers.tradestation.rig import NOW, SECRETS, Rig, sample

TOKEN = "/oauth/token"
BY_TOKEN = {**SECRETS, "refresh_token": "mine"}
WITHOUT_SECRET = {"client_id": "the-key"}


@pytest.fixture
def rig() -> Rig:
    return Rig()


def context(rig: Rig, **more: str) -> SignInContext:
    return SignInContext("A1", {"endpoint": "http://tradestation.test", **more}, rig.web, rig.clock)


def form(rig: Rig) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(rig.asked[-1].content.decode()).items()}


def first(rig: Rig, credentials: dict[str, str], code: str | None = None) -> Token:
    token = SIGN_IN.sign_in(credentials, context(rig), code)
    assert token is not None
    return token


def test_the_browser_is_led_to_the_login(rig: Rig) -> None:
    url = SIGN_IN.authorize_url(SECRETS, SignInContext("A1", {}, rig.web, rig.clock))
    assert url is not None
    assert url.startswith("https://signin.tradestation.com/authorize?")
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert query.pop("state")
    assert query == {
        "response_type": "code",
        "client_id": "the-key",
        "audience": "https://api.tradestation.com",
        "redirect_uri": "http://localhost:8080",
        "scope": "openid offline_access profile MarketData ReadAccount Trade",
    }
    assert "the-s3cret" not in url


def test_each_sign_in_has_a_state_of_its_own(rig: Rig) -> None:
    urls = {SIGN_IN.authorize_url(SECRETS, context(rig)) for _ in range(5)}
    assert len(urls) == 5


def test_a_code_becomes_a_token_that_lives_as_long_as_the_answer_says(rig: Rig) -> None:
    rig.answers("POST", TOKEN, sample("token_by_code") | {"expires_in": 900})
    token = first(rig, SECRETS, "the-code")
    assert (token.access_token, token.refresh_token) == ("eyJhbGciOi.example.access1", "example-refresh-1")
    assert token.expires_at == NOW + timedelta(seconds=900)
    assert token.refresh_expires_at is None
    assert form(rig) == {
        "grant_type": "authorization_code",
        "code": "the-code",
        "redirect_uri": "http://localhost:8080",
        **SECRETS,
    }


def test_a_key_without_a_secret_proves_itself_by_a_verifier(rig: Rig) -> None:
    rig.answers("POST", TOKEN, sample("token_by_code"))
    sign_in = TradeStationSignIn()
    url = sign_in.authorize_url(WITHOUT_SECRET, context(rig))
    assert url is not None
    assert "code_challenge_method=S256" in url
    sign_in.sign_in(WITHOUT_SECRET, context(rig), "the-code")
    sent = form(rig)
    assert len(sent["code_verifier"]) >= 43
    assert "client_secret" not in sent
    with pytest.raises(NeedsReauth):
        sign_in.sign_in(WITHOUT_SECRET, context(rig), "the-code")


def test_who_has_a_refresh_token_needs_no_browser(rig: Rig) -> None:
    rig.answers("POST", TOKEN, sample("token_renewed"))
    assert SIGN_IN.authorize_url(BY_TOKEN, context(rig)) is None
    token = first(rig, BY_TOKEN)
    assert (token.refresh_token, token.refresh_expires_at) == ("mine", None)
    assert form(rig) == {"grant_type": "refresh_token", "refresh_token": "mine", **SECRETS}


def test_without_code_and_refresh_token_a_person_must_sign_in(rig: Rig) -> None:
    with pytest.raises(NeedsReauth, match="browser"):
        SIGN_IN.sign_in(SECRETS, context(rig))


def test_a_renewed_token_keeps_the_refresh_token(rig: Rig) -> None:
    rig.answers("POST", TOKEN, sample("token_by_code"), sample("token_renewed"))
    before = first(rig, SECRETS, "the-code")
    token = SIGN_IN.renew(SECRETS, before, context(rig))
    assert (token.access_token, token.refresh_token) == ("eyJhbGciOi.example.access2", "example-refresh-1")
    assert form(rig)["refresh_token"] == "example-refresh-1"
    assert token.refresh_expires_at is None


def test_a_rotated_refresh_token_is_the_next_one_and_its_login_ends(rig: Rig) -> None:
    rig.answers("POST", TOKEN, sample("token_by_code"), sample("token_rotated"), sample("token_renewed"))
    before = first(rig, SECRETS, "the-code")
    rig.clock.sleep(900)
    token = SIGN_IN.renew(SECRETS, before, context(rig))
    assert token.refresh_token == "example-refresh-2"
    assert token.refresh_expires_at == NOW + timedelta(hours=24)
    again = SIGN_IN.renew(SECRETS, token, context(rig))
    assert form(rig)["refresh_token"] == "example-refresh-2"
    assert again.refresh_expires_at == NOW + timedelta(hours=24)


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refused_refresh_token_needs_a_person(rig: Rig, status: int) -> None:
    rig.answers("POST", TOKEN, (status, sample("token_refused")))
    with pytest.raises(NeedsReauth, match="Unknown or invalid refresh token"):
        SIGN_IN.renew(SECRETS, Token("a", NOW, "r"), context(rig))


ANSWERS: list[Any] = [
    (500, {}),
    (429, {}),
    (408, {}),
    (200, {}),
    (200, "no json"),
    {"access_token": "a"},
    httpx.ReadTimeout("late"),
]


@pytest.mark.parametrize("answer", ANSWERS)
def test_trouble_of_theirs_is_worth_another_try(rig: Rig, answer: Any) -> None:
    rig.answers("POST", TOKEN, answer)
    with pytest.raises(BrokerUnavailable):
        SIGN_IN.renew(SECRETS, Token("a", NOW, "r"), context(rig))
    assert len(rig.asked) == 1


def test_a_token_without_a_refresh_token_cannot_be_renewed(rig: Rig) -> None:
    with pytest.raises(NeedsReauth):
        SIGN_IN.renew(SECRETS, Token("a", NOW), context(rig))


def test_tokens_are_renewed_five_minutes_before_they_end() -> None:
    assert SIGN_IN.renew_before == timedelta(minutes=5)


@pytest.mark.parametrize(
    ("connection", "named"),
    [
        ({"environment": "paper"}, "environment"),
        ({"quarantine_s": "-1"}, "quarantine_s"),
        ({"feed": "iex"}, "feed"),
        ({"rate_limit_wait_s": "0"}, "rate_limit_wait_s"),
    ],
)
def test_settings_that_cannot_be_used_are_named(connection: dict[str, str], named: str) -> None:
    with pytest.raises(Refused, match=named):
        SIGN_IN.check(connection)


def test_what_was_inferred_can_be_corrected() -> None:
    settings = Settings.of({"quarantine_s": "30", "deduplicates_s": "60", "orders_per_minute": "10"})
    assert (settings.capabilities.quarantine_s, settings.capabilities.deduplicates_s) == (30, 60)
    assert Settings.of({}).capabilities.deduplicates_s == 0


@pytest.mark.parametrize(
    ("connection", "api", "login"),
    [
        ({}, "https://sim-api.tradestation.com", "https://signin.tradestation.com"),
        ({"environment": "live"}, "https://api.tradestation.com", "https://signin.tradestation.com"),
        ({"endpoint": "http://one/"}, "http://one", "http://one"),
        ({"endpoint": "http://one", "login_endpoint": "http://two"}, "http://one", "http://two"),
    ],
)
def test_addresses_follow_the_environment_and_can_be_replaced(connection: dict[str, str], api: str, login: str) -> None:
    settings = Settings.of(connection)
    assert (settings.api_url, settings.login_url) == (api, login)


def test_secrets_are_asked_for_as_secrets() -> None:
    secret = {field.key for field in SIGN_IN.fields if field.secret}
    assert secret == {"client_id", "client_secret", "refresh_token"}
    assert all(field.help for field in SIGN_IN.fields)
    assert set(SIGN_IN.endpoints) < set(Settings.model_fields)
