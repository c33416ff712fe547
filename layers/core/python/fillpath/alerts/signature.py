"""Signed requests: `X-Fillpath-Signature: t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">`, keyed by the webhook's secret.

For clients that can set a header: the secret itself then never travels.
"""

import hashlib
import hmac
import re
from datetime import datetime
from typing import NamedTuple

from fillpath.clock import from_epoch_ms

HEADER = "X-Fillpath-Signature"
_FORM = re.compile(r"t=(?P<t>[0-9]{1,11}),v1=(?P<v1>[0-9a-f]{64})")


class Signature(NamedTuple):
    """A header as understood: the time as it was signed, and the signature in hex."""

    t: str
    v1: str

    @property
    def at(self) -> datetime:
        """When it was signed, as its sender says."""
        return from_epoch_ms(int(self.t) * 1000)


def read_signature(header: str) -> Signature | None:
    """The parts of a header; None if it has another form."""
    match = _FORM.fullmatch(header.strip())
    return Signature(match["t"], match["v1"]) if match else None


def sign(secret: str, t: str, body: bytes) -> str:
    """The signature of a body at a time (Unix seconds as text), in hex."""
    return hmac.new(secret.encode(), f"{t}.".encode() + body, hashlib.sha256).hexdigest()


def is_signed(signature: Signature, secret: str, body: bytes) -> bool:
    """Whether the owner of the secret signed this body; compared in constant time."""
    return hmac.compare_digest(signature.v1, sign(secret, signature.t, body))
