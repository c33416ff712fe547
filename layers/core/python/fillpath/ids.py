"""Identifiers: ULIDs whose time is the moment of receipt, and everything that is derived from an order id."""

import secrets
from datetime import datetime

from ulid import ULID


def new_id(at: datetime) -> str:
    """A ULID (26 characters) that sorts by `at`, with 80 random bits."""
    milliseconds = int(at.timestamp() * 1000)
    return str(ULID(milliseconds.to_bytes(6, "big") + secrets.token_bytes(10)))


def is_older(order_id: str, than: str, minutes: int) -> bool:
    """Whether an order was received so many minutes before another, as their ids tell."""
    return ULID.from_str(order_id).milliseconds + minutes * 60_000 < ULID.from_str(than).milliseconds


def client_order_id(order_id: str, leg: str) -> str:
    """The id under which a leg is known to its broker. Derived here and nowhere else: a resend must carry the same one."""
    return f"{order_id}-{leg}"
