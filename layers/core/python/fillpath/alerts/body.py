"""From bytes to fields: a JSON object with exact numbers, or `key=value;` text; else a refusal that says what is wrong."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple, NoReturn

from fillpath.alerts import text
from fillpath.errors import Refused

MAX_BODY_BYTES = 8192


class TooLarge(Refused):
    """A body that is not even read."""


def invalid(field: str, reason: str) -> Refused:
    """The refusal of an alert for one of its fields."""
    return Refused("invalid_alert", f"{field}: {reason}", {"field": field, "reason": reason})


class Message(NamedTuple):
    """A body as fields: of a JSON object (`json`), or of `key=value;` text (`text`)."""

    fields: Mapping[str, Any]
    form: str = "json"


def read_message(body: bytes) -> Message:
    """The body's fields, whatever its content type said: JSON is tried first, then text. Refused(invalid_alert)."""
    try:
        return Message(read_object(body))
    except TooLarge:
        raise
    except Refused as refusal:
        plain = body.decode("utf-8-sig", "replace").strip()
        if fields := _pairs(plain):
            return Message(fields, "text")
        raise _with_remedy(refusal, plain) from None


def _pairs(plain: str) -> dict[str, str] | None:
    found = text.pairs(plain)
    if found is None:
        return None
    try:
        return _once_each(found)
    except _Twice as exc:
        raise invalid(exc.key, "stands there twice") from None


def _with_remedy(refusal: Refused, plain: str) -> Refused:
    remedy = text.remedy(plain)
    return invalid("body", f"{refusal.details['reason']}; {remedy}") if remedy else refusal


def read_object(body: bytes) -> dict[str, Any]:
    """The body as an object, whatever its content type said; numbers become Decimal. Refused(invalid_alert)."""
    if not body.strip():
        raise invalid("body", "is empty; send the alert as a JSON object")
    if len(body) > MAX_BODY_BYTES:
        reason = f"{len(body)} bytes; at most {MAX_BODY_BYTES} are read"
        raise TooLarge("invalid_alert", f"body: {reason}", {"field": "body", "reason": reason})
    parsed = _parsed(body)
    if not isinstance(parsed, dict):
        raise invalid("body", "must be one JSON object")
    return parsed


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(
            body.decode("utf-8-sig"),
            parse_float=Decimal,
            parse_int=Decimal,
            parse_constant=_no_constant,
            object_pairs_hook=_once_each,
        )
    except UnicodeDecodeError:
        raise invalid("body", "is not UTF-8 text") from None
    except ArithmeticError:
        raise invalid("body", "holds a number that is out of range") from None
    except RecursionError:
        raise invalid("body", "is nested too deeply") from None
    except _Twice as exc:
        raise invalid(exc.key, "stands there twice") from None
    except ValueError as exc:
        raise invalid("body", f"is not JSON ({exc}); an unquoted placeholder that came out empty is the usual cause") from None


class _Twice(ValueError):
    """A key that an object names twice."""

    @property
    def key(self) -> str:
        """The key, short enough to be told; one without a name is the body's."""
        return str(self).encode("utf-8", "replace").decode().strip()[:60] or "body"


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    repeated = {key for key in keys if keys.count(key) > 1}
    if repeated:
        raise _Twice(min(repeated))
    return dict(pairs)
