"""From bytes to a JSON object with exact numbers, or a refusal that says what is wrong with them."""

import json
from decimal import Decimal
from typing import Any, NoReturn

from fillpath.errors import Refused

MAX_BODY_BYTES = 8192


class TooLarge(Refused):
    """A body that is not even read."""


def invalid(field: str, reason: str) -> Refused:
    """The refusal of an alert for one of its fields."""
    return Refused("invalid_alert", f"{field}: {reason}", {"field": field, "reason": reason})


def read_object(body: bytes) -> dict[str, Any]:
    """The body as an object, whatever its content type said; numbers become Decimal. Refused(invalid_alert)."""
    if not body.strip():
        raise invalid("body", "is empty; send the alert as a JSON object")
    if len(body) > MAX_BODY_BYTES:
        reason = f"{len(body)} bytes; at most {MAX_BODY_BYTES} are read"
        raise TooLarge("invalid_alert", f"body: {reason}", {"field": "body", "reason": reason})
    try:
        parsed = json.loads(
            body.decode("utf-8-sig"),
            parse_float=Decimal,
            parse_int=Decimal,
            parse_constant=_no_constant,
            object_pairs_hook=_once_each,
        )
    except UnicodeDecodeError:
        raise invalid("body", "is not UTF-8 text") from None
    except RecursionError:
        raise invalid("body", "is nested too deeply") from None
    except _Twice as exc:
        raise invalid(str(exc)[:60], "stands there twice") from None
    except ValueError as exc:
        raise invalid("body", f"is not JSON ({exc}); an unquoted placeholder that came out empty is the usual cause") from None
    if not isinstance(parsed, dict):
        raise invalid("body", "must be one JSON object")
    return parsed


class _Twice(ValueError):
    """A key that an object names twice."""


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    repeated = {key for key in keys if keys.count(key) > 1}
    if repeated:
        raise _Twice(min(repeated))
    return dict(pairs)
