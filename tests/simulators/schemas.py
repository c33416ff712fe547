"""Replies of a simulated venue against the venue's own schema, trimmed to what is simulated (a JSON schema file per venue).

SCHEMAS = Schemas(Path(__file__).with_name("schema.json"))     # {"$defs": {"Order": {...}, ...}}
SCHEMAS.check("Order", body)                                   # WrongReply where a reply is not what the venue would send
SCHEMAS.told(options, "Order", body)                           # the same where the strict option is on, and kept in the options
return SCHEMAS.answer(request, "Order", body)                  # JSON answer, checked where the strict option is on

An object has the properties that its definition names and no others, unless the definition itself says more about others.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from aiohttp import web
from jsonschema import Draft202012Validator, FormatChecker

from tests.simulators.options import OPTIONS, Options

FORMATS = FormatChecker()
"""Those of the library that need nothing else, such as uuid, and the date and time of RFC 3339."""
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@FORMATS.checks("date-time", raises=ValueError)
def is_instant(value: object) -> bool:
    """Whether a text is an instant as RFC 3339 has it, fractions of any length included; ValueError for the 30th of February."""
    if not isinstance(value, str):
        return True
    return _INSTANT.fullmatch(value) is not None and datetime.fromisoformat(value).tzinfo is not None


class WrongReply(AssertionError):
    """The simulator was about to send what its venue never would."""


class Schemas:
    """The definitions of one file, read when they are first needed."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._validators: dict[str, Draft202012Validator] = {}

    def check(self, name: str, body: Any) -> None:
        """Raise WrongReply with every place where the body differs from the definition."""
        errors = sorted(self._validator(name).iter_errors(body), key=lambda error: error.json_path)
        if errors:
            told = "; ".join(f"{error.json_path}: {error.message}" for error in errors[:5])
            raise WrongReply(f"{name} of {self._file.parent.name}: {told}")

    def told(self, options: Options, name: str, body: Any) -> None:
        """Check it where the strict option is on. What is wrong is kept too: in a stream nobody may hear of the WrongReply."""
        if not options.strict:
            return
        try:
            self.check(name, body)
        except WrongReply as exc:
            options.wrong.append(str(exc))
            raise

    def answer(
        self, request: web.Request, name: str, body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> web.Response:
        """The JSON answer; where the strict option is on, checked. A Decimal is written as a number."""
        text = json.dumps(body, default=_number)
        if request.app[OPTIONS].strict:
            self.told(request.app[OPTIONS], name, json.loads(text))
        return web.Response(text=text, status=status, headers=headers, content_type="application/json")

    def _validator(self, name: str) -> Draft202012Validator:
        if name not in self._validators:
            if name not in self._definitions["$defs"]:
                raise WrongReply(f"{self._file} has no definition of {name}")
            schema = {**self._definitions, "$ref": f"#/$defs/{name}"}
            self._validators[name] = Draft202012Validator(schema, format_checker=FORMATS)
        return self._validators[name]

    @cached_property
    def _definitions(self) -> dict[str, Any]:
        definitions: dict[str, Any] = json.loads(self._file.read_text("utf-8"))
        return {**definitions, "$defs": _closed(definitions["$defs"])}


def _closed(value: Any) -> Any:
    """A definition, and all within it, whose objects take no other properties than it names."""
    if isinstance(value, list):
        return [_closed(each) for each in value]
    if not isinstance(value, dict):
        return value
    within = {name: _closed(each) for name, each in value.items()}
    if isinstance(value.get("properties"), dict):
        within.setdefault("additionalProperties", False)
    return within


def _number(value: Any) -> float | int:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"{type(value).__name__} cannot be sent as JSON")
