"""Tradovate's own schema, trimmed to what is simulated, and which definition each endpoint asks for and answers with."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from tests.simulators.schemas import Schemas

_FILE = Path(__file__).with_name("schema.json")
SCHEMAS = Schemas(_FILE)


@cache
def endpoints() -> dict[str, dict[str, str]]:
    """By method and endpoint: the definitions of `request` and `reply`."""
    known: dict[str, dict[str, str]] = json.loads(_FILE.read_text("utf-8"))["endpoints"]
    return known


def definition(method: str, endpoint: str, what: str) -> str | None:
    """The name of the definition, where the endpoint has one."""
    return endpoints().get(f"{method} {endpoint}", {}).get(what)


def is_request(method: str, endpoint: str, body: Any) -> str | None:
    """What is wrong with a request, None if nothing is."""
    name = definition(method, endpoint, "request")
    if name is None:
        return None
    try:
        SCHEMAS.check(name, body)
    except AssertionError as exc:
        return str(exc)
    return None
