"""Creating and changing users, accounts and webhooks."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from fillpath.accounts.model import Webhook
from fillpath.accounts.ports.account_store import AccountStore, TokenOwner
from fillpath.accounts.tokens import token_digest, webhook_secret, webhook_token


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
    tokens = {_digest(webhook, webhook.generation, master_key): _owner(webhook, webhook.generation, None)}
    if webhook.previous_generation is not None:
        digest = _digest(webhook, webhook.previous_generation, master_key)
        tokens[digest] = _owner(webhook, webhook.previous_generation, webhook.previous_until)
    store.save_webhook(webhook, tokens)
    return access_to(webhook, master_key)


def rotate_webhook(webhook: Webhook, store: AccountStore, master_key: bytes, now: datetime, overlap: timedelta) -> Access:
    """Give the webhook a new token and secret; the present ones stay valid for `overlap`, older ones end at once."""
    revoked = () if webhook.previous_generation is None else (_digest(webhook, webhook.previous_generation, master_key),)
    rotated = webhook.model_copy(
        update={
            "generation": webhook.generation + 1,
            "previous_generation": webhook.generation,
            "previous_until": now + overlap,
        }
    )
    tokens = {
        _digest(rotated, rotated.generation, master_key): _owner(rotated, rotated.generation, None),
        _digest(rotated, webhook.generation, master_key): _owner(rotated, webhook.generation, now + overlap),
    }
    store.save_webhook(rotated, tokens, revoked)
    return access_to(rotated, master_key)


def _digest(webhook: Webhook, generation: int, master_key: bytes) -> str:
    return token_digest(webhook_token(master_key, webhook.webhook_id, generation))


def _owner(webhook: Webhook, generation: int, expires_at: datetime | None) -> TokenOwner:
    account_ids = tuple(dict.fromkeys(route.account_id for route in webhook.routes))
    return TokenOwner(webhook.webhook_id, generation, webhook.user_id, account_ids, expires_at)
