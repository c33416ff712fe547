"""What may be kept of a body: everything but secrets, whatever its form."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fillpath.alerts.masking import masked

OWN = ("own-token-own-token-own-token-32", "own-secret-own-secret-own-sec-32")
FOREIGN = "hunter2hunter2"


@given(st.binary(max_size=200))
def test_no_bytes_break_the_mask(body: bytes) -> None:
    masked(body, OWN).encode()


@pytest.mark.parametrize("depth", [100, 500, 900, 980, 990, 1000, 1500, 4000])
def test_no_depth_breaks_the_mask(depth: int) -> None:
    masked(b'{"a":' + b"[" * depth + b"]" * depth + b"}", OWN)


def test_what_is_kept_of_a_body_can_be_stored() -> None:
    masked(json.dumps({"comment": "\ud800"}).encode(), OWN).encode("utf-8")


@pytest.mark.parametrize(
    "name", ["secret", "token", "key", "apikey", "api_key", "Secret", " passphrase", "signalToken", "auth_token"]
)
def test_what_stands_under_a_secrets_name_is_masked(name: str) -> None:
    for body in (
        json.dumps({"action": "buy", name: FOREIGN}),
        json.dumps({"action": "buy", "accounts": [{name: FOREIGN}]}),
        f'{{"action": "buy", "{name}": "{FOREIGN}", "quantity": }}',
        f"{{'action': 'buy', '{name}': '{FOREIGN}'}}",
        f"command=PLACE; {name}={FOREIGN}; action=BUY;",
        f"{name}: {FOREIGN}, buy",
    ):
        kept = masked(body.encode(), OWN)
        assert FOREIGN not in kept, kept
        assert "***" in kept


@pytest.mark.parametrize(
    "body",
    [
        "buy {}",
        '{{"comment": "{}"}}',
        '{{"{}": 1}}',
        '{{"a": {{"b": ["x {} y"]}}}}',
        '{{"comment": "{}", "price": }}',
        "a={};b=1;",
    ],
)
def test_the_webhooks_own_token_and_secret_are_masked_wherever_they_stand(body: str) -> None:
    for own in OWN:
        assert own not in masked(body.format(own).encode(), OWN)


def test_an_own_secret_in_escapes_is_masked_too() -> None:
    hidden = "".join(f"\\u{ord(letter):04x}" for letter in OWN[1])
    readable = masked(f'{{"comment": "{hidden}"}}'.encode(), OWN)
    assert json.loads(readable) == {"comment": "***"}
    assert masked(f'{{"comment": "{hidden}", "price": }}'.encode(), OWN).startswith("<")


def test_the_rest_of_a_body_is_kept_as_it_came() -> None:
    kept = json.loads(masked('{"action":"buy","comment":"für später","quantity":1.50,"secret":"s"}'.encode(), OWN))
    assert kept == {"action": "buy", "comment": "für später", "quantity": "1.50", "secret": "***"}


def test_a_broken_body_is_kept_so_that_its_sender_can_see_what_is_wrong() -> None:
    assert masked(b'{"action": "buy", "price": , "secret": "s"}', OWN) == '{"action": "buy", "price": , "secret": ***}'
    assert masked(b"buy ES now", OWN) == "buy ES now"


@pytest.mark.parametrize("body", [b"x" * 9000, b"\xff\xfe{}"])
def test_what_is_no_text_or_too_large_is_kept_by_its_size(body: bytes) -> None:
    assert masked(body, OWN) == f"<{len(body)} bytes that cannot be read>"


@pytest.mark.parametrize("body", ["a-" * 4000, "token" * 1600, "key=" * 2000, '"secret' * 1100, "a" * 8000, " key" * 2000])
def test_no_body_keeps_the_mask_busy(body: str) -> None:
    begun = time.process_time()
    masked(body.encode(), OWN)
    assert time.process_time() - begun < 0.5
