"""How an account's connection to Tradovate is set up: the account's settings as text come in, checked values go out.

What Tradovate does not document is a setting here, so that a live account can correct it without a release:

`quarantine_s`        how long after a lost answer an order may still appear
`look_up_skew_s`      how far Tradovate's clock may be from what its answers show when a lost order is looked for by its time
`rate_limit_wait_s`   the silence after a 429, which does not say how long (an hour; each request meanwhile makes it longer)
`slow_down_s`         the silence after a 423, which comes shortly before a 429
`penalty_patience_s`  how long a request of an account waits for a penalty itself, instead of being told to come back
`cid_as`              whether the number of the API key is sent as a number or as text
`trail_sign`          whether the distance of a trailing stop is sent as a plain distance, or signed (below the market negative)
`first_stop_within_s` how long a price is looked for from which a trailing stop begins; 0 leaves its beginning to Tradovate
`approval_texts`      what Tradovate says while a new device, or a second factor, waits for a person
`no_data_texts`       what it says where the account's licence does not cover market data
`margin_share`        which part of the exchange's margin Tradovate wants for a position (its day margins are told nowhere); 0:
                      margin is not checked beforehand
`currency`            of the account
`sync_by`             whether the user socket asks for what belongs to the user or to the account
`silence_s`           how long a socket may be silent, heartbeats included, before it is taken for dead
`bar_label`           whether the timestamp of a bar is its start or its end
`page`                how many bars are asked for at once
`history_within_s`    how long reading bars may take in all
"""

import re
from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from fillpath.accounts.capabilities import Capabilities
from fillpath_brokers.signing_in import ConnectionSettings
from fillpath_brokers.tradovate.capabilities import CAPABILITIES

_REST = {"demo": "https://demo.tradovateapi.com", "live": "https://live.tradovateapi.com"}
_DATA = "wss://md.tradovateapi.com"


def _patterns(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(";") if part.strip()) if isinstance(value, str) else value


def _each_compiles(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        try:
            re.compile(value)
        except re.error as exc:
            raise ValueError(f"{value!r} is no regular expression: {exc}") from exc
    return values


Patterns = Annotated[tuple[str, ...], BeforeValidator(_patterns), AfterValidator(_each_compiles)]
"""Regular expressions, of which one must be found in the text; as text they are separated by semicolons. Case does not count."""

APPROVAL_TEXTS = (
    r"access is denied",
    r"two.?factor|second factor|\b2fa\b",
    r"(approve|confirm|verify|authori[sz]e)\b.*\b(device|e-?mail|log-?in)",
    r"(new|unknown|unrecogni[sz]ed|unapproved) device|device\b.*\b(not|pending|awaiting)\b",
    r"(enter|verification|security|confirmation|one.?time)\b.*\bcode",
)
NO_DATA_TEXTS = (r"not (entitled|subscribed|authori[sz]ed|permitted)", r"no (market data )?(subscription|entitlement|permission)")


class Settings(ConnectionSettings):
    """`endpoint` replaces every address of Tradovate, the others one each.

    `name`, `cid`, `app_id`, `app_version` and `device_id` are what signing in sends besides its secrets. `account` is the name of
    the account, for logins that have several.
    """

    environment: Literal["demo", "live"] = "demo"
    name: Annotated[str, Field(max_length=64)] = ""
    cid: Annotated[str, Field(max_length=64)] = ""
    app_id: Annotated[str, Field(max_length=64)] = "Fillpath"
    app_version: Annotated[str, Field(max_length=64)] = "1.0"
    device_id: Annotated[str, Field(max_length=64)] = ""
    account: Annotated[str | None, BeforeValidator(lambda value: value or None)] = None
    rest_endpoint: str | None = None
    socket_endpoint: str | None = None
    data_endpoint: str | None = None
    requests_per_minute: Annotated[float, Field(gt=0)] = CAPABILITIES.requests_per_minute or 50
    quarantine_s: Annotated[int, Field(ge=0)] = CAPABILITIES.quarantine_s or 0
    look_up_skew_s: Annotated[float, Field(ge=0)] = 5
    rate_limit_wait_s: Annotated[float, Field(gt=0)] = 3600
    slow_down_s: Annotated[float, Field(gt=0)] = 60
    penalty_patience_s: Annotated[float, Field(ge=0, le=5)] = 2
    cid_as: Literal["number", "text"] = "number"
    trail_sign: Literal["plain", "signed"] = "plain"
    first_stop_within_s: Annotated[float, Field(ge=0, le=4)] = 2
    approval_texts: Patterns = APPROVAL_TEXTS
    no_data_texts: Patterns = NO_DATA_TEXTS
    margin_share: Annotated[Decimal, Field(ge=0)] = Decimal(0)
    currency: str = "USD"
    sync_by: Literal["users", "accounts"] = "users"
    silence_s: Annotated[float, Field(gt=2.5)] = 10
    bar_label: Literal["start", "end"] = "start"
    page: Annotated[int, Field(ge=2, le=10_000)] = 1000
    history_within_s: Annotated[float, Field(gt=0)] = 20

    @property
    def capabilities(self) -> Capabilities:
        """What Tradovate can do for this account."""
        return replace(CAPABILITIES, quarantine_s=self.quarantine_s, requests_per_minute=self.requests_per_minute)

    @property
    def rest_url(self) -> str:
        """Where requests go, without a slash at the end."""
        return f"{(self.rest_endpoint or self.endpoint or _REST[self.environment]).rstrip('/')}/v1"

    @property
    def socket_url(self) -> str:
        """Where orders are told."""
        return _socket(self.socket_endpoint or self.endpoint or _REST[self.environment])

    @property
    def data_url(self) -> str:
        """Where market data comes from."""
        return _socket(self.data_endpoint or self.endpoint or _DATA)

    def wants_approval(self, text: str) -> bool:
        """Whether Tradovate says by this that a person must approve something first."""
        return _found(self.approval_texts, text)

    def is_without_data(self, text: str) -> bool:
        """Whether Tradovate says by this that the account has no licence for the data."""
        return _found(self.no_data_texts, text)


def _found(patterns: tuple[str, ...], text: str) -> bool:
    return any(re.search(pattern, text, re.IGNORECASE) for pattern in patterns)


def _socket(url: str) -> str:
    return f"{url.rstrip('/').replace('http', 'ws', 1)}/v1/websocket"
