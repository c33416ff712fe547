"""What a venue tells of its sign-in: which fields a person enters, where it is reached, and how a token is made and renewed.

Each venue's `sign_in.py` has `SIGN_IN`, an object of the protocol below. A venue that only has keys makes no tokens.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from fillpath.accounts.access import Token
from fillpath.clock import Clock
from fillpath.errors import Refused
from fillpath_brokers.web import Web

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a person enters. What is not `secret` belongs to the account's connection, the rest to its credentials.

    `pattern`: a regular expression that the whole answer must match; `help` says in words what that is.
    """

    key: str
    label: str
    help: str = ""
    secret: bool = True
    required: bool = True
    default: str = ""
    choices: tuple[str, ...] = ()
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class SignInContext:
    """What signing in works with: how the venue is reached (no secrets), the pool of connections, the time."""

    account_id: str
    connection: Mapping[str, str]
    web: Web
    clock: Clock


class SignIn(Protocol):
    """How accounts get into one venue."""

    @property
    def fields(self) -> tuple[Field, ...]:
        """What is asked for, in order."""
        ...

    @property
    def endpoints(self) -> tuple[str, ...]:
        """The keys of a connection that override where the venue is reached; `endpoint` alone overrides all of them."""
        ...

    def check(self, connection: Mapping[str, str]) -> None:
        """Whether a connection's settings can be used; Refused(invalid_connection) names the setting and what it may be."""
        ...

    @property
    def renew_before(self) -> timedelta | None:
        """How long before its end a token is renewed; None: this venue has no tokens."""
        ...

    def authorize_url(self, credentials: Mapping[str, str], context: SignInContext) -> str | None:
        """Where a person signs in with a browser, to come back with a code; None where nobody needs to."""
        ...

    def sign_in(self, credentials: Mapping[str, str], context: SignInContext, code: str | None = None) -> Token | None:
        """The first token, from a browser's `code` where one was needed. NeedsReauth with what is wrong; BrokerUnavailable.

        A venue that only has keys asks it something harmless with them, and answers None: keys that it refuses are found here.
        """
        ...

    def renew(self, credentials: Mapping[str, str], token: Token, context: SignInContext) -> Token:
        """A new token in place of this one. BrokerUnavailable: worth another try.

        NeedsReauth: this one cannot be renewed. Where no browser is needed, `sign_in` is tried next; else only a person can help.
        """
        ...


class ConnectionSettings(BaseModel):
    """The settings of an account's connection, as text by name: each venue's own. Unknown names are refused by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    endpoint: str | None = None

    @classmethod
    def of(cls, connection: Mapping[str, str]) -> Self:
        """The settings; Refused(invalid_connection) naming the first that cannot be used."""
        try:
            return cls.model_validate(dict(connection))
        except ValidationError as exc:
            error = exc.errors(include_url=False, include_input=False)[0]
            name = ".".join(map(str, error["loc"])) or "connection"
            known = ", ".join(sorted(cls.model_fields))
            text = f"{name}: {_in_words(error)}; settings of this venue: {known}"
            raise Refused("invalid_connection", text, {"field": name, "settings": sorted(cls.model_fields)}) from None


_WORDS = {
    "extra_forbidden": "is no setting of this venue",
    "literal_error": "must be {expected}",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "decimal_parsing": "must be a number",
    "finite_number": "must be a number",
    "bool_parsing": "must be true or false",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be at most {le}",
    "string_too_long": "may have at most {max_length} characters",
    "string_too_short": "must have at least {min_length} characters",
    "missing": "is needed",
}


def _in_words(error: "ErrorDetails") -> str:
    """What the kind of the error means for who typed it; a check of the venue's own says so itself."""
    words = _WORDS.get(error["type"])
    return words.format(**error.get("ctx", {})) if words else error["msg"].removeprefix("Value error, ")
