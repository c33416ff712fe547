"""Signing in at Tradovate: what is sent, what its answers mean, and that nothing is asked too often."""

import json
import re
import uuid
from datetime import timedelta
from typing import Any

import httpx
import pytest

from cli.venue_form import read_from
from fillpath.accounts.ports.rate_limits import Quota
from fillpath.errors import BrokerUnavailable, NeedsReauth, NotSent, Refused, StorageUnavailable
from fillpath_brokers import registry
from fillpath_brokers.token_store import Renewal
from fillpath_brokers.tradovate.settings import APPROVAL_TEXTS, Settings
from fillpath_brokers.tradovate.sign_in import SIGN_IN, authorization
from fillpath_brokers.web import Web
from tests.brokers.tradovate.house import ACCOUNT_ID, SECRETS, House, sample

TOLD_BY_ONE_PATTERN = (
    "token_access_denied",
    "token_second_factor",
    "token_confirm_login",
    "token_new_device",
    "token_verification_code",
)
"""In the order of the patterns."""
LOGIN, RENEW = "auth/accesstokenrequest", "auth/renewaccesstoken"


class _NoLimits:
    """Rate limits whose table does not answer."""

    def take(self, key: str, quota: Quota, *, urgent: bool = False) -> float:
        raise StorageUnavailable(key)

    def pause(self, key: str, seconds: float, why: str) -> None:
        raise StorageUnavailable(key)

    def silence(self, key: str) -> str:
        return ""


def house(*answers: Any, **connection: str) -> House:
    """A house whose Tradovate answers logins so, and has one account that is active."""
    made = House(**connection)
    made.clock.set(made.clock.now().replace(year=2026, month=11, day=25, hour=15))
    made.venue.lay_down(LOGIN, *answers)
    made.venue.lay_down("account/list", sample("accounts"))
    return made


def sign_in(made: House) -> Any:
    return SIGN_IN.sign_in(SECRETS, made.context)


def test_name_and_key_go_out_and_a_token_with_all_that_trading_needs_comes_back() -> None:
    made = house(sample("token"))
    token = sign_in(made)
    [asked] = made.venue.requests(LOGIN)
    assert asked.body == {
        "name": "ann-smith",
        "password": "pa55word!",
        "appId": "Fillpath",
        "appVersion": "1.0",
        "deviceId": "71986488-882c-43db-c345-92a0a2ed9329",
        "cid": 8,
        "sec": "f03741b6-sample",
    }
    assert token.access_token == "Ht3gP1w9-sample-access-token"
    assert token.expires_at.isoformat() == "2026-11-25T16:34:05.056000+00:00"
    assert token.extra == {
        "md_access_token": "Qk7cV4s2-sample-market-data-token",
        "user_id": "15460",
        "account_id": "123",
        "account_name": "DEMO123456",
    }
    assert made.venue.requests("account/list")[0].headers["Authorization"] == "Bearer Ht3gP1w9-sample-access-token"


def test_the_key_s_number_can_be_sent_as_text() -> None:
    made = house(sample("token"), cid_as="text")
    sign_in(made)
    assert made.venue.requests(LOGIN)[0].body["cid"] == "8"


def test_a_device_id_is_made_once_for_the_person_and_without_one_the_account_s_own_is_used() -> None:
    made, again = (next(field for field in SIGN_IN.fields if field.key == "device_id") for _ in range(2))
    assert made.default != again.default
    assert uuid.UUID(made.default).version == 4
    assert not made.secret
    bare = house(sample("token"), sample("token"), device_id="")
    sign_in(bare)
    sign_in(bare)
    first, second = (each.body["deviceId"] for each in bare.venue.requests(LOGIN))
    assert first == second
    assert uuid.UUID(first)


