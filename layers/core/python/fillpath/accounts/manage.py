"""Creating and changing users, accounts and webhooks."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from fillpath.accounts.model import Webhook
from fillpath.accounts.ports.account_store import AccountStore, TokenOwner
from fillpath.accounts.tokens import token_digest, webhook_secret, webhook_token
from fillpath.errors import NotFound


@dataclass(frozen=True, slots=True)
class Access:
    """What a sender needs: the token for the URL, the secret for the message."""

    token: str
    secret: str


def access_to(webhook: Webhook, master_key: bytes) -> Access:
    """Token and secret of the webhook's present generation."""
    return Access(
        webhook_token(master_key, webhook.webhook_id, webhook.generation),
        webhook_secret(master_key, webhook.webhook_id, webhook.generation),
    )


def save_webhook(webhook: Webhook, store: AccountStore, master_key: bytes) -> Access:
    """Write a webhook so that its present token, and the one before while it is still valid, lead to it."""
    tokens: dict[str, TokenOwner] = {}
    if not webhook.revoked:
        tokens[_digest(webhook, webhook.generation, master_key)] = _owner(webhook, webhook.generation, None)
    if webhook.previous_generation is not None:
        digest = _digest(webhook, webhook.previous_generation, master_key)
        tokens[digest] = _owner(webhook, webhook.previous_generation, webhook.previous_until)
    store.save_webhook(webhook, tokens)
    return access_to(webhook, master_key)


def rotate_webhook(webhook: Webhook, store: AccountStore, master_key: bytes, now: datetime, overlap: timedelta) -> Access:
    """Give the webhook a new token and secret; the present ones stay valid for `overlap`, older and revoked ones are over."""
    ended = () if webhook.previous_generation is None else (_digest(webhook, webhook.previous_generation, master_key),)
    before: dict[str, object] = {"previous_generation": webhook.generation, "previous_until": now + overlap}
    if webhook.revoked:
        before = {"previous_generation": None, "previous_until": None}
    rotated = webhook.model_copy(update={"generation": webhook.generation + 1, "revoked": False, **before})
    tokens = {_digest(rotated, rotated.generation, master_key): _owner(rotated, rotated.generation, None)}
    if not webhook.revoked:
        tokens[_digest(rotated, webhook.generation, master_key)] = _owner(rotated, webhook.generation, now + overlap)
    store.save_webhook(rotated, tokens, ended)
    return access_to(rotated, master_key)


def revoke_webhook(webhook: Webhook, generation: int | None, store: AccountStore, master_key: bytes) -> Webhook:
    """End the token of a generation at once, or of all; NotFound if that generation has none. A rotation gives a new one."""
    valid: dict[int, dict[str, object]] = {} if webhook.revoked else {webhook.generation: {"revoked": True}}
    if webhook.previous_generation is not None:
        valid[webhook.previous_generation] = {"previous_generation": None, "previous_until": None}
    ended = list(valid) if generation is None else [generation]
    if not set(ended) <= set(valid):
        raise NotFound(f"generation {generation} of webhook {webhook.label} has no valid address")
    changes = {name: value for each in ended for name, value in valid[each].items()}
    revoked = webhook.model_copy(update=changes)
    tokens = {
        _digest(revoked, each, master_key): _owner(revoked, each, _until(revoked, each)) for each in valid if each not in ended
    }
    store.save_webhook(revoked, tokens, tuple(_digest(revoked, each, master_key) for each in ended))
    return revoked


def _until(webhook: Webhook, generation: int) -> datetime | None:
    return webhook.previous_until if generation == webhook.previous_generation else None


def _digest(webhook: Webhook, generation: int, master_key: bytes) -> str:
    return token_digest(webhook_token(master_key, webhook.webhook_id, generation))


def _owner(webhook: Webhook, generation: int, expires_at: datetime | None) -> TokenOwner:
    account_ids = tuple(dict.fromkeys(route.account_id for route in webhook.routes))
    return TokenOwner(webhook.webhook_id, generation, webhook.user_id, account_ids, expires_at)
