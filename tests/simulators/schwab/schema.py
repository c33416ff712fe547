"""The definitions that replies are checked against: the used part of Schwab's own, corrected where its answers differ."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.simulators.options import Options
from tests.simulators.schemas import Schemas

SCHEMAS = Schemas(Path(__file__).with_name("schema.json"))


def frame(body: Any, options: Options) -> str:
    """A frame of the streamer; where the strict option is on, checked."""
    text = json.dumps(body, default=_number, separators=(",", ":"))
    SCHEMAS.told(options, "Frame", json.loads(text))
    return text


def _number(value: Any) -> float | int:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"{type(value).__name__} cannot be sent as JSON")