def test_what_is_entered_is_kept_with_the_device_id_in_the_connection_and_no_secret_there() -> None:
    entered = read_from(json.dumps(SECRETS | {"name": "ann-smith", "cid": "8"}), SIGN_IN.fields, {}, "Tradovate")
    assert uuid.UUID(entered.connection["device_id"])
    assert entered.connection["environment"] == "demo"
    assert entered.credentials == SECRETS
    SIGN_IN.check(entered.connection)
    assert Settings.of({"account": ""}).account is None


def test_only_password_and_key_are_secrets() -> None:
    assert {field.key for field in SIGN_IN.fields if field.secret} == {"password", "sec"}
    assert all(field.help for field in SIGN_IN.fields)
    assert registry.sign_in("tradovate") is SIGN_IN


@pytest.mark.parametrize("name", ["token_wrong_password", "token_app_not_registered"])
def test_what_a_person_entered_wrong_is_told_and_not_tried_again(name: str) -> None:
    made = house(sample(name))
    with pytest.raises(NeedsReauth, match=sample(name)["errorText"][:20]):
        sign_in(made)
    assert len(made.venue.requests(LOGIN)) == 1


@pytest.mark.parametrize("name", ["token_approve_device", "token_enter_code", *TOLD_BY_ONE_PATTERN])
def test_a_second_factor_says_what_to_do(name: str) -> None:
    with pytest.raises(NeedsReauth, match=r"approve it in the e-mail.*sign in again"):
        sign_in(house(sample(name)))


def test_each_pattern_has_a_sample_that_no_other_one_finds() -> None:
    texts = [sample(name)["errorText"] for name in TOLD_BY_ONE_PATTERN]
    found = [[each for each in APPROVAL_TEXTS if re.search(each, text, re.IGNORECASE)] for text in texts]
    assert found == [[each] for each in APPROVAL_TEXTS]


def test_a_new_device_shows_when_its_token_is_denied() -> None:
    made = house(sample("token"))
    made.venue.instead("account/list", "Access is denied", status=401)
    with pytest.raises(NeedsReauth, match="approve it in the e-mail"):
        sign_in(made)


def test_what_says_that_a_device_waits_is_a_setting() -> None:
    text = "Zweiter Faktor fehlt"
    with pytest.raises(NeedsReauth, match="refuses the login: Zweiter"):
        sign_in(house({"errorText": text}))
    with pytest.raises(NeedsReauth, match="approve it"):
        sign_in(house({"errorText": text}, approval_texts="nothing at all; zweiter faktor"))


def test_a_user_that_is_locked_is_told() -> None:
    with pytest.raises(NeedsReauth, match="TemporaryLocked"):
        sign_in(house(sample("token_locked_user")))


def test_a_login_without_name_or_key_is_not_tried() -> None:
    made = house(sample("token"), cid="")
    with pytest.raises(NeedsReauth, match="cid"):
        sign_in(made)
    assert made.venue.asked == []


@pytest.mark.parametrize(
    ("accounts", "wanted", "text"),
    [
        ("accounts", "DEMO999", "there is no account DEMO999; there are: DEMO123456, DEMO123457"),
        ("both_active", None, "several accounts"),
        ("none", None, "has no account"),
    ],
)
def test_the_account_must_be_clear(accounts: str, wanted: str | None, text: str) -> None:
    made = house(sample("token"), **({"account": wanted} if wanted else {}))
    documents = [] if accounts == "none" else sample("accounts")
    if accounts == "both_active":
        documents = [each | {"active": True} for each in documents]
    made.venue.instead("account/list", documents)
    with pytest.raises(NeedsReauth, match="account") as refused:
        sign_in(made)
    assert text in str(refused.value)


def test_an_account_may_be_named() -> None:
    assert sign_in(house(sample("token"), account="DEMO123457")).extra["account_id"] == "124"


def test_a_penalty_is_waited_for_and_the_same_body_sent_again_with_its_ticket() -> None:
    made = house(sample("penalty"), sample("token"))
    began = made.clock.now()
    assert sign_in(made)
    first, second = made.venue.requests(LOGIN)
    assert second.body == first.body | {"p-ticket": "11,c2FtcGxlLXRpY2tldA"}
    assert made.clock.now() - began == timedelta(seconds=15)


