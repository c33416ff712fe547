"""Replies of a simulated venue against the venue's own schema, trimmed to what is simulated (a JSON schema file per venue).

SCHEMAS = Schemas(Path(__file__).with_name("schema.json"))     # {"$defs": {"Order": {...}, ...}}
SCHEMAS.check("Order", body)                                   # WrongReply where a reply is not what the venue would send
return SCHEMAS.answer(request, "Order", body)            # JSON answer, checked where the strict option is on
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from aiohttp import web
from jsonschema import Draft202012Validator

from tests.simulators.options import OPTIONS


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

    def answer(
        self, request: web.Request, name: str, body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> web.Response:
        """The JSON answer; where the strict option is on, checked. A Decimal is written as a number."""
        text = json.dumps(body, default=_number)
        if request.app[OPTIONS].strict:
            self.check(name, json.loads(text))
        return web.Response(text=text, status=status, headers=headers, content_type="application/json")

    def _validator(self, name: str) -> Draft202012Validator:
        if name not in self._validators:
            if name not in self._definitions["$defs"]:
                raise WrongReply(f"{self._file} has no definition of {name}")
            self._validators[name] = Draft202012Validator({**self._definitions, "$ref": f"#/$defs/{name}"})
        return self._validators[name]

    @cached_property
    def _definitions(self) -> dict[str, Any]:
        definitions: dict[str, Any] = json.loads(self._file.read_text("utf-8"))
        return definitions


def _number(value: Any) -> float | int:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"{type(value).__name__} cannot be sent as JSON")
