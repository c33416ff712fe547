"""Webhook tokens and secrets: derived from the master key, the webhook's id and a generation, so that they can be shown again."""

import hashlib
import hmac
from base64 import b32encode


def webhook_token(master_key: bytes, webhook_id: str, generation: int) -> str:
    """The token in a webhook's URL: 32 characters, lower case, with 160 bits."""
    return _derive(master_key, f"webhook-token:{webhook_id}:{generation}")


def webhook_secret(master_key: bytes, webhook_id: str, generation: int) -> str:
    """The secret in a webhook's messages: 32 characters, lower case, with 160 bits."""
    return _derive(master_key, f"webhook-secret:{webhook_id}:{generation}")


def token_digest(token: str) -> str:
    """What is stored of a token, to look it up: its SHA-256 in hex."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def is_secret(given: str, expected: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode("utf-8"))


def _derive(master_key: bytes, purpose: str) -> str:
    digest = hmac.new(master_key, purpose.encode(), hashlib.sha256).digest()
    return b32encode(digest[:20]).decode().lower()
