"""Webhook tokens and secrets are derived, shown again and rotated; only digests are stored."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fillpath.accounts.manage import access_to, revoke_webhook, rotate_webhook, save_webhook
from fillpath.accounts.model import Route, Webhook
from fillpath.accounts.tokens import is_secret, token_digest, webhook_secret, webhook_token
from fillpath.errors import NotFound
from tests.fakes.account_store import FakeAccountStore

KEY = b"a master key of the tests, 32 bytes or more"
NOW = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
ids = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=12)


def webhook(*accounts: str) -> Webhook:
    routes = tuple(Route(account_id=account) for account in accounts or ("A1",))
    return Webhook(webhook_id="W1", user_id="U1", label="ours", routes=routes, created_at=NOW)


def test_a_saved_webhook_is_found_by_the_digest_of_its_token() -> None:
    store = FakeAccountStore()
    access = save_webhook(webhook("A1", "A2", "A1"), store, KEY)
    owner = store.tables.tokens[token_digest(access.token)]
    assert (owner.webhook_id, owner.generation, owner.user_id, owner.account_ids) == ("W1", 1, "U1", ("A1", "A2"))
    assert owner.expires_at is None


def test_nothing_that_is_stored_holds_a_token_or_a_secret() -> None:
    store = FakeAccountStore()
    access = save_webhook(webhook(), store, KEY)
    stored = repr(store.tables)
    assert access.token not in stored
    assert access.secret not in stored


def test_token_and_secret_can_be_shown_again() -> None:
    store = FakeAccountStore()
    assert save_webhook(webhook(), store, KEY) == access_to(store.webhook("W1"), KEY)


@given(first=st.tuples(ids, st.integers(1, 50)), second=st.tuples(ids, st.integers(1, 50)))
def test_every_webhook_and_generation_has_its_own_token_and_secret(first: tuple[str, int], second: tuple[str, int]) -> None:
    values = [webhook_token(KEY, *first), webhook_secret(KEY, *first)]
    assert all(len(value) == 32 and value.isalnum() and value == value.lower() for value in values)
    if first != second:
        values += [webhook_token(KEY, *second), webhook_secret(KEY, *second)]
    assert len(set(values)) == len(values)


def test_another_master_key_makes_other_values() -> None:
    assert access_to(webhook(), KEY) != access_to(webhook(), KEY[::-1])


def test_a_rotation_keeps_the_present_token_for_its_overlap_and_ends_older_ones_at_once() -> None:
    store = FakeAccountStore()
    first = save_webhook(webhook(), store, KEY)
    accesses = [first, *(rotate_webhook(store.webhook("W1"), store, KEY, NOW + turn * HOUR, HOUR) for turn in range(2))]

    owners = [store.tables.tokens.get(token_digest(access.token)) for access in accesses]
    assert owners[0] is None
    assert owners[1] is not None
    assert (owners[1].generation, owners[1].expires_at) == (2, NOW + 2 * HOUR)
    assert owners[2] is not None
    assert (owners[2].generation, owners[2].expires_at) == (3, None)
    assert all(before != after for before, after in pairwise(accesses))


def test_a_change_of_routes_reaches_both_generations_and_prolongs_neither() -> None:
    store = FakeAccountStore()
    old = save_webhook(webhook(), store, KEY)
    new = rotate_webhook(store.webhook("W1"), store, KEY, NOW, HOUR)
    changed = store.webhook("W1").model_copy(update={"routes": (Route(account_id="A9"),)})
    save_webhook(changed, store, KEY)
    owners = [store.tables.tokens[token_digest(access.token)] for access in (old, new)]
    assert [owner.account_ids for owner in owners] == [("A9",), ("A9",)]
    assert [owner.expires_at for owner in owners] == [NOW + HOUR, None]


@pytest.mark.parametrize("given_text", ["", "x", "\ud800", "ü", "x" * 10_000])
def test_any_text_can_be_compared_and_looked_up(given_text: str) -> None:
    assert not is_secret(given_text, "expected")
    assert len(token_digest(given_text)) == 64


def test_the_right_secret_is_right() -> None:
    assert is_secret("expected", "expected")


def valid_generations(store: FakeAccountStore) -> dict[int, datetime | None]:
    return {owner.generation: owner.expires_at for owner in store.tables.tokens.values()}


def rotated() -> FakeAccountStore:
    store = FakeAccountStore()
    save_webhook(webhook(), store, KEY)
    rotate_webhook(store.webhook("W1"), store, KEY, NOW, HOUR)
    return store


@pytest.mark.parametrize(
    ("generation", "left"), [(None, {}), (1, {2: None}), (2, {1: NOW + HOUR})], ids=["all", "the one before", "the present one"]
)
def test_a_revoked_generation_ends_at_once_and_the_other_stays(generation: int | None, left: dict[int, datetime | None]) -> None:
    store = rotated()
    revoke_webhook(store.webhook("W1"), generation, store, KEY)
    assert valid_generations(store) == left


def test_a_change_of_settings_brings_no_revoked_token_back() -> None:
    store = rotated()
    revoke_webhook(store.webhook("W1"), None, store, KEY)
    save_webhook(store.webhook("W1").model_copy(update={"label": "theirs"}), store, KEY)
    assert valid_generations(store) == {}


@pytest.mark.parametrize("generation", [None, 2])
def test_a_rotation_after_a_revocation_makes_one_new_token_and_prolongs_none(generation: int | None) -> None:
    store = rotated()
    revoke_webhook(store.webhook("W1"), generation, store, KEY)
    access = rotate_webhook(store.webhook("W1"), store, KEY, NOW, HOUR)
    assert valid_generations(store) == {3: None}
    assert store.tables.tokens[token_digest(access.token)].generation == 3


@pytest.mark.parametrize("generation", [0, 2, 7])
def test_a_generation_that_is_not_valid_cannot_be_revoked(generation: int) -> None:
    store = FakeAccountStore()
    save_webhook(webhook(), store, KEY)
    with pytest.raises(NotFound):
        revoke_webhook(store.webhook("W1"), generation, store, KEY)
    assert valid_generations(store) == {1: None}
