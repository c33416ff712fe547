"""Alerts from the command line: fields as typed come in, go to the webhook over HTTP like any sender's, its answer comes out."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import urllib3

from cli.problem import Problem

# Longer than the gateway lets any request take.
PATIENCE_S = 35.0
_TARGET = "./fillpath alert target ES1! 1 for one long, -1 for one short, 0 for none"


@dataclass(frozen=True)
class Answer:
    """What came back, and how long it took."""

    status: int
    body: Mapping[str, Any]
    elapsed_ms: float

    @property
    def accepted(self) -> bool:
        """Whether the alert became orders."""
        return self.status in {200, 202}


def read_fields(texts: Sequence[str]) -> dict[str, str]:
    """`NAME=VALUE` texts as fields; raises Problem."""
    pairs = [text.partition("=") for text in texts]
    for name, equals, _ in pairs:
        if not equals or not name:
            raise Problem(f"--field: {name!r} is not NAME=VALUE", hint="such as --field market_position=long")
    return {name.strip(): value for name, _, value in pairs}


def with_target(alert: Mapping[str, Any]) -> dict[str, Any]:
    """`target ES1! -1` as its fields say it: the side, and how much of it; raises Problem for a quantity that is no number."""
    if "market_position" in alert:
        return dict(alert)
    if "quantity" not in alert:
        raise Problem("QUANTITY is missing: the position that is wanted", hint=_TARGET)
    wanted = _number(alert["quantity"])
    if wanted is None:
        raise Problem(f"QUANTITY: {alert['quantity']!r} is not a number", hint=_TARGET)
    kept = {name: value for name, value in alert.items() if name != "quantity"}
    return {**kept, "market_position": _side(wanted), "market_position_size": f"{abs(wanted):f}"}


def remedy(alert: Mapping[str, Any], refusal: str) -> str:
    """What to write instead, where a target was given by a signed quantity; else nothing."""
    wanted = _number(alert.get("quantity"))
    if str(alert.get("action")).lower() != "target" or wanted is None or wanted >= 0 or not refusal.startswith("quantity:"):
        return ""
    return f"send market_position {_side(wanted)} and market_position_size {abs(wanted):f} in place of the quantity"


def read_alert(text: str) -> dict[str, Any]:
    """The alert of a file; raises Problem."""
    try:
        alert = json.loads(text, parse_float=str)
    except ValueError as error:
        raise Problem(f"--file: is not JSON ({error})") from error
    if not isinstance(alert, dict):
        raise Problem("--file: must hold one JSON object")
    return alert


def complete(alert: Mapping[str, Any], secret: str) -> dict[str, Any]:
    """The alert with the time of now and the webhook's secret, where it has none of its own (or a placeholder for it)."""
    now = datetime.now(UTC)
    added = {"timestamp": f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z", "secret": secret}
    return {**alert, **{name: value for name, value in added.items() if alert.get(name) in {None, "", "{{timenow}}"}}}


def post(url: str, alert: Mapping[str, Any]) -> Answer:
    """Post it; raises Problem if nobody answers."""
    begun = time.monotonic()
    try:
        answer = urllib3.request(
            "POST",
            url,
            body=json.dumps(alert).encode(),
            headers={"Content-Type": "application/json"},
            timeout=PATIENCE_S,
            retries=False,
        )
    except urllib3.exceptions.HTTPError as error:
        reason = f"the webhook does not answer: {type(error).__name__}"
        raise Problem(reason, hint="./fillpath status tells whether it runs") from error
    return Answer(answer.status, _body(answer.data), (time.monotonic() - begun) * 1000)


def _number(text: object) -> Decimal | None:
    try:
        value = Decimal(str(text))
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _side(position: Decimal) -> str:
    return "long" if position > 0 else "short" if position < 0 else "flat"


def _body(data: bytes) -> Mapping[str, Any]:
    try:
        body = json.loads(data)
    except ValueError:
        body = None
    return body if isinstance(body, dict) else {"error": "unreadable", "message": data.decode(errors="replace")[:500]}