def test_penalties_are_not_waited_for_without_end() -> None:
    made = house(sample("penalty") | {"p-time": 20})
    with pytest.raises(BrokerUnavailable, match="20 s of patience"):
        sign_in(made)
    assert len(made.venue.requests(LOGIN)) == 2  # once more would come to 40 s


def test_penalties_that_tell_no_time_come_to_an_end_too() -> None:
    made = house(sample("penalty") | {"p-time": 0})
    made.web = Web(_NoLimits(), made.clock, httpx.Client(transport=httpx.MockTransport(made.venue)))
    with pytest.raises(BrokerUnavailable):
        sign_in(made)
    assert len(made.venue.requests(LOGIN)) <= 31


def test_a_captcha_stops_everything_for_an_hour_and_is_not_a_person_s_fault() -> None:
    made = house(sample("penalty_captcha"), sample("token"))
    with pytest.raises(BrokerUnavailable, match="captcha"):
        sign_in(made)
    made.clock.sleep(3590)
    with pytest.raises(NotSent):
        sign_in(made)
    assert len(made.venue.requests(LOGIN)) == 1
    made.clock.sleep(20)
    assert sign_in(made)


def test_a_lock_out_pauses_logins_for_an_hour() -> None:
    made = house()
    made.venue.lay_down(LOGIN, "", status=429)
    with pytest.raises(NotSent) as locked:
        sign_in(made)
    assert locked.value.delay_s == 3600
    with pytest.raises(NotSent):
        sign_in(made)
    assert len(made.venue.requests(LOGIN)) == 1


def test_logins_stay_below_five_an_hour_failed_ones_included() -> None:
    made = house(sample("token_wrong_password"))
    for _ in range(60):
        with pytest.raises((NeedsReauth, NotSent)):
            sign_in(made)
        made.clock.sleep(60)
    assert len(made.venue.requests(LOGIN)) <= 5
    asked_at_once = house(sample("token_wrong_password"))
    for _ in range(10):
        with pytest.raises((NeedsReauth, NotSent)):
            sign_in(asked_at_once)
    assert len(asked_at_once.venue.requests(LOGIN)) == 3


@pytest.mark.parametrize("answer", [httpx.ReadTimeout("slow"), "not json", [], {"accessToken": "a"}, {}])
def test_what_cannot_be_read_is_worth_another_try(answer: Any) -> None:
    with pytest.raises(BrokerUnavailable):
        sign_in(house(answer))


@pytest.mark.parametrize("status", [500, 503])
def test_trouble_at_the_venue_is_worth_another_try(status: int) -> None:
    made = house()
    made.venue.lay_down(LOGIN, "", status=status)
    with pytest.raises(BrokerUnavailable):
        sign_in(made)


def test_a_renewal_goes_on_with_the_session_and_keeps_what_is_not_told_again() -> None:
    made = house(sample("token"))
    token = sign_in(made)
    made.venue.lay_down(RENEW, sample("token_renewed"))
    renewed = SIGN_IN.renew(SECRETS, token, made.context)
    [asked] = made.venue.requests(RENEW)
    assert (asked.method, asked.headers["Authorization"]) == ("GET", f"Bearer {token.access_token}")
    assert renewed.access_token == "Ht3gP1w9-sample-renewed-token"
    assert renewed.extra == token.extra
    assert len(made.venue.requests(LOGIN)) == 1


def test_a_renewal_s_penalty_goes_into_the_query() -> None:
    made = house(sample("token"))
    token = sign_in(made)
    made.venue.lay_down(RENEW, sample("penalty"), sample("token_renewed"))
    assert SIGN_IN.renew(SECRETS, token, made.context)
    assert made.venue.requests(RENEW)[1].query == {"p-ticket": "11,c2FtcGxlLXRpY2tldA"}


