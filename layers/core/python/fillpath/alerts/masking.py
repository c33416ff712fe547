"""Texts without secrets: what came in as it may be kept and shown.

Two ways at once: the webhook's own token and secret wherever they stand, and whatever stands under a name that secrets have.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from fillpath.alerts.body import MAX_BODY_BYTES, read_message
from fillpath.errors import Refused

MASK = "***"
_NAMES = r"key|[\w-]{0,20}(?:secret|token|passphrase|password|api[_-]?key)[\w-]{0,20}"
_SECRET_NAME = re.compile(rf"\s*(?:{_NAMES})\s*", re.IGNORECASE)
_SECRET_VALUE = re.compile(rf"""(["']?\b(?:{_NAMES})["']?\s*[:=]\s*)("[^"]*"?|'[^']*'?|[^\s,;}}\]]+)""", re.IGNORECASE)


def scrubbed(text: str, secrets: Iterable[str]) -> str:
    """The text with each of the secrets masked."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text


def masked(body: bytes, secrets: Iterable[str]) -> str:
    """The body for the inbox. One that cannot be read is kept as it came where nothing can hide a secret, else by its size."""
    try:
        fields, form = read_message(body)
        shown = _without_secrets(fields)
    except (Refused, RecursionError):
        return _unread(body, secrets)
    if form == "text":
        return scrubbed("; ".join(f"{name}={value}" for name, value in shown.items()), secrets)
    return scrubbed(json.dumps(shown, default=str, ensure_ascii=False).encode("utf-8", "replace").decode(), secrets)


def _unread(body: bytes, secrets: Iterable[str]) -> str:
    try:
        text = body.decode("utf-8-sig") if len(body) <= MAX_BODY_BYTES else "\\"
    except UnicodeDecodeError:
        text = "\\"
    if "\\" in text:  # an escape may spell a secret
        return f"<{len(body)} bytes that cannot be read>"
    return _SECRET_VALUE.sub(rf"\1{MASK}", scrubbed(text, secrets))


def _without_secrets(value: Any) -> Any:
    match value:
        case Mapping():
            return {name: MASK if _SECRET_NAME.fullmatch(str(name)) else _without_secrets(each) for name, each in value.items()}
        case list():
            return [_without_secrets(each) for each in value]
    return value
