"""Access: what lets an account in at its venue. Its secrets never show in a repr, a log or an error."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

_SHORTEST_SECRET = 4
"""What is shorter hides nothing, and would be found in any text."""


@dataclass(frozen=True, slots=True)
class Token:
    """What a sign-in gave. `extra` holds what the venue gave besides (a market data token, a user id).

    `refresh_expires_at`: when a person must sign in again, whatever is refreshed until then; None where that never happens.
    """

    access_token: str = field(repr=False)
    expires_at: datetime
    refresh_token: str | None = field(default=None, repr=False)
    refresh_expires_at: datetime | None = None
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Access:
    """What a person entered (`credentials`, by the venue's field names) and the token made of it, where the venue has tokens.

    `version` counts what was stored: who was refused names the version, so that a newer one is not blamed.
    """

    credentials: Mapping[str, str] = field(repr=False)
    token: Token | None = None
    version: int = 0

    def hidden_in(self, text: str) -> str:
        """The text with three asterisks wherever one of these secrets stands in it: some venues repeat what they were sent."""
        for secret in sorted(self._secrets(), key=len, reverse=True):
            text = text.replace(secret, "***")
        return text

    def _secrets(self) -> set[str]:
        known = set(self.credentials.values())
        if self.token:
            known |= {self.token.access_token, self.token.refresh_token or "", *self.token.extra.values()}
        return {written for secret in known if len(secret) >= _SHORTEST_SECRET for written in _written(secret)}


def _written(secret: str) -> set[str]:
    """As it is, and as JSON and addresses have it."""
    in_json = json.dumps(secret)[1:-1]
    return {secret, in_json, in_json.replace("/", "\\/"), quote(secret), quote(secret, safe="")}


@dataclass(frozen=True, slots=True)
class TokenStatus:
    """What everybody may know of an account's access: no secret in it.

    `refused_version`: the venue refused what has that version, which means nothing any more once `version` is higher.
    `needs_reauth`: renewing has been given up; only a person can help. `replaced_at`: when what had been refused was replaced
    last, `tried_at`: when a renewal failed last. `reason`: why it was refused, failed or given up, in the venue's words.
    """

    version: int = 0
    expires_at: datetime | None = None
    refresh_expires_at: datetime | None = None
    refused_version: int | None = None
    needs_reauth: bool = False
    reason: str | None = None
    replaced_at: datetime | None = None
    tried_at: datetime | None = None

    @property
    def is_refused(self) -> bool:
        """Whether what is stored now was refused."""
        return self.refused_version is not None and self.refused_version >= self.version