def renewed_each_minute(made: House, minutes: int) -> list[Renewal]:
    found = []
    for minute in range(minutes):
        found.append(made.tokens.renew_if_due(ACCOUNT_ID, SIGN_IN, made.context, f"run-{minute}"))
        made.clock.sleep(60)
    return found


def test_a_token_is_renewed_a_quarter_of_an_hour_before_its_end() -> None:
    made = house(sample("token"))
    made.keep(sign_in(made))
    made.venue.lay_down(RENEW, sample("token_renewed"))
    found = renewed_each_minute(made, 120)
    assert Renewal.RENEWED in found
    assert len(made.venue.requests(LOGIN)) == 1
    assert found.index(Renewal.RENEWED) == 50  # the token ends after 64.1 minutes


def test_a_renewal_that_fails_each_minute_stays_below_the_venue_s_limit() -> None:
    made = house(sample("token"))
    made.keep(sign_in(made))
    made.venue.lay_down(RENEW, "", status=503)
    renewed_each_minute(made, 64)
    assert 3 <= len(made.venue.requests(RENEW)) <= 15


def test_a_session_that_has_ended_is_followed_by_a_login() -> None:
    made = house(sample("token"))
    made.keep(sign_in(made))
    made.venue.lay_down(RENEW, "Access is denied", status=401)
    made.clock.sleep(50 * 60)
    made.venue.instead(LOGIN, sample("token") | {"expirationTime": "2026-11-25T18:00:00.000Z"})
    assert renewed_each_minute(made, 1) == [Renewal.RENEWED]
    assert len(made.venue.requests(LOGIN)) == 2


def test_a_refused_login_is_given_up_until_a_person_comes() -> None:
    made = house(sample("token"))
    made.keep(sign_in(made))
    made.clock.sleep(2 * 3600)
    made.venue.instead(LOGIN, sample("token_wrong_password"))
    assert set(renewed_each_minute(made, 60)) == {Renewal.NEEDS_REAUTH}
    assert len(made.venue.requests(LOGIN)) == 2


def test_a_captcha_is_a_failure_that_is_not_repeated_for_an_hour() -> None:
    made = house(sample("token"))
    made.keep(sign_in(made))
    made.clock.sleep(2 * 3600)
    made.venue.instead(LOGIN, sample("penalty_captcha"))
    assert set(renewed_each_minute(made, 59)) == {Renewal.FAILED}
    assert len(made.venue.requests(LOGIN)) == 2


def test_a_captcha_on_a_renewal_holds_logins_back_too() -> None:
    made = house(sample("token"))
    made.keep(sign_in(made))
    made.clock.sleep(50 * 60)
    made.venue.lay_down(RENEW, sample("penalty_captcha"))
    assert set(renewed_each_minute(made, 59)) == {Renewal.FAILED}
    assert (len(made.venue.requests(RENEW)), len(made.venue.requests(LOGIN))) == (1, 1)


def test_no_secret_stands_in_an_error() -> None:
    made = house({"errorText": "no such password pa55word! for f03741b6-sample"})
    made.keep(sign_in(house(sample("token"))))
    made.clock.sleep(2 * 3600)
    renewed_each_minute(made, 1)
    told = json.dumps(str(made.tokens.status(ACCOUNT_ID)))
    assert "pa55word" not in told
    assert "f03741b6" not in told


def test_nobody_who_has_not_signed_in_gets_a_header() -> None:
    made = House()
    access = made.tokens.access(ACCOUNT_ID)
    assert authorization(access) == {"Authorization": "Bearer token-1"}
    with pytest.raises(NeedsReauth):
        authorization(type(access)(SECRETS))


@pytest.mark.parametrize("connection", [{"environment": "paper"}, {"bogus": "1"}, {"approval_texts": "("}, {"page": "1"}])
def test_settings_that_cannot_be_used_are_refused_by_name(connection: dict[str, str]) -> None:
    with pytest.raises(Refused) as refused:
        SIGN_IN.check(connection)
    assert refused.value.code == "invalid_connection"
    assert next(iter(connection)) in refused.value.message
